from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import (
    QUARANTINE,
    Action,
    Known,
    Sets,
    decide,
    release_set_name,
    select_unused,
)
from ocp_numbers.models import NumberSet, PhoneNumber

TODAY = date(2026, 11, 23)
POLICY = CleanupPolicy(grace_days=30, protect=("note:*emergency*", "set:vip*", "number:+4420*", "group:frozen"))
NUMBER = "+12125550123"
SETS = Sets.of(
    [
        NumberSet(id="q-us", name=QUARANTINE, group_id="us"),
        NumberSet(id="q-eu", name=QUARANTINE, group_id="eu"),
        NumberSet(id="r-us", name=release_set_name("7f3a9c2e1b40ffff"), group_id="us"),
        NumberSet(id="front", name="front desk", group_id="us"),
        NumberSet(id="fake", name="unused - release party", group_id="us"),
    ]
)


def row(**fields: str | None) -> PhoneNumber:
    return PhoneNumber.model_validate({"number": NUMBER, "group_id": "us"} | fields)


def marked(day: date) -> str:
    return f"desk [unused since {day.isoformat()}]"


DUE, EARLY = marked(TODAY - timedelta(days=30)), marked(TODAY - timedelta(days=29))


@pytest.mark.parametrize(
    ("fields", "action", "why"),
    [
        ({}, Action.MARK, "no miniApp"),
        ({"note": "desk"}, Action.MARK, "no set"),
        ({"note": "[unused since 2026-02-31]"}, Action.MARK, "no miniApp"),
        ({"note": DUE, "set_id": "q-us"}, Action.RELEASE, "30 days ago"),
        ({"note": EARLY, "set_id": "q-us"}, Action.WAIT, "1 of 30 days are left"),
        ({"note": marked(TODAY + timedelta(days=1)), "set_id": "q-us"}, Action.WAIT, "31 of 30"),
        ({"note": marked(date(9999, 12, 31)), "set_id": "q-us"}, Action.WAIT, "days are left"),
        ({"note": DUE}, Action.QUARANTINE, "not in the quarantine set"),
        ({"note": DUE, "set_id": "r-us"}, Action.QUARANTINE, "not in the quarantine set"),
        ({"note": DUE, "set_id": "q-eu"}, Action.QUARANTINE, "not in the quarantine set"),
        ({"note": "desk", "set_id": "q-us"}, Action.MARK, "no set"),
        ({"note": DUE, "set_id": "front"}, Action.CLEAR, "front desk"),
        ({"note": DUE, "set_id": "fake"}, Action.CLEAR, "release party"),
        ({"note": DUE, "set_id": "unseen"}, Action.CLEAR, "unseen"),
        ({"note": DUE, "set_id": "q-us", "mini_app_id": "app"}, Action.CLEAR, "attached to app"),
        ({"note": DUE, "set_id": "q-us", "mini_app_name": "Sales"}, Action.CLEAR, "attached to Sales"),
        ({"note": DUE, "set_id": "q-us", "mini_app_diamant_app_name": "dm"}, Action.CLEAR, "attached to dm"),
        ({"note": DUE, "set_id": "q-us", "mini_app_group": "eu"}, Action.CLEAR, "attached to eu"),
        ({"note": DUE, "set_id": "q-us", "mini_app_type": "Flow"}, Action.CLEAR, "attached to Flow"),
        ({"note": DUE, "set_name": "front desk"}, Action.CLEAR, "in the set front desk"),
        ({"note": "desk", "set_id": "q-us", "mini_app_id": "app"}, Action.CLEAR, "attached to app"),
        ({"note": DUE + " keep", "set_id": "q-us"}, Action.CLEAR, "keep"),
        ({"note": DUE + " keep"}, Action.CLEAR, "keep"),
        ({"note": "keep", "set_id": "q-us"}, Action.CLEAR, "keep"),
        ({"note": "keep"}, Action.LEAVE, "keep"),
        ({"note": "emergency line"}, Action.LEAVE, "note:*emergency*"),
        ({"note": "Emergency " + DUE, "set_id": "q-us"}, Action.CLEAR, "note:*emergency*"),
        ({"group_id": "frozen"}, Action.LEAVE, "group:frozen"),
        ({"number": "+442012345678"}, Action.LEAVE, "number:+4420*"),
        ({"group_id": None}, Action.LEAVE, "no group"),
        ({"note": DUE, "group_id": None}, Action.LEAVE, "no group"),
    ],
)
def test_what_becomes_of_a_number_and_why(fields, action, why):
    line = decide(row(**fields), POLICY, SETS, Known(), TODAY)
    assert line is not None
    assert line.action is action
    assert why in line.why


@pytest.mark.parametrize(
    "fields", [{"mini_app_id": "app"}, {"set_id": "front"}, {"set_id": "fake"}, {"note": "x", "set_id": "unseen"}]
)
def test_a_number_in_use_without_our_traces_is_none_of_our_business(fields):
    assert decide(row(**fields), POLICY, SETS, Known(), TODAY) is None


def test_groups_of_the_policy_limit_what_is_looked_at():
    policy = CleanupPolicy(groups=("eu",))
    assert decide(row(), policy, SETS, Known(), TODAY) is None
    assert decide(row(group_id="eu"), policy, SETS, Known(), TODAY) is not None


