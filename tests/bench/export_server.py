"""A platform that only lists: pages rendered beforehand, answered after a set latency with hardly any work."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from contextlib import suppress
from tempfile import TemporaryFile

PAGE_SIZE = 500
TOKEN = json.dumps(
    {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "refresh_expires_in": 7200, "token_type": "Bearer"}
).encode()
_PAGE = re.compile(rb"[?&]page=(\d+)")
_SIZE = re.compile(rb"[?&]pageSize=(\d+)")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def row(place: int) -> dict[str, str | None]:
    """A record of believable size and variety."""
    app = place * 7919 % 200
    attached = place % 5 != 0
    return {
        "number": f"+1{2_012_000_000 + place}",
        "country": "US",
        "groupId": f"group-{place % 7}",
        "miniAppId": f"3781bcc1-7c76-439b-ba26-05d22217b{app:03}.App_{app}.Flow.g@App_{app}.g" if attached else None,
        "miniAppName": f"App_{app}" if attached else None,
        "miniAppType": "Flow" if attached else None,
        "miniAppDiamantAppName": f"g@App_{app}" if attached else None,
        "miniAppGroup": "g" if attached else None,
        "locale": "en-US" if attached else None,
        "note": f"Front desk {place}, floor {place % 9}",
        "applicationTag": None,
        "phoneNumbersSetId": f"set-{place % 50}" if place % 3 else None,
        "phoneNumbersSetName": f"Set {place % 50}" if place % 3 else None,
    }


class Listing:
    """The answers to every page of ``rows`` numbers, heads and bodies, one behind the other in a file.

    Pages of :data:`PAGE_SIZE` lie ready; those of several times that, up to ``largest`` numbers, do so once one of them
    was asked for. For any other size, and for a larger one, pages of :data:`PAGE_SIZE` are answered.
    """

    def __init__(self, rows: int, largest: int) -> None:
        self.file = TemporaryFile()  # noqa: SIM115 - as long as this is, and gone with it
        self._rows = rows
        self._largest = largest
        self._texts = [
            json.dumps([row(place) for place in range(start, min(rows, start + PAGE_SIZE))])[1:-1].encode()
            for start in range(0, rows, PAGE_SIZE)
        ]
        self._ready = {1: self._written(1)}

    def page(self, number: int, size: int) -> slice:
        """Where in the file the answer to page ``number``, from 1, of ``size`` numbers stands."""
        times = size // PAGE_SIZE if PAGE_SIZE < size <= self._largest and size % PAGE_SIZE == 0 else 1
        if times not in self._ready:
            self._ready[times] = self._written(times)
        return self._ready[times][number - 1]

    def read(self, place: slice) -> bytes:
        """The answer at ``place``."""
        return os.pread(self.file.fileno(), place.stop - place.start, place.start)

    def _written(self, times: int) -> list[slice]:
        """Where the pages of ``times`` :data:`PAGE_SIZE` stand, and an empty one behind them."""
        places = []
        size = PAGE_SIZE * times
        pages = -(-self._rows // size)
        for number in range(1, pages + 2):
            numbers = b", ".join(self._texts[(number - 1) * times : number * times])
            about = f'"page": {number}, "pageSize": {size}, "numberOfPages": {pages}, "allNumbers": {self._rows}'
            start = self.file.tell()
            self.file.write(answer(b'{"numbers": [%s], %s}' % (numbers, about.encode())))
            places.append(slice(start, self.file.tell()))
        self.file.flush()
        return places


def answer(body: bytes) -> bytes:
    """An answer with this JSON body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """Answers one request after the other, each after ``latency`` seconds; the kernel copies pages from the file."""

    def __init__(self, listing: Listing, latency: float) -> None:
        self.listing = listing
        self.latency = latency
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        head, blank, rest = self.waiting.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or len(rest) < (int(length[1]) if length else 0):
            return
        self.waiting = b""
        self.answering = asyncio.ensure_future(self._answer(head.partition(b"\r\n")[0]))

    async def _answer(self, target: bytes) -> None:
        await asyncio.sleep(self.latency)
        page, size = _PAGE.search(target), _SIZE.search(target)
        if page is None:
            self.transport.write(answer(TOKEN))
            return
        place = self.listing.page(int(page[1]), int(size[1]) if size else PAGE_SIZE)
        if target.startswith(b"HEAD"):
            self.transport.write(self.listing.read(place).partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            return
        with suppress(ConnectionError):
            loop = asyncio.get_running_loop()
            await loop.sendfile(self.transport, self.listing.file, place.start, place.stop - place.start)


async def serve(rows: int, latency: float, largest: int) -> None:
    """Listen on a free port, print it, and answer until killed."""
    listing = Listing(rows, largest)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(listing, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
