"""What a run brought about is told from what OCP shows afterwards, not from what was sent."""

from __future__ import annotations

from cleanup.scene import POLICY, TODAY, Scene
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.verifying import Result, read_back


def account(scene: Scene, plan: CleanupPlan, *, approved: bool = True) -> Result:
    return read_back(scene.client, scene.journal(plan), plan, TODAY, approved=approved)


def test_a_run_carried_out_is_told_number_by_number(scene: Scene) -> None:
    plan = scene.plan()
    scene.carry_out(plan)
    result = account(scene, plan)
    assert (result.digest, result.dry_run, result.approved) == (plan.digest, False, True)
    assert list(result.released) == scene.due
    assert list(result.deleted) == scene.of("due entered", "due entered abroad")
    assert (result.vanished, result.still_there, result.spared) == ((), (), ())
    assert (result.not_marked, result.not_cleared) == ((), ())
    assert result.marked == plan.counts["mark"] + plan.counts["quarantine"] > 0
    assert result.cleared == plan.counts["clear"] > 0
    assert result.differences == []
    assert f"5 numbers given up (2 of them deleted from the database), {result.marked} marked" in result.summary


def test_of_a_run_that_did_nothing_all_is_still_to_be_done(scene: Scene) -> None:
    plan = scene.plan()
    result = account(scene, plan)
    assert (result.marked, result.cleared, result.released, result.deleted) == (0, 0, (), ())
    assert sorted(result.still_there) == scene.due
    assert result.spared == ()
    assert len(result.not_marked) == plan.counts["mark"] + plan.counts["quarantine"]
    assert len(result.not_cleared) == plan.counts["clear"]
    assert len(result.differences) == len(result.still_there) + len(result.not_marked) + len(result.not_cleared)


def test_what_nobody_approved_was_spared_and_is_no_difference(scene: Scene) -> None:
    plan = scene.plan()
    scene.marking(plan).carry_out()
    result = account(scene, plan, approved=False)
    assert sorted(result.spared) == scene.due
    assert result.still_there == ()
    assert result.differences == []
    assert "Nobody approved giving up 5 more" in result.summary


def test_a_number_that_left_without_this_run_is_named_as_vanished(scene: Scene) -> None:
    plan = scene.plan()
    scene.sandbox.edit.remove_number(scene.numbers["due abroad"])
    scene.marking(plan).carry_out()
    result = account(scene, plan)
    assert list(result.vanished) == scene.of("due abroad")
    assert result.released == ()
    assert any("but this run did not give it up" in each for each in result.differences)


def test_a_dry_run_expects_nothing_and_says_what_would_be(scene: Scene) -> None:
    plan = scene.plan(policy=POLICY.model_copy(update={"dry_run": True}))
    result = account(scene, plan)
    assert result.dry_run
    assert result.differences == []
    assert "5 given up. Nothing was written" in result.summary


def test_what_a_plan_reserved_in_the_meantime_is_not_missed_among_the_marked(scene: Scene) -> None:
    plan = scene.plan_for("new", "blank")
    reserved = {scene.numbers["new"]: "set front of group us"}
    result = read_back(scene.client, scene.journal(plan), plan, TODAY, approved=True, reserved=reserved)
    assert list(result.not_marked) == scene.of("blank")


def test_a_plan_that_gives_nothing_up_asks_ocp_for_no_number(scene: Scene) -> None:
    plan = scene.plan().model_copy(update={"lines": ()})
    scene.sandbox.clear_calls()
    result = account(scene, plan)
    assert (result.marked, result.cleared, result.released, result.differences) == (0, 0, (), [])
    assert not [call for call in scene.sandbox.calls() if call["path"].endswith("/api/numbers/search")]
