"""The client as its users hold it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

import requests

from ocp_numbers.client.auth import ClientAuth, PasswordAuth, PersonalTokenAuth
from ocp_numbers.client.clock import Clock
from ocp_numbers.client.drift import DriftCounter
from ocp_numbers.client.guarding import GuardedAuth
from ocp_numbers.client.numbers import Numbers
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.retry import Retry
from ocp_numbers.client.sets import Sets
from ocp_numbers.client.settings import ClientSettings
from ocp_numbers.client.transport import Transport
from ocp_numbers.client.wire import Wire


class OcpClient:
    """The platform's numbers API: ``client.numbers.buy(...)``, ``client.sets.attach(...)``.

    Logs in when first needed, renews by itself, may be shared between threads, and logs out at the end::

        with OcpClient(ClientSettings(environment="EU1", login="ops", password="...")) as client:
            for number in client.numbers.iterate(groups=["retail"]):
                ...

    :param settings: where, who, and how hard.
    :param session: a prepared session whose proxies, TLS settings and headers are to be used; it belongs to the client
        from then on, and is the authenticated :attr:`session`.
    :param on_secret: told of every secret, given or obtained, so that a log masker can hide it.
    :param clock: time, for tests.
    :param retry: how often and how soon failed calls are repeated.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        session: requests.Session | None = None,
        on_secret: Callable[[str], None] | None = None,
        clock: Clock | None = None,
        retry: Retry | None = None,
    ) -> None:
        clock, retry = clock or Clock(), retry or Retry()
        redactor = Redactor(on_secret)
        for secret in (settings.password, settings.totp_secret, settings.personal_access_token):
            if secret is not None:
                redactor.learn(secret.get_secret_value())
        self._redactor = redactor
        wire = Wire(settings, session, redactor)
        self.tally = wire.tally
        auth: ClientAuth
        if settings.personal_access_token is not None:
            auth = PersonalTokenAuth(settings.personal_access_token.get_secret_value(), host=settings.host)
        else:
            auth = PasswordAuth(settings, wire, redactor, clock, retry)
        self._auth = auth
        self._closed = False
        wire.session.auth = GuardedAuth(auth, settings.access)
        self.session = wire.session
        self.transport = Transport(settings, wire, auth, redactor, clock, retry)
        self.numbers = Numbers(self.transport)
        self.sets = Sets(self.transport)

    @property
    def settings(self) -> ClientSettings:
        """What the client was made with."""
        return self.transport.settings

    @property
    def rights(self) -> tuple[str, ...]:
        """The login's roles and groups, as far as its access token tells them; logs in if need be.

        :raises ApiError, NoAnswer: when that fails.
        """
        return self._auth.rights

    @property
    def drift(self) -> DriftCounter:
        """Where the platform's answers departed from the contract."""
        return self.transport.drift

    def clean(self, text: str) -> str:
        """``text`` of somebody else on one line, shortened, and without the secrets of this client."""
        return self._redactor.clean(text)

    def __repr__(self) -> str:
        return f"OcpClient({self.settings.host}, login={self.settings.login!r}, access={self.settings.access!r})"

    def close(self) -> None:
        """Let no further call start and log out. A call that is under way ends by itself. May be called twice."""
        self.transport.close()
        if not self._closed:
            self._closed = True
            self.drift.sum_up()

    def __enter__(self) -> OcpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
