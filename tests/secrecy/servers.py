"""Servers that wish nobody well: they write down all that they are sent, and say it back in every way they know."""

from __future__ import annotations

import base64
import html
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from secrecy.canaries import ACCESS, REFRESH

GRANT = {
    "access_token": ACCESS.value,
    "expires_in": 300,
    "refresh_token": REFRESH.value,
    "refresh_expires_in": 1800,
    "token_type": "Bearer",
}


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    body: bytes = b"{}"
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def grant() -> Said:
    """The token endpoint's yes."""
    return Said(200, json.dumps(GRANT).encode())


Act = Callable[["Heard"], Said]


@dataclass(frozen=True)
class Heard:
    """One request: what came in, and ``all`` that ever came in before it, headers and bodies."""

    method: str
    target: str
    headers: dict[str, str]
    body: str
    all: str

    @property
    def is_login(self) -> bool:
        """Whether it is for the token endpoint."""
        return "/protocol/openid-connect/" in self.target


def echoes(heard: Heard) -> str:
    """Everything that was ever sent, in one spelling after the other."""
    read = unquote_plus(heard.all)
    return " | ".join(
        [
            heard.all,
            read,
            read.lower(),
            json.dumps(read),
            quote(read),
            quote_plus(read),
            html.escape(read),
            repr(read),
            repr(read.encode()),
            read.encode().hex(),
            *(base64.b64encode(b" " * before + read.encode()).decode() for before in range(3)),
            base64.urlsafe_b64encode(read.encode()).decode(),
        ]
    )


def _by_message(status: int, name: str = "message") -> Act:
    return lambda heard: Said(status, json.dumps({name: echoes(heard)[-40_000:], "success": False}).encode())


def _at_the_end(heard: Heard) -> Said:
    """Each of the spellings once at the beginning of a message, where it is not cut."""
    parts = echoes(heard).split(" | ")
    return Said(400, json.dumps({"message": parts[len(heard.all) % len(parts)]}).encode())


WAYS: Sequence[Act] = (
    _by_message(400),
    _by_message(403),
    _by_message(409),
    _by_message(404, "error_description"),
    _by_message(422, "error"),
    _by_message(200),
    _at_the_end,
    lambda heard: Said(500, f"<html><body>{html.escape(echoes(heard))}</body></html>".encode(), "text/html"),
    lambda heard: Said(502, echoes(heard).encode(), "text/plain"),
    lambda heard: Said(200, json.dumps({"success": echoes(heard), echoes(heard)[:99]: 1}).encode()),
    lambda heard: Said(200, ("{" + json.dumps(echoes(heard))).encode()),
    lambda heard: Said(200, json.dumps([echoes(heard)]).encode()),
    lambda heard: Said(302, headers={"Location": f"https://{quote(heard.all[-60:], safe='')}.example/?{ACCESS.value}"}),
    lambda heard: Said(401, headers={"WWW-Authenticate": f'Bearer realm="{ACCESS.value}"'}),
    _by_message(429),
    _by_message(503),
)
"""Answers to a call, worse one by one."""


class Recorder(ThreadingHTTPServer):
    """Hears everything, and answers as ``act`` says."""

    daemon_threads = True

    def __init__(self, act: Act, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[Heard] = []
        self._act = act
        self._granted = ""
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"

    def answer(self, heard: Heard) -> Said:
        """Write it down and answer it."""
        self.heard.append(heard)
        said = self._act(heard)
        if said == grant():
            self._granted = f"{ACCESS.value} {REFRESH.value}"
        return said

    @property
    def known(self) -> str:
        """The end of all that it knows of its callers."""
        return f"{self.heard[-1].all[-2_000:] if self.heard else ''} {self._granted}"

    @property
    def text(self) -> str:
        """All that was ever heard."""
        return "\n".join(f"{each.method} {each.target} {each.headers} {each.body}" for each in self.heard)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        headers = dict(self.headers.items())
        all_of_it = f"{self.server.known} {self.path} {headers} {body}"
        heard = Heard(self.command, self.path, headers, body, all_of_it)
        said = self.server.answer(heard)
        self.send_response(said.status)
        for name, value in {"Content-Type": said.media_type, **said.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = _serve  # noqa: N815 - the names the base class calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def recorder(act: Act, tls: ssl.SSLContext | None = None) -> Iterator[Recorder]:
    """A server that runs while the context lasts."""
    server = Recorder(act, tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def echoing() -> Act:
    """Lets everybody log in, and answers their calls by one of the :data:`WAYS` after the other."""
    calls = iter(range(1_000_000))
    return lambda heard: grant() if heard.is_login else WAYS[next(calls) % len(WAYS)](heard)


def refusing() -> Act:
    """Refuses every login by one of the :data:`WAYS` after the other."""
    calls = iter(range(1_000_000))
    return lambda heard: WAYS[next(calls) % len(WAYS)](heard)


def forwarding() -> Act:
    """A proxy for plain http: passes on what it is asked for, without the credentials that are for itself."""

    def forward(heard: Heard) -> Said:
        _, _, rest = heard.target.partition("://")
        place, _, path = rest.partition("/")
        connection = http.client.HTTPConnection(place, timeout=30)
        own = ("proxy-authorization", "proxy-connection", "connection")
        headers = {name: value for name, value in heard.headers.items() if name.lower() not in own}
        connection.request(heard.method, f"/{path}", heard.body.encode(), headers)
        answer = connection.getresponse()
        body = answer.read()
        kept = {
            name: answer.headers[name]
            for name in ("Content-Encoding", "Retry-After", "Location")
            if name in answer.headers
        }
        connection.close()
        return Said(answer.status, body, answer.headers.get("Content-Type", "application/octet-stream"), kept)

    return forward


class Tunnel:
    """A proxy for https: opens the way that ``CONNECT`` asks for, and keeps what ``passed`` to the other side."""

    def __init__(self) -> None:
        self.passed = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listening]
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def end(self) -> None:
        """Close everything."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            self.passed += head
            host, _, port = head.split(b" ", 2)[1].partition(b":")
            target = socket.create_connection((host.decode(), int(port)))
            self._open += [client, target]
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            threading.Thread(target=self._pump, args=(target, client), daemon=True).start()
            self._pump(client, target, keep=True)

    def _pump(self, source: socket.socket, sink: socket.socket, *, keep: bool = False) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self.passed += piece if keep else b""
                sink.sendall(piece)


@contextmanager
def tunnel() -> Iterator[Tunnel]:
    """A proxy that runs while the context lasts."""
    proxy = Tunnel()
    try:
        yield proxy
    finally:
        proxy.end()
