"""Inputs of operators after rendering: Jinja hands over strings, so each is read strictly, or refused naming field and
fix.

A reader takes the rendered value and its field's name and returns the checked value. All raise
:class:`~ocp_numbers.errors.InvalidInput`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from ocp_numbers.errors import InvalidInput, quoted
from ocp_numbers.models import (
    MOST_DECIMALS,
    MOST_DIGITS,
    check_country_code,
    check_locale,
    check_numbers,
    check_prefix,
    check_text,
)

ReadT_co = TypeVar("ReadT_co", covariant=True)

JINJA = ("{{", "{%", "{#")
_LONGEST_COUNT = 18


class Reader(Protocol[ReadT_co]):
    """Turns a rendered value into a checked one."""

    def __call__(self, value: Any, *, field: str) -> ReadT_co:
        """Read ``value`` of the input named ``field``."""


Readers = Mapping[str, Reader[Any]]
"""The inputs of an operator by their attributes' names, each with what reads it."""


def inputs(**readers: Reader[Any]) -> Readers:
    """The inputs of an operator by their attributes' names, each with its reader; all of them are templated."""
    return MappingProxyType(readers)


def awaits_rendering(value: Any) -> bool:
    """Whether ``value`` is known only once the task runs: a template, another task's output, or a list with one."""
    if isinstance(value, str):
        return any(mark in value for mark in JINJA)
    if isinstance(value, list | tuple | set | frozenset):
        return any(awaits_rendering(item) for item in value)
    if isinstance(value, dict):
        return any(awaits_rendering(item) for item in value.values())
    return hasattr(value, "iter_references")


def listed(value: Any, *, field: str) -> list[Any]:
    """A list, or a string holding a JSON list."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidInput(
                f"{field}: {quoted(value)} is not a JSON list; pass a list, or end the template with '| tojson'"
            ) from None
    if isinstance(value, dict | str | bytes) or not isinstance(value, Iterable):
        raise InvalidInput(f"{field}: {quoted(value)} is not a list; pass a list, or a string with a JSON list")
    return list(value)


def mapping(value: Any, *, field: str) -> Mapping[str, Any]:
    """A mapping, or a string holding a JSON object."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{field}: is not a mapping; pass a task's output, or end the template with '| tojson'")
    return value


def numbers(value: Any, *, field: str) -> tuple[str, ...]:
    """At least one number in E.164, each of them once."""
    return check_numbers(listed(value, field=field), field=field)


def number(value: Any, *, field: str) -> str:
    """One number in E.164."""
    return check_numbers([value], field=field)[0]


def names(value: Any, *, field: str) -> tuple[str, ...]:
    """Names or ids, possibly none."""
    return tuple(check_text(item, field=field) for item in listed(value, field=field))


def text(value: Any, *, field: str) -> str:
    """A string with something in it."""
    return check_text(_found(value, field=field), field=field)


def any_text(value: Any, *, field: str) -> str:
    """A string, possibly empty."""
    if not isinstance(value, str):
        raise InvalidInput(f"{field}: {quoted(value)} is not a text; pass a string")
    return str(_found(value, field=field))


def locale(value: Any, *, field: str) -> str:
    """A locale of the form language-REGION."""
    return check_locale(value, field=field)


def prefix(value: Any, *, field: str) -> str:
    """An optional + and digits."""
    return check_prefix(value, field=field)


def country_code(value: Any, *, field: str) -> str:
    """A two-letter country code."""
    return check_country_code(value, field=field)


def flag(value: Any, *, field: str) -> bool:
    """True or false, as such or as a word."""
    words = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise InvalidInput(f"{field}: {quoted(value)} is neither true nor false; write one of them")


def count(value: Any, *, field: str) -> int:
    """A whole number of at least one."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONGEST_COUNT:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidInput(f"{field}: {quoted(value)} is not a whole number of at least 1")
    return value


def amount(value: Any, *, field: str) -> Decimal:
    """A sum of money of at least zero: a Decimal, a whole number or a string such as 12.50; never a float."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            read = Decimal(value)
        except InvalidOperation:
            read = Decimal("NaN")
        if read.is_finite() and read >= 0 and _can_be_written(read):
            return read
    raise InvalidInput(f"{field}: {quoted(value)} is not an amount; write a whole number, or a string such as '12.50'")


def optional(read: Reader[ReadT_co]) -> Reader[ReadT_co | None]:
    """The reader of an input that may be left out: None, or the empty string that Jinja makes of a missing one."""

    def read_if_given(value: Any, *, field: str) -> ReadT_co | None:
        if value is None or value == "":
            return None
        if value == "None":
            raise InvalidInput(f"{field}: is the word 'None'; end the template with \"or ''\" to leave the field out")
        return read(value, field=field)

    return read_if_given


def _found(value: Any, *, field: str) -> Any:
    """``value``, unless it is what Jinja makes of nothing: a set or a note of that name would be nobody's wish."""
    if value == "None":
        raise InvalidInput(f"{field}: is the word 'None', so its template found nothing; see what it refers to")
    return value


def _can_be_written(amount: Decimal) -> bool:
    """Whether ``amount`` has no more digits than money has: 1E+999999999 is written out nowhere."""
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS and amount.adjusted() < MOST_DIGITS - MOST_DECIMALS
