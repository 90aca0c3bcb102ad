"""Who asks: objects that own the credentials, put them on requests and renew them. No other room handles a token."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Annotated, NoReturn, SupportsIndex
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError
from requests import PreparedRequest
from requests.auth import AuthBase

from ocp_numbers.client.clock import Clock
from ocp_numbers.client.onetime import OneTimeCodes
from ocp_numbers.client.operations import Effect
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.retry import Retry
from ocp_numbers.client.rights import rights_in
from ocp_numbers.client.settings import ClientSettings
from ocp_numbers.client.translation import is_html, refusal, unexpected
from ocp_numbers.client.wire import Call, Reply, Wire
from ocp_numbers.errors import ApiError, Interrupted, LoginRefused, NoAnswer

log = logging.getLogger(__name__)

CLIENT_ID = "ocp"
_MARGIN = 30.0
_LOGIN_WITHIN = 60.0
_LOGOUT_WITHIN = 10.0
_LARGEST = 1 << 20
_REFUSALS: dict[int, type[ApiError]] = {status: LoginRefused for status in range(400, 500) if status not in (408, 429)}

Token = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=65_536)]
Lifetime = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Form = Mapping[str, str | SecretStr]
"""Fields of a form. Secrets are revealed where it is sent: tracebacks may show what variables hold."""


class ClientAuth(AuthBase):
    """What the transport needs of credentials; as it stands, those that never change."""

    renewable = False
    hint = ""

    @property
    def rights(self) -> tuple[str, ...]:
        """What the credentials say of the rights that come with them."""
        return ()

    def ready(self) -> None:
        """Make sure that there are valid credentials.

        :raises OcpError: there are none to be had. Nothing of the operation in hand was sent, so the error is settled.
        """

    def renew(self, refused: PreparedRequest) -> None:
        """Get new credentials in place of those on ``refused``, which the platform answered with a 401."""

    def close(self) -> None:
        """Give the credentials back. Never raises."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Credentials are not written down, by themselves or within a session.

        :raises TypeError: always.
        """
        raise TypeError("credentials cannot be pickled; make a client where it is needed")


class PersonalTokenAuth(ClientAuth):
    """A personal access token: sent as it is, to ``host`` only."""

    HEADER = "X-OCP-PERSONAL-ACCESS-TOKEN"
    hint = (
        "The login is by personal access token, and the numbers API is not always among the services that take one: "
        "try Login and Password"
    )

    def __init__(self, token: str, *, host: str) -> None:
        self._token = token
        self._host = host

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token on ``request``."""
        if _is_at(self._host, request):
            request.headers[self.HEADER] = self._token
        return request


class _Grant(BaseModel):
    """The token endpoint's yes."""

    access_token: Token = Field(repr=False)
    expires_in: Lifetime
    refresh_token: Token | None = Field(None, repr=False)
    refresh_expires_in: Lifetime = 0


class _Session:
    """A grant and the times, on the client's clock, from when its parts are stale."""

    def __init__(self, grant: _Grant, now: float) -> None:
        self.header = f"Bearer {grant.access_token}"
        self.rights = rights_in(grant.access_token)
        self.renew_at = now + _usable(grant.expires_in)
        self.refresh_token = grant.refresh_token
        forever = grant.refresh_expires_in == 0
        self.refresh_until = float("inf") if forever else now + _usable(grant.refresh_expires_in)


