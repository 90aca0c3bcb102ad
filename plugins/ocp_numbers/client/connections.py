"""TCP connections that know whether anything of a request left the machine, and that can be ended from outside.

Both matter when money moves: a purchase is sent again only if it is certain that it was never sent, and a server that
drips its answer byte by byte must not hold a caller for ever.

Pools, proxies and TLS are those of requests and urllib3. What they do for each single request is left out: nothing is
merged, followed or repeated here, and it would cost more than all the rest of reading a page.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import InvalidHeader
from requests.structures import CaseInsensitiveDict
from requests.utils import urldefragauth
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ProtocolError, ProxyError
from urllib3.util.retry import Retry

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*")
_KEEP_ALIVE = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


class Exchange:
    """One request and its answer, as the connection sees them.

    ``sent`` says whether any byte of the request may have left; ``overdue`` whether :meth:`end` cut the exchange short.
    """

    def __init__(self) -> None:
        self.sent = True  # until a connection that keeps track of it says otherwise
        self.overdue = False
        self.socket: socket.socket | None = None

    def end(self) -> None:
        """Cut the exchange short, from any thread: what waits for the network fails at once."""
        self.overdue = True
        if isinstance(self.socket, socket.socket):
            with suppress(OSError):
                # not SSLSocket.shutdown, which would pull the TLS state from under the reading thread
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


@dataclass(frozen=True)
class Answer:
    """An answer whose head is here, and whose body is on its way.

    ``read`` gives so many bytes of the body at most, none once it is over, and raises an ``HTTPError`` when it breaks
    off. ``close`` must be called, whether or not everything was read.
    """

    status: int
    headers: Mapping[str, str]
    read: Callable[[int], bytes]
    close: Callable[[], None]

    @classmethod
    def of(cls, response: Response) -> Answer:
        """The answer that an adapter of somebody else gave, its body not read yet."""
        return cls(
            response.status_code,
            response.headers,
            lambda size: response.raw.read(size, decode_content=False),
            response.close,
        )


class _Response(HTTPResponse):
    """Whatever is wrong with the answer's frame is an ``HTTPException``, and no chunk is of less than no length.

    The standard library takes a length of -1 for "all there is", however much that may be.
    """

    def begin(self) -> None:
        try:
            super().begin()
        except (ArithmeticError, LookupError, ValueError) as error:
            raise HTTPException(f"the head of the answer cannot be read: {error}") from error

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise HTTPException("the answer has a chunk of less than no length")
        return size


class _Pool(HTTPConnectionPool):
    """Carries out exchanges on connections that it keeps alive."""

    def exchange(
        self, exchange: Exchange, request: PreparedRequest, message: memoryview, timeouts: tuple[float, float]
    ) -> Answer:
        """Send ``message``, which is ``request`` as it goes over the line, and read the head of its answer.

        :raises HTTPError: wrapping whatever went wrong.
        """
        connection: Any = self._get_conn()
        try:
            self._connect(connection, timeouts[0], tunnel=str(request.url).startswith("https:"))
            exchange.socket = connection.sock
            connection.sock.settimeout(timeouts[1])
            if exchange.overdue:
                raise TimeoutError("overdue before it was sent")
            exchange.sent = True
            with suppress(BrokenPipeError, ConnectionResetError):  # who hangs up may have answered first
                connection.sock.sendall(message)
            response = _Response(connection.sock, method=request.method)
            response.begin()
            if len(set(response.headers.get_all("Content-Length", ()))) > 1:
                raise HTTPException("the answer has two lengths")
        except BaseException as error:
            connection.close()
            self._put_conn(connection)
            if not isinstance(error, OSError | HTTPException | HTTPError):
                raise
            if self.proxy is not None and not exchange.sent:
                raise ProxyError("no connection through the proxy", error) from error
            raise ProtocolError("the exchange broke off", error) from error
        return self._answer(connection, response)

    def _connect(self, connection: Any, timeout: float, *, tunnel: bool) -> None:
        connection.timeout = timeout
        if connection.is_closed and tunnel and self.proxy is not None:
            self._prepare_proxy(connection)
        self._validate_conn(connection)
        if connection.is_closed:
            connection.connect()

    def _answer(self, connection: Any, response: HTTPResponse) -> Answer:
        def read(size: int) -> bytes:
            try:
                piece = response.read(size)
            except (OSError, HTTPException) as error:
                raise ProtocolError("the answer broke off", error) from error
            if not piece and response.length:
                raise ProtocolError(f"the answer broke off, {response.length:,} bytes before its end")
            return piece

        def close() -> None:
            if response.will_close or response.length or not response.isclosed():
                connection.close()
            response.close()
            self._put_conn(connection)

        return Answer(response.status, CaseInsensitiveDict(response.headers.items()), read, close)


class _HttpsPool(_Pool, HTTPSConnectionPool):
    pass


_POOLS: dict[str, Any] = {"http": _Pool, "https": _HttpsPool}


class TrackingAdapter(HTTPAdapter):
    """Keeps up to ``size`` connections alive, never repeats anything by itself, and tracks each exchange.

    :param replacing: the adapter in whose place this one stands; its socket options are kept.
    """

    def __init__(self, size: int, *, replacing: BaseAdapter | None = None) -> None:
        self._socket_options = getattr(replacing, "socket_options", None) or _KEEP_ALIVE
        self._pools: dict[str, Any] = {}
        super().__init__(pool_connections=4, pool_maxsize=size, max_retries=Retry(0, read=False))

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:
        """Make the pool of tracked connections."""
        super().init_poolmanager(connections, maxsize, block, socket_options=self._socket_options, **pool)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> ProxyManager:
        """The pool of tracked connections through ``proxy``."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **options)
        if type(manager) is ProxyManager:  # a SOCKS manager brings connections of its own
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def exchange(
        self,
        exchange: Exchange,
        request: PreparedRequest,
        *,
        timeout: tuple[float, float],
        environment: Callable[[], Mapping[str, Any]],
    ) -> Answer:
        """As :meth:`send`, reporting to ``exchange``; the body is not read.

        :param environment: gives ``proxies``, ``verify`` and ``cert``, always the same ones for a host. It is asked
            for no longer than needed: proxies hold passwords, and tracebacks may show what variables hold.
        """
        exchange.sent = False
        pool = self._pool(request, environment)
        if not isinstance(pool, _Pool):
            exchange.sent = True
            return Answer.of(self.send(request, stream=True, timeout=timeout, **environment()))
        return pool.exchange(exchange, request, _message(request, pool), timeout)

    def close(self) -> None:
        """Close all connections."""
        self._pools.clear()
        super().close()

    def _pool(self, request: PreparedRequest, environment: Callable[[], Mapping[str, Any]]) -> Any:
        url = str(request.url)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        if origin not in self._pools:
            pool: Any = self.get_connection_with_tls_context(request, **environment())
            self.cert_verify(pool, url, environment()["verify"], environment()["cert"])  # type: ignore[no-untyped-call]
            self._pools[origin] = pool
        return self._pools[origin]


def _message(request: PreparedRequest, pool: _Pool) -> memoryview:
    """``request`` as it goes over the line; a view, because tracebacks may show what variables hold.

    :raises InvalidHeader: a header has characters that none can have.
    """
    url = str(request.url)
    headers: dict[str, Any] = {"Host": urlsplit(url).netloc, **request.headers}
    target = request.path_url
    if pool.proxy is not None and url.startswith("http:"):
        target = urldefragauth(url)
        headers |= pool.proxy_headers
    for name, value in headers.items():
        if not (isinstance(value, str) and _HEADER.fullmatch(f"{name}: {value}")):
            raise InvalidHeader(f"header {name} holds what no header can")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body: Any = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    return memoryview(f"{request.method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + bytes(body))
