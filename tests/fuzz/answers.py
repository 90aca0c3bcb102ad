"""Parsers of what comes over the network: the answers of all operations, their heads, tokens, pages and CSV."""

from __future__ import annotations

import atexit
import io
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import Any

from pydantic import BaseModel
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from client.fake_clock import FakeClock
from client.raw_server import RawServer
from fuzz.hostile import DIGITS, body, mangled, table, text
from fuzz.promise import Parser
from ocp_numbers.client import OPERATIONS, ClientSettings, OcpClient, Retry
from ocp_numbers.client.retry import retry_after
from ocp_numbers.inventory.cross_check import COLUMNS
from ocp_numbers.inventory.csv_reading import CsvReading
from ocp_numbers.inventory.marks import Marks
from ocp_numbers.inventory.reader import Moved
from ocp_numbers.inventory.schema import DecodedPage, NotAPage, content_fingerprint, decode
from ocp_numbers.models import E164, AvailableNumber, NumberSet, Outcome, Page, PhoneNumber, Purchase

NUMBER = "+12125550123"
ROW = {
    "number": NUMBER,
    "country": "US",
    "groupId": "retail-us",
    "miniAppId": "1.app",
    "miniAppName": "app",
    "miniAppType": "Flow",
    "miniAppDiamantAppName": None,
    "miniAppGroup": "retail-us",
    "locale": "en-US",
    "note": "front desk",
    "applicationTag": None,
    "phoneNumbersSetId": "s-1",
    "phoneNumbersSetName": "Front",
}
PAGE = {
    "numbers": [ROW, {**ROW, "number": "+12125550124"}],
    "page": 1,
    "pageSize": 50,
    "numberOfPages": 1,
    "allNumbers": 2,
}
SET = {"id": "s-1", "name": "Front", "groupId": "retail-us", "phoneNumberCount": 3}
RIGHT: dict[object, Any] = {
    Page[PhoneNumber]: PAGE,
    tuple[AvailableNumber, ...]: [
        {"number": NUMBER, "country": "US", "locality": "New York", "region": "NY", "price": 5},
        {"number": "+12125550124", "price": 1.25},
    ],
    Purchase: {"failedNumbers": [NUMBER], "purchasedNumbers": [{"number": NUMBER, "id": "1"}]},
    Outcome: {"success": True, "message": "done"},
    str: "NUMBER,NOTE\n+12125550123,front desk\n",
    NumberSet: SET,
    tuple[NumberSet, ...]: [SET, {**SET, "id": "s-2"}],
    tuple[PhoneNumber, ...]: [ROW],
}
"""An answer of each type as it should be."""

_KINDS = (
    *("application/json",) * 20,
    "application/json; charset=utf-8",
    *("text/csv",) * 4,
    "text/html",
    "",
    *(
        f"text/csv; charset={name}"
        for name in (
            "utf-8",
            "utf-16",
            "latin-1",
            "idna",
            "punycode",
            "hex",
            "undefined",
            "unicode_escape",
            "utf-7",
            "x\0y",
        )
    ),
)
_STATUSES = (*(200,) * 40, 201, 202, 204, 301, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503, 999, 102)
_DATES = (
    "Mon, 23 Nov 2026 12:00:00 GMT",
    "Mon, 23 Nov 99999999999999999999 12:00:00 GMT",
    "Mon, 99 Nov 2026 99:99:99 +9999",
    "Fri, 01 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "1 Jan 1 1:1:1",
    "12",
    "-1",
    DIGITS,
    "1e9",
    "\u0661",
    "Mon, 23 Nov 2026 12:00:00 +" + "9" * 400,
)


_PIECES = ("Mon,", "23", "Nov", "2026", "12:00:00", "GMT", "+0000", "-2400", "99", "1e5", "\0", DIGITS)
_PLACES = ("//[", "https://a:b@evil.example/x", "http://\x1b[2J/", "//" + "x" * 9_000)


def when(rng: Random) -> str:
    """What may stand in the place of a date or of seconds."""
    what = rng.randrange(3)
    if what == 0:
        return text(rng)
    return rng.choice(_DATES) if what == 1 else " ".join(rng.choice(_PIECES) for _ in range(rng.randrange(7)))


def reply(rng: Random, right: Any) -> Said:
    """Status, headers and body."""
    headers = {"Content-Type": rng.choice(_KINDS) if rng.random() < 0.9 else text(rng)}
    if rng.random() < 0.2:
        headers |= {"Retry-After": when(rng), "Date": when(rng)}
    if rng.random() < 0.1:
        headers["Location"] = rng.choice(_PLACES) if rng.random() < 0.5 else text(rng)
    return rng.choice(_STATUSES), headers, body(rng, right)


Said = tuple[int, dict[str, str], bytes]


