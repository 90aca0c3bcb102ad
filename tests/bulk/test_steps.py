"""Whatever a row asks for and whatever OCP shows, the steps lead there, stop there, and the way back leads back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ocp_numbers.bulk.change import BINDING, CHANGED_BY, FIELDS, OPERATIONS, Change, Operation, fields_of
from ocp_numbers.bulk.deciding import decide
from ocp_numbers.bulk.restore_file import undoing
from ocp_numbers.bulk.rows import Row
from ocp_numbers.bulk.steps import Means, Step, astray, is_done, steps
from ocp_numbers.models import NumberSet, PhoneNumber

NUMBER = "+12125550123"
SETS = {
    name: NumberSet(id=name, name=name.title(), group_id=group)
    for name, group in {"front": "us", "back": "us", "abroad": "eu"}.items()
}
LONGEST = 4

texts = st.sampled_from(["", "desk", "hall", "busy [order 7f3a9c2e1b40]", "[unused since 2026-11-23]"])
maybe_text = st.none() | texts


@st.composite
def numbers(draw: st.DrawFn) -> PhoneNumber:
    """A number as OCP may show it: a locale and a tag only beside a miniApp, a set only of its own group."""
    app = draw(st.sampled_from([None, "sales", "support"]))
    group = draw(st.sampled_from(["us", "eu"]))
    sets = [None, *(each.id for each in SETS.values() if each.group_id == group)]
    return PhoneNumber(
        number=NUMBER,
        country="US",
        group_id=group,
        mini_app_id=app,
        locale=app and draw(st.sampled_from(["en-US", "el-GR"])),
        application_tag=app and draw(st.sampled_from([None, "gold"])),
        note=draw(maybe_text),
        set_id=draw(st.sampled_from(sets)),
    )


VALUES: dict[str, list[str | None]] = {
    "group_id": ["us", "eu"],
    "country": ["US", "CA"],
    "mini_app_id": ["sales", "support"],
    "locale": ["en-US", "el-GR"],
    "application_tag": ["gold", "red", None],
    "note": ["desk", "cellar", None],
    "set_id": ["front", "back", "abroad", None],
}
NEEDED = {"create": ("group_id", "mini_app_id", "locale"), "attach": ("mini_app_id", "locale")}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Row, PhoneNumber | None]:
    """A row as it may come out of a table, and its number as OCP may show it; most of them make sense together."""
    operation: Operation = draw(st.sampled_from(OPERATIONS))
    seen = None if operation == "create" else draw(numbers())
    if seen and operation == "delete":
        seen = seen.model_copy(update={"mini_app_id": None, "locale": None, "application_tag": None, "set_id": None})
    asked = draw(st.lists(st.sampled_from(CHANGED_BY[operation] or ["country"]), unique=True, max_size=3))
    names = {*NEEDED.get(operation, ()), *(() if operation == "detach" else asked)}
    fields = {name: draw(st.sampled_from(VALUES[name])) for name in sorted(names)}
    if operation == "create":
        fields = {name: value for name, value in fields.items() if value is not None}
    return Row(2, operation, NUMBER, fields), seen


def planned(case: tuple[Row, PhoneNumber | None]) -> Change:
    changes, faults = decide(*case, SETS)
    assert not (changes and faults)
    assume(changes)
    (change,) = changes
    return change


def carried_out(step: Step, change: Change, seen: PhoneNumber | None) -> PhoneNumber | None:
    """What OCP makes of a step."""
    if step.operation == "delete":
        return None
    if seen is None:
        return PhoneNumber(number=change.number, country="US").model_copy(update=step.after)
    # In a file a blank cell is no wish; every other call says all that it is about.
    silent = step.means is Means.FILE and step.operation != "detach"
    return seen.model_copy(
        update={field: value for field, value in step.after.items() if not (silent and value is None)}
    )


def converged(change: Change, seen: PhoneNumber | None) -> PhoneNumber | None:
    for _ in range(LONGEST):
        todo = steps(change, seen)
        if not todo:
            break
        assert astray(change, seen) is None
        for step in todo:
            seen = carried_out(step, change, seen)
            assert astray(change, seen) is None
    assert is_done(change, seen)
    assert steps(change, seen) == ()
    return seen


@given(case=cases())
def test_the_steps_lead_to_what_the_row_says_and_no_further(case: tuple[Row, PhoneNumber | None]) -> None:
    row, seen = case
    change = planned(case)

    after = converged(change, seen)

    if after is None:
        assert row.operation == "delete"
        return
    shown, was = fields_of(after), fields_of(seen) if seen else {}
    for field in FIELDS.values():
        if field in change.after:
            assert shown[field] == change.after[field]
        elif seen and not (field in BINDING and row.operation == "attach"):
            assert shown[field] == was[field]
    again, faults = decide(row, after, SETS)
    assert again == ()
    assert faults == ()


@given(case=cases())
def test_the_way_back_leads_back(case: tuple[Row, PhoneNumber | None]) -> None:
    row, seen = case
    change = planned(case)
    after = converged(change, seen)
    back = undoing(change)
    assert back is not None
    operation, fields = back

    undone, faults = decide(Row(2, operation, NUMBER, dict(fields)), after, SETS)

    if row.operation == "create" and faults:
        assert "first" in faults[0].problem  # detach it, or take it out of its set
        return
    if row.operation == "delete" and faults:
        assert "is the stamp of an order that did not buy this number" in faults[0].problem
        return
    assert faults == ()
    restored = converged(undone[0], after) if undone else after
    assert (fields_of(restored) if restored else None) == (fields_of(seen) if seen else None)


@given(case=cases(), other=numbers())
def test_what_somebody_else_changed_is_left_alone(case: tuple[Row, PhoneNumber | None], other: PhoneNumber) -> None:
    row, seen = case
    assume(seen is not None)
    assert seen is not None
    change = planned(case)
    was, now = fields_of(seen), fields_of(other)
    if row.operation in ("attach", "detach") and now["mini_app_id"] == change.after["mini_app_id"]:
        return  # it is where it is to be
    strange = [
        field
        for field in change.before
        if now[field] not in (was[field], change.after.get(field, was[field]))
        and not (field == "set_id" and now[field] is None)
    ]
    assert bool(astray(change, other)) == bool(strange)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"group_id": "us"}, None),
        ({"group_id": "us", "mini_app_id": "app"}, None),
        ({"group_id": "eu"}, "is in group eu by now"),
        ({"group_id": "us", "mini_app_id": "theirs", "mini_app_name": "Sales"}, "is attached to Sales by now"),
    ],
)
def test_a_number_that_was_to_be_new_and_that_somebody_else_put_to_use_is_left_to_them(
    fields: dict[str, str], why: str | None
) -> None:
    after = {"group_id": "us", "mini_app_id": "app", "locale": "en-US"}
    change = Change(number=NUMBER, operation="create", before={}, after=after)
    assert astray(change, PhoneNumber.model_validate({"number": NUMBER, **fields})) == why


def test_a_number_that_is_to_be_bought_is_never_sent_in_a_file() -> None:
    change = Change(number=NUMBER, operation="create", after={"group_id": "us"}, provider="telnova")
    assert steps(change, None) == ()
