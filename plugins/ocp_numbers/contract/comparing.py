"""A real platform compared with the contract: every operation that only reads is called, the others are not.

What is asked for is taken from what was answered before, so that nothing has to be known of the platform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ocp_numbers.client import OPERATIONS, OcpClient, Operation
from ocp_numbers.errors import AccessRefused, ApiError, LoginRefused, NoAnswer, NotAuthenticated, NotConnected, shown
from ocp_numbers.models import NumberSet, Page

ROWS = 50
"""Numbers asked for at once: enough to see what comes, few enough to cost the platform nothing."""

_WORDS = {
    "groups": "no group",
    "group": "no group",
    "group_id": "no group",
    "set_id": "no set",
    "provider": "no provider (--provider)",
    "code": "no country (--country)",
}


class Verdict(str, Enum):
    """What calling an operation has shown."""

    CONFORMS = "conforms"
    """The answer has exactly what is documented."""
    DRIFTS = "drifts"
    """The answer is understood, and departs from the contract."""
    FAILS = "fails"
    """The call was refused, or its answer cannot be understood."""
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Trial:
    """One operation: what it was called with, and what came of it.

    :param call: method and path.
    :param seen: how much of what came was looked at, as ``50 rows``.
    :param findings: where the answer departs, or why the call failed or was not made.
    """

    operation: str
    call: str
    verdict: Verdict
    called_with: str = ""
    seen: str = ""
    findings: tuple[str, ...] = ()


def compare(client: OcpClient, *, provider: str = "", code: str = "", group: str = "") -> tuple[Trial, ...]:
    """Call every operation that only reads; all the operations, in the order of the table, with what came of them.

    :param client: one whose access is ``read``, so that nothing else can be sent.
    :param provider, code: where to look for offers; without both, that search is not tried.
    :param group: the group to ask about; by default the one that most of the first numbers are in.
    :raises AccessRefused: when the client could do more than read; nothing was sent.
    :raises LoginRefused, NotAuthenticated, NotConnected: there is nothing to compare.
    """
    if client.settings.access != "read":
        raise AccessRefused(operation="contract", needs="read", allowed=client.settings.access)
    tried = {trial.operation: trial for trial in _Visit(client, provider, code, group).trials()}
    return tuple(tried.get(row.name) or _left_alone(row) for row in OPERATIONS.values())


def _left_alone(row: Operation[Any]) -> Trial:
    return _trial(row, Verdict.NOT_TRIED, findings=(f"{row.effect.name} operations change something",))


def _trial(row: Operation[Any], verdict: Verdict, **told: Any) -> Trial:
    return Trial(row.name, f"{row.method} {row.path}", verdict, **told)


class _Visit:
    """The calls, one after the other; what the earlier ones find is what the later ones ask for."""

    def __init__(self, client: OcpClient, provider: str, code: str, group: str) -> None:
        self._client = client
        self._offers = {"provider": provider, "code": code}
        self._group = group
        self._set_id = ""

    def trials(self) -> Iterator[Trial]:
        rows = {"page": 1, "page_size": ROWS, "order_by": "number"}
        yield self._try("numbers.list", rows)
        yield self._try("sets.list", {})
        groups = {"groups": [self._group] if self._group else []}
        yield self._try("numbers.search", rows | groups)
        yield self._try("numbers.export_csv", rows | groups)
        yield self._try("sets.list_for_group", {"group_id": self._group})
        yield self._try("sets.get", {"set_id": self._set_id})
        yield self._try("sets.numbers", {"set_id": self._set_id})
        yield self._try("numbers.search_available", self._offers | {"group": self._group})

    def _try(self, name: str, fields: Mapping[str, Any]) -> Trial:
        row = OPERATIONS[name]
        missing = [_WORDS.get(field, field) for field, value in fields.items() if not value]
        if missing:
            return _trial(row, Verdict.NOT_TRIED, findings=(f"{row.name}: {shown(missing)} to ask with",))
        called_with = ", ".join(
            f"{field} {value[0] if isinstance(value, list) else value}" for field, value in fields.items()
        )
        try:
            answer: Any = self._client.transport.call(row, **fields)
        except (LoginRefused, NotAuthenticated, NotConnected):
            raise
        except (ApiError, NoAnswer) as error:
            findings = (str(error), *self._departures(name))
            return _trial(row, Verdict.FAILS, called_with=called_with, findings=findings)
        self._learn(answer)
        findings = self._departures(name)
        return _trial(
            row,
            Verdict.DRIFTS if findings else Verdict.CONFORMS,
            called_with=called_with,
            seen=_size(answer),
            findings=findings,
        )

    def _learn(self, answer: Any) -> None:
        """Find a group and a set to ask about: a set that is not empty, and as small as there is."""
        if isinstance(answer, Page) and not self._group:
            groups = Counter(number.group_id for number in answer.items if number.group_id)
            self._group = max(groups, key=lambda group: groups[group], default="")
        elif isinstance(answer, tuple) and not self._set_id:
            sets = [each for each in answer if isinstance(each, NumberSet)]
            self._set_id = min(sets, key=lambda each: each.phone_number_count or ROWS**4).id if sets else ""

    def _departures(self, name: str) -> tuple[str, ...]:
        return tuple(
            f"{each.drift}" + (f", {each.count:,} times" if each.count > 1 else "")
            for each in self._client.drift.departures
            if each.operation == name
        )


def _size(answer: Any) -> str:
    if isinstance(answer, str):
        return f"{len(answer):,} characters"
    rows: Sequence[Any] | None = answer.items if isinstance(answer, Page) else answer
    if not isinstance(rows, tuple):
        return "1 object"
    return "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
