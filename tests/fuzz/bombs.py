"""Bombs and things without end, and a process that meets them one by one and tells what each cost.

``python -m fuzz.bombs FOLDER``, a folder to write into.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import resource
import socket
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import count, repeat
from pathlib import Path
from typing import Any

from client.raw_server import Act, answer, drip, raw_server
from inventory.estate import row

MOST_MEMORY = 4 * 2**30
"""Bytes of address space of a process that meets a bomb."""
MOST_SECONDS = 60
GIGABYTE = 2**30
_PIECE = b" " * 2**20
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Bomb:
    """Something that would go on for ever, or fill the memory.

    :param meet: meets it, in a folder of its own.
    :param error: what is raised, by its name, and what that ``says``.
    :param megabytes: that it may cost at most, and ``seconds`` of processor time.
    """

    name: str
    meet: Callable[[Path], object]
    error: str
    says: str
    megabytes: int = 250
    seconds: float = 30.0


def _client(url: str, **options: Any) -> Any:
    from ocp_numbers.client import ClientSettings, OcpClient, Retry

    who = {} if "login" in options else {"personal_access_token": "token-0123456789"}
    settings = ClientSettings(host=url, **who, **({"read_timeout": 5, "total_timeout": 30} | options))
    return OcpClient(settings, retry=Retry(attempts=1))


def _asked(act: Act, call: Callable[[Any], object] = lambda client: client.numbers.list(), **options: Any) -> Any:
    def meet(folder: Path) -> object:
        with raw_server(act) as server, _client(server.url, **options) as client:
            return call(client)

    return meet


def _stream(head: bytes, pieces: Callable[[], Iterator[bytes]]) -> Callable[[socket.socket], None]:
    def act(connection: socket.socket) -> None:
        connection.sendall(head)
        for piece in pieces():
            connection.sendall(piece)

    return act


def _chunks() -> Iterator[bytes]:
    yield from repeat(b"%x\r\n%s\r\n" % (len(_PIECE), _PIECE))


def _zeroes() -> bytes:
    """A gigabyte of blanks, packed."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as writer:
        for _ in range(GIGABYTE // len(_PIECE)):
            writer.write(_PIECE)
    return packed.getvalue()


def _zipped(act: Callable[[bytes], bytes] = lambda packed: packed) -> Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        connection.sendall(answer(body=act(_zeroes()), Content_Encoding="gzip"))

    return say


def _endless_pages(alike: bool) -> Any:
    """Each page names a next one; the total grows, or is beyond belief from the first."""
    pages = count(1)

    def act(connection: socket.socket) -> None:
        page = next(pages)
        rows = [{"number": f"+1212{page * 10 + place:07}"} for place in range(5)]
        total = 10**8 if alike else 10 * page
        listing = {"numbers": rows, "page": page, "pageSize": 5, "numberOfPages": total // 5, "allNumbers": total}
        connection.sendall(answer(body=json.dumps(listing).encode()))

    return act


def _iterated(client: Any) -> int:
    return sum(1 for _ in client.numbers.iterate(page_size=5))


def _exported(folder: Path) -> object:
    from datetime import date

    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.inventory import Scope
    from ocp_numbers.inventory.export import Export
    from ocp_numbers.inventory.source import ClientSource

    def act(connection: socket.socket) -> None:
        listing = {"numbers": [row(1)], "page": 1, "pageSize": 1}
        connection.sendall(answer(body=json.dumps(listing | {"numberOfPages": 10**15, "allNumbers": 10**15}).encode()))

    with raw_server(act) as server, _client(server.url) as client:
        return Export(
            source=ClientSource(lambda: client),
            root=DataRoot(folder / "data"),
            scope=Scope(environment="x"),
            day=date(2026, 3, 1),
            holder="x",
            concurrency=2,
        ).run()


def _redirected(folder: Path) -> object:
    """Each address redirects to the next."""
    turns = count()

    def act(connection: socket.socket) -> None:
        connection.sendall(answer(302, b" " * 2**20, Location=f"/{next(turns)}"))

    with raw_server(act) as server, _client(server.url) as client:
        try:
            return client.numbers.list()
        finally:
            assert len(server.requests) == 1


def _table(content: bytes) -> object:
    from ocp_numbers.bulk.rows import Columns, Wrong, read_rows
    from ocp_numbers.bulk.table import open_table
    from ocp_numbers.errors import InvalidInput

    with open_table(io.BytesIO(content), is_header=Columns.are_in, name="upload") as table:
        for row in read_rows(table, Columns(table.header)):
            if isinstance(row, Wrong) and row.ends:
                raise InvalidInput(str(row.faults[0]))
    return None


def _packed_table(piece: bytes, times: int, header: bytes = b"OPERATION,NUMBER,NOTE\n") -> Callable[[Path], object]:
    def meet(folder: Path) -> object:
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as writer:
            writer.write(header)
            for _ in range(times):
                writer.write(piece)
        return _table(packed.getvalue())

    return meet


def _book(part: str, before: bytes, piece: bytes, times: int, after: bytes) -> Callable[[Path], object]:
    """A workbook, one part of which is made of a piece so many times."""

    def meet(folder: Path) -> object:
        from fuzz.files import parts

        path = folder / "bomb.xlsx"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
            for name, content in parts():
                if name != part:
                    book.writestr(name, content)
            with book.open(part, "w", force_zip64=True) as stream:
                stream.write(before)
                block = piece * (2**20 // len(piece))
                for _ in range(times * len(piece) // len(block)):
                    stream.write(block)
                stream.write(after)
        return _table(path.read_bytes())

    return meet


def _yaml(text: str) -> Callable[[Path], object]:
    def meet(folder: Path) -> object:
        from ocp_numbers.regions.declared import read_region

        (folder / "region.yaml").write_text(text, encoding="utf-8")
        return read_region(folder / "region.yaml")

    return meet


def _device(folder: Path) -> object:
    from ocp_numbers.regions.declared import read_region

    return read_region(Path("/dev/zero"))


def _price(folder: Path) -> object:
    body = b'[{"number": "+12125550123", "price": 1e999999999}, {"number": "+12125550124", "price": "1e-999999999"}]'
    search = _asked(
        answer(body=body), lambda client: client.numbers.search_available(provider="p", code="US", group="g")
    )
    return [f"{offer.price:f}" for offer in search(folder)]


_XML = b'<?xml version="1.0"?>'
_MAIN = b' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
_LAUGHS = (
    _XML
    + b'<!DOCTYPE x [<!ENTITY a "'
    + b"ha" * 50
    + b'">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8))
    + b"]><worksheet"
    + _MAIN
    + b'<sheetData><row><c t="inlineStr"><is><t>&i;</t></is></c></row></sheetData></worksheet>'
)
_CELL = b'<c t="inlineStr"><is><t>%s</t></is></c>'
_ROW = b"<row>" + _CELL % b"OPERATION" + _CELL % b"NUMBER" + b"</row>"
_SHEET, _STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
_LIES = (b"a: &a [" + b"x," * 9 + b"x]\n").decode() + "".join(
    f"{name}: &{name} [{', '.join(['*' + above] * 10)}]\n" for above, name in zip("abcdefgh", "bcdefghi", strict=True)
)

BOMBS = (
    Bomb(
        "answer of a gigabyte",
        _asked(_stream(_HEAD + b"Content-Length: 1073741824\r\n\r\n", lambda: repeat(_PIECE, 1024))),
        "AnswerLost",
        "longer than 67,108,864 bytes",
    ),
    Bomb(
        "chunks without end",
        _asked(_stream(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", _chunks)),
        "AnswerLost",
        "longer than 67,108,864 bytes",
    ),
    Bomb(
        "chunk of less than no length",
        _asked(_stream(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", lambda: repeat(_PIECE))),
        "AnswerLost",
        "less than no length",
    ),
    Bomb(
        "answer to a change without end",
        _asked(
            _stream(_HEAD + b"\r\n", lambda: repeat(_PIECE)), lambda client: client.numbers.detach(["+12125550123"])
        ),
        "AnswerLost",
        "longer than 16,777,216 bytes",
    ),
    Bomb(
        "CSV of a line without end",
        _asked(
            _stream(_HEAD.replace(b"application/json", b"text/csv") + b"\r\n", lambda: repeat(_PIECE)),
            lambda client: client.numbers.export_csv(),
        ),
        "AnswerLost",
        "longer than 536,870,912 bytes",
        megabytes=700,
    ),
    Bomb("compressed gigabyte", _asked(_zipped(), read_timeout=30), "AnswerLost", "longer than 67,108,864 bytes"),
    Bomb(
        "something behind the compressed end",
        _asked(
            _stream(_HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"), lambda: repeat(_PIECE)),
            total_timeout=30,
        ),
        "UnexpectedAnswer",
        "numbers: Field required",
    ),
    Bomb(
        "headers without end",
        _asked(_stream(_HEAD, lambda: (b"X-%d: y\r\n" % turn for turn in count()))),
        "AnswerLost",
        "100 headers",
    ),
    Bomb("header without end", _asked(_stream(_HEAD + b"X: ", lambda: repeat(_PIECE))), "AnswerLost", "header line"),
    Bomb(
        "interim answers without end",
        _asked(_stream(b"", lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n")), total_timeout=2),
        "AnswerLost",
        "no whole answer within 2 s",
    ),
    Bomb(
        "trailer without end",
        _asked(
            _stream(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", lambda: repeat(b"X: y\r\n" * 100)),
            total_timeout=2,
        ),
        "AnswerLost",
        "no whole answer within 2 s",
    ),
    Bomb(
        "answer drop by drop",
        _asked(drip(_HEAD + b"Content-Length: 999\r\n\r\n", *repeat(b" ", 400), pause=0.02), total_timeout=1),
        "AnswerLost",
        "no whole answer within 1 s",
    ),
    Bomb(
        "login that never ends",
        _asked(
            drip(_HEAD + b"Content-Length: 999\r\n\r\n", *repeat(b" ", 400), pause=0.02),
            total_timeout=1,
            login="ops",
            password="open-sesame",
        ),
        "AnswerLost",
        "no whole answer within 1 s",
    ),
    Bomb(
        "login of a gigabyte",
        _asked(_stream(_HEAD + b"\r\n", lambda: repeat(_PIECE)), login="ops", password="open-sesame"),
        "AnswerLost",
        "longer than 1,048,576 bytes",
    ),
    Bomb(
        "refusal of a gigabyte",
        _asked(_stream(_HEAD.replace(b"200", b"403") + b"\r\n", lambda: repeat(_PIECE))),
        "Forbidden",
        "403",
    ),
    Bomb("redirects without end", _redirected, "Redirected", "not followed"),
    Bomb(
        "pages without end",
        _asked(_endless_pages(alike=False), _iterated),
        "IncompleteSnapshot",
        "the total went from 10 to 20",
    ),
    Bomb("pages beyond belief", _asked(_endless_pages(alike=True), _iterated), "IncompleteSnapshot", "pages"),
    Bomb("export of pages beyond belief", _exported, "UnexpectedAnswer", "believable are 0 to 200,000"),
    Bomb("price that cannot be written out", _price, "UnexpectedAnswer", "price"),
    Bomb(
        "CSV of a gigabyte, packed",
        _packed_table(b'Update,+12125550123,"' + b"x" * 100_000 + b'"\n', 12_000),
        "InvalidInput",
        "more than 1,073,741,824 bytes",
    ),
    Bomb(
        "CSV without a line break",
        _packed_table(_PIECE, 1_100, header=b""),
        "InvalidInput",
        "a line has 1,048,576 characters or more",
    ),
    Bomb("CSV of blank lines", _packed_table(b"\n" * 2**20, 1_100, header=b""), "InvalidInput", "1,048,576 rows"),
    Bomb("CSV of empty cells", _packed_table(b"," * 10**6 + b"\n", 1_100), "InvalidInput", "33,554,432 cells"),
    Bomb(
        "header of a million columns", _packed_table(b"", 0, header=b"OPERATION,NUMBER" + b"," * 10**6 + b"\n"), "", ""
    ),
    Bomb(
        "header of a million names",
        _packed_table(b"", 0, header=b"OPERATION,NUMBER" + b",x" * 500_000 + b"\n"),
        "InvalidInput",
        "is to be the header",
    ),
    Bomb(
        "workbook of a gigabyte",
        _book(_SHEET, b"", b"<row/>", 2**30 // 6 + 2**20, b""),
        "InvalidInput",
        "split it, or save it as CSV",
    ),
    Bomb(
        "workbook with one endless row",
        _book(
            _SHEET,
            _XML + b"<worksheet" + _MAIN + b"<sheetData><row>",
            b"<c/>",
            10**8,
            b"</row></sheetData></worksheet>",
        ),
        "InvalidInput",
        "a row of more than 4,194,304 bytes",
    ),
    Bomb(
        "workbook with a head without end",
        _book(_SHEET, _XML + b"<worksheet" + _MAIN, b"<a/>", 10**7, b"<sheetData/></worksheet>"),
        "InvalidInput",
        "a row of more than 4,194,304 bytes",
    ),
    Bomb(
        "workbook of wide rows",
        _book(
            _SHEET,
            _XML + b"<worksheet" + _MAIN + b"<sheetData>" + _ROW,
            b'<row><c r="ZZZ1" t="n"><v>1</v></c></row>',
            10**5,
            b"</sheetData></worksheet>",
        ),
        "InvalidInput",
        "cells",
    ),
    Bomb(
        "workbook of many texts",
        _book(_STRINGS, _XML + b"<sst" + _MAIN, b"<si><t/></si>", 10**7, b"</sst>"),
        "InvalidInput",
        "texts and formats are",
    ),
    Bomb(
        "workbook that laughs a billion times",
        _book(_SHEET, _LAUGHS, b" ", 0, b""),
        "InvalidInput",
        "upload: ",
    ),
    Bomb(
        "YAML that laughs a billion times",
        _yaml(_LIES + "allow_reassign: *i\n"),
        "InvalidInput",
        "more than 20,000 values",
    ),
    Bomb("YAML of a gigabyte", _yaml("group: " + "x" * 10**7), "InvalidInput", "larger than 262,144 bytes"),
    Bomb("YAML that refers to itself", _yaml("group: &a [*a]\n"), "InvalidInput", "refers to itself"),
    Bomb("file without end", _device, "InvalidInput", "larger than 262,144 bytes"),
)


def main(folder: str) -> None:
    """Meet each bomb in a process of its own, and print as JSON what came of it, a line each.

    The processes are forked off one that has imported everything: what that takes is not the bombs' doing.
    """
    for module in ("fuzz.files", "ocp_numbers.inventory.export", "openpyxl.reader.excel"):
        import_module(module)
    for place, bomb in enumerate(BOMBS):
        child = os.fork()
        if child == 0:
            (home := Path(folder) / str(place)).mkdir()
            _meet(bomb, home)
        os.waitpid(child, 0)


def _meet(bomb: Bomb, folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    logging.disable(logging.CRITICAL)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    error, message = "", ""
    try:
        bomb.meet(folder)
    except BaseException as raised:
        error, message = type(raised).__name__, str(raised)
    cost = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    told = {"name": bomb.name, "error": error, "message": message, "megabytes": cost / 1024}
    print(json.dumps(told | {"seconds": time.process_time() - began}), flush=True)
    os._exit(0)  # what still streams into the void need not be waited for


if __name__ == "__main__":
    main(sys.argv[1])
