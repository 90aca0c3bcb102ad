"""From a request to its answer: faults, credentials, rate limit, and the call itself."""

from __future__ import annotations

import math
import threading
import traceback
from collections import deque

from ocp_sandbox import control, faults, tokens
from ocp_sandbox.api import routes
from ocp_sandbox.calls import Calls, Record
from ocp_sandbox.control import Control
from ocp_sandbox.faults import Faults
from ocp_sandbox.messages import Refusal, Request, Response
from ocp_sandbox.settings import Settings
from ocp_sandbox.store import Store
from ocp_sandbox.tokens import Tokens


class Application:
    """The platform without its sockets: :meth:`handle` may be called by any number of threads."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.faults = Faults(settings.faults)
        self.calls = Calls()
        self.stopping = threading.Event()
        self._store = store
        self._settings = settings
        self._tokens = Tokens(store, settings)
        self._control = Control(store, self.faults, self.calls)
        self._rates = _Rates(settings.rate_limit)

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path.startswith(control.PREFIX):
            return self._control.handle(request)
        record = self.calls.begin(self._store.clock.now(), request.method, _short(request.path), request.query)
        try:
            response = self._befallen(request, record)
            record.dropped = response.delivery == "dropped"
            record.status = None if record.dropped else response.status
            return response
        finally:
            self.calls.end()

    def _befallen(self, request: Request, record: Record) -> Response:
        seconds, fault = self.faults.fire(record.method, record.path)
        if seconds:
            record.fault = "delay"
            if self.stopping.wait(seconds):
                return Response(503, delivery="dropped")
        if fault is None:
            return self._answer(request, record)
        record.fault = fault.kind
        instead = faults.instead(fault)
        return instead if instead is not None else faults.spoiled(fault, self._answer(request, record))

    def _answer(self, request: Request, record: Record) -> Response:
        try:
            if request.path.startswith(tokens.PREFIX):
                return self._tokens.handle(request)
            if not request.path.startswith(f"{routes.BASE}/"):
                raise Refusal(404, f"No such resource: {request.path}")
            user = self._tokens.user_of(request)
            if user is None:
                raise Refusal(
                    401, "Unauthorized: credentials missing, wrong or expired", {"WWW-Authenticate": "Bearer"}
                )
            record.login = user.name
            self._rates.count(user.name, self._store.clock.now())
            return routes.dispatch(request, user, self._store, self._settings)
        except Refusal as refusal:
            return refusal.response()
        except Exception:
            traceback.print_exc()
            return Refusal(500, "Internal error").response()


class _Rates:
    """How many calls each login made within the last second."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = {}

    def count(self, login: str, now: float) -> None:
        """Let a call through.

        :raises Refusal: 429 when it is one too many.
        """
        if self._limit is None:
            return
        with self._lock:
            times = self._times.setdefault(login, deque())
            while times and times[0] <= now - 1:
                times.popleft()
            if len(times) >= self._limit:
                wait = max(math.ceil(times[0] + 1 - now), 1)
                raise Refusal(429, f"Too many requests: {self._limit} a second allowed", {"Retry-After": str(wait)})
            times.append(now)


def _short(path: str) -> str:
    return path.removeprefix(routes.BASE) if path.startswith(f"{routes.BASE}/") else path
