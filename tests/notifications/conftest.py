from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


class Chat:
    """A server that takes messages over HTTP; ``status`` is what it answers, ``slow`` makes it wait."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        self.slow = threading.Event()
        self.slow.set()
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                chat.slow.wait(20)
                chat.messages.append({"path": self.path, **json.loads(body)})
                self.send_response(chat.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class Post:
    """A mail server of as few commands as a mail needs."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        post = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                for line in self.rfile:
                    verb = line.strip().upper()
                    if verb == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                        post.mails.append(mail.decode())
                    self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                    if verb == b"QUIT":
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)


def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    """A chat that the connection ``chat`` leads to."""
    chat = Chat()
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", f"http://127.0.0.1:{chat.server.server_port}")
    for _ in serving(chat.server):
        yield chat
        chat.slow.set()


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """A mail server that the connection ``mail`` leads to."""
    post = Post()
    port = post.server.server_address[1]
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
    monkeypatch.setenv(
        "AIRFLOW_CONN_MAIL",
        json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}),
    )
    for _ in serving(post.server):
        yield post


class Routing:
    """The file that says who is told of what."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, text: str) -> None:
        self.path.write_text(text)

    def to_chat(self, event: str = "all", **more: Any) -> None:
        entry = {
            "notifier": "airflow.providers.http.notifications.http.HttpNotifier",
            "http_conn_id": "chat",
            "endpoint": "hook",
            "json": {"text": "{{ event.message }}", "kind": "{{ event.kind }}"},
            **more,
        }
        self(json.dumps({event: [entry]}))


@pytest.fixture
def routing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Routing:
    routing = Routing(tmp_path / "notifications.yaml")
    monkeypatch.setenv("OCP_NUMBERS_NOTIFICATIONS", str(routing.path))
    routing("")
    return routing
