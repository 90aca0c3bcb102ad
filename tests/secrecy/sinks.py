"""Where mails and metrics go, for a test: what arrives is kept, and nobody else hears of it."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that takes every letter."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.letters: list[bytes] = []
        self.port: int = self.server_address[1]

    @property
    def text(self) -> str:
        """All that came: as it was sent, and each part of it as a person reads it."""
        return "\n".join(text for letter in self.letters for text in _read(letter))


def _read(letter: bytes) -> Iterator[str]:
    message = email.message_from_bytes(letter, policy=email.policy.default)
    yield letter.decode(errors="replace")
    yield from (f"{name}: {value}" for name, value in message.items())
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content.decode(errors="replace")


class _Clerk(socketserver.StreamRequestHandler):
    """SMTP as RFC 5321 has it, as far as it takes to receive."""

    server: Mailbox

    def handle(self) -> None:
        self._say("220 at your service")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go on, a line with a single dot ends it")
                self._keep()
            elif verb == b"QUIT":
                self._say("221 good-bye")
                return
            self._say("250 fine")

    def _keep(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        self.server.letters.append(b"".join(lines))

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Meter(socketserver.UDPServer):
    """A receiver of StatsD's datagrams."""

    max_packet_size = 65_536

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Reading)
        self.readings: list[str] = []
        self.port: int = self.server_address[1]


class _Reading(socketserver.DatagramRequestHandler):
    server: Meter

    def handle(self) -> None:
        self.server.readings += self.rfile.read().decode(errors="replace").splitlines()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server that runs while the context lasts."""
    with Mailbox() as server, _running(server):
        yield server


@contextmanager
def meter() -> Iterator[Meter]:
    """A receiver of metrics that runs while the context lasts."""
    with Meter() as server, _running(server):
        yield server


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
