"""Faults on request: which calls go wrong, when, and how."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from ocp_sandbox.messages import Response, answer

Kind = Literal[
    "status",
    "delay",
    "drop_before",
    "drop_after",
    "broken_json",
    "html",
    "truncated",
    "unauthorized",
    "redirect",
    "refuse",
    "status_after",
    "drift",
]
_AFTER = frozenset({"drop_after", "truncated", "broken_json", "status_after", "drift"})
_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Sign in to continue</form></body></html>"


@dataclass(frozen=True)
class Fault:
    """A rule. Without ``nth``, ``every`` and ``probability`` it fires at each matching call.

    ``method`` is a verb or ``*``; ``path`` a glob over the decoded path after ``/integrations``, or over the whole
    path of a token endpoint. ``nth`` fires from the n-th match on (``times`` is then 1 unless given), ``every`` at each
    n-th match, ``probability`` by chance drawn from ``seed``. ``times`` is how often it may fire in all.

    Kinds: ``status`` (nothing processed, that ``status`` is answered), ``delay`` (``seconds``, then normal),
    ``drop_before`` (closed, nothing processed), ``drop_after`` (processed, closed without an answer), ``broken_json``
    and ``truncated`` (processed, half an answer), ``html`` (a login page with 200, nothing processed), ``unauthorized``
    (401, nothing processed), ``redirect`` (302 to ``url``, nothing processed), ``refuse`` (200 with ``success: false``,
    nothing processed), ``status_after`` (processed, then ``status`` is answered), ``drift`` (processed, and ``field``
    goes by the name ``to`` wherever it stands in the answer, or is left out without one).
    """

    method: str = "*"
    path: str = "*"
    kind: Kind = "status"
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 0
    times: int | None = None
    status: int = 503
    retry_after: str | int | None = None
    body: str | None = None
    seconds: float = 0.0
    url: str = "http://127.0.0.1:9/elsewhere"
    message: str = "The request could not be completed"
    field: str = ""
    to: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind: {self.kind!r} is unknown; take one of {', '.join(get_args(Kind))}")
        for name in ("method", "path", "url", "message", "field", "to"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name}: {getattr(self, name)!r} is not a string")
        whens = [name for name in ("nth", "every", "probability") if getattr(self, name) is not None]
        if (self.kind == "drift") != bool(self.field):
            raise ValueError(f"field: {self.field!r} with kind {self.kind!r}; name the field that a drift is about")
        if len(whens) > 1:
            raise ValueError(f"fault: {' and '.join(whens)} contradict each other; give one")
        for name in ("nth", "every", "times"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name}: {value!r} must be a whole number, 1 or more")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError(f"probability: {self.probability} must be between 0 and 1")
        if not 100 <= self.status <= 599:
            raise ValueError(f"status: {self.status} must be between 100 and 599")
        if self.seconds < 0:
            raise ValueError(f"seconds: {self.seconds} must be 0 or more")
        if self.nth is not None and self.times is None:
            object.__setattr__(self, "times", 1)

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """The rule that a JSON object describes, by the names of the fields above.

        :raises ValueError: naming what is unknown or wrong.
        """
        if not isinstance(value, Mapping):
            raise ValueError(f"fault: {value!r} is not an object")
        known = {entry.name for entry in fields(cls)}
        if unknown := sorted(set(value) - known):
            raise ValueError(f"fault: unknown {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        try:
            return cls(**value)
        except TypeError as error:
            raise ValueError(f"fault: {error}") from error

    def matches(self, method: str, path: str) -> bool:
        """Whether a call of ``method`` on ``path`` is one that this rule is about."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)


class _Rule:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.matched = 0
        self.fired = 0
        self.chance = random.Random(fault.seed)

    def due(self) -> bool:
        """Count one match, and say whether the rule wants to fire at it."""
        fault = self.fault
        self.matched += 1
        drawn = self.chance.random()
        if fault.times is not None and self.fired >= fault.times:
            return False
        if fault.nth is not None:
            return self.matched >= fault.nth
        if fault.every is not None:
            return self.matched % fault.every == 0
        return fault.probability is None or drawn < fault.probability


class Faults:
    """The rules in force, asked once for each call. Delays add up; of the others the first that is due fires."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Put further rules behind those in force."""
        with self._lock:
            self._rules += [_Rule(fault) for fault in faults]

    def clear(self) -> None:
        """Take every rule away."""
        with self._lock:
            self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Each rule with how often it ``matched`` and ``fired``."""
        with self._lock:
            return [asdict(rule.fault) | {"matched": rule.matched, "fired": rule.fired} for rule in self._rules]

    def fire(self, method: str, path: str) -> tuple[float, Fault | None]:
        """How many seconds this call is delayed, and what else befalls it."""
        seconds, chosen = 0.0, None
        with self._lock:
            for rule in self._rules:
                if not rule.fault.matches(method, path) or not rule.due():
                    continue
                if rule.fault.kind == "delay":
                    seconds += rule.fault.seconds
                elif chosen is None:
                    chosen = rule.fault
                else:
                    continue
                rule.fired += 1
        return seconds, chosen


def instead(fault: Fault) -> Response | None:
    """The answer given without processing the call, or ``None`` for a fault that lets it be processed."""
    if fault.kind in _AFTER:
        return None
    if fault.kind == "drop_before":
        return Response(503, delivery="dropped")
    if fault.kind == "html":
        return Response(200, _PAGE.encode(), "text/html;charset=utf-8")
    if fault.kind == "redirect":
        return Response(302, headers={"Location": fault.url})
    if fault.kind == "refuse":
        return answer({"success": False, "message": fault.message})
    if fault.kind == "unauthorized":
        return answer({"success": False, "message": "Unauthorized"}, status=401)
    return _status(fault)


def spoiled(fault: Fault, response: Response) -> Response:
    """What becomes of the answer to a call that was processed."""
    if fault.kind == "drop_after":
        return replace(response, delivery="dropped")
    if fault.kind == "truncated":
        return replace(response, delivery="truncated")
    if fault.kind == "broken_json":
        return replace(response, body=response.body[: len(response.body) // 2] + b"{")
    if fault.kind == "drift":
        return replace(response, body=json.dumps(_drifted(json.loads(response.body), fault)).encode())
    return _status(fault)


def _drifted(value: Any, fault: Fault) -> Any:
    if isinstance(value, list):
        return [_drifted(each, fault) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        fault.to if name == fault.field else name: _drifted(each, fault)
        for name, each in value.items()
        if name != fault.field or fault.to
    }


def _status(fault: Fault) -> Response:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
    if fault.body is not None:
        return Response(fault.status, fault.body.encode(), headers=headers)
    return answer({"success": False, "message": fault.message}, status=fault.status, headers=headers)
