"""The rules of a cleanup: a file in the project, overridden field by field by the parameters of a run."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from ocp_numbers.cleanup.marks import without_mark
from ocp_numbers.errors import InvalidInput, quoted
from ocp_numbers.models import PhoneNumber, no_truth_value
from ocp_numbers.plain_yaml import read_yaml

_NOT_ASKED = ("dry_run", "max_snapshot_age_hours")
_PROTECTABLE = ("number", "note", "group", "set")


def _filled(values: tuple[str, ...]) -> tuple[str, ...]:
    if any(not value.strip() for value in values):
        raise ValueError("a name in the list is empty; remove it or fill it in")
    return tuple(sorted(set(values)))


def _patterns(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        field, colon, pattern = value.partition(":")
        if field not in _PROTECTABLE or not colon or not pattern:
            raise ValueError(
                f"{value!r} is not of the form field:pattern; write number:, note:, group: or set: "
                "and a pattern with * and ?, such as note:*switchboard*"
            )
    return tuple(sorted(set(values)))


_Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]
_Percent = Annotated[
    Decimal,
    Field(strict=False, ge=0, le=100, allow_inf_nan=False, decimal_places=6),
    no_truth_value("write a number"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]


def _field(default: Any, section: str, title: str, description: str, **bounds: Any) -> Any:
    return Field(default, title=title, description=description, json_schema_extra={"section": section}, **bounds)


class CleanupPolicy(BaseModel):
    """When a number may be marked and given up, and how much of it at once.

    ``groups`` empty means every group that the login sees. ``protect`` holds patterns such as ``note:*vip*``, matched
    without regard to case. ``dry_run`` is what scheduled runs do; a run started by hand brings its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    groups: Annotated[_Names, AfterValidator(_filled)] = _field(
        (), "Where", "Groups", "Only the numbers of these groups, one a line."
    )
    protect: Annotated[_Names, AfterValidator(_patterns)] = _field(
        (),
        "Where",
        "Protect",
        "More numbers to leave alone, one pattern a line: number:+4420*, note:*vip*, group: or set:.",
    )
    grace_days: int = _field(
        30, "Limits", "Days of grace", "Days from the mark until a number may be given up.", ge=1, le=3650
    )
    max_release: int = _field(
        50, "Limits", "Most numbers", "More due numbers than this refuse the whole run.", ge=0, le=10_000
    )
    max_release_percent: _Percent = _field(
        Decimal(1), "Limits", "Largest share", "A larger share of all numbers looked at refuses the whole run."
    )
    max_snapshot_age_hours: int = _field(
        36, "Limits", "Age of the inventory", "An inventory older than so many hours stops the run.", ge=1, le=744
    )
    require_approval: bool = _field(
        True, "This run", "Ask for approval", "A person approves what is given up; only the file can switch this off."
    )
    dry_run: bool = _field(True, "This run", "Dry run", "Do all but writing, and show what would happen and why.")

    @classmethod
    def form(cls) -> dict[str, dict[str, Any]]:
        """JSON schema of each field that a run may override, all of them may be left empty: for a trigger form."""
        schemas: dict[str, dict[str, Any]] = cls.model_json_schema()["properties"]
        for schema in schemas.values():
            schema["type"] = ["null", schema["type"]]
            schema["default"] = None
            schema["description"] += " Empty: as in the policy file."
        return {name: schema for name, schema in schemas.items() if name not in _NOT_ASKED}

    @classmethod
    def load(cls, path: Path, overrides: Mapping[str, Any]) -> CleanupPolicy:
        """The policy in the file at ``path`` with the run's ``overrides``, in which ``None`` leaves the file's value.

        Overrides can protect more numbers, never fewer, and cannot do away with the approval that the file asks for;
        where the file asks for none, its limits cannot be raised either.

        :raises InvalidInput: naming every fault of both.
        """
        content = _content(path)
        wished = {field: value for field, value in overrides.items() if value is not None}
        base, faults = _validated(content, where=f"{path.name}: ")
        wishes, more_faults = _validated(wished, where="")
        if base is None or wishes is None:
            raise InvalidInput([*faults, *more_faults])
        merged = base.model_copy(update={field: getattr(wishes, field) for field in wished})
        policy = merged.model_copy(update={"protect": _patterns((*base.protect, *wishes.protect))})
        if problems := _approval_problems(base, policy, path):
            raise InvalidInput(problems)
        return policy

    def protection(self, row: PhoneNumber, set_name: str | None) -> str | None:
        """The first pattern of ``protect`` that covers the number, or ``None``; its note counts without our marker."""
        values = {"number": row.number, "note": without_mark(row.note), "group": row.group_id, "set": set_name}
        for rule in self.protect:
            field, _, pattern = rule.partition(":")
            if _matcher(pattern).fullmatch(values[field] or ""):
                return rule
        return None


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern), re.IGNORECASE | re.DOTALL)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise InvalidInput(f"cleanup policy: there is no file {path.name}; restore it or name another one") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidInput(f"{path.name}: holds a {type(content).__name__}; write lines of the form field: value")
    return content


def _validated(content: dict[str, Any], *, where: str) -> tuple[CleanupPolicy | None, list[str]]:
    try:
        return CleanupPolicy.model_validate(content), []
    except ValidationError as error:
        return None, [where + _sentence(fault) for fault in error.errors()]


def _sentence(fault: Any) -> str:
    field = quoted(fault["loc"][0] if fault["loc"] else "a field's name")[1:-1]
    if fault["type"] == "extra_forbidden":
        return f"{field}: is unknown; use one of {', '.join(CleanupPolicy.model_fields)}"
    return f"{field}: {quoted(fault['input'])} cannot be used: {fault['msg'].removeprefix('Value error, ')}"


def _approval_problems(base: CleanupPolicy, policy: CleanupPolicy, path: Path) -> list[str]:
    if policy.require_approval:
        return []
    if base.require_approval:
        return [f"require_approval: a run cannot switch the approval off; {path.name} alone can"]
    problems = []
    if "max_release_percent" not in base.model_fields_set:
        problems.append(f"{path.name}: max_release_percent: missing; without an approval the file has to name a limit")
    problems += [
        f"{field}: {getattr(policy, field)} is more than the {getattr(base, field)} of {path.name}; without an "
        "approval a run cannot raise it"
        for field in ("max_release", "max_release_percent")
        if getattr(policy, field) > getattr(base, field)
    ]
    return problems
