"""Other people go on working while a cleanup runs: what they touch before it is given up is not given up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cleanup.records import order, publish
from cleanup.scene import NOON, POLICY, TODAY, Scene, mark
from ocp_numbers.client import Effect, Operation
from ocp_numbers.errors import ApiError, LimitExceeded, PlanChanged, Stopped
from ocp_numbers.ordering import OrderBook
from ocp_sandbox import Fault

MakeScene = Callable[[], AbstractContextManager[Scene]]

EDITS: dict[str, Callable[[Scene, dict[str, Any]], dict[str, Any]]] = {
    "attached": lambda scene, row: {"mini_app_id": scene.app},
    "kept": lambda scene, row: {"note": f"keep this one {mark(date(2026, 1, 1))}"},
    "protected": lambda scene, row: {"note": f"emergency {mark(date(2026, 1, 1))}"},
    "unmarked": lambda scene, row: {"note": "desk"},
    "marked anew": lambda scene, row: {"note": mark(TODAY)},
    "marked as older": lambda scene, row: {"note": mark(date(2020, 1, 1))},
    "put into another set": lambda scene, row: {"set_id": scene.sets["front"]},
    "moved to another group": lambda scene, row: {"group": "us" if row["groupId"] == "eu" else "eu", "set_id": None},
}


@given(
    at=st.integers(1, 70),
    edit=st.sampled_from(sorted(EDITS)),
    case=st.sampled_from(["due bought", "due bought too", "due entered", "due abroad", "due entered abroad"]),
)
@example(at=27, edit="moved to another group", case="due entered abroad")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_somebody_changes_up_to_the_last_look_stays(make_scene: MakeScene, at: int, edit: str, case: str) -> None:
    with make_scene() as scene:
        plan = scene.plan()
        calls, gone_before = 0, None
        fetch = scene.client.transport.fetch

        def interfered(operation: Operation[Any], *args: Any, **kwargs: Any) -> Any:
            nonlocal calls, gone_before
            calls += 1
            # Between the last look and the call itself nobody can help; anywhere else the look comes after the edit.
            if calls >= at and gone_before is None and operation.effect is not Effect.DESTRUCTIVE:
                gone_before = scene.gone()
                if row := scene.now(case):
                    scene.sandbox.edit.change_number(scene.numbers[case], **EDITS[edit](scene, row))
            return fetch(operation, *args, **kwargs)

        scene.client.transport.fetch = interfered  # type: ignore[method-assign]
        with suppress(PlanChanged, ApiError):  # stopping is right; what matters is what went
            scene.carry_out(plan)
        assert set(scene.gone()) <= set(scene.due)
        if gone_before is not None and scene.numbers[case] not in gone_before:
            assert scene.numbers[case] not in scene.gone()


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


def test_a_left_over_release_set_goes_once_it_is_empty_and_not_before(scene: Scene) -> None:
    empty = scene.sandbox.edit.add_set("unused - release 000000000000", "us")
    full = scene.sandbox.edit.add_set("unused - release 111111111111", "us")
    plan = scene.plan()
    scene.sandbox.edit.add_number("+12125559999", "us", set_id=full)
    scene.marking(plan).carry_out()
    left = {row["id"]: row["phoneNumberCount"] for row in scene.sandbox.sets()}
    assert empty not in left
    assert left[full] == 1


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
