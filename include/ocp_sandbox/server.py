"""HTTP/1.1 on a socket in front of the application: keep-alive, one thread per connection, real disconnections."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ocp_sandbox.application import Application
from ocp_sandbox.messages import Refusal, Request, Response

_LARGEST_BODY = 64 * 1024 * 1024


class Server(ThreadingHTTPServer):
    """Listens and answers from the moment it is made; :meth:`stop` ends it and every connection."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, application: Application, tls: ssl.SSLContext | None = None) -> None:
        self.application = application
        self.scheme = "https" if tls else "http"
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        super().__init__((host, port), _Handler)
        if tls:
            # Hands are shaken by the connection's own thread, so that a slow client keeps nobody waiting.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="ocp-sandbox", daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without the reverse name look-up that the base class makes."""
        socket_address = self.server_address
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://{self.server_name}:{self.server_port}"

    def stop(self) -> None:
        """Close the port and every connection, and wait for their threads."""
        self.application.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._guard:
            open_now = dict(self._connections)
        for connection, thread in open_now.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._guard:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that is over."""
        super().shutdown_request(request)
        with self._guard:
            self._connections.pop(request, None)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "OCP"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer a connection's requests one after the other; a client that goes away in the middle is no news."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def _serve(self) -> None:
        request = self._request()
        response = request if isinstance(request, Response) else self.server.application.handle(request)
        self._send(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - the names the base class calls

    def _request(self) -> Request | Response:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit():
            self.close_connection = True
            return Refusal(411, "Content-Length: missing or not a number; send the body in one piece").response()
        if int(length) > _LARGEST_BODY:
            self.close_connection = True
            return Refusal(413, f"body: {length} bytes; at most {_LARGEST_BODY} are taken").response()
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError("the request ended in the middle of its body")
        return Request(self.command, self.path, headers, body)

    def _send(self, response: Response) -> None:
        if response.delivery == "dropped":
            self._hang_up()
            return
        bare = response.status == 204
        body = b"" if bare or self.command == "HEAD" else response.body
        if response.delivery == "truncated":
            body = body[: len(body) // 2]
        self.wfile.write(self._head(response, bare) + body)
        if response.stream is not None:
            for piece in response.stream:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        if response.delivery == "truncated":
            self._hang_up()

    def _head(self, response: Response, bare: bool) -> bytes:
        headers = {"Server": self.server_version, "Date": self.date_time_string()}
        if response.stream is not None:
            headers |= {"Content-Type": response.media_type, "Transfer-Encoding": "chunked"}
        elif not bare:
            headers |= {"Content-Type": response.media_type, "Content-Length": str(len(response.body))}
        if self.close_connection:
            headers["Connection"] = "close"
        phrase = http.client.responses.get(response.status, "Unknown")
        lines = [f"{self.protocol_version} {response.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in (headers | dict(response.headers)).items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent; the call log is at ``/_sandbox/calls``."""
