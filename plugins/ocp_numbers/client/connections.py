"""TCP connections that know whether anything of a request left the machine, and that can be ended from outside.

Both matter when money moves: a purchase is sent again only if it is certain that it was never sent, and a server that
drips its answer byte by byte must not hold a caller for ever.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.retry import Retry

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


_running = threading.local()


class _Tracked(HTTPConnection):
    """Reports to the exchange that runs in this thread."""

    _connecting = False

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange: Exchange | None = getattr(_running, "exchange", None)
        if exchange is not None and not self._connecting:  # the CONNECT of a proxy tunnel is not the request
            exchange.socket = self.sock
            if exchange.overdue:
                raise TimeoutError("overdue before it was sent")
            exchange.sent = True
        super().send(data)


class _TrackedHttps(_Tracked, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Tracked


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _TrackedHttps


_POOLS: dict[str, Any] = {"http": _Pool, "https": _HttpsPool}


class TrackingAdapter(HTTPAdapter):
    """Keeps up to ``size`` connections alive, never repeats anything by itself, and tracks each exchange.

    :param replacing: the adapter in whose place this one stands; its socket options are kept.
    """

    def __init__(self, size: int, *, replacing: BaseAdapter | None = None) -> None:
        self._socket_options = getattr(replacing, "socket_options", None) or _KEEP_ALIVE
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

    def exchange(self, exchange: Exchange, request: PreparedRequest, **options: Any) -> Response:
        """As :meth:`send`, reporting to ``exchange``; the body is not read."""
        exchange.sent = False
        pool = self.get_connection_with_tls_context(
            request, options["verify"], proxies=options["proxies"], cert=options["cert"]
        )
        exchange.sent = not isinstance(pool, _Pool | _HttpsPool)
        interrupted = getattr(_running, "exchange", None)  # by a signal handler that logs out, say
        _running.exchange = exchange
        try:
            return self.send(request, stream=True, **options)
        finally:
            _running.exchange = interrupted
