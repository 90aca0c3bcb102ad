"""The platform's nouns as values: numbers, offers, sets, and the checks that every input of them passes.

Answers are read leniently (unknown fields are ignored, missing and null optional ones are ``None``, a text may come as
a number), inputs strictly. A number alone is never taken for the text that it should be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ocp_numbers.errors import IncompleteSnapshot, InvalidInput, quoted, shown

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LOCALE = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
PREFIX = re.compile(r"\+?[0-9]*")
COUNTRY_CODE = re.compile(r"[A-Z]{2}")

MOST_DIGITS, MOST_DECIMALS = 30, 20
"""Digits of a price, and those behind its point: far more than money has, and few enough to be written out."""
MOST_NUMBERS, MOST_PAGES = 100_000_000, 200_000
"""Numbers that a listing may announce, and pages: four times as many as a million numbers have, twenty to a page."""
AS_THE_PLATFORM_COUNTS = {"maximum": 2**31 - 1}
"""What the contract says of such a number; what we believe at most is our affair."""


def no_truth_value(told: str) -> BeforeValidator:
    """Refuses true and false, which are whole numbers to Python, with the message ``told``."""

    def check(value: object) -> object:
        if isinstance(value, bool):
            raise ValueError(told)
        return value

    return BeforeValidator(check)


Count = Annotated[int, no_truth_value("a truth value is no count")]
Total = Annotated[Count, Field(ge=0, le=MOST_NUMBERS, json_schema_extra=AS_THE_PLATFORM_COUNTS)]


class Answer(BaseModel):
    """Base of what OCP answers: immutable, by the vendor's camelCase names or ours, blind to fields not known."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, coerce_numbers_to_str=True)

    sometimes: ClassVar[frozenset[str]] = frozenset()
    """Fields that not every documented answer has."""

    @classmethod
    def spellings(cls, name: str) -> tuple[str, ...]:
        """The documented names of the field ``name`` in an answer."""
        field = cls.model_fields[name]
        if isinstance(field.validation_alias, AliasChoices):
            return tuple(str(choice) for choice in field.validation_alias.choices if choice != name)
        return (field.alias or name,)


ExactText = Annotated[str, Field(strict=True)]
"""A text that nothing else is taken for: a phone number without its ``+`` would be another one."""


class PhoneNumber(Answer):
    """A number in the inventory, as the list, the search and the set's content show it."""

    sometimes: ClassVar[frozenset[str]] = frozenset({"set_name"})

    number: ExactText
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

    number: ExactText
    country: str | None = None
    locality: str | None = None
    region: str | None = None
    price: Annotated[Decimal, Field(ge=0, max_digits=MOST_DIGITS, decimal_places=MOST_DECIMALS)] | None = None


class PurchasedNumber(Answer):
    """A number that the buying call reports as bought, with the provider's id."""

    number: ExactText
    id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: object) -> object:
        """The vendor's page shows objects, and speaks of strings."""
        return {"number": value} if isinstance(value, str) else value


class Purchase(Answer):
    """What the buying call reports. A report, not the truth: the read-back decides."""

    failed: tuple[ExactText, ...] = Field((), alias="failedNumbers")
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
    phone_number_count: Count | None = Field(None, alias="phoneNumberCount")


class Outcome(Answer):
    """The platform's yes to a change; a no is raised as an error before this is made."""

    success: bool = True
    message: str | None = None


ItemT = TypeVar("ItemT")


class Page(Answer, Generic[ItemT]):
    """One page of a listing. ``page_size`` is the size answered, which the server may have capped."""

    sometimes: ClassVar[frozenset[str]] = frozenset({"order_by", "direction"})

    items: tuple[ItemT, ...] = Field(alias="numbers")
    page: Total
    page_size: Total = Field(alias="pageSize")
    number_of_pages: Total = Field(alias="numberOfPages")
    all_numbers: Total = Field(alias="allNumbers")
    order_by: str | None = Field(None, alias="orderBy")
    direction: str | None = None


def check_numbers(numbers: Iterable[str], *, field: str = "numbers") -> tuple[str, ...]:
    """``numbers`` as given, once each of them is E.164 and none stands twice.

    :raises InvalidInput: naming every offender; also when the list is empty.
    """
    if isinstance(numbers, str | bytes | Mapping) or not isinstance(numbers, Iterable):
        raise InvalidInput(f"{field}: {quoted(numbers)} is not a list; give a list of numbers")
    numbers = tuple(numbers)
    if not numbers:
        raise InvalidInput(f"{field}: the list is empty; give at least one number in E.164, such as +12125550123")
    problems = [
        f"{field}: {quoted(number)} is not in E.164; write + and 7 to 15 digits without spaces, such as +12125550123"
        for number in numbers
        if not (isinstance(number, str) and E164.fullmatch(number))
    ]
    problems += [f"{field}: {number[:40]} is listed {count} times; name it once" for number, count in _twice(numbers)]
    if problems:
        raise InvalidInput(problems)
    return numbers


def check_locale(locale: str, *, field: str = "locale") -> str:
    """``locale``, once it is of the form language-REGION.

    :raises InvalidInput: otherwise.
    """
    if not (isinstance(locale, str) and LOCALE.fullmatch(locale)):
        raise InvalidInput(f"{field}: {quoted(locale)} is not of the form language-REGION; write for example en-US")
    return locale


def check_prefix(prefix: str, *, field: str = "prefix") -> str:
    """``prefix``, once it is an optional + and digits.

    :raises InvalidInput: otherwise.
    """
    if not (isinstance(prefix, str) and PREFIX.fullmatch(prefix)):
        raise InvalidInput(
            f"{field}: {quoted(prefix)} is not a number prefix; write an optional + and digits, such as +1212"
        )
    return prefix


def check_country_code(code: str, *, field: str = "country_code") -> str:
    """``code``, once it is a two-letter country code (ISO 3166-1 alpha-2).

    :raises InvalidInput: otherwise.
    """
    if not (isinstance(code, str) and COUNTRY_CODE.fullmatch(code)):
        raise InvalidInput(f"{field}: {quoted(code)} is not a country code; write two capital letters, such as US")
    return code


def check_text(value: str, *, field: str) -> str:
    """``value``, once it is a string with something in it.

    :raises InvalidInput: otherwise.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{field}: {quoted(value)} is not a text; give a string")
    if not value.strip():
        raise InvalidInput(f"{field}: {quoted(value)} is empty; give a value")
    if "\0" in value:
        raise InvalidInput(f"{field}: {quoted(value)} holds a NUL character; remove it")
    return value


def check_told(numbers: Iterable[PhoneNumber], *fields: str) -> tuple[PhoneNumber, ...]:
    """``numbers``, once the platform is seen to tell ``fields`` of each: what it does not mention is not empty.

    For whoever is about to act on a field being empty.

    :param fields: by our names, such as ``mini_app_id``.
    :raises IncompleteSnapshot: naming the fields and the numbers.
    """
    numbers = tuple(numbers)
    for field in fields:
        untold = [row.number for row in numbers if field not in row.model_fields_set]
        if untold:
            documented = " or ".join(PhoneNumber.spellings(field))
            raise IncompleteSnapshot(
                f"{documented}: missing in OCP's answer for {shown(untold)}, so that nothing can be decided from it. "
                "See how OCP departs from the contract: ocp-numbers contract --read-only"
            )
    return numbers


def _twice(numbers: Iterable[str]) -> list[tuple[str, int]]:
    return [(number, count) for number, count in Counter(map(str, numbers)).items() if count > 1]
