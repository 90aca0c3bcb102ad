"""Marks, quarantine and clearing: as planned and as OCP shows it now, a few at a time, each step on record first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from cleanup.records import reserve
from cleanup.scene import DUE, NOON, POLICY, TODAY, Scene, mark
from ocp_numbers import progress
from ocp_numbers.cleanup import marking
from ocp_numbers.cleanup.marking import look, outstanding
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.selection import QUARANTINE, Action, Known, Sets, release_set_name, select_unused
from ocp_numbers.errors import Forbidden
from ocp_numbers.journal import Entry
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_sandbox import Fault

NUMBER = "+12125550123"
SETS = Sets.of([NumberSet(id="q-us", name=QUARANTINE, group_id="us"), NumberSet(id="desk", name="desk", group_id="us")])
UNUSED: dict[str, str | None] = {}
MARKED: dict[str, str | None] = {"note": mark(TODAY)}
HELD: dict[str, str | None] = {"note": mark(DUE), "set_id": "q-us"}
ATTACHED: dict[str, str | None] = {"mini_app_id": "app"}


def row(number: str = NUMBER, **fields: str | None) -> PhoneNumber:
    return PhoneNumber.model_validate({"number": number, "group_id": "us"} | fields)


def to_do(
    planned_as: Mapping[str, str | None],
    shown_as: Mapping[str, str | None],
    known: Known | None = None,
    reserved: Mapping[str, str] | None = None,
) -> list[Action]:
    """What is still to be done to a number that the plan was made from, among others, and that OCP shows now."""
    lines = tuple(select_unused([row(**planned_as)], POLICY, SETS, known or Known(), TODAY))
    plan = CleanupPlan(
        environment="ocp_default",
        run="run",
        made_at=NOON,
        today=TODAY,
        snapshot="inventory",
        estate=2,
        policy=POLICY,
        lines=lines,
    )
    rows = [row("+12125550999"), row(**shown_as)]
    left = list(outstanding(plan, rows, SETS, TODAY, reserved or {}))
    assert [number.number for _, number in left] == [NUMBER] * len(left)
    return [line.action for line, _ in left]


@pytest.mark.parametrize(
    ("planned_as", "shown_as", "left"),
    [
        (UNUSED, UNUSED, [Action.MARK]),
        (UNUSED, MARKED, [Action.QUARANTINE]),
        (UNUSED, MARKED | {"set_id": "q-us"}, []),
        (UNUSED, ATTACHED, []),
        (UNUSED, MARKED | ATTACHED, []),
        (UNUSED, {"note": "keep"}, []),
        (UNUSED, {"set_id": "desk"}, []),
        (MARKED, MARKED, [Action.QUARANTINE]),
        (MARKED, UNUSED, [Action.MARK]),
        (MARKED, MARKED | ATTACHED, []),
        (HELD | ATTACHED, HELD | ATTACHED, [Action.CLEAR]),
        (HELD | ATTACHED, ATTACHED, []),
        (HELD | ATTACHED, HELD, []),
        (HELD | ATTACHED, UNUSED, []),
        (HELD | ATTACHED, MARKED, []),
        (HELD, HELD | ATTACHED, []),
        (HELD, UNUSED, []),
    ],
)
def test_only_what_is_planned_and_still_due_is_to_be_done(
    planned_as: dict[str, str | None], shown_as: dict[str, str | None], left: list[Action]
) -> None:
    assert to_do(planned_as, shown_as) == left


def test_what_is_reserved_by_now_is_not_to_be_marked() -> None:
    assert to_do(UNUSED, UNUSED, reserved={NUMBER: "set front of group us"}) == []


def test_a_use_that_only_the_inventory_knew_of_clears_the_mark_all_the_same() -> None:
    assert to_do(HELD, HELD, Known(last_used={NUMBER: TODAY})) == [Action.CLEAR]


def steps(entries: list[Entry]) -> list[tuple[str, int]]:
    """Each step that was put on record before it was taken, with how many numbers it is about."""
    return [(entry.operation, len(entry.numbers)) for entry in entries if not entry.confirms]


def test_numbers_are_done_a_few_at_a_time_and_each_batch_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "BATCH", 2)
    monkeypatch.setattr(progress, "PACE", 0.0)
    plan, told = scene.plan_for("new", "blank", "new abroad", "used again", "kept"), []
    with progress.heard_by(told.append):
        assert scene.marking(plan).carry_out() == 5
    assert [line.partition(" numbers")[0] for line in told] == [
        f"mark, quarantine and clear: {done} of 5" for done in (2, 4, 5)
    ]
    assert [count for step, count in steps(scene.recorded(plan)) if step == "note"] == [2, 2, 1]
    assert look(scene.client, plan, TODAY) == []


def test_each_step_is_on_record_with_what_was_before_and_what_is_to_be(scene: Scene) -> None:
    plan = scene.plan_for("new", "stray", "used again")
    scene.marking(plan).carry_out()
    entries = scene.recorded(plan)
    assert steps(entries) == [("note", 2), ("quarantine", 2), ("take out", 1)]
    cases = {number: case for case, number in scene.numbers.items()}
    us = {"set_id": scene.sets["us"], "set_name": QUARANTINE}
    assert [
        (entry.operation, cases[edit.number], edit.before and edit.before.note, edit.after)
        for entry in entries
        for edit in entry.numbers
    ] == [
        ("note", "new", "lobby", {"note": f"lobby {mark(TODAY)}"}),
        ("note", "used again", f"hot {mark(DUE)}", {"note": "hot"}),
        ("quarantine", "new", f"lobby {mark(TODAY)}", us),
        ("quarantine", "stray", f"yard {mark(DUE)}", us),
        ("take out", "used again", "hot", {"set_id": None}),
    ]
    assert [entry.confirms for entry in entries if entry.confirms] == [(1,), (3,), (5,)]


def test_a_note_that_is_right_already_is_not_written(scene: Scene) -> None:
    scene.edit("attached unmarked", note=None)
    plan = scene.plan_for("stray", "attached unmarked", "blank")
    scene.sandbox.clear_calls()
    assert scene.marking(plan).carry_out() == 3
    assert scene.writes().count("PUT /api/number/note") == 1
    assert scene.now("blank")["note"] == mark(TODAY)


def test_a_number_that_is_marked_already_goes_into_quarantine_with_its_note_as_it_is(scene: Scene) -> None:
    plan = scene.plan_for("stray")
    assert scene.marking(plan).carry_out() == 1
    assert steps(scene.recorded(plan)) == [("quarantine", 1)]
    assert (scene.now("stray")["note"], scene.now("stray")["setName"]) == (f"yard {mark(DUE)}", QUARANTINE)


def test_a_new_mark_bears_the_day_on_which_it_is_written(scene: Scene) -> None:
    yesterday = TODAY - timedelta(days=1)
    plan = scene.plan_for("new").model_copy(update={"today": yesterday, "made_at": NOON - timedelta(days=1)})
    scene.marking(plan).carry_out()
    assert scene.now("new")["note"] == f"lobby {mark(TODAY)}"


@pytest.mark.parametrize(("kind", "sent"), [("drop_after", 1), ("status_after", 1), ("drop_before", 2), ("status", 2)])
@pytest.mark.parametrize(
    ("case", "before", "after"),
    [("new", "lobby", f"lobby {mark(TODAY)}"), ("attached outside", mark(DUE), ""), ("blank", None, mark(TODAY))],
)
def test_a_note_is_written_again_only_if_it_is_missing(
    scene: Scene, case: str, before: str | None, after: str, kind: str, sent: int
) -> None:
    scene.edit(case, note=before)
    plan = scene.plan_for(case)
    scene.sandbox.faults.add(Fault("PUT", "/api/number/note", kind=kind, nth=1))  # type: ignore[arg-type]
    assert scene.marking(plan).carry_out() == 1
    assert scene.now(case)["note"] == after
    assert scene.writes().count("PUT /api/number/note") == sent


@pytest.mark.parametrize("fault", [{"status": 400}, {"status": 404}, {"status": 409}, {"kind": "refuse"}], ids=str)
def test_a_number_whose_note_is_refused_stays_where_it_is(scene: Scene, fault: dict[str, Any]) -> None:
    plan = scene.plan_for("new")
    scene.sandbox.faults.add(Fault("PUT", "/api/number/note", **fault))
    assert scene.marking(plan).carry_out() == 0
    assert (scene.now("new")["note"], scene.now("new")["setName"]) == ("lobby", None)
    assert [line.number for line in look(scene.client, plan, TODAY)] == scene.of("new")


def test_missing_rights_end_the_marking(scene: Scene) -> None:
    scene.sandbox.faults.add(Fault("PUT", "/api/number/note", status=403))
    with pytest.raises(Forbidden):
        scene.marking(scene.plan()).carry_out()


def test_a_quarantine_that_takes_nothing_in_keeps_no_other_group_from_its_own(scene: Scene) -> None:
    plan = scene.plan_for("new", "new abroad")
    scene.sandbox.faults.add(Fault("POST", f"/api/numbers-set/{scene.sets['eu']}/numbers", kind="refuse"))
    assert scene.marking(plan).carry_out() == 2
    assert (scene.now("new")["setName"], scene.now("new abroad")["setName"]) == (QUARANTINE, None)
    assert [(line.number, line.action) for line in look(scene.client, plan, TODAY)] == [
        (scene.numbers["new abroad"], Action.QUARANTINE)
    ]


def test_a_missing_quarantine_set_is_made_in_each_group(scene: Scene) -> None:
    for group in ("us", "eu"):
        scene.client.sets.delete(scene.sets[group])
    scene.marking(scene.plan_for("new", "blank", "new abroad")).carry_out()
    held = Counter((row["groupId"], row["setName"]) for row in scene.sandbox.numbers())
    assert (held["us", QUARANTINE], held["eu", QUARANTINE]) == (2, 1)


def test_what_is_reserved_while_the_plan_is_carried_out_stays_unmarked(scene: Scene) -> None:
    plan = scene.plan_for("new", "blank")
    reserve(scene, scene.numbers["new"])
    assert scene.marking(plan).carry_out() == 1
    assert scene.now("new")["note"] == "lobby"
    assert look(scene.client, plan, TODAY, {scene.numbers["new"]: "set front of group us"}) == []
    assert [line.number for line in look(scene.client, plan, TODAY)] == scene.of("new")


def test_left_over_release_sets_of_groups_that_are_none_of_its_business_and_its_own_set_stay(scene: Scene) -> None:
    plan = scene.plan(policy=POLICY.model_copy(update={"groups": ("us",)}))
    names = [release_set_name("0" * 12), release_set_name(plan.digest)]
    sets = {(name, group): scene.sandbox.edit.add_set(name, group) for name in names for group in ("us", "eu")}
    scene.marking(plan).carry_out()
    left = {row["id"] for row in scene.sandbox.sets()}
    assert [place for place, set_id in sets.items() if set_id not in left] == [(names[0], "us")]


def test_a_left_over_release_set_goes_once_it_is_empty_and_not_before(scene: Scene) -> None:
    empty = scene.sandbox.edit.add_set("unused - release 000000000000", "us")
    full = scene.sandbox.edit.add_set("unused - release 111111111111", "us")
    plan = scene.plan()
    scene.sandbox.edit.add_number("+12125559999", "us", set_id=full)
    scene.marking(plan).carry_out()
    left = {row["id"]: row["phoneNumberCount"] for row in scene.sandbox.sets()}
    assert empty not in left
    assert left[full] == 1


def test_marking_leaves_what_somebody_changed_since_the_plan_to_the_next_one(scene: Scene) -> None:
    plan = scene.plan()
    scene.sandbox.edit.change_number(scene.numbers["new"], mini_app_id=scene.app)
    scene.sandbox.edit.change_number(scene.numbers["blank"], note="keep")
    scene.sandbox.edit.change_number(scene.numbers["used again"], mini_app_id=None)
    scene.marking(plan).carry_out()
    assert scene.now("new")["note"] == "lobby"
    assert scene.now("blank")["note"] == "keep"
    assert scene.now("used again")["note"] == f"hot {mark(date(2026, 10, 24))}"
    assert scene.now("new abroad")["setName"] == "unused - quarantine"


def test_a_note_that_is_refused_is_left_and_the_others_are_marked(scene: Scene) -> None:
    scene.sandbox.faults.add(Fault("PUT", "/api/number/note", kind="status", status=400, nth=1))
    scene.marking(scene.plan()).carry_out()
    left = scene.plan("next").counts
    assert left["mark"] + left["clear"] == 1
