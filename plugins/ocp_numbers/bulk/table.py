"""A file of changes as a table: CSV in the dialects that spreadsheets write, or XLSX; a CSV gzipped or not.

Nothing is guessed. The delimiter is the one under which the header has the columns that it must have; a row with more
or fewer cells than the header, a text that is not UTF-8 or UTF-16, and a quote that does not close are faults.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, cast

from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.spreadsheet import Unreadable, sheet_rows
from ocp_numbers.errors import InvalidInput, shown

DELIMITERS = ",;\t|"
MOST_ROWS = 1_048_576
"""Rows of a table: as many as a spreadsheet's sheet holds."""

MOST_CELLS = 2**25
"""Cells of a table, blank ones too: 32 in each of so many rows."""
MOST_COLUMNS = 1_000
MOST_BYTES = 2**30
"""Bytes of a CSV, unpacked."""

_LONGEST_LINE = 2**20

_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)

Cell = str | Unreadable
IsHeader = Callable[[Sequence[str]], bool]

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_BASE64_ZIP = "UEsD"
_STRANGERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (XLS); save it as XLSX or CSV",
    b"%PDF": "a PDF; save the table itself as CSV or XLSX",
    b"{\\rtf": "a rich text; save the table itself as CSV or XLSX",
    b"PAR1": "a Parquet file; take the CSV of the same folder",
}
_BYTE_ORDER = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Line(NamedTuple):
    """One row: where it stands, counted as a spreadsheet does, and its cells; or what is wrong with all of it.

    ``ends`` says that nothing behind it could be read.
    """

    row: int
    cells: tuple[Cell, ...] = ()
    fault: Fault | None = None
    ends: bool = False


class Table(NamedTuple):
    """The header, and the rows below it; those that are blank from end to end are left out."""

    header: tuple[str, ...]
    lines: Iterator[Line]


@contextmanager
def open_table(stream: BinaryIO, *, is_header: IsHeader, name: str) -> Iterator[Table]:
    """Read a table out of ``stream``.

    :param is_header: whether a row of names has the columns that are needed.
    :param name: of the input, for messages.
    :raises InvalidInput: when it is no table, or has no such header.
    """
    start = _start(stream, name)
    if start.startswith(_GZIP):
        # A gzip file is as good a stream as any; the type of the standard library's does not say so.
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=stream))
        start = _start(stream, name)
        if start.startswith(_ZIP):
            raise InvalidInput(f"{name}: is a workbook that was packed once more; give the XLSX itself")
    elif start.startswith(_ZIP):
        with sheet_rows(stream, name=name) as rows:
            yield _below(_Source(rows, name), is_header)
        return
    with _text(_Bounded(stream), start, name) as text:
        yield _below(_Source(_csv_rows(text, is_header), name), is_header)


def bytes_of(upload: str, *, name: str) -> bytes:
    """What somebody pasted: a CSV as it is, or a workbook in Base64, also as a ``data:`` address.

    :raises InvalidInput: for Base64 that is damaged, and for text that cannot be written.
    """
    text = upload.strip()
    if text.startswith("data:"):
        text = text.partition(",")[2]
    elif not text.startswith(_BASE64_ZIP):
        try:
            return upload.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"{name}: is not valid text ({error}); paste it again") from None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{name}: looks like Base64 and is damaged ({error}); paste all of it again") from None


