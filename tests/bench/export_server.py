"""A platform that only lists: pages rendered beforehand, answered after a set latency with hardly any work."""

from __future__ import annotations

import asyncio
import json
import re
import sys

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
    """The answers, heads and bodies, to every page of ``rows`` numbers, rendered as far as they can be beforehand.

    Pages of :data:`PAGE_SIZE` lie ready; one of several times that is put together of them, up to ``largest`` numbers.
    For any other size, and for a larger one, pages of :data:`PAGE_SIZE` are answered.
    """

    def __init__(self, rows: int, largest: int) -> None:
        self._rows = rows
        self._largest = largest
        self._texts = [
            json.dumps([row(place) for place in range(start, min(rows, start + PAGE_SIZE))])[1:-1].encode()
            for start in range(0, rows, PAGE_SIZE)
        ]
        self._ready = [self._rendered(page, 1) for page in range(1, len(self._texts) + 2)]

    def page(self, number: int, size: int) -> bytes:
        """The answer to page ``number``, from 1, of ``size`` numbers."""
        times = size // PAGE_SIZE if PAGE_SIZE < size <= self._largest and size % PAGE_SIZE == 0 else 1
        return self._ready[number - 1] if times == 1 else self._rendered(number, times)

    def _rendered(self, number: int, times: int) -> bytes:
        size = PAGE_SIZE * times
        numbers = b", ".join(self._texts[(number - 1) * times : number * times])
        about = f'"page": {number}, "pageSize": {size}, "numberOfPages": {-(-self._rows // size)}'
        return answer(b'{"numbers": [%s], %s, "allNumbers": %d}' % (numbers, about.encode(), self._rows))


def answer(body: bytes) -> bytes:
    """An answer with this JSON body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """Answers one request after the other, each after ``latency`` seconds."""

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
        asyncio.get_running_loop().call_later(self.latency, self.transport.write, self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        target = head.partition(b"\r\n")[0]
        page, size = _PAGE.search(target), _SIZE.search(target)
        if page is None:
            return answer(TOKEN)
        content = self.listing.page(int(page[1]), int(size[1]) if size else PAGE_SIZE)
        return content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if target.startswith(b"HEAD") else content


async def serve(rows: int, latency: float, largest: int) -> None:
    """Listen on a free port, print it, and answer until killed."""
    listing = Listing(rows, largest)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(listing, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