class Canned(BaseAdapter):
    """In the place of the network: one answer to logins, another one to all that bears credentials."""

    def __init__(self, said: Said, *, to_login: Said | None = None) -> None:
        super().__init__()
        self.said, self.to_login = said, to_login or said

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        authorization = request.headers.get("Authorization", "Bearer x")
        assert authorization.isascii()
        assert authorization.isprintable()
        status, headers, content = self.to_login if "/auth/realms/" in str(request.url) else self.said
        answer = Response()
        answer.status_code = status
        answer.headers.update(headers)
        answer.raw = HTTPResponse(io.BytesIO(content), preload_content=False)
        return answer

    def close(self) -> None:
        pass


@cache
def _canned() -> tuple[Canned, OcpClient]:
    canned = Canned((200, {}, b""))
    return canned, _client(canned, personal_access_token="token-0123456789")


def _client(canned: Canned, **who: str) -> OcpClient:
    session = Session()
    session.mount("https://", canned)
    settings = ClientSettings(host="https://numbers.example", **who)
    return OcpClient(settings, session=session, clock=FakeClock(), retry=Retry(attempts=1))


CALLS: dict[str, Callable[[OcpClient], object]] = {
    "numbers.list": lambda client: client.numbers.list(),
    "numbers.search_available": lambda client: client.numbers.search_available(provider="p", code="US", group="g"),
    "numbers.buy": lambda client: client.numbers.buy(provider="p", numbers=[NUMBER], group="g"),
    "numbers.update_group": lambda client: client.numbers.update_group([NUMBER], group="g"),
    "numbers.attach": lambda client: client.numbers.attach([NUMBER], mini_app_id="a", locale="en-US"),
    "numbers.detach": lambda client: client.numbers.detach([NUMBER]),
    "numbers.update_note": lambda client: client.numbers.update_note(NUMBER, note="n"),
    "numbers.search": lambda client: client.numbers.search(groups=["g"]),
    "numbers.export_csv": lambda client: client.numbers.export_csv(),
    "numbers.import_csv": lambda client: client.numbers.import_csv(b"OPERATION,NUMBER\n"),
    "numbers.add_direct": lambda client: client.numbers.add_direct([NUMBER], group="g"),
    "numbers.delete": lambda client: client.numbers.delete(NUMBER),
    "sets.create": lambda client: client.sets.create(name="n", group_id="g"),
    "sets.list": lambda client: client.sets.list(),
    "sets.list_for_group": lambda client: client.sets.list_for_group("g"),
    "sets.get": lambda client: client.sets.get("s"),
    "sets.update": lambda client: client.sets.update("s", name="n"),
    "sets.numbers": lambda client: client.sets.numbers("s"),
    "sets.add_numbers": lambda client: client.sets.add_numbers("s", numbers=[NUMBER]),
    "sets.remove_numbers": lambda client: client.sets.remove_numbers("s", numbers=[NUMBER]),
    "sets.attach": lambda client: client.sets.attach("s", mini_app_id="a", locale="en-US"),
    "sets.detach": lambda client: client.sets.detach("s"),
    "sets.release_numbers": lambda client: client.sets.release_numbers("s"),
    "sets.delete": lambda client: client.sets.delete("s"),
}


def _read(name: str) -> Any:
    def parse(given: Said) -> object:
        canned, client = _canned()
        canned.said = given
        answer = CALLS[name](client)
        _sayable(answer)
        return answer

    return parse


def _sayable(answer: Any) -> None:
    """Whatever was read can be written down again, and prices as people write them."""
    for each in answer if isinstance(answer, tuple) else [answer]:
        if isinstance(each, BaseModel):
            each.model_dump_json().encode()
        if isinstance(each, AvailableNumber) and each.price is not None:
            assert each.price >= 0
            assert len(f"{each.price:f}") < 100
            assert isinstance(each.price + 1, Decimal)


def _read_page(raw: bytes) -> object:
    page = decode(raw)
    _check_page(page)
    content_fingerprint(raw)
    marks = Marks(by_content=False)
    marks.add(marks.of(raw))
    assert marks.shown(raw, 1)
    return page


def _check_page(page: DecodedPage) -> None:
    assert 0 <= page.all_numbers < 2**63
    page.batch.validate(full=True)
    assert all(number.isascii() and E164.fullmatch(number) for number in page.batch["number"].to_pylist())
    for reject in page.rejects:
        reject.line()


def _look_again(raw: bytes) -> object:
    marks = Marks(by_content=False)
    seen = b'{"numbers": [{"number": "+12125550123"}], "page": 1, "numberOfPages": 1, "allNumbers": 1}'
    marks.add(marks.of(seen))
    assert marks.shown(seen, 1)
    return marks.shown(raw, 1)


class _CsvSource:
    """A listing that counts two numbers, and a CSV."""

    calls = retries = 0

    def __init__(self, text: str) -> None:
        self.text = text

    def fetch(self, page: int, page_size: int, read: Any) -> Any:
        return read(b'{"numbers": [], "page": 1, "pageSize": 1, "numberOfPages": 2, "allNumbers": 2}')

    def csv(self) -> str:
        return self.text