class _Bounded(io.RawIOBase):
    """As much of ``stream`` as a table may have; a packed one can be a thousand times as large as its file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(len(buffer))
        self._left -= len(piece)
        if self._left < 0:
            raise csv.Error(f"it has more than {MOST_BYTES:,} bytes unpacked; split it")
        buffer[: len(piece)] = piece
        return len(piece)


class _Source:
    """Rows of cells with their places; faults of the reading end it, as a fault of their own."""

    def __init__(self, rows: Iterator[Sequence[Cell]], name: str) -> None:
        self._rows = rows
        self.name = name
        self.row = 0
        self._cells = 0

    def next(self) -> tuple[Cell, ...] | Fault | None:
        """The next row, or what ends the table."""
        try:
            cells = next(self._rows, None)
        except csv.Error as error:
            return self._broken(f"is not CSV: {error}; look at the quotes in it and in the row before")
        except UnicodeError as error:
            return self._broken(f"is not valid text ({error}); save the file as 'CSV UTF-8'")
        except _DAMAGED as error:
            return self._broken(f"the packed file is damaged ({error}); upload it again")
        if cells is None:
            return None
        self.row += 1
        self._cells += len(cells)
        if self.row > MOST_ROWS or self._cells > MOST_CELLS:
            return Fault(
                self.row, "", "", f"there are more than {MOST_ROWS:,} rows, or {MOST_CELLS:,} cells; split the file"
            )
        return tuple(_readable(cell) for cell in cells)

    def _broken(self, problem: str) -> Fault:
        return Fault(self.row + 1, "", "", f"{problem}. Nothing behind it was read.")


def _start(stream: BinaryIO, name: str) -> bytes:
    try:
        start = stream.read(8)
        stream.seek(0)
    except _DAMAGED as error:
        raise InvalidInput(f"{name}: the packed file is damaged ({error}); upload it again") from None
    return start


def _readable(cell: Cell) -> Cell:
    if isinstance(cell, str) and not cell.isascii():
        try:
            cell.encode()
        except UnicodeEncodeError:
            return Unreadable(ascii(cell)[1:-1], "is not UTF-8; save the file as 'CSV UTF-8'")
    return cell


def _below(source: _Source, is_header: IsHeader) -> Table:
    while (cells := source.next()) is not None:
        if isinstance(cells, Fault):
            raise InvalidInput(f"{source.name}: {cells}")
        header = tuple("" if isinstance(cell, Unreadable) else cell.strip() for cell in cells)
        if any(header):
            return Table(_checked(header, is_header, source), _lines(source, len(header)))
    raise InvalidInput(f"{source.name}: is empty; give a header and a row for each number")


def _checked(header: tuple[str, ...], is_header: IsHeader, source: _Source) -> tuple[str, ...]:
    width = max((place for place, name in enumerate(header, start=1) if name), default=0)
    header = header[:width]
    if width > MOST_COLUMNS or not is_header(header):
        seen = shown(islice((repr(name[:40]) for name in header if name), MOST_COLUMNS))
        raise InvalidInput(
            f"{source.name}: row {source.row} is to be the header and holds {seen}; it needs a column OPERATION "
            f"(Create, Update, Attach, Detach or Delete) and a column NUMBER, separated by comma, semicolon, tab or |"
        )
    return header


def _lines(source: _Source, width: int) -> Iterator[Line]:
    """The rows below the header, each as wide as it; cells behind the last column may only be blank."""
    while (cells := source.next()) is not None:
        if isinstance(cells, Fault):
            yield Line(source.row, fault=cells, ends=True)
            return
        row = source.row
        if not any(isinstance(cell, Unreadable) or cell.strip() for cell in cells):
            continue
        surplus = any(isinstance(cell, Unreadable) or cell.strip() for cell in cells[width:])
        if surplus or len(cells) < width:
            problem = (
                f"has {'more' if surplus else 'fewer'} cells than the header, {len(cells)} instead of {width}: put "
                f"texts that hold the separator into quotes, and give every cell its place"
            )
            yield Line(row, fault=Fault(row, "", "", problem))
        else:
            yield Line(row, cells[:width])


@contextmanager
def _text(stream: io.RawIOBase, start: bytes, name: str) -> Iterator[io.TextIOWrapper]:
    for magic, what in _STRANGERS.items():
        if start.startswith(magic):
            raise InvalidInput(f"{name}: is {what}")
    encoding = next((code for mark, code in _BYTE_ORDER.items() if start.startswith(mark)), "utf-8")
    if b"\0" in start and encoding != "utf-16":
        raise InvalidInput(
            f"{name}: is neither CSV nor XLSX: it holds NUL bytes; save the table as 'CSV UTF-8' or XLSX"
        )
    # What is not UTF-8 is carried along, to be found out in its own row and column.
    carried = "strict" if encoding == "utf-16" else "surrogateescape"
    yield io.TextIOWrapper(io.BufferedReader(stream), encoding=encoding, errors=carried, newline="")


def _csv_rows(text: io.TextIOWrapper, is_header: IsHeader) -> Iterator[Sequence[str]]:
    """The rows under the one delimiter that the header shows."""
    head = _line(text)
    lines = 1
    while not head.strip(" \t\r\n,;|") and head and lines <= MOST_ROWS:
        head = _line(text)
        lines += 1
    said = head.strip().removeprefix("sep=") if head.startswith("sep=") else ""
    candidates = said if said and said in DELIMITERS else DELIMITERS
    if said:
        head = _line(text)
        lines += 1
    fitting = [mark for mark in candidates if is_header(_split(head, mark))]
    delimiter = fitting[0] if fitting else ","
    yield from ([] for _ in range(lines - 1))
    yield from csv.reader(_from(head, text), delimiter=delimiter, strict=True)


def _split(head: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([head], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


def _from(head: str, text: io.TextIOWrapper) -> Iterator[str]:
    yield head
    for line in iter(lambda: _line(text), ""):
        if "\0" in line:
            raise csv.Error("it holds NUL characters")
        yield line


def _line(text: io.TextIOWrapper) -> str:
    line = text.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise csv.Error(f"a line has {_LONGEST_LINE:,} characters or more")
    return line
