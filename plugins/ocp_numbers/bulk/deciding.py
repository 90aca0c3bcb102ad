"""What a row comes to beside what OCP shows of its number: a change, nothing to do, or a fault. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ocp_numbers.bulk.change import BINDING, CHANGED_BY, COLUMN_OF, FIELDS, Change, Operation, fields_of
from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.rows import Row
from ocp_numbers.cleanup.marks import kept
from ocp_numbers.errors import InvalidInput
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.note_marks import with_marks_of
from ocp_numbers.ordering import stamps_in

Fields = dict[str, "str | None"]
Sets = Mapping[str, NumberSet]


class Decision(NamedTuple):
    """Changes or faults; neither where the number is as the row wants it."""

    changes: tuple[Change, ...] = ()
    faults: tuple[Fault, ...] = ()


def decide(row: Row, seen: PhoneNumber | None, sets: Sets, place: int | None = None) -> Decision:
    """What is to be done for ``row``.

    What a row says and its operation does not change has to be as OCP shows it: a table from last week must not be
    taken for one of today.

    :param seen: the number as OCP shows it, ``None`` where it is not in the inventory.
    :param sets: all sets, by id.
    :param place: of the number in the listing.
    """
    if row.operation == "create" and seen is not None:
        return _completing(row, seen, sets, place)
    case = _Case(row, seen, sets)
    after = _DECIDE[row.operation](case)
    if case.faults:
        return Decision(faults=tuple(case.faults))
    if after is None:
        return Decision()
    before = {} if seen is None else fields_of(seen)
    if row.operation != "delete":
        touched = BINDING if row.operation in ("attach", "detach") else {*after, *_bound(after)}
        before = {field: value for field, value in before.items() if field in touched}
    change = Change(
        number=row.number,
        operation=row.operation,
        before=before,
        after=after,
        row=row.row,
        place=place,
        provider=row.provider if row.operation == "create" else None,
        extra=dict(row.extra),
    )
    return Decision((change,))


def _completing(row: Row, seen: PhoneNumber, sets: Sets, place: int | None) -> Decision:
    """What is missing of a number that is there already, as after a run that broke off: what is empty is filled."""
    now, note = fields_of(seen), row.fields.get("note")
    rest: Fields = {field: value for field, value in row.fields.items() if now[field] != value}
    if now["note"] and note and not stamps_in(note):
        if with_marks_of(now["note"], note) == now["note"]:
            rest.pop("note", None)
        elif with_marks_of(now["note"], "") == now["note"]:
            now["note"] = None  # nothing but marks, as of the order that bought it
    if any(now[field] is not None for field in rest):
        group = now["group_id"]
        problem = f"is in the inventory already, in group {group}; write Update, Attach or Detach"
        return Decision(faults=(Fault(row.row, "NUMBER", row.number, problem, row.number),))
    own = {field: value for field, value in rest.items() if field not in BINDING}
    rows = [row._replace(operation="update", fields=own)] * bool(own)
    if len(own) < len(rest):
        binding = {field: value for field, value in row.fields.items() if field in BINDING}
        rows.append(row._replace(operation="attach", fields=binding))
    parts = [decide(part, seen, sets, place) for part in rows]
    return Decision(
        tuple(change for part in parts for change in part.changes),
        tuple(fault for part in parts for fault in part.faults),
    )


def _bound(after: Fields) -> tuple[str, ...]:
    """A locale and a tag are of one miniApp: with another one, the change is another one too."""
    return ("mini_app_id",) if "locale" in after or "application_tag" in after else ()


class _Case:
    """A row and what is known of its number; collects what speaks against it."""

    def __init__(self, row: Row, seen: PhoneNumber | None, sets: Sets) -> None:
        self.row = row
        self.sets = sets
        self.given = row.fields
        self.exists = seen is not None
        self.now: Fields = dict.fromkeys(FIELDS.values()) if seen is None else fields_of(seen)
        held = sets.get(self.now["set_id"] or "")
        self.set_name = held.name if held else self.now["set_id"]
        self.app_name = None if seen is None else seen.mini_app_name
        self.faults: list[Fault] = []

    def fault(self, field: str, problem: str) -> None:
        """Note what is wrong, with the value that the row gives."""
        value = self.row.number if field == "number" else self.given.get(field) or ""
        column = COLUMN_OF.get(field, field.upper())
        self.faults.append(Fault(self.row.row, column, value, problem, self.row.number))

    def check_present(self) -> bool:
        """Note that the number is not there; whether it is."""
        if not self.exists:
            hint = "" if self.row.as_written else "; its + was missing, so it may be half a number"
            self.fault("number", f"is not in the inventory{hint}; correct it, or write Create")
        return self.exists

    def check_untouched(self, operation: Operation) -> None:
        """Note the cells that say otherwise than OCP and are not what the operation is about."""
        for field, value in self.given.items():
            if field in CHANGED_BY[operation] or not self.exists or self.agrees(field, value):
                continue
            how = "write Attach" if field == "mini_app_id" else "write Update into a row of its own"
            self.fault(
                field,
                f"is not what OCP shows ({_shown(self.now[field])}), and {operation.title()} does not change it; "
                f"{how}, or blank the cell",
            )

    def agrees(self, field: str, value: str | None) -> bool:
        """Whether OCP shows what the row says; the marks behind a note need not be said."""
        now = self.now[field]
        if field != "note" or now is None or stamps_in(value):
            return value == now
        return value == now or with_marks_of(now, value or "") == now

    def check_set(self, group: str | None) -> None:
        """Note a set that is not there, or not of the number's group."""
        set_id = self.given.get("set_id")
        if set_id is None:
            return
        found = self.sets.get(set_id)
        if found is None:
            self.fault("set_id", "is not a set that this connection sees; give the id of one, or create it first")
        elif found.group_id is not None and group is not None and found.group_id != group:
            self.fault("set_id", f"belongs to group {found.group_id}, and the number to {group}")


