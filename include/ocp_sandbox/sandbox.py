"""The sandbox as one object: made, started, asked for the truth, and ended."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Any

from ocp_sandbox import truth
from ocp_sandbox.application import Application
from ocp_sandbox.certificate import context_of
from ocp_sandbox.edits import Edits
from ocp_sandbox.seed import seed
from ocp_sandbox.server import Server
from ocp_sandbox.settings import Settings
from ocp_sandbox.store import Store


class Sandbox:
    """A platform of one's own, on a loopback port while in a ``with`` block or between ``start`` and ``stop``.

    A state that exists is reopened as it is; otherwise a world is seeded.

    :raises ValueError: when the state cannot be used.
    :raises OSError: by ``start``, when the port is taken.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.store = Store(self.settings.state)
        try:
            if not self.store.seeded:
                seed(self.store, self.settings)
            self.store.watch()
        except BaseException:
            self.store.close()
            raise
        self.application = Application(self.store, self.settings)
        self.faults = self.application.faults
        self.clock = self.store.clock
        self.edit = Edits(self.store)
        self._server: Server | None = None

    def start(self) -> Sandbox:
        """Listen and answer, in threads."""
        try:
            self._server = Server(self.settings.host, self.settings.port, self.application, self._tls())
        except OSError:
            self.store.close()
            raise
        return self

    def _tls(self) -> ssl.SSLContext | None:
        if self.settings.certificate is None:
            return None
        return context_of(self.settings.certificate, {"localhost", "127.0.0.1", "sandbox"})

    def stop(self) -> None:
        """Close the port and all connections, then the state."""
        if self._server is not None:
            self._server.stop()
        self.store.close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a path.

        :raises RuntimeError: when it was not started.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not started; use it in a with block")
        return self._server.url

    def ledger(self) -> dict[str, Any]:
        """``entries`` and ``totals`` of what was bought, released, added and deleted."""
        return truth.ledger(self.store)

    def calls(self) -> list[dict[str, Any]]:
        """The calls so far, in the order in which they came in."""
        return self.application.calls.listed()

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        self.application.calls.clear()

    def most_in_flight(self) -> int:
        """The largest number of calls that were under way at once."""
        return self.application.calls.most_in_flight()

    def numbers(self) -> list[dict[str, Any]]:
        """Every owned number, in sight or not, in the order of the numbers."""
        return list(truth.numbers(self.store))

    def miniapps(self) -> list[dict[str, Any]]:
        """The miniApps."""
        return truth.mini_apps(self.store)

    def groups(self) -> list[str]:
        """The ids of the groups."""
        return truth.groups(self.store)

    def sets(self) -> list[dict[str, Any]]:
        """The sets and how many numbers each has."""
        return truth.sets(self.store)

    def stock(self, provider: str | None = None, country: str | None = None) -> list[dict[str, Any]]:
        """The numbers for sale, with their real prices."""
        return truth.stock(self.store, provider, country)
