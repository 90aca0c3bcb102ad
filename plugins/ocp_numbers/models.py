"""The platform's nouns as values: numbers, offers, sets, and the checks that every input of them passes.

Answers are read leniently (unknown fields are ignored, missing and null optional ones are ``None``), inputs strictly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from ocp_numbers.errors import InvalidInput

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LOCALE = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
PREFIX = re.compile(r"\+?[0-9]*")
COUNTRY_CODE = re.compile(r"[A-Z]{2}")


class Answer(BaseModel):
    """Base of what OCP answers: immutable, by the vendor's camelCase names or ours, blind to fields not known."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class PhoneNumber(Answer):
    """A number in the inventory, as the list, the search and the set's content show it."""

    number: str
    country: str | None = None
    group_id: str | None = Field(None, alias="groupId")
    mini_app_id: str | None = Field(None, alias="miniAppId")
    mini_app_name: str | None = Field(None, alias="miniAppName")
    mini_app_type: str | None = Field(None, alias="miniAppType")
    mini_app_diamant_app_name: str | None = Field(None, alias="miniAppDiamantAppName")
    mini_app_group: str | None = Field(None, alias="miniAppGroup")
    locale: str | None = None
    note: str | None = None
    application_tag: str | None = Field(None, alias="applicationTag")
    set_id: str | None = Field(None, validation_alias=AliasChoices("phoneNumbersSetId", "phoneNumberSetId", "set_id"))
    set_name: str | None = Field(
        None, validation_alias=AliasChoices("phoneNumbersSetName", "phoneNumberSetName", "set_name")
    )


class AvailableNumber(Answer):
    """A number on offer. ``price`` has no documented currency; ``None`` where the provider states none."""

    number: str
    country: str | None = None
    locality: str | None = None
    region: str | None = None
    price: Annotated[Decimal, Field(ge=0)] | None = None


class PurchasedNumber(Answer):
    """A number that the buying call reports as bought, with the provider's id."""

    number: str
    id: str | None = Field(None, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: object) -> object:
        """The vendor's page shows objects, and speaks of strings."""
        return {"number": value} if isinstance(value, str) else value


class Purchase(Answer):
    """What the buying call reports. A report, not the truth: the read-back decides."""

    failed: tuple[str, ...] = Field((), alias="failedNumbers")
    purchased: tuple[PurchasedNumber, ...] = Field((), alias="purchasedNumbers")

    @field_validator("*", mode="before")
    @classmethod
    def _none_is_nobody(cls, value: object) -> object:
        return () if value is None else value


class NumberSet(Answer):
    """A set of numbers within one group."""

    id: str
    name: str
    group_id: str | None = Field(None, alias="groupId")
    phone_number_count: int | None = Field(None, alias="phoneNumberCount")


class Outcome(Answer):
    """The platform's yes to a change; a no is raised as an error before this is made."""

    success: bool = True
    message: str | None = None


ItemT = TypeVar("ItemT")


class Page(Answer, Generic[ItemT]):
    """One page of a listing. ``page_size`` is the size answered, which the server may have capped."""

    items: tuple[ItemT, ...] = Field(alias="numbers")
    page: int
    page_size: int = Field(alias="pageSize")
    number_of_pages: int = Field(alias="numberOfPages")
    all_numbers: int = Field(alias="allNumbers")


def check_numbers(numbers: Iterable[str], *, field: str = "numbers") -> tuple[str, ...]:
    """``numbers`` as given, once each of them is E.164 and none stands twice.

    :raises InvalidInput: naming every offender; also when the list is empty.
    """
    if isinstance(numbers, str | bytes | Mapping) or not isinstance(numbers, Iterable):
        raise InvalidInput(f"{field}: {numbers!r} is not a list; give a list of numbers")
    numbers = tuple(numbers)
    if not numbers:
        raise InvalidInput(f"{field}: the list is empty; give at least one number in E.164, such as +12125550123")
    problems = [
        f"{field}: {number!r} is not in E.164; write + and 7 to 15 digits without spaces, such as +12125550123"
        for number in numbers
        if not (isinstance(number, str) and E164.fullmatch(number))
    ]
    problems += [f"{field}: {number} is listed {count} times; name it once" for number, count in _twice(numbers)]
    if problems:
        raise InvalidInput(problems)
    return numbers


def check_locale(locale: str, *, field: str = "locale") -> str:
    """``locale``, once it is of the form language-REGION.

    :raises InvalidInput: otherwise.
    """
    if not (isinstance(locale, str) and LOCALE.fullmatch(locale)):
        raise InvalidInput(f"{field}: {locale!r} is not of the form language-REGION; write for example en-US")
    return locale


def check_prefix(prefix: str, *, field: str = "prefix") -> str:
    """``prefix``, once it is an optional + and digits.

    :raises InvalidInput: otherwise.
    """
    if not (isinstance(prefix, str) and PREFIX.fullmatch(prefix)):
        raise InvalidInput(f"{field}: {prefix!r} is not a number prefix; write an optional + and digits, such as +1212")
    return prefix


def check_country_code(code: str, *, field: str = "country_code") -> str:
    """``code``, once it is a two-letter country code (ISO 3166-1 alpha-2).

    :raises InvalidInput: otherwise.
    """
    if not (isinstance(code, str) and COUNTRY_CODE.fullmatch(code)):
        raise InvalidInput(f"{field}: {code!r} is not a country code; write two capital letters, such as US")
    return code


def check_text(value: str, *, field: str) -> str:
    """``value``, once it is a string with something in it.

    :raises InvalidInput: otherwise.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{field}: {value!r} is not a text; give a string")
    if not value.strip():
        raise InvalidInput(f"{field}: {value!r} is empty; give a value")
    if "\0" in value:
        raise InvalidInput(f"{field}: {value!r} holds a NUL character; remove it")
    return value


def _twice(numbers: Iterable[str]) -> list[tuple[str, int]]:
    return [(number, count) for number, count in Counter(map(str, numbers)).items() if count > 1]
