"""What is sent: one model for each shape of request, which checks its values before any call.

A payload is read from the client's own argument names and written in the vendor's; what is ``None`` is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from re import Pattern
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from urllib.parse import quote, urlencode

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from ocp_numbers.errors import InvalidInput
from ocp_numbers.models import (
    AS_THE_PLATFORM_COUNTS,
    COUNTRY_CODE,
    E164,
    LOCALE,
    MOST_NUMBERS,
    PREFIX,
    check_country_code,
    check_locale,
    check_numbers,
    check_prefix,
    check_text,
)

PayloadT = TypeVar("PayloadT", bound="Payload")


def _text(field: str) -> Callable[[str], str]:
    return lambda value: check_text(value, field=field)


def _code(field: str) -> Callable[[str], str]:
    return lambda value: check_country_code(value, field=field)


def _one_number(number: str) -> str:
    return check_numbers((number,), field="number")[0]


def _some_groups(groups: tuple[str, ...]) -> tuple[str, ...]:
    if not groups:
        raise InvalidInput("groups: the list is empty; name a group, or leave it out for all of them")
    return tuple(check_text(group, field="groups") for group in groups)


def _of_form(pattern: str | Pattern[str]) -> WithJsonSchema:
    """How the contract says what the checks here enforce."""
    return WithJsonSchema(
        {"type": "string", "pattern": f"^{pattern if isinstance(pattern, str) else pattern.pattern}$"}
    )


_SOMETHING = _of_form(r"[^\x00-\x1F]*[^\s\x00-\x1F\x85][^\x00-\x1F]*")
_ANY_NUMBER = _of_form(E164)

Number = Annotated[str, AfterValidator(_one_number), _ANY_NUMBER]
PhoneNumbers = Annotated[
    tuple[str, ...],
    BeforeValidator(check_numbers),
    WithJsonSchema({"type": "array", "minItems": 1, "uniqueItems": True, "items": _ANY_NUMBER.json_schema}),
]
CountryCode = Annotated[str, AfterValidator(_code("code")), _of_form(COUNTRY_CODE)]
Country = Annotated[str, AfterValidator(_code("country")), _of_form(COUNTRY_CODE)]
Prefix = Annotated[str, AfterValidator(check_prefix), _of_form(PREFIX)]
Locale = Annotated[str, AfterValidator(check_locale), _of_form(LOCALE)]
Group = Annotated[str, AfterValidator(_text("group")), _SOMETHING]
GroupId = Annotated[str, AfterValidator(_text("group_id")), _SOMETHING]
Groups = Annotated[
    tuple[str, ...],
    AfterValidator(_some_groups),
    WithJsonSchema({"type": "array", "items": _SOMETHING.json_schema}),  # the platform says nothing against none
]
MiniAppId = Annotated[str, AfterValidator(_text("mini_app_id")), _SOMETHING]
Provider = Annotated[str, AfterValidator(_text("provider")), _SOMETHING]
SetName = Annotated[str, AfterValidator(_text("name")), _SOMETHING]

Count = Annotated[int, Field(ge=1, le=MOST_NUMBERS, json_schema_extra=AS_THE_PLATFORM_COUNTS)]
OrderBy = Literal["miniapp", "miniapp-type", "number", "locale", "note", "group", "miniapp-group", "none"]
Direction = Literal["ASC", "DESC"]


class Payload(BaseModel):
    """Base of the payloads; sent as JSON unless the shape says otherwise."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, loc_by_alias=False
    )

    @field_validator("*")
    @classmethod
    def _can_be_sent(cls, value: object, info: ValidationInfo) -> object:
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise InvalidInput(f"{info.field_name}: {text!r} is not valid text") from None
        return value

    @classmethod
    def checked(cls: type[PayloadT], fields: dict[str, Any]) -> PayloadT:
        """The payload made of ``fields``.

        :raises InvalidInput: naming every field that is wrong, at once.
        """
        try:
            return cls(**fields)
        except ValidationError as error:
            problems = [problem for fault in error.errors() for problem in _problems(fault)]
        raise InvalidInput(problems)

    def as_request(self) -> dict[str, Any]:
        """The payload as arguments of :class:`requests.Request`."""
        return {
            "data": self.model_dump_json(by_alias=True, exclude_none=True).encode(),
            "headers": {"Content-Type": "application/json"},
        }


def _problems(fault: Any) -> tuple[str, ...]:
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        return cause.problems
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return (f"{field}: missing; give a value",)
    value = repr(fault["input"])
    return (f"{field}: {value if len(value) <= 80 else value[:77] + '...'}: {fault['msg']}",)


class Paged(Payload):
    """Which page, of what size, in which order."""

    page: Count | None = None
    page_size: Count | None = None
    order_by: OrderBy | None = None
    direction: Direction | None = None


class Listing(Paged):
    """The listing's parameters, which go into the query."""

    search_term: str | None = None

    def as_request(self) -> dict[str, Any]:
        """The payload as a query."""
        # requests would write a space as "+", which a server may take for a plus sign of a number
        return {"params": urlencode(self.model_dump(by_alias=True, exclude_none=True), quote_via=quote)}


class Search(Paged):
    """The filters of the search and of the CSV export."""

    mini_app_name: str | None = None
    mini_app_type: str | None = None
    number: str | None = None
    locale: Locale | None = None
    note: str | None = None
    set_id: str | None = None
    groups: Groups | None = None


class Wanted(Payload):
    """What is looked for among the numbers on offer."""

    provider: Provider
    code: CountryCode
    group: Group
    prefix: Prefix | None = None


class Buying(Payload):
    """Exact numbers to buy."""

    provider: Provider
    numbers: PhoneNumbers
    group: Group
    note: str | None = None


class Grouping(Payload):
    """Numbers and the group that they go to."""

    numbers: PhoneNumbers
    group: Group


class Members(Payload):
    """Numbers and nothing else."""

    numbers: PhoneNumbers


class Attaching(Members):
    """Numbers and the miniApp that answers them."""

    mini_app_id: MiniAppId
    locale: Locale
    application_tag: str | None = None


class SetAttaching(Payload):
    """As :class:`Attaching`, where no numbers mean every number of the set."""

    numbers: PhoneNumbers | None = None
    mini_app_id: MiniAppId
    locale: Locale
    application_tag: str | None = None


class Noting(Payload):
    """A number and its note, which may be empty."""

    number: Number
    note: str


class Adding(Payload):
    """Numbers that enter the database without being bought."""

    numbers: PhoneNumbers
    group: Group
    country: Country | None = None
    mini_app_id: MiniAppId | None = None
    locale: Locale | None = None
    log_ani: StrictBool | None = None
    log_dnis: StrictBool | None = None
    note: str | None = None
    application_tag: str | None = None


class NewSet(Payload):
    """A set to be."""

    name: SetName
    group_id: GroupId


class SetChange(Payload):
    """At least one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in map(to_camel, ("group_id", "name"))
            ]
        }
    )

    group_id: GroupId | None = None
    name: SetName | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> SetChange:
        if self.group_id is None and self.name is None:
            raise InvalidInput("group_id, name: both are missing; give at least one to change")
        return self


class CsvFile(Payload):
    """A CSV file of changes, which goes up as a form."""

    part: ClassVar[str] = "File"

    content: Annotated[bytes, Field(min_length=1)]

    def as_request(self) -> dict[str, Any]:
        """The payload as a form of several parts."""
        return {"files": {self.part: ("numbers.csv", self.content, "text/csv")}}
