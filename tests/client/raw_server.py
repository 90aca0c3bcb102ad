"""A TCP server that answers as a test tells it, byte by byte if need be."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Act = bytes | Callable[[socket.socket], None]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """A whole answer; ``headers`` are written with ``-`` for ``_``."""
    named = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body


def hang_up(connection: socket.socket) -> None:
    """Close the connection without a word."""
    connection.close()


def drip(*pieces: bytes, pause: float = 0.05) -> Callable[[socket.socket], None]:
    """An act that sends ``pieces`` with pauses between, for as long as anyone listens."""

    def act(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return act


class RawServer:
    """Carries out one act for each request, the last one again for further requests.

    ``requests`` are the bytes that came, ``connections`` how many were accepted.
    """

    def __init__(self, acts: tuple[Act, ...], tls: ssl.SSLContext | None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._acts = list(acts)
        self._tls = tls
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def end(self) -> None:
        """Close everything."""
        for each in (self._socket, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            while request := _request(connection):
                self.requests.append(request)
                act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                if isinstance(act, bytes):
                    connection.sendall(act)
                else:
                    act(connection)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            return b""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def raw_server(*acts: Act, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """A server that runs while the context lasts."""
    server = RawServer(acts, tls)
    try:
        yield server
    finally:
        server.end()
