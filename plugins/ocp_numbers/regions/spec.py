"""What a region is to be: one model for the parameters of ``provision_region`` and the files in ``include/regions``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from ocp_numbers.errors import InvalidInput, quoted
from ocp_numbers.models import E164, LOCALE, check_country_code, check_locale, check_prefix, check_text

if TYPE_CHECKING:
    from typing_extensions import Self

MOST_NUMBERS = 1_000
MOST_MONEY = Decimal(1_000_000)
LONGEST_NAME = 200

_WHERE, _WHAT, _MONEY, _HOW = "Where", "What", "Money", "This run"


def _text(field: str, longest: int = LONGEST_NAME) -> AfterValidator:
    def check(value: str) -> str:
        check_text(value, field=field)
        if value != value.strip() or not value.isprintable():
            raise InvalidInput(f"{field}: {value!r} has spaces around it or control characters; remove them")
        if len(value) > longest:
            raise InvalidInput(f"{field}: {len(value)} characters are too many; use at most {longest}")
        return value

    return AfterValidator(check)


def _optional(value: object) -> object:
    """An empty field of the form is no value."""
    return None if value == "" else value


def _note(value: str | None) -> str | None:
    # Imported late: DAG files are made of this module and are parsed again and again.
    from ocp_numbers.ordering import check_note

    return check_note(value)


def _prefix(value: str) -> str:
    digits = check_prefix(value).lstrip("+")
    return f"+{digits}" if digits else ""


def _names_a_binding(values: tuple[str, ...]) -> tuple[str, ...]:
    problems = [
        f"allow_reassign: {value!r} is neither a number in E.164 nor the id of a miniApp; remove or correct it"
        for value in values
        if not value.strip() or (value.startswith("+") and not E164.fullmatch(value))
    ]
    if problems:
        raise InvalidInput(problems)
    return tuple(sorted(set(values)))


_MONEY_SCHEMA = WithJsonSchema({"type": "number", "minimum": 0, "maximum": int(MOST_MONEY)})
# Six places are more than any price has, and few enough to survive the form, which sends floating-point numbers.
_Money = Annotated[Decimal, Field(ge=0, le=MOST_MONEY, decimal_places=6, allow_inf_nan=False), _MONEY_SCHEMA]
_OptionalText = WithJsonSchema({"type": ["null", "string"], "maxLength": LONGEST_NAME})


def _field(section: str, title: str, description: str, **schema: Any) -> Any:
    return Field(title=title, description=description, json_schema_extra={"section": section, **schema})


class Region(BaseModel):
    """The wish: what is to be true once a region is provisioned. Every fault of the input is reported at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ocp_conn_id: Annotated[str, _text("ocp_conn_id")] = _field(
        _WHERE,
        "Connection",
        "The Airflow connection to OCP; it also names the environment in the records.",
        minLength=1,
    )
    group: Annotated[str, _text("group")] = _field(
        _WHERE, "Group", "The OCP group that owns the numbers and the set.", minLength=1
    )
    provider: Annotated[str, _text("provider")] = _field(
        _WHERE, "Provider", "The CCaaS provider that sells the numbers.", minLength=1
    )
    country_code: Annotated[str, AfterValidator(check_country_code)] = _field(
        _WHERE, "Country", "Two capital letters, such as US.", pattern="^[A-Z]{2}$"
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = _field(
        _WHERE,
        "Prefix",
        "Every new number begins with it, such as +1212; empty for the whole country.",
        pattern=r"^\+?\d*$",
        maxLength=15,
    )
    quantity: Annotated[int, Field(strict=True, ge=1, le=MOST_NUMBERS)] = _field(
        _WHAT, "Quantity", "How many attached numbers the set is to hold in the end: a total, not an increase."
    )
    set_name: Annotated[str, _text("set_name")] = _field(
        _WHAT, "Set", "Name of the number set; it is created in the group if it is not there.", minLength=1
    )
    mini_app_id: Annotated[str, _text("mini_app_id", 500)] = _field(
        _WHAT, "miniApp", "Id of the miniApp that is to answer the calls.", minLength=1, maxLength=500
    )
    locale: Annotated[str, AfterValidator(check_locale)] = _field(
        _WHAT, "Locale", "Language and region of the miniApp, such as en-US.", pattern=f"^{LOCALE.pattern}$"
    )
    application_tag: Annotated[
        Annotated[str, _text("application_tag")] | None, BeforeValidator(_optional), _OptionalText
    ] = Field(
        None,
        title="Application tag",
        description="Tag of the miniApp to attach with; empty to leave tags as they are.",
        json_schema_extra={"section": _WHAT},
    )
    note: Annotated[
        Annotated[str, _text("note")] | None, BeforeValidator(_optional), AfterValidator(_note), _OptionalText
    ] = Field(
        None,
        title="Note",
        description="Text for the note of bought numbers; the order's stamp is put behind it.",
        json_schema_extra={"section": _WHAT},
    )
    allow_reassign: Annotated[tuple[str, ...], AfterValidator(_names_a_binding)] = Field(
        (),
        title="May be taken over",
        description="Numbers in the set, or ids of their miniApps, that may be attached anew although they are in use.",
        json_schema_extra={"section": _WHAT},
    )
    max_unit_price: _Money = _field(_MONEY, "Price limit per number", "No number dearer than this is bought.")
    max_total_price: _Money = _field(
        _MONEY, "Budget", "All numbers bought by this plan together cost at most this much."
    )

    @property
    def area(self) -> str:
        """Country and prefix as people write them: ``US/+1212``, or ``US``."""
        return f"{self.country_code}/{self.prefix}" if self.prefix else self.country_code


class RegionSpec(Region):
    """A region with what a single run may be told about it."""

    require_approval: bool = Field(
        True,
        title="Ask for approval",
        description="A person has to approve the plan in Airflow before anything is changed.",
        json_schema_extra={"section": _HOW},
    )
    dry_run: bool = Field(
        False,
        title="Dry run",
        description="Show the plan and stop: nothing is written.",
        json_schema_extra={"section": _HOW},
    )

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """The specification that ``content`` (run parameters, a parsed file) describes.

        :raises InvalidInput: naming every field that is missing, unknown or wrong, with its value and the fix.
        """
        try:
            return cls.model_validate(dict(content))
        except ValidationError as error:
            raise InvalidInput([problem for fault in error.errors() for problem in _problems(fault)]) from None

    @property
    def region(self) -> Region:
        """The wish alone, which is what a plan is made for: the same for a dry run and a real one."""
        return Region.model_validate({name: getattr(self, name) for name in Region.model_fields})

    @property
    def parameters(self) -> dict[str, Any]:
        """The specification as parameters of a run, in JSON's own types: :meth:`parse` reads the same from them."""
        values = {name: getattr(self, name) for name in RegionSpec.model_fields}
        return {name: _as_parameter(value) for name, value in values.items()}

    @classmethod
    def form(cls, defaults: Mapping[str, Any] = MappingProxyType({})) -> dict[str, dict[str, Any]]:
        """JSON schema of each field, in order, with other ``defaults``: what a trigger form is made of."""
        properties: dict[str, dict[str, Any]] = cls.model_json_schema()["properties"]
        filled_in = {name: {"default": value} for name, value in defaults.items()}
        return {name: {**schema, **filled_in.get(name, {})} for name, schema in properties.items()}


def _as_parameter(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return list(value) if isinstance(value, tuple) else value


def _problems(fault: Any) -> list[str]:
    """One fault as pydantic reports it, in sentences that name field, value and fix."""
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        return list(cause.problems)
    field = ".".join(str(part) for part in fault["loc"] if part != "function-after")
    if fault["type"] == "missing":
        return [f"{field}: missing; give a value"]
    if fault["type"] == "extra_forbidden":
        return [f"{field}: not a field of a region; remove it or correct its name"]
    quotes = ", in quotes where it stands in a file" if fault["type"] == "string_type" else ""
    return [f"{field}: {quoted(fault['input'])} will not do; {fault['msg'][0].lower()}{fault['msg'][1:]}{quotes}"]
