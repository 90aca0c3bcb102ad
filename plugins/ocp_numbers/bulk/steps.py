"""Whether a change has come true, whether it still may be made, and what is to be done next for it. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ocp_numbers.bulk.change import BINDING, COLUMN_OF, Change, Operation, fields_of
from ocp_numbers.models import PhoneNumber
from ocp_numbers.note_marks import with_marks_of

Fields = dict[str, "str | None"]


class Means(Enum):
    """The calls that changes are made of."""

    LEAVE_SET = "leave set"
    FILE = "file"
    CLEAR_NOTE = "clear note"
    BIND = "bind"


class Step(NamedTuple):
    """One call's share of a change, and what it brings about.

    :param operation: of the row, where it goes into the platform's file.
    """

    means: Means
    after: Fields
    operation: Operation = "update"


def is_done(change: Change, seen: PhoneNumber | None) -> bool:
    """Whether OCP shows the number as the change wants it."""
    if change.operation == "delete":
        return seen is None
    return seen is not None and not _missing(change, seen)


def astray(change: Change, seen: PhoneNumber | None) -> str | None:
    """Why the change must not be made any more: somebody else changed what it is about; ``None`` where all is as it was
    planned, or part of the way to what is wanted."""
    if change.operation == "create":
        return None if seen is None else _taken(change, seen)
    if seen is None:
        return None if change.operation == "delete" else "is no longer in the inventory"
    now = fields_of(seen)
    for field, before in change.before.items():
        on_the_way = {before, change.after.get(field, before)} | ({None} if field == "set_id" else set())
        if (
            field in BINDING
            and now["mini_app_id"] is not None
            and now["mini_app_id"] == change.after.get("mini_app_id")
        ):
            continue  # attached as wanted; what else belongs to the binding may follow
        if now[field] not in on_the_way:
            return f"has another {COLUMN_OF[field]} since it was planned: {now[field] or 'nothing'}"
    return None


def _taken(change: Change, seen: PhoneNumber) -> str | None:
    """Why a number that was to be new is not the one that the change has brought."""
    if seen.group_id != change.after["group_id"]:
        return f"is in group {seen.group_id} by now"
    if seen.mini_app_id and seen.mini_app_id != change.after.get("mini_app_id"):
        return f"is attached to {seen.mini_app_name or seen.mini_app_id} by now"
    return None


def steps(change: Change, seen: PhoneNumber | None) -> tuple[Step, ...]:
    """What is still to be done, in this order; nothing for what is done."""
    if is_done(change, seen):
        return ()
    if change.operation in ("delete", "detach"):
        return (Step(Means.FILE, dict(change.after), change.operation),)
    if seen is None:
        # A number that is to be bought is bought by its order, and never by a file.
        return (Step(Means.FILE, dict(change.after), "create"),) if change.provider is None else ()
    return tuple(_steps_of_present(change, seen))


def _steps_of_present(change: Change, seen: PhoneNumber) -> list[Step]:
    missing = _missing(change, seen)
    binding = {field: value for field, value in missing.items() if field in BINDING}
    own = {field: value for field, value in missing.items() if field not in BINDING}
    found: list[Step] = []
    if "set_id" in own and seen.set_id:
        found.append(Step(Means.LEAVE_SET, {"set_id": None}))
    written: Fields = {field: value for field, value in own.items() if value is not None}
    if written:
        found.append(Step(Means.FILE, written))
    if "note" in own and own["note"] is None:
        found.append(Step(Means.CLEAR_NOTE, {"note": None}))
    if binding:
        found.append(_binding_step(change, seen, binding))
    return found


def _binding_step(change: Change, seen: PhoneNumber, missing: Fields) -> Step:
    whole: Fields = {"mini_app_id": seen.mini_app_id, "locale": seen.locale, "application_tag": seen.application_tag}
    if change.operation == "update" and None not in missing.values():
        return Step(Means.FILE, missing)
    wanted = whole | {field: value for field, value in change.after.items() if field in BINDING}
    if change.operation != "update" and "application_tag" not in change.after:
        wanted["application_tag"] = None
    if change.after.get("application_tag", "") is None and seen.application_tag:
        # A blank cell would leave the tag as it is: a binding without one replaces the binding with it.
        return Step(Means.BIND, wanted)
    return Step(Means.FILE, {field: value for field, value in wanted.items() if value is not None}, "attach")


def _missing(change: Change, seen: PhoneNumber) -> Fields:
    """The fields that are not as they are wanted, with what is wanted."""
    now = fields_of(seen)
    wanted = dict(change.after)
    if change.operation == "detach":
        return {"mini_app_id": None} if now["mini_app_id"] else {}
    if change.provider is not None and wanted.get("note"):
        # The order that bought it has left its stamp in the note.
        wanted["note"] = with_marks_of(seen.note, wanted["note"] or "")
    return {field: value for field, value in wanted.items() if now[field] != value}
