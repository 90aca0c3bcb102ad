"""Where answers depart from the contract: fields and columns that are new, missing, or spelt or typed in another way.

An answer is read as far as it can be understood, and a field in another spelling under its documented name; what
departs is counted and said once in the log. Only what needs a field that is not there fails: see
:func:`ocp_numbers.models.check_told`.
"""

from __future__ import annotations

import csv
import io
import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from ocp_numbers.client.operations import Operation
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.errors import shown
from ocp_numbers.models import Answer

if TYPE_CHECKING:
    from typing import TypeGuard

log = logging.getLogger(__name__)

Kind = Literal["new", "missing", "respelt", "retyped"]

MOST_KINDS = 100
"""Departures that are told apart; a platform that invents a name for each row is not followed further."""

_LONGEST_NAME = 60
_LONGEST_HEADER = 2**16
_NAMES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "number",
    list: "array",
    tuple: "array",
    dict: "object",
    NoneType: "null",
}


@dataclass(frozen=True)
class Drift:
    """One way in which an answer departs.

    :param field: the documented field, or the one that is new, as ``numbers[].groupId`` or ``the column GROUP_ID``.
    :param seen: the spelling or the type that came instead, where there is one.
    """

    kind: Kind
    field: str
    seen: str = ""

    def __str__(self) -> str:
        if self.kind == "new":
            return f"{self.field} is not in the contract"
        if self.kind == "missing":
            return f"{self.field} is missing"
        return f"{self.field} is {'spelt' if self.kind == 'respelt' else 'of type'} {self.seen}"


@dataclass(frozen=True)
class Departure:
    """A drift of an operation's answers, and how many times it was met."""

    operation: str
    drift: Drift
    count: int

    def __str__(self) -> str:
        return f"{self.operation}: {self.drift}" + (f" ({self.count:,} times)" if self.count > 1 else "")


class DriftCounter:
    """Counts the departures that one client meets, and says each in the log when it is met first.

    Safe to share between threads.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._counts: Counter[tuple[str, Drift]] = Counter()
        self._lock = threading.Lock()
        self.untold = 0
        """Departures beyond the first :data:`MOST_KINDS` kinds."""

    @property
    def departures(self) -> tuple[Departure, ...]:
        """All that was met, in the order of the operations' names."""
        with self._lock:
            counts = dict(self._counts)
        found = (Departure(operation, drift, count) for (operation, drift), count in counts.items())
        return tuple(sorted(found, key=lambda each: (each.operation, each.drift.field, each.drift.kind)))

    @property
    def count(self) -> int:
        """How many times something departed, the kinds that are not told apart included."""
        with self._lock:
            return self._counts.total() + self.untold

    def as_documented(self, operation: Operation[Any], content: bytes) -> bytes:
        """``content`` with every field of it under its documented name; what departs is counted.

        :param content: the body of an answer; one that is no JSON is given back as it is.
        """
        if _departs_in_nothing(operation.answer, content):
            return content
        try:
            body = msgspec.json.decode(content)
        except (ValueError, RecursionError):
            return content
        met = Counter(drifts(operation, body))
        for drift, count in met.items():
            self._add(operation.name, drift, count)
        return msgspec.json.encode(body) if any(drift.kind == "respelt" for drift in met) else content

    def header(self, operation: Operation[Any], text: str) -> None:
        """Count how the columns of ``text``, a CSV that answers ``operation``, depart. Its rows are not looked at."""
        for drift in header_drifts(operation.columns, text):
            self._add(operation.name, drift, 1)

    def _add(self, operation: str, drift: Drift, count: int) -> None:
        drift = Drift(drift.kind, self._redactor.clean(drift.field), self._redactor.clean(drift.seen))
        with self._lock:
            known = (operation, drift) in self._counts
            if not known and len(self._counts) >= MOST_KINDS:
                self.untold += count
                return
            self._counts[operation, drift] += count
        if not known:
            log.warning("The answer to %s departs from the contract: %s", operation, drift)

    def sum_up(self) -> None:
        """Say in the log how often what was met: at the end, when the count is whole."""
        if self.count:
            log.warning("Fields that departed from the contract: %s", self)

    def __str__(self) -> str:
        return shown(self.departures) + (f", and {self.untold:,} others" if self.untold else "")


def drifts(operation: Operation[Any], body: object) -> Iterator[Drift]:
    """How ``body``, the parsed answer to ``operation``, departs from the contract.

    Fields in another spelling are renamed in ``body`` on the way.
    """
    single = operation.may_be_single and isinstance(body, dict)
    return _compared(operation.answer, [body] if single else body, "")