def _read_csv(content: bytes) -> object:
    reading = CsvReading(_CsvSource(content.decode("utf-8", "surrogateescape")))
    pages = list(reading.pages(lambda *_: None))
    for page in pages:
        _check_page(page)
    reading.confirm(lambda *_: None)
    return pages


def _cell(rng: Random, name: str) -> str:
    if rng.random() < 0.85:
        return rng.choice((NUMBER, "+12125550124") if name == "NUMBER" else ("", "x", "retail-us"))
    return text(rng) if rng.random() < 0.95 else "y" * 200_000


@cache
def _platform() -> tuple[RawServer, OcpClient, list[bytes]]:
    """A server on loopback that answers with the last bytes of the list and hangs up, and a client of it."""
    said = [b""]

    def act(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(said[-1])
            connection.shutdown(socket.SHUT_WR)

    server = RawServer((act,), None)
    settings = ClientSettings(
        host=server.url, personal_access_token="token-0123456789", read_timeout=2, total_timeout=4, connect_timeout=2
    )
    client = OcpClient(settings, retry=Retry(attempts=1))
    atexit.register(server.end)
    return server, client, said


def _exchange(said: bytes) -> object:
    _, client, last = _platform()
    last[:] = [said]
    return client.numbers.list()


_FIRST = (
    *(b"HTTP/1.1 200 OK",) * 10,
    b"HTTP/1.1 200",
    b"HTTP/1.0 500 x",
    b"HTTP/1.1 302 Found",
    b"HTTP/9 200 OK",
    b"HTTP/1.1 99999999 x",
    b"HTTP/1.1 -1 x",
    b"",
    b"220 smtp",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
)
_FIELDS = (
    b"Content-Length",
    b"Transfer-Encoding",
    b"Content-Encoding",
    b"Content-Type",
    b"Connection",
    b"Content-Transfer-Encoding",
    b"Location",
    b"Date",
    b"X",
    b"",
    b" ",
)
_SAID = (
    b"chunked",
    b"gzip",
    b"-1",
    b"5",
    b"0",
    b"9" * 5_000,
    b"multipart/x; boundary*=utf-8''%00",
    b"multipart/x; boundary=",
    b"message/rfc822",
    b"base64",
    b"=?x?q?=41?=",
    b"close",
)
_FRAMED = (
    b"{}",
    b"",
    b"-1\r\n{}",
    b"-5\r\n{}",
    b"5\r\n{}",
    b"0\r\n\r\n",
    b"f" * 70_000,
    b"x\r\n",
    b"2;x=y\r\n{}\r\n0\r\n",
    b"0x2\r\n{}\r\n0\r\n\r\n",
    b"1_0\r\n{}",
)


def _said(rng: Random) -> bytes:
    """An HTTP answer, more or less."""
    head = b""
    for _ in range(rng.randrange(5)):
        name = rng.choice(_FIELDS) if rng.random() < 0.95 else rng.randbytes(3)
        head += b"%s: %s\r\n" % (name, rng.choice(_SAID) if rng.random() < 0.8 else rng.randbytes(rng.randrange(12)))
    content = rng.choice(_FRAMED) if rng.random() < 0.5 else body(rng, PAGE)
    if rng.random() < 0.3:
        head += b"Content-Length: %d\r\n" % len(content)
    return mangled(rng, rng.choice(_FIRST) + b"\r\n" + head + b"\r\n" + content)


def _token(given: Said) -> object:
    page = json.dumps({**PAGE, "numbers": [], "allNumbers": 0}).encode()
    canned = Canned((200, {"Content-Type": "application/json"}, page), to_login=given)
    return _client(canned, login="ops", password="open-sesame").numbers.list()


def _wait(given: tuple[str, str | None]) -> object:
    seconds = retry_after(*given)
    assert seconds is None or 0 <= seconds < float("inf")
    return seconds


GRANT = {
    "access_token": "e30.e30.x",
    "expires_in": 300,
    "refresh_token": "r",
    "refresh_expires_in": 1800,
    "token_type": "x",
}

PARSERS = (
    *(
        Parser(f"answer of {name}", partial(reply, right=RIGHT[row.answer]), _read(name))
        for name, row in OPERATIONS.items()
    ),
    Parser("HTTP on the wire", _said, _exchange),
    Parser("token answer", partial(reply, right=GRANT), _token),
    Parser("Retry-After and Date", lambda rng: (when(rng), rng.choice((None, when(rng)))), _wait),
    Parser("page of the export", lambda rng: body(rng, PAGE), _read_page, (NotAPage,)),
    Parser("second look at a page", lambda rng: body(rng, PAGE), _look_again, (NotAPage,)),
    Parser("the platform's CSV", lambda rng: table(rng, list(COLUMNS), _cell), _read_csv, (Moved,)),
)
