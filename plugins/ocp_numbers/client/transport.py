"""Sends operations: checks the input, obeys access and limits, repeats what may be repeated, raises typed errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar, get_origin
from urllib.parse import quote

from ocp_numbers.client.answers import check_success, read_answer
from ocp_numbers.client.auth import ClientAuth
from ocp_numbers.client.clock import Clock
from ocp_numbers.client.drift import DriftCounter
from ocp_numbers.client.guarding import BASE
from ocp_numbers.client.limits import Limits
from ocp_numbers.client.operations import Operation
from ocp_numbers.client.payloads import Payload
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.retry import Retry
from ocp_numbers.client.settings import ACCESS, ClientSettings
from ocp_numbers.client.translation import refusal
from ocp_numbers.client.wire import Call, Reply, Wire
from ocp_numbers.errors import (
    AccessRefused,
    ApiError,
    Interrupted,
    InvalidInput,
    NoAnswer,
    NotAuthenticated,
    TooManyRequests,
    quoted,
    shown,
)
from ocp_numbers.models import Page, check_numbers, check_text

log = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT")
ReadT = TypeVar("ReadT")

_LARGEST, _LARGEST_PAGE, _LARGEST_WORD = 512 * 2**20, 64 * 2**20, 16 * 2**20
_ATTEMPT_AT_LEAST = 10.0
_IDS = ("provider", "code", "group", "group_id", "groups", "set_id", "mini_app_id", "name", "number", "numbers")
"""Fields that messages name, in this order."""


class Transport:
    """The one way to the platform. Safe to share between threads."""

    def __init__(
        self, settings: ClientSettings, wire: Wire, auth: ClientAuth, redactor: Redactor, clock: Clock, retry: Retry
    ) -> None:
        self._settings = settings
        self._wire = wire
        self._auth = auth
        self._redactor = redactor
        self._clock = clock
        self._retry = retry
        self._limits = Limits(at_once=settings.max_concurrency, per_second=settings.requests_per_second, clock=clock)
        self._repeats = count(1)
        self.repeats = 0
        """How many calls were sent again after a passing fault."""
        self.drift = DriftCounter(redactor)
        """Where answers departed from the contract."""

    @property
    def settings(self) -> ClientSettings:
        """What the client was made with."""
        return self._settings

    def call(self, operation: Operation[AnswerT], **fields: Any) -> AnswerT:
        """Carry out ``operation`` and read its answer.

        :param fields: what goes into the path and the payload; ``None`` means not given.
        :raises InvalidInput, AccessRefused: nothing was sent.
        :raises ApiError, NoAnswer: see their ``settled`` for whether a write may have taken effect.
        :raises Interrupted: the client was closed; nothing was sent.
        """
        return self.fetch(operation, lambda reply: read_answer(operation, reply, self._redactor, self.drift), **fields)

    def send(self, operation: Operation[Any], **fields: Any) -> Reply:
        """As :meth:`call`, for those who read the body themselves: only status and ``success: false`` are looked at."""
        return self.fetch(operation, lambda reply: reply, **fields)

    def fetch(self, operation: Operation[Any], read: Callable[[Reply], ReadT], **fields: Any) -> ReadT:
        """As :meth:`call`, reading the reply by ``read``, whose errors count like the platform's own."""
        call, request = self._checked(operation, fields)
        deadline = 0.0
        renewed = False
        attempt = 0
        while True:
            self._auth.ready()
            prepared = self._wire.prepare(call, self._settings.host + BASE, self._auth, **request)
            attempt += 1
            failure: ApiError | NoAnswer
            try:
                with self._limits.turn():
                    if self._clock.stopped:
                        raise Interrupted(f"{operation.name} ({call}): the client is closed; nothing was sent")
                    now, total = self._clock.monotonic(), self._settings.total_timeout
                    deadline = deadline or now + total
                    within = max(deadline - now, min(total, _ATTEMPT_AT_LEAST))
                    reply = self._wire.exchange(call, prepared, within=within, largest=_largest(operation))
                error = refusal(reply, self._redactor, hint=self._auth.hint)
                if error is None:
                    check_success(reply, self._redactor)
                    return read(reply)
                failure = error
            except (ApiError, NoAnswer) as raised:
                failure = raised
            if isinstance(failure, NotAuthenticated) and self._auth.renewable and not renewed:
                renewed = True
                attempt -= 1
                self._auth.renew(prepared)
                continue
            left = deadline - self._clock.monotonic()
            pause = self._retry.pause(operation.effect, failure, attempt=attempt, left=left)
            if pause is None:
                raise failure
            log.info("Attempt %d in %.1f s after: %s", attempt + 1, pause, failure)
            self.repeats = next(self._repeats)
            if isinstance(failure, TooManyRequests):
                self._limits.hold(pause)
            self._clock.pause(pause)

    def close(self) -> None:
        """Let no further call start, log out, and close the connections. What is under way ends by itself."""
        self._clock.stop()
        self._auth.close()
        self._wire.close()

    def _checked(self, operation: Operation[Any], fields: dict[str, Any]) -> tuple[Call, dict[str, Any]]:
        """What to send, once access and every field are found right."""
        allowed, needs = self._settings.access, operation.effect.needs
        if ACCESS.index(needs) > ACCESS.index(allowed):
            raise AccessRefused(operation=operation.name, needs=needs, allowed=allowed)
        path = {name: _segment(name, fields.pop(name)) for name in operation.path_fields}
        given = {name: value for name, value in fields.items() if value is not None}
        payload = operation.payload.checked(given) if operation.payload else None
        request: dict[str, Any] = payload.as_request() if payload else {}
        headers = {"Accept": "application/json, text/csv" if operation.answer is str else "application/json"}
        call = Call(
            operation.name, operation.method, operation.path.format(**path), self._redactor.clean(_about(payload))
        )
        return call, {**request, "headers": {**headers, **request.get("headers", {})}}


def _largest(operation: Operation[Any]) -> int:
    """Bytes that an answer may have: what is not paged may be long, a yes or no is short."""
    if operation.answer is str or get_origin(operation.answer) is tuple:
        return _LARGEST
    return _LARGEST_PAGE if issubclass(operation.answer, Page) else _LARGEST_WORD


def _about(payload: Payload | None) -> str:
    """The ids in ``payload``, in words."""
    fields = vars(payload) if payload else {}
    named = [(name, fields[name]) for name in _IDS if fields.get(name)]
    return ", ".join(f"{name} {value if isinstance(value, str) else shown(value)}" for name, value in named)


def _segment(name: str, value: str) -> str:
    """``value`` as one segment of a path, every special character encoded.

    :raises InvalidInput: it is empty, or would not stay one segment however it is written.
    """
    if name == "number":
        check_numbers((value,), field=name)
    if check_text(value, field=name) in (".", ".."):
        raise InvalidInput(f"{name}: {quoted(value)} is not an id")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        problem = f"{name}: {quoted(value)} is not valid text"
    raise InvalidInput(problem)