@pytest.mark.parametrize(
    ("known", "action", "why"),
    [
        (Known(since={NUMBER: TODAY - timedelta(days=29)}), Action.LEAVE, "is new"),
        (Known(since={NUMBER: TODAY - timedelta(days=30)}), Action.RELEASE, "ago"),
        (Known(ordered={NUMBER: "eu1/us/front"}), Action.LEAVE, "eu1/us/front"),
        (Known(reserved={NUMBER: "set front of group us"}), Action.LEAVE, "set front of group us"),
        (Known(last_used={NUMBER: TODAY - timedelta(days=29)}), Action.CLEAR, "used again"),
        (Known(last_used={NUMBER: TODAY - timedelta(days=30)}), Action.RELEASE, "ago"),
        (Known(unmarked={NUMBER: TODAY - timedelta(days=28)}), Action.CLEAR, "was not there on 2026-10-26 yet"),
        (Known(unmarked={NUMBER: TODAY - timedelta(days=29)}), Action.RELEASE, "ago"),
    ],
)
def test_our_own_records_can_keep_a_due_number(known, action, why):
    line = decide(row(note=DUE, set_id="q-us"), POLICY, SETS, known, TODAY)
    assert line is not None
    assert (line.action, why in line.why) == (action, True)


def test_a_mark_from_before_the_number_came_starts_no_clock():
    known = Known(since={NUMBER: TODAY - timedelta(days=40)})
    line = decide(row(note=marked(TODAY - timedelta(days=41)), set_id="q-us"), POLICY, SETS, known, TODAY)
    assert line is not None
    assert (line.action, line.why) == (Action.CLEAR, "bears a mark of 2026-10-13, but came on 2026-10-14")


def test_a_line_carries_what_a_person_needs_to_decide():
    known = Known(last_used={NUMBER: date(2026, 9, 1)})
    line = decide(row(note=DUE, set_id="q-us", country="US"), POLICY, SETS, known, TODAY)
    assert line is not None
    assert (line.since, line.due, line.last_used) == (date(2026, 10, 24), TODAY, date(2026, 9, 1))
    assert (line.country, line.group, line.set_id, line.note) == ("US", "us", "q-us", DUE)


@pytest.mark.parametrize(("days", "due"), [(-30, 0), (-1, 29), (0, 30), (1, None)])
def test_a_number_is_due_its_grace_period_after_its_mark_unless_the_mark_is_of_a_day_to_come(days, due):
    line = decide(row(note=marked(TODAY + timedelta(days=days)), set_id="q-us"), POLICY, SETS, Known(), TODAY)
    assert line is not None
    assert line.due == (None if due is None else TODAY + timedelta(days=due))


def test_a_pattern_over_sets_may_protect_the_quarantine_itself():
    policy = CleanupPolicy(protect=(f"set:{QUARANTINE}",))
    line = decide(row(note=DUE, set_id="q-us"), policy, SETS, Known(), TODAY)
    assert line is not None
    assert (line.action, line.why) == (Action.CLEAR, f"is protected by 'set:{QUARANTINE}'")


def test_a_set_is_found_by_name_and_group_and_release_sets_by_their_name():
    sets = Sets.of(SETS.by_id.values())
    assert sets.named(QUARANTINE, "eu") == SETS.by_id["q-eu"]
    assert sets.named("front desk", "eu") is None
    assert sets.release_sets() == [SETS.by_id["r-us"]]


notes = st.lists(
    st.sampled_from([DUE, EARLY, "keep", "emergency", "desk", " ", "[unused since 2020-01-01]", "[unused since", "]"])
).map("".join)
rows = st.builds(
    row,
    group_id=st.sampled_from(["us", "eu", "frozen", None]),
    note=st.none() | notes,
    set_id=st.sampled_from([None, *SETS.by_id, "unseen"]),
    mini_app_id=st.sampled_from([None, "", "app"]),
    mini_app_name=st.sampled_from([None, "Sales"]),
)
near = st.dates(TODAY - timedelta(days=60), TODAY)
knowledge = st.builds(
    Known,
    since=st.dictionaries(st.just(NUMBER), near),
    last_used=st.dictionaries(st.just(NUMBER), near),
    unmarked=st.dictionaries(st.just(NUMBER), near),
    ordered=st.dictionaries(st.just(NUMBER), st.just("an order")),
    reserved=st.dictionaries(st.just(NUMBER), st.just("a set")),
)


@given(rows, knowledge, st.integers(1, 90), st.sampled_from([(), ("us",), ("eu", "frozen")]))
def test_nothing_attached_protected_unmarked_or_not_yet_due_is_ever_released(number, known, grace, groups):
    policy = POLICY.model_copy(update={"grace_days": grace, "groups": groups})
    line = decide(number, policy, SETS, known, TODAY)
    if line is None or line.action is not Action.RELEASE:
        return
    note = number.note or ""
    assert not number.mini_app_id
    assert not number.mini_app_name
    assert number.set_id == {"us": "q-us", "eu": "q-eu"}[number.group_id or ""]
    assert "keep" not in note
    assert "emergency" not in note
    days = [date(2020, 1, 1), TODAY - timedelta(days=29), TODAY - timedelta(days=30)]
    in_note = [day for day in days if f"[unused since {day.isoformat()}]" in note]
    assert in_note
    assert (TODAY - max(in_note)).days >= grace
    assert known.ordered == known.reserved == {}
    assert all((TODAY - day).days >= grace for day in known.since.values())
    assert all(day <= max(in_note) for day in (*known.last_used.values(), *known.since.values()))
    assert all(day <= max(in_note) + timedelta(days=1) for day in known.unmarked.values())
    assert not groups or number.group_id in groups


@given(st.lists(rows))
def test_selecting_decides_each_number_by_itself_and_keeps_the_order(numbers):
    lines = list(select_unused(numbers, POLICY, SETS, Known(), TODAY))
    alone = [decide(number, POLICY, SETS, Known(), TODAY) for number in numbers]
    assert lines == [line for line in alone if line is not None]