def _create(case: _Case) -> Fields | None:
    given = case.given
    if "group_id" not in given:
        case.fault("group_id", "is missing; a new number needs a group")
    if case.row.provider is not None and "country" not in given:
        case.fault("country", "is missing; a number that is bought needs its country")
    if "mini_app_id" in given and "locale" not in given:
        case.fault("locale", "is missing; a number is attached with a locale, such as en-US")
    for field in ("locale", "application_tag"):
        if field in given and "mini_app_id" not in given:
            case.fault(field, "is of use only with a miniApp; give MINIAPP_ID, or blank the cell")
    case.check_set(given.get("group_id"))
    return _with_marks(case, dict(given), None)


def _update(case: _Case) -> Fields | None:
    if not case.check_present():
        return None
    case.check_untouched("update")
    now = case.now
    wanted = {field: value for field, value in case.given.items() if field in CHANGED_BY["update"]}
    wanted = _with_marks(case, wanted, now["note"])
    after = {field: value for field, value in wanted.items() if value != now[field]}
    for field in ("locale", "application_tag"):
        if field in after and now["mini_app_id"] is None:
            case.fault(field, "cannot be set: the number is attached to no miniApp; write Attach")
    group = after.get("group_id", now["group_id"])
    if "set_id" in after:
        case.check_set(group)
    elif "group_id" in after and now["set_id"] is not None:
        case.fault(
            "group_id",
            f"cannot be done while the number is in the set {case.set_name}, whose group decides; write "
            f"{COLUMN_OF['set_id']} as well: another set, or <empty>",
        )
    return after or None


def _attach(case: _Case) -> Fields | None:
    if not case.check_present():
        return None
    case.check_untouched("attach")
    given, now = case.given, case.now
    for field in ("mini_app_id", "locale"):
        if not given.get(field):
            case.fault(field, "is missing; Attach needs a miniApp and a locale")
    binding: Fields = {field: given[field] for field in BINDING if field in given}
    if all(now[field] == value for field, value in binding.items()):
        return None
    if "application_tag" not in binding and binding.get("mini_app_id") == now["mini_app_id"] and now["application_tag"]:
        # A blank cell leaves a field as it is, and what is not sent along might go with the former binding.
        binding["application_tag"] = now["application_tag"]
    return binding


def _detach(case: _Case) -> Fields | None:
    if not case.check_present():
        return None
    for field, value in case.given.items():
        if not case.agrees(field, value) and (field not in BINDING or case.now["mini_app_id"] is not None):
            case.fault(
                field, f"is not what OCP shows ({_shown(case.now[field])}), and Detach does not set it; blank the cell"
            )
    return None if case.now["mini_app_id"] is None else dict.fromkeys(BINDING)


def _delete(case: _Case) -> Fields | None:
    if not case.exists:
        return None
    case.check_untouched("delete")
    now = case.now
    if now["mini_app_id"]:
        case.fault("number", f"is attached to {case.app_name or now['mini_app_id']}; detach it first")
    if now["set_id"]:
        case.fault("number", f"is in the set {case.set_name}; take it out first, by Update")
    if kept(now["note"]):
        case.fault("number", "has the word 'keep' in its note; take it out first, by Update")
    return {}


def _with_marks(case: _Case, wanted: Fields, old: str | None) -> Fields:
    """The wishes with the marks of the present note behind the new one: they say which order bought the number."""
    if "note" in wanted:
        try:
            wanted["note"] = with_marks_of(old, wanted["note"] or "", field="NOTE") or None
        except InvalidInput as error:
            case.fault("note", error.problems[0].partition(": ")[2])
    return wanted


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return repr(value if len(value) <= 40 else f"{value[:39]}…")


_DECIDE: dict[Operation, Callable[[_Case], Fields | None]] = {
    "create": _create,
    "update": _update,
    "attach": _attach,
    "detach": _detach,
    "delete": _delete,
}
