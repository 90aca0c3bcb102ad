"""The checks that every request passes before anything is looked up. Each names the field, the value and the fix."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from ocp_sandbox.listing import ORDERS
from ocp_sandbox.messages import Refusal, Request, listed
from ocp_sandbox.numbering import E164

Check = Callable[[str, Any], Any]
_LOCALE = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
_PREFIX = re.compile(r"\+?\d*", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}")
_DECODED_PLUS = re.compile(r"%? \d")
_LONGEST_SHOWN = 60


class Field(NamedTuple):
    """One field of a request: how its value is checked, and whether it must be there."""

    check: Check
    required: bool = False


Shape = Mapping[str, Field]


class Wrong(Exception):
    """A value that is not what its field takes."""


def read_json(request: Request, shape: Shape) -> dict[str, Any]:
    """The fields of a JSON body, checked against ``shape``.

    :raises Refusal: 400, with everything that is wrong with it.
    """
    if request.media_type != "application/json":
        raise Refusal(400, f"Content-Type: {request.media_type or 'none'!r} is not supported; send application/json")
    try:
        given = json.loads(request.body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"body: not valid JSON: {error}") from None
    if not isinstance(given, dict):
        raise Refusal(400, f"body: {_shown(given)} is not an object; send a JSON object")
    return check(given, shape)


def read_query(request: Request, shape: Shape) -> dict[str, Any]:
    """The parameters of the query, checked against ``shape``.

    :raises Refusal: 400, with everything that is wrong with it.
    """
    given: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape"):
        if name in given:
            raise Refusal(400, f"{name}: given more than once; give it once")
        given[name] = value
    return check(given, shape)


def check(given: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """``given`` as far as it is not null, once every field is known, right, and there if required.

    :raises Refusal: 400, with everything that is wrong with it.
    """
    problems = [f"{name}: unknown field; known are {', '.join(shape) or 'none'}" for name in given if name not in shape]
    values: dict[str, Any] = {}
    for name, field in shape.items():
        if given.get(name) is None:
            if field.required:
                problems.append(f"{name}: missing; it is required")
            continue
        try:
            values[name] = field.check(name, given[name])
        except Wrong as wrong:
            problems.append(str(wrong))
    if problems:
        raise Refusal(400, "; ".join(problems))
    return values


def text(name: str, value: Any) -> str:
    """A string that can be written as UTF-8."""
    if not isinstance(value, str):
        raise Wrong(f"{name}: {_shown(value)} is not a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Wrong(f"{name}: contains a lone surrogate; send valid Unicode") from None
    return value


def name(name: str, value: Any) -> str:
    """A string with something in it."""
    if not text(name, value).strip():
        raise Wrong(f"{name}: is empty; give a value")
    return str(value)


def number(name: str, value: Any) -> str:
    """A telephone number in E.164."""
    given = text(name, value)
    if not E164.fullmatch(given):
        hint = "encode the + as %2B" if given.startswith(" ") else "write + and 7 to 15 digits"
        raise Wrong(f"{name}: {_shown(given)} is not in E.164; {hint}")
    return given


def numbers(name: str, value: Any) -> list[str]:
    """A list of telephone numbers, not empty, each in E.164 and there once."""
    if not isinstance(value, list):
        raise Wrong(f"{name}: {_shown(value)} is not a list")
    if not value:
        raise Wrong(f"{name}: the list is empty; give at least one number")
    wrong = [entry for entry in value if not (isinstance(entry, str) and E164.fullmatch(entry))]
    if wrong:
        raise Wrong(f"{name}: not in E.164: {listed(map(_shown, wrong))}; write + and 7 to 15 digits")
    if twice := [entry for entry, count in Counter(value).items() if count > 1]:
        raise Wrong(f"{name}: given more than once: {listed(twice)}; name each number once")
    return value


def texts(name: str, value: Any) -> list[str]:
    """A list of strings."""
    if not isinstance(value, list):
        raise Wrong(f"{name}: {_shown(value)} is not a list")
    return [text(f"{name}[{place}]", entry) for place, entry in enumerate(value)]


def boolean(name: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Wrong(f"{name}: {_shown(value)} is not true or false")
    return value


def counted(name: str, value: Any) -> int:
    """A whole number from 1, which JSON may write as 1.0 as well."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Wrong(f"{name}: {_shown(value)} is not a whole number")
    if not 1 <= value < 2**31:
        raise Wrong(f"{name}: {_shown(value)} is out of range; it starts from 1")
    return value


def counted_text(name: str, value: Any) -> int:
    """A whole number from 1, written in a query."""
    if not re.fullmatch(r"-?\d{1,10}", value, re.ASCII):
        raise Wrong(f"{name}: {_shown(value)} is not a whole number")
    return counted(name, int(value))


def searched(name: str, value: Any) -> str:
    """A text to search for in a query; a number's + must have been encoded."""
    given = text(name, value)
    if _DECODED_PLUS.match(given):
        raise Wrong(f"{name}: {_shown(given)} begins with a space; encode the + of a number as %2B")
    return given


def locale(name: str, value: Any) -> str:
    """A locale of the form language-REGION."""
    if not _LOCALE.fullmatch(text(name, value)):
        raise Wrong(f"{name}: {_shown(value)} is not of the form language-REGION, such as en-US")
    return str(value)


def prefix(name: str, value: Any) -> str:
    """The beginning of a number; the answer is its digits."""
    if not _PREFIX.fullmatch(text(name, value)):
        raise Wrong(f"{name}: {_shown(value)} is not a prefix; write an optional + followed by digits")
    return str(value).lstrip("+")


def country(name: str, value: Any) -> str:
    """A country code of two letters."""
    if not _COUNTRY.fullmatch(text(name, value)):
        raise Wrong(f"{name}: {_shown(value)} is not a country code; write two capital letters, such as US")
    return str(value)


def order(name: str, value: Any) -> str:
    """A column to order by."""
    if text(name, value) not in ORDERS:
        raise Wrong(f"{name}: {_shown(value)} is unknown; take one of {', '.join(sorted(ORDERS))}")
    return str(value)


def direction(name: str, value: Any) -> bool:
    """ASC or DESC; the answer is whether it is descending."""
    if text(name, value) not in ("ASC", "DESC"):
        raise Wrong(f"{name}: {_shown(value)} is unknown; take ASC or DESC")
    return bool(value == "DESC")


def _shown(value: object) -> str:
    shown = json.dumps(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field stands in an object more than once")
    return found


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
