"""What cells mean: telephone numbers as spreadsheets mangle them, and the checks of every other column."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ocp_numbers.errors import InvalidInput
from ocp_numbers.models import E164, check_country_code, check_locale, check_text

_FORMATTING = re.compile(r"[ \u00a0\u2009\u202f().\-\u2010\u2011\u2013/]")
_TRUNK_ZERO = re.compile(r"\(\s*0+\s*\)")
_QUOTED = re.compile(r'="([^"]*)"')
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SCIENTIFIC = re.compile(r"\+?([0-9])(?:[.,]([0-9]+))?[Ee]\+?([0-9]{1,2})")
_WHOLE = re.compile(r"([1-9][0-9]{6,14})(?:[.,]0+)?")


class Dialled(NamedTuple):
    """A telephone number in E.164, and whether its ``+`` stood there or was put back."""

    number: str
    as_written: bool


def read_number(text: str) -> Dialled:
    """The number that a cell means.

    Spaces, hyphens and brackets, a leading apostrophe and ``="..."`` are what spreadsheets and people put around a
    number, and are taken away. Digits without their ``+`` may be a number or half of one: only the inventory tells.

    :raises ValueError: when the meaning is not certain, with what to do.
    """
    bare = _INVISIBLE.sub("", text).strip()
    if quoted := _QUOTED.fullmatch(bare):
        bare = quoted[1].strip()
    bare = bare.removeprefix("'").strip()
    if not bare:
        raise ValueError("is missing; give a number in E.164, such as +12125550123")
    if _TRUNK_ZERO.search(bare):
        raise ValueError("has a zero in brackets that is dialled in its own country only; write it in E.164")
    if scientific := _SCIENTIFIC.fullmatch(bare):
        return Dialled(f"+{_digits(*scientific.groups(default=''))}", as_written=False)
    if whole := _WHOLE.fullmatch(bare):
        return Dialled(f"+{whole[1]}", as_written=False)
    plain = _FORMATTING.sub("", bare)
    if E164.fullmatch(plain) and plain.isascii():
        return Dialled(plain, as_written=True)
    if _WHOLE.fullmatch(plain):
        return Dialled(f"+{plain}", as_written=False)
    raise ValueError("is not in E.164; write + and 7 to 15 digits, such as +12125550123")


def _digits(first: str, rest: str, power: str) -> str:
    exponent = int(power)
    if len(rest) < exponent:
        raise ValueError(
            "has lost digits to the spreadsheet's short form; format the column as text and put the numbers in again"
        )
    whole, fraction = (first + rest[:exponent]).lstrip("0"), rest[exponent:]
    if fraction.strip("0") or not _WHOLE.fullmatch(whole):
        raise ValueError("is not in E.164; write + and 7 to 15 digits, such as +12125550123")
    return whole


def _any(value: str, *, field: str) -> str:
    return value


_CHECKS: dict[str, Callable[..., str]] = {
    "GROUP_ID": check_text,
    "COUNTRY": check_country_code,
    "MINIAPP_ID": check_text,
    "LOCALE": check_locale,
    "APPLICATION_TAG": check_text,
    "NOTE": _any,
    "PHONE_NUMBER_SET_ID": check_text,
    "PROVIDER": check_text,
}


def check_cell(column: str, text: str) -> str:
    """The value of a cell that is not blank. A note stays as it is to the last blank; elsewhere those around it go.

    :raises ValueError: when the column takes no such value, with what to do.
    """
    value = text if column == "NOTE" else text.strip()
    try:
        return _CHECKS[column](value, field=column)
    except InvalidInput as error:
        # The value stands in front of the sentence already.
        raise ValueError(error.problems[0].partition(repr(value))[2].strip() or error.problems[0]) from None