class PasswordAuth(ClientAuth):
    """Login and password, exchanged for tokens at ``POST /auth/realms/{realm}/protocol/openid-connect/token``.

    Safe to share between threads: one of them renews while the others wait. A refused login is remembered and never
    sent again, because repeating it locks the account; with one-time codes a refused one is followed by the next code,
    once, since another process of the same login may have used the first.
    """

    renewable = True

    def __init__(self, settings: ClientSettings, wire: Wire, redactor: Redactor, clock: Clock, retry: Retry) -> None:
        self._settings = settings
        self._wire = wire
        self._redactor = redactor
        self._clock = clock
        self._retry = retry
        self._codes = OneTimeCodes(settings.totp_secret.get_secret_value(), clock) if settings.totp_secret else None
        self._session: _Session | None = None
        self._failure: ApiError | NoAnswer | None = None
        self._failures = 0
        self._lock = threading.RLock()

    @property
    def rights(self) -> tuple[str, ...]:
        """The roles and groups in the access token; logs in if need be."""
        return self._current().rights

    def ready(self) -> None:
        """Log in, or renew what is about to expire."""
        self._current()

    def renew(self, refused: PreparedRequest) -> None:
        """Renew, unless another thread has done so since ``refused`` was sent."""
        self._obtain(lambda session: session.header != refused.headers.get("Authorization"))

    def close(self) -> None:
        """Log out, if the platform lets us."""
        session, self._session = self._session, None
        if session is None or session.refresh_token is None:
            return
        try:
            self._post("logout", {"refresh_token": SecretStr(session.refresh_token)}, within=_LOGOUT_WITHIN)
        except (ApiError, NoAnswer) as error:
            log.info("The session could not be logged out and will expire by itself: %s", error)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put a valid token on ``request``."""
        if _is_at(self._settings.host, request):
            request.headers["Authorization"] = self._current().header
        return request

    def _current(self) -> _Session:
        session = self._session
        return session if session is not None and self._is_fresh(session) else self._obtain(self._is_fresh)

    def _is_fresh(self, session: _Session) -> bool:
        return self._clock.monotonic() < session.renew_at

    def _obtain(self, good_enough: Callable[[_Session], bool]) -> _Session:
        """A session that is ``good_enough``: the present one if another thread has just renewed it, else a new one."""
        failures = self._failures
        with self._lock:
            if self._session is not None and good_enough(self._session):
                return self._session
            if self._clock.stopped:
                raise Interrupted("login: the client is closed; nothing was sent")
            if self._failure is not None and (isinstance(self._failure, LoginRefused) or self._failures != failures):
                raise _again(self._failure)  # the one that renewed meanwhile speaks for those who waited
            try:
                self._session = self._renewed()
            except (ApiError, NoAnswer) as error:
                error.settled = True  # nothing of the caller's own operation was sent
                self._failure, self._failures = error, self._failures + 1
                raise
            self._failure = None
            return self._session

    def _renewed(self) -> _Session:
        session = self._session
        if session is not None and session.refresh_token and self._clock.monotonic() < session.refresh_until:
            try:
                form: _Form = {"grant_type": "refresh_token", "refresh_token": SecretStr(session.refresh_token)}
                renewed = self._grant("login.refresh", form)
            except LoginRefused as refused:
                log.debug("Logging in anew: %s", refused)
            else:
                renewed.refresh_token = renewed.refresh_token or session.refresh_token
                return renewed
        self._session = None
        return self._login()

    def _login(self) -> _Session:
        credentials: _Form = {
            "grant_type": "password",
            "username": self._settings.login,
            "password": self._settings.password or "",
        }
        if self._codes is None:
            return self._grant("login", credentials)
        try:
            return self._grant("login", credentials, one_time=self._codes)
        except LoginRefused as refused:
            if refused.status != 401:  # a locked account or a wrong realm has nothing to do with the code
                raise
            log.info("The one-time code was refused, maybe used by another process just now: trying the next one, once")
        return self._grant("login", credentials, one_time=self._codes)

    def _grant(self, name: str, form: _Form, one_time: OneTimeCodes | None = None) -> _Session:
        """Ask the token endpoint, also again while it does not answer, but never after a refusal."""
        started = self._clock.monotonic()
        attempt = 0
        while True:
            attempt += 1
            code = {"otp": self._code(one_time)} if one_time else {}
            now = self._clock.monotonic()
            left = min(_LOGIN_WITHIN, self._settings.total_timeout) - (now - started)
            try:
                return _Session(self._read(self._post(name, {**form, **code}, within=max(left, 1.0))), now)
            except (ApiError, NoAnswer) as error:
                pause = self._retry.pause(Effect.READ, error, attempt=attempt, left=left)
                if pause is None:
                    raise
                log.debug("Asking again in %.1f s: %s", pause, error)
            self._clock.pause(pause)
            if self._clock.stopped:
                raise Interrupted(f"{name}: the client was closed")

    def _code(self, one_time: OneTimeCodes) -> SecretStr:
        """The next code. It is not told to log masks: worthless in a minute, it would blot out digits for good."""
        code = SecretStr(one_time.next())
        self._redactor.learn(code.get_secret_value(), passing=True, tell=False)
        return code

    def _post(self, name: str, form: _Form, *, within: float) -> Reply:
        endpoint = "logout" if name == "logout" else "token"
        call = Call(name, "POST", f"/auth/realms/{self._settings.realm}/protocol/openid-connect/{endpoint}")
        request = self._wire.prepare(
            call,
            self._settings.token_host,
            _Anonymous(),
            data={"client_id": CLIENT_ID, **{field: _revealed(value) for field, value in form.items()}},
            headers={"Accept": "application/json"},
        )
        reply = self._wire.exchange(call, request, within=within, largest=_LARGEST)
        error = refusal(reply, self._redactor, kinds=_REFUSALS)
        if error is not None:
            raise error
        return reply

    def _read(self, reply: Reply) -> _Grant:
        problem = ""
        try:
            grant = _Grant.model_validate_json(reply.content)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, fault["loc"])) or "the body" for fault in error.errors())
            problem = f"not a token answer: {fields} missing or wrong; are Token host and Realm right?"
        if problem:
            raise unexpected(reply, self._redactor, "an HTML page: " + problem if is_html(reply) else problem)
        for token in (grant.access_token, grant.refresh_token):
            if token:
                self._redactor.learn(token, passing=True)
        return grant


class _Anonymous(AuthBase):
    """Keeps the session's own credentials, and those of a .netrc, off a request."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


def _revealed(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _usable(lifetime: float) -> float:
    """How many seconds of ``lifetime`` to use before renewing: all but 30, or four fifths of a short one."""
    return lifetime - min(_MARGIN, lifetime / 5)


def _is_at(host: str, request: PreparedRequest) -> bool:
    """Whether ``request`` goes to ``host`` itself: credentials go nowhere else."""
    wanted, actual = urlsplit(host), urlsplit(str(request.url))
    return (wanted.scheme, wanted.netloc.lower()) == (actual.scheme, actual.netloc.lower())


def _again(error: ApiError | NoAnswer) -> ApiError | NoAnswer:
    """A fresh copy to raise: one exception raised from several threads would mix up their tracebacks."""
    copied = type(error).__new__(type(error), *error.args)
    copied.args = error.args
    copied.__dict__.update(error.__dict__)
    return copied
