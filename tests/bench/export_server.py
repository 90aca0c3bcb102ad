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


def pages(rows: int) -> list[bytes]:
    """The whole answers, heads and bodies, to the pages of ``rows`` numbers; the last one is beyond the end."""
    count = -(-rows // PAGE_SIZE)
    return [
        answer(
            json.dumps(
                {
                    "numbers": [row(place) for place in range(page * PAGE_SIZE, min(rows, (page + 1) * PAGE_SIZE))],
                    "page": page + 1,
                    "pageSize": PAGE_SIZE,
                    "numberOfPages": count,
                    "allNumbers": rows,
                }
            ).encode()
        )
        for page in range(count + 1)
    ]


def answer(body: bytes) -> bytes:
    """An answer with this JSON body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """Answers one request after the other."""

    def __init__(self, rendered: list[bytes], latency: float) -> None:
        self.rendered = rendered
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
        page = _PAGE.search(head.partition(b"\r\n")[0])
        content = self.rendered[int(page[1]) - 1] if page else answer(TOKEN)
        asyncio.get_running_loop().call_later(self.latency, self.transport.write, content)


async def serve(rows: int, latency: float) -> None:
    """Listen on a free port, print it, and answer until killed."""
    rendered = pages(rows)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(rendered, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
