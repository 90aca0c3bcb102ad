"""Giving up: exactly the approved numbers, as approved, by one call that is never sent twice, whatever its answer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cleanup.records import order, publish
from cleanup.scene import DUE, EDITS, NOON, POLICY, TODAY, Scene, mark
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.releasing import PAUSES, unfit
from ocp_numbers.cleanup.selection import QUARANTINE, Known, Line, Sets, decide, release_set_name
from ocp_numbers.errors import (
    Forbidden,
    IncompleteSnapshot,
    LimitExceeded,
    OutcomeUnknown,
    PlanChanged,
    Refused,
    ServerFault,
    Stopped,
)
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.ordering import OrderBook
from ocp_sandbox import Fault

NUMBER = "+12125550123"
SETS = Sets.of(
    [
        NumberSet(id="q-us", name=QUARANTINE, group_id="us"),
        NumberSet(id="r-us", name=release_set_name("7f3a9c2e1b40"), group_id="us"),
        NumberSet(id="front", name="front desk", group_id="us"),
    ]
)
DUE_ROW = {"note": f"desk {mark(DUE)}", "group_id": "us", "country": "US", "set_id": "q-us"}


def row(**fields: str | None) -> PhoneNumber:
    return PhoneNumber.model_validate({"number": NUMBER} | DUE_ROW | fields)


def approved() -> Line:
    line = decide(row(), POLICY, SETS, Known(), TODAY)
    assert line is not None
    return line


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"set_id": None}, None),
        ({"set_id": "r-us"}, None),
        ({"set_id": None, "set_name": QUARANTINE}, None),
        ({"set_id": "front"}, "is in the set front desk"),
        ({"set_id": "unseen"}, "is in the set unseen"),
        ({"set_id": None, "set_name": "unseen"}, "is in the set unseen"),
        ({"mini_app_id": "app"}, "is attached to app"),
        ({"mini_app_id": "app", "note": "desk"}, "is attached to app"),
        ({"mini_app_id": "app", "note": "desk", "set_id": None}, "is attached to app"),
        ({"note": "desk"}, "has lost its mark"),
        ({"note": None}, "has lost its mark"),
        ({"note": f"keep {mark(DUE)}"}, "its note says keep"),
        ({"note": f"Emergency {mark(DUE)}"}, "is protected by 'note:*emergency*'"),
        ({"group_id": None}, "belongs to no group, so there is no quarantine set for it"),
        ({"group_id": "eu"}, "group was 'us' and is 'eu'"),
        (
            {"note": f"hall {mark(DUE)}", "country": "CA"},
            f"country was 'US' and is 'CA', note was 'desk {mark(DUE)}' and is 'hall {mark(DUE)}'",
        ),
    ],
)
def test_what_is_not_as_it_was_approved_is_not_given_up(fields: dict[str, str | None], why: str | None) -> None:
    assert unfit(approved(), row(**fields), POLICY, SETS, Known(), TODAY) == why


def test_what_is_gone_or_not_due_yet_or_claimed_is_not_given_up() -> None:
    line = approved()
    assert unfit(line, None, POLICY, SETS, Known(), TODAY) == "is no longer in the inventory"
    yesterday = TODAY - timedelta(days=1)
    assert unfit(line, row(), POLICY, SETS, Known(), yesterday) == f"is not due before {TODAY}"
    claimed = Known(ordered={NUMBER: "eu1/us/front"})
    assert "eu1/us/front" in (unfit(line, row(), POLICY, SETS, claimed, TODAY) or "")


def given_up_by(plan: CleanupPlan) -> list[str]:
    return [line.number for line in plan.releases]


def undone(scene: Scene, plan: CleanupPlan, step: str) -> list[tuple[list[str], list[str]]]:
    """Of each time that ``step`` was begun and looked at afterwards: its numbers, and those it was not done to."""
    entries = scene.recorded(plan)
    begun = {entry.entry: [edit.number for edit in entry.numbers] for entry in entries if entry.operation == step}
    return [
        (sorted(begun[number]), sorted(entry.without))
        for entry in entries
        for number in entry.confirms
        if number in begun
    ]


def test_giving_up_what_was_bought_waits_for_nothing_and_warns_of_nothing(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    plan, waits = scene.plan_for("due bought", "due bought too"), []
    scene.sandbox.clear_calls()
    assert scene.releasing(plan, sleep=waits.append).carry_out() == 2
    assert waits == []
    assert scene.gone() == scene.of("due bought", "due bought too")
    assert undone(scene, plan, "give up") == [(scene.gone(), [])]
    assert [call.split("/")[-1] for call in scene.writes()].count("delete") == 1
    assert "WARNING" not in caplog.text
    assert release_set_name(plan.digest) not in {each["name"] for each in scene.sandbox.sets()}


def test_what_is_merely_in_the_database_stays_behind_and_is_deleted_by_itself(scene: Scene) -> None:
    plan = scene.plan_for("due bought", "due entered")
    assert scene.releasing(plan).carry_out() == 2
    entered = scene.of("due entered")
    assert undone(scene, plan, "give up") == [(given_up_by(plan), entered)]
    assert undone(scene, plan, "take out") == [(entered, [])]
    assert undone(scene, plan, "delete") == [(entered, [])]


def test_a_plan_that_gives_nothing_up_touches_nothing(scene: Scene) -> None:
    plan = scene.plan_for("new", "used again")
    scene.sandbox.clear_calls()
    assert scene.releasing(plan).carry_out() == 0
    assert scene.writes() == []


def test_limits_are_those_of_the_groups_that_the_policy_names(scene: Scene) -> None:
    policy = POLICY.model_copy(update={"groups": ("eu",)})
    plan = scene.plan(policy=policy)
    with pytest.raises(LimitExceeded, match=r"66\.67 % of 3 numbers"):
        scene.releasing(plan, policy=policy).carry_out()
    assert scene.gone() == []


def test_what_the_run_gave_up_itself_still_counts_as_looked_at_when_it_goes_on(scene: Scene) -> None:
    policy = POLICY.model_copy(update={"max_release_percent": Decimal(28)})
    plan = scene.plan(policy=policy)
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", kind="refuse", nth=2))
    with pytest.raises(Refused):
        scene.releasing(plan, policy=policy).carry_out()
    assert scene.gone() == scene.of("due abroad", "due entered abroad")
    assert scene.releasing(plan, policy=policy).carry_out() == 3
    assert scene.gone() == scene.due


@pytest.mark.parametrize("path", ["/api/numbers/search", "/api/numbers-set/*/numbers"], ids=["at first", "at last"])
@pytest.mark.parametrize("field", ["miniAppId", "note", "groupId"])
def test_what_ocp_does_not_tell_is_not_taken_for_empty(scene: Scene, path: str, field: str) -> None:
    plan = scene.plan()
    scene.sandbox.faults.add(Fault(path=path, kind="drift", field=field))
    with pytest.raises(IncompleteSnapshot, match=f"{field}: missing in OCP's answer"):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []


def test_a_change_that_ocp_shows_late_is_waited_for(scene: Scene) -> None:
    plan, waits = scene.plan_for("due bought", "due bought too"), []
    set_id = scene.sandbox.edit.add_set(release_set_name(plan.digest), "us")
    scene.after("sets.add_numbers", lambda: scene.edit("due bought", set_id=None))

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            scene.edit("due bought", set_id=set_id)

    assert scene.releasing(plan, sleep=sleep).carry_out() == 2
    assert tuple(waits) == PAUSES[:2]


def test_a_release_set_that_holds_anything_but_the_approved_numbers_gives_up_none(scene: Scene) -> None:
    plan, waits = scene.plan_for("due bought", "due bought too"), []
    set_id = scene.sandbox.edit.add_set(release_set_name(plan.digest), "us")
    scene.edit("early", set_id=set_id)
    scene.after("sets.add_numbers", lambda: scene.edit("due bought", set_id=None))
    strange, missing = scene.of("early") + scene.of("due bought")
    said = f"\\{strange} is in it besides and \\{missing} is missing. None of its numbers were given up"
    with pytest.raises(PlanChanged, match=said):
        scene.releasing(plan, sleep=waits.append).carry_out()
    assert tuple(waits) == PAUSES
    assert scene.gone() == []


@pytest.mark.parametrize("case", ["due bought", "due entered"])
def test_what_somebody_needs_again_just_before_the_call_stops_it(scene: Scene, case: str) -> None:
    plan = scene.plan_for("due bought", "due entered")
    scene.after("sets.add_numbers", lambda: scene.edit(case, mini_app_id=scene.app))
    with pytest.raises(PlanChanged, match=f"\\{scene.numbers[case]} is attached to Sales"):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []


def test_a_refusal_that_settles_it_puts_on_record_that_nothing_went(scene: Scene) -> None:
    plan, waits = scene.plan_for("due bought", "due bought too"), []
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", status=403, nth=1))
    with pytest.raises(Forbidden):
        scene.releasing(plan, sleep=waits.append).carry_out()
    assert waits == []
    assert undone(scene, plan, "give up") == [(given_up_by(plan), given_up_by(plan))]
    assert scene.releasing(plan).carry_out() == 2


def test_a_release_whose_answer_was_lost_is_looked_at_and_found_done(scene: Scene) -> None:
    plan, waits = scene.plan_for("due bought", "due bought too"), []
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", kind="drop_after"))
    assert scene.releasing(plan, sleep=waits.append).carry_out() == 2
    assert waits == []
    assert undone(scene, plan, "give up") == [(scene.gone(), [])]
    assert scene.gone() == given_up_by(plan)


@pytest.mark.parametrize("kind", ["drop_before", "status", "html"])
def test_a_release_that_shows_no_effect_is_in_doubt_and_not_sent_again(scene: Scene, kind: Any) -> None:
    plan, waits = scene.plan_for("due bought", "due bought too"), []
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", kind=kind, nth=1))
    with pytest.raises(
        OutcomeUnknown, match=r"sets\.release_numbers .* are still there\. .* Nothing was sent again"
    ) as doubt:
        scene.releasing(plan, sleep=waits.append).carry_out()
    assert list(doubt.value.numbers) == given_up_by(plan)
    assert tuple(waits) == PAUSES
    assert [call for call in scene.writes() if call.endswith("/delete")][1:] == []
    assert scene.releasing(plan).carry_out() == 2
    assert scene.gone() == given_up_by(plan)


def test_a_refused_release_speaks_in_the_words_of_ocp_and_the_numbers_are_looked_for_where_they_lie(
    scene: Scene,
) -> None:
    plan = scene.plan_for("due bought", "due bought too")
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", kind="refuse", nth=1, message="Not today"))
    with pytest.raises(Refused, match="Not today"):
        scene.releasing(plan).carry_out()
    assert scene.now("due bought")["setName"] == release_set_name(plan.digest)
    assert scene.releasing(plan).carry_out() == 2


@pytest.mark.parametrize("kind", ["drop_after", "status_after"])
def test_a_deletion_whose_answer_was_lost_is_looked_at_and_found_done(scene: Scene, kind: Any) -> None:
    plan = scene.plan_for("due entered")
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers/delete/*", kind=kind))
    assert scene.releasing(plan).carry_out() == 1
    assert scene.gone() == given_up_by(plan)


def test_a_deletion_that_shows_no_effect_is_in_doubt_and_not_sent_again(scene: Scene) -> None:
    plan = scene.plan_for("due entered")
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers/delete/*", kind="drop_before", nth=1))
    with pytest.raises(OutcomeUnknown, match=r"numbers\.delete .* are still there") as doubt:
        scene.releasing(plan).carry_out()
    assert list(doubt.value.numbers) == given_up_by(plan)
    assert len([call for call in scene.writes() if "/numbers/delete/" in call]) == 1
    assert scene.releasing(plan).carry_out() == 1


@pytest.mark.parametrize(("fault", "raised"), [({"kind": "refuse"}, Refused), ({"status": 403}, Forbidden)])
def test_a_refused_deletion_speaks_in_the_words_of_ocp(scene: Scene, fault: Any, raised: type[Exception]) -> None:
    plan = scene.plan_for("due entered")
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers/delete/*", **fault))
    with pytest.raises(raised):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []


def test_what_is_deleted_by_others_meanwhile_is_gone_and_what_is_needed_again_stays(scene: Scene) -> None:
    plan = scene.plan_for("due entered", "due entered abroad")

    def meanwhile() -> None:
        scene.sandbox.edit.remove_number(scene.numbers["due entered abroad"])
        scene.edit("due entered", note="keep")

    scene.after("sets.release_numbers", lambda: scene.after("sets.remove_numbers", meanwhile))
    with pytest.raises(PlanChanged, match=f"\\{scene.numbers['due entered']} has lost its mark"):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []
    assert scene.now("due entered")["note"] == "keep"


def test_an_empty_release_set_that_could_not_be_removed_goes_when_the_run_goes_on(scene: Scene) -> None:
    plan = scene.plan_for("due bought", "due entered")
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/????????-*-????????????", status=503, nth=1))
    with pytest.raises(ServerFault):
        scene.releasing(plan).carry_out()
    assert release_set_name(plan.digest) in {each["name"] for each in scene.sandbox.sets()}
    assert scene.releasing(plan).carry_out() == 0
    assert release_set_name(plan.digest) not in {each["name"] for each in scene.sandbox.sets()}


def test_a_release_set_that_somebody_uses_stays_and_is_warned_of(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    plan = scene.plan_for("due bought")

    def use() -> None:
        (set_id,) = [each["id"] for each in scene.sandbox.sets() if each["name"] == release_set_name(plan.digest)]
        scene.edit("new", set_id=set_id)

    scene.after("sets.release_numbers", lambda: scene.after("sets.numbers", use))
    assert scene.releasing(plan).carry_out() == 1
    assert scene.now("new")["setName"] == release_set_name(plan.digest)
    assert "is not empty and stays" in caplog.text


@pytest.mark.parametrize("edit", sorted(EDITS))
def test_an_edit_after_the_approval_stops_the_whole_release(scene: Scene, edit: str) -> None:
    plan = scene.plan()
    row = scene.now("due bought")
    scene.sandbox.edit.change_number(scene.numbers["due bought"], **EDITS[edit](scene, row))
    scene.sandbox.clear_calls()
    with pytest.raises(Stopped, match=f"\\{scene.numbers['due bought']} "):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []
    assert scene.writes() == []


def test_a_number_that_vanished_without_us_stops_the_release(scene: Scene) -> None:
    plan = scene.plan()
    scene.sandbox.edit.remove_number(scene.numbers["due abroad"])
    with pytest.raises(Stopped, match="no longer in the inventory"):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []


def test_a_number_taken_out_of_quarantine_by_hand_is_not_given_up(scene: Scene) -> None:
    plan = scene.plan()
    scene.sandbox.edit.change_number(scene.numbers["due entered"], set_id=None)
    with pytest.raises(Stopped, match="no longer in the quarantine set"):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []


def test_a_stranger_in_the_release_set_is_not_given_up(scene: Scene) -> None:
    plan = scene.plan()
    name = f"unused - release {plan.digest[:12]}"
    set_id = scene.sandbox.edit.add_set(name, "us")
    scene.sandbox.edit.change_number(scene.numbers["new"], set_id=set_id)
    with pytest.raises(Stopped, match=f"\\{scene.numbers['new']} is in it besides"):
        scene.releasing(plan).carry_out()
    assert scene.now("new")
    assert scene.numbers["new"] not in scene.gone()


def test_a_policy_changed_after_the_approval_stops_the_release(scene: Scene) -> None:
    stricter = POLICY.model_copy(update={"protect": (*POLICY.protect, "group:eu")})
    with pytest.raises(Stopped, match="policy was changed"):
        scene.releasing(scene.plan(), policy=stricter).carry_out()
    assert scene.gone() == []


def test_a_number_used_for_a_while_since_the_approval_is_not_given_up(scene: Scene) -> None:
    """As OCP shows it nothing has changed; the inventory of the night between knows better."""
    publish(scene, TODAY - timedelta(days=1))
    plan = scene.plan()
    number = scene.numbers["due abroad"]
    scene.sandbox.edit.change_number(number, mini_app_id=scene.app)
    publish(scene, TODAY)
    scene.sandbox.edit.change_number(number, mini_app_id=None)
    with pytest.raises(PlanChanged, match=f"\\{number} was used again on 2026-11-23"):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []


def test_a_number_that_an_open_order_claims_since_the_approval_is_not_given_up(scene: Scene) -> None:
    plan = scene.plan()
    number = scene.numbers["due bought"]
    OrderBook(scene.data_root, "ocp_default").write(order(number, settled=NOON, outcome=None))
    with pytest.raises(PlanChanged, match=f"\\{number} belongs to the order"):
        scene.releasing(plan).carry_out()
    assert scene.gone() == []


def test_an_estate_that_shrank_since_the_approval_can_break_the_percentage(scene: Scene) -> None:
    policy = POLICY.model_copy(update={"max_release_percent": Decimal(28)})
    plan = scene.plan(policy=policy)
    plan.check_limits()
    scene.sandbox.edit.remove_number(scene.numbers["attached"])
    with pytest.raises(LimitExceeded, match="max_release_percent is 28"):
        scene.releasing(plan, policy=policy).carry_out()
    assert scene.gone() == []
