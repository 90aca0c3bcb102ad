"""One request out, one whole answer in, or one error that says whether anything was sent. Nothing is repeated here."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProxyError

from ocp_numbers.client.connections import Answer, Exchange, TrackingAdapter
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.settings import ClientSettings
from ocp_numbers.client.tally import Tally
from ocp_numbers.client.watchdog import Watchdog
from ocp_numbers.errors import AnswerLost, NotConnected

log = logging.getLogger(__name__)

_CHUNK = 1 << 22  # most bodies come in one piece, and are not copied to be put together
_REFUSAL_AT_MOST = 1 << 16
_SECRET_HEADER = re.compile("auth|cookie|credential|key|passw|secret|session|signature|token", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """How messages speak of a request: the operation's name, what is sent, and the ids ``about`` which it is."""

    operation: str
    method: str
    path: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    """A whole answer, whatever it says. ``headers`` are looked up without regard to case.

    Its ``repr`` shows neither headers nor content: they may hold tokens, or megabytes.
    """

    call: Call
    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty if none was given."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class Wire:
    """Sends requests through a session's settings (proxies, TLS, headers) without its habits: no redirect is followed,
    nothing is repeated, no .netrc is read, and an answer is bounded in size and time.

    :param session: a prepared session to take over, or ``None`` for a plain one.
    """

    def __init__(self, settings: ClientSettings, session: requests.Session | None, redactor: Redactor) -> None:
        self.session = session or requests.Session()
        self.session.max_redirects = 0
        self._timeouts = (settings.connect_timeout, settings.read_timeout)
        self._redactor = redactor
        for name, value in self.session.headers.items():
            if _SECRET_HEADER.search(name):
                redactor.learn(value if isinstance(value, str) else value.decode("latin-1"))
        self._watchdog = Watchdog()
        self.tally = Tally()
        self._environments: dict[str, dict[str, Any]] = {}
        for host in dict.fromkeys((settings.host, settings.token_host)):
            mounted = self.session.get_adapter(host + "/")
            if type(mounted) is HTTPAdapter or hasattr(mounted, "socket_options"):
                self.session.mount(host + "/", TrackingAdapter(settings.max_concurrency, replacing=mounted))

    def prepare(
        self,
        call: Call,
        host: str,
        auth: AuthBase,
        *,
        headers: Mapping[str, str],
        params: str = "",
        data: bytes | Mapping[str, str] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> requests.PreparedRequest:
        """The request as it goes out, with the session's headers and its credentials by ``auth``.

        :param params: the query, encoded.
        """
        url = host + call.path
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = call.method, f"{url}?{params}" if params else url
        prepared.headers = _without_gaps({**self.session.headers, "Accept-Encoding": "gzip", **headers})
        prepared.prepare_body(data, files)
        if self.session.cookies:
            prepared.prepare_cookies(self.session.cookies)
        return auth(prepared)

    def exchange(self, call: Call, request: requests.PreparedRequest, *, within: float, largest: int) -> Reply:
        """Send ``request`` and read its answer.

        :param within: seconds that all of it may take.
        :param largest: bytes that the answer may have.
        :raises NotConnected: nothing was sent.
        :raises AnswerLost: something was sent, and no whole answer came back.
        """
        exchange = Exchange()
        started = time.monotonic()
        self.tally.sent()
        try:
            with self._watchdog.guard(exchange, within):
                reply = self._reply(call, request, exchange, largest)
            if not exchange.overdue:  # what was cut short may look like an answer that ends with its connection
                log.debug("%s %s: %d in %.3f s", call.operation, call, reply.status, time.monotonic() - started)
                self.tally.answered(reply.status)
                return reply
            reason, lasting = "", False
        except (requests.RequestException, HTTPError, OSError) as error:
            reason, lasting = _what_went_wrong(error, sent=exchange.sent)
        if exchange.overdue:
            reason = f"no whole answer within {within:.0f} s"
        reason = self._redactor.clean(reason)
        log.debug("%s %s: %s after %.3f s", call.operation, call, reason, time.monotonic() - started)
        # raised outside the handler: the exceptions of requests hold the request with its credentials
        kind = AnswerLost if exchange.sent else NotConnected
        if not exchange.sent:
            reason = f"{urlsplit(str(request.url)).netloc}: {reason}; nothing was sent"
        failure = kind(operation=call.operation, call=str(call), reason=reason, about=call.about)
        failure.transient = not lasting
        raise failure

    def close(self) -> None:
        """Close all connections."""
        self.session.close()
        self._watchdog.close()

    def _reply(self, call: Call, request: requests.PreparedRequest, exchange: Exchange, largest: int) -> Reply:
        url = str(request.url)
        adapter = self.session.get_adapter(url)
        environment = partial(self._environment, url)
        # the adapter, not the session: a session reads a redirect's whole body even where it does not follow it
        if isinstance(adapter, TrackingAdapter):
            answer = adapter.exchange(exchange, request, timeout=self._timeouts, environment=environment)
        else:
            answer = Answer.of(adapter.send(request, stream=True, timeout=self._timeouts, **environment()))
        try:
            return Reply(call, answer.status, answer.headers, _body(answer, largest))
        finally:
            answer.close()

    def _environment(self, url: str) -> dict[str, Any]:
        """Proxies, TLS verification and client certificate for ``url``, from the session and the environment.

        Certificates are verified unless the session says ``False``, in so many words.
        """
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        if origin not in self._environments:
            verify = None if self.session.verify is True else self.session.verify  # the environment is for the default
            found = self.session.merge_environment_settings(origin, {}, True, verify, None)
            if found["verify"] is not False:
                found["verify"] = found["verify"] or True
            elif origin.startswith("https:"):
                log.warning("TLS certificates are not verified: whoever is between here and %s may read along", origin)
            for proxy in found["proxies"].values():
                self._learn_password(proxy)
            self._environments[origin] = {name: found[name] for name in ("proxies", "verify", "cert")}
        return self._environments[origin]

    def _learn_password(self, proxy: str | None) -> None:
        """Hide the password that the address of a proxy may hold, as it stands there and as it is meant."""
        login, _, _ = (proxy or "").rpartition("@")
        password = login.rpartition("//")[2].partition(":")[2]
        for spelling in dict.fromkeys((password, unquote(password))):
            self._redactor.learn(spelling)


def _without_gaps(headers: dict[str, Any]) -> CaseInsensitiveDict[str]:
    return CaseInsensitiveDict({name: value for name, value in headers.items() if value is not None})


class _TooLong(HTTPError):
    pass


class _CutOff(HTTPError):
    pass


def _body(answer: Answer, largest: int) -> bytes:
    """The whole body. Of a refusal no more than can be shown, and nothing if it is lost: the status says enough."""
    success = 200 <= answer.status < 300
    try:
        body = b"".join(_pieces(answer, largest if success else _REFUSAL_AT_MOST))
    except HTTPError:
        if success:
            raise
        return b""
    announced = any(name in answer.headers for name in ("Content-Length", "Transfer-Encoding"))
    if success and not body and answer.status != 204 and not announced:
        raise _CutOff("the answer broke off before its body")  # else a head cut in two would pass for an empty yes
    return body


def _pieces(answer: Answer, largest: int) -> Iterator[bytes]:
    size = 0
    pieces: Iterable[bytes] = iter(lambda: answer.read(_CHUNK), b"")
    zipped = answer.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip")
    for piece in _unzipped(pieces) if zipped else pieces:
        size += len(piece)
        if size > largest:
            raise _TooLong(f"the answer is longer than {largest:,} bytes")
        yield piece


def _unzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` decompressed. What urllib3 does as well, but it takes half an answer for a whole one."""
    inflater = zlib.decompressobj(wbits=31)
    begun = False
    for piece in pieces:
        if inflater.eof:
            return  # something follows that belongs to no answer, and may go on for ever
        begun = True
        while piece and not inflater.eof:
            try:
                yield inflater.decompress(piece, _CHUNK)
            except zlib.error as error:
                raise _CutOff(f"the compressed answer is broken: {error}") from None
            piece = inflater.unconsumed_tail
    if begun and not inflater.eof:
        raise _CutOff("the compressed answer broke off")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and everything that it wraps, by whichever of the habits of requests and urllib3."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            waiting += [getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__]
            yield cause


def _what_went_wrong(error: BaseException, *, sent: bool) -> tuple[str, bool]:
    """A failure in plain words, and whether trying again is pointless."""
    causes = list(_causes(error))

    def among(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    if refused := among(ssl.SSLCertVerificationError):
        said = getattr(refused, "verify_message", "") or refused
        return f"the TLS certificate was refused ({said}); for a CA of your own give its file as verify", True
    if among(_TooLong):
        return str(error), True
    if among(socket.gaierror):
        return "the host name is not known", False
    if among(ConnectionRefusedError):
        return "the connection was refused: nothing listens there", False
    if among(requests.exceptions.ProxyError, ProxyError):
        return f"the proxy did not connect: {causes[-1]}", False
    if (disagreed := among(ssl.SSLError)) and not isinstance(disagreed, ssl.SSLEOFError):
        return f"TLS 1.2 or newer could not be agreed on, does https belong there? ({disagreed})", False
    if among(requests.exceptions.ConnectTimeout, ConnectTimeoutError):
        return "no connection in time", False
    if among(requests.exceptions.ReadTimeout, TimeoutError):
        return "no answer in time", False
    of_ours = isinstance(error, ValueError) or not isinstance(error, requests.RequestException | HTTPError)
    if of_ours and not sent:  # a URL or header that cannot be, or a certificate file that is not there
        return f"cannot be sent: {error}", True
    return f"the connection broke: {causes[-1]}", False