def header_drifts(columns: Sequence[str], text: str) -> Iterator[Drift]:
    """How the names in the first line of ``text`` depart from ``columns``, whatever their order."""
    beginning = io.StringIO(text[:_LONGEST_HEADER].removeprefix("\ufeff"), newline="")
    try:
        header = next(csv.reader(beginning), [])
    except csv.Error:  # then there is none
        header = []
    by_letters = {_letters(name): name for name in columns if name not in header}
    for name in [name for name in header if name not in columns]:
        meant = by_letters.pop(_letters(name), "")
        yield Drift("respelt", _column(meant), _short(name)) if meant else Drift("new", _column(name))
    for name in by_letters.values():
        yield Drift("missing", _column(name))


def _compared(expected: Any, value: object, place: str) -> Iterator[Drift]:
    kinds = _alternatives(expected)
    if value is None and NoneType in kinds:
        return
    kind = next(kind for kind in kinds if kind is not NoneType)
    if get_origin(kind) is tuple and isinstance(value, list):
        for item in value:
            yield from _compared(get_args(kind)[0], item, f"{place}[]")
    elif _is_answer(kind) and isinstance(value, dict):
        yield from _names(kind, value, place)
        spelt = {spelling: name for name in kind.model_fields for spelling in kind.spellings(name)}
        for spelling in [spelling for spelling in value if spelling in spelt]:
            field = kind.model_fields[spelt[spelling]]
            yield from _compared(field.annotation, value[spelling], _below(place, spelling))
    else:
        wanted, came = _NAMES.get(get_origin(kind) or kind, "object"), _NAMES[type(value)]
        if came != wanted and (came, wanted) != ("integer", "number"):
            yield Drift("retyped", place or "the answer", came)


def _names(kind: type[Answer], value: dict[str, Any], place: str) -> Iterator[Drift]:
    spellings = {name: kind.spellings(name) for name in kind.model_fields}
    known = {spelling: spelt for spelt in spellings.values() for spelling in spelt}
    by_letters = {_letters(spelling): spelling for spelling in known}
    for name in [name for name in value if name not in known]:
        meant = by_letters.get(_letters(name), "")
        if not meant or any(spelling in value for spelling in known[meant]):
            yield Drift("new", _below(place, name))
        else:
            value[meant] = value.pop(name)
            yield Drift("respelt", _below(place, meant), _short(name))
    for name, spelt in spellings.items():
        if name not in kind.sometimes and not any(spelling in value for spelling in spelt):
            yield Drift("missing", _below(place, spelt[0]))


def _departs_in_nothing(answer: Any, content: bytes) -> bool:
    """Whether a reader that allows nothing else takes ``content``: much faster than comparing."""
    for decoder in _strict_readers(answer):
        try:
            decoder.decode(content)
        except (ValueError, RecursionError):
            continue
        return True
    return False


@lru_cache(maxsize=64)
def _strict_readers(answer: Any) -> tuple[msgspec.json.Decoder[Any], ...]:
    """One for each of the spellings that the contract has for the same answer."""
    return tuple(msgspec.json.Decoder(_strict(answer, turn)) for turn in range(2))


def _strict(kind: Any, turn: int) -> Any:
    kind, *others = _alternatives(kind)
    if others:
        return Union[tuple(_strict(each, turn) for each in (kind, *others))]  # noqa: UP007 - made at run time
    if get_origin(kind) is tuple:
        return list[_strict(get_args(kind)[0], turn)]  # type: ignore[misc]
    if not _is_answer(kind):
        return float if kind is Decimal else kind
    fields: list[tuple[str, Any, Any]] = []
    for name, field in kind.model_fields.items():
        spelling = kind.spellings(name)[-turn:][0]
        default = msgspec.UNSET if name in kind.sometimes else msgspec.NODEFAULT
        fields.append((spelling, _strict(field.annotation, turn), default))
    return msgspec.defstruct(
        kind.__name__.partition("[")[0], fields, forbid_unknown_fields=True, kw_only=True, gc=False
    )


def _is_answer(kind: Any) -> TypeGuard[type[Answer]]:
    return isinstance(kind, type) and issubclass(kind, Answer)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """What ``kind`` may be, without the checks that it carries beside."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return tuple(one for each in get_args(kind) for one in _alternatives(each))
    return (kind,)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _below(place: str, name: str) -> str:
    return f"{place}.{_short(name)}" if place else _short(name)


def _column(name: str) -> str:
    return f"the column {_short(name)}" if name else "a column without a name"


def _short(name: str) -> str:
    name = name if name.isprintable() else ascii(name)
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
