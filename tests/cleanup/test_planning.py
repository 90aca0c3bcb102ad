"""Plans made from published inventories, orders and a fresh look."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from cleanup.records import order, publish, reserve
from cleanup.scene import DUE, NOON, POLICY, TODAY, Scene, mark
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.planning import plan_cleanup
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import Action, Line
from ocp_numbers.errors import IncompleteSnapshot, OrderCorrupt
from ocp_numbers.ordering import OrderBook, State
from ocp_sandbox import Fault


def planned(scene: Scene, policy: CleanupPolicy = POLICY, now: datetime = NOON) -> CleanupPlan:
    return plan_cleanup(scene.client, scene.data_root, environment="ocp_default", run="run", policy=policy, now=now)


def line_of(plan: CleanupPlan, scene: Scene, case: str) -> Line:
    (line,) = [line for line in plan.lines if line.number == scene.numbers[case]]
    return line


def test_a_plan_from_the_inventory_is_the_plan_from_the_platform(scene: Scene) -> None:
    publish(scene)
    plan, live = planned(scene), scene.plan()
    assert {(line.number, line.action) for line in plan.lines} == {(line.number, line.action) for line in live.lines}
    assert plan.digest == live.digest
    assert (plan.estate, plan.snapshot) == (18, "inventory/environment=ocp_default/date=2026-11-23")


def test_groups_limit_lines_and_estate(scene: Scene) -> None:
    publish(scene)
    plan = planned(scene, POLICY.model_copy(update={"groups": ("eu",)}))
    assert plan.estate == 3
    assert {line.group for line in plan.lines} == {"eu"}


def test_without_an_inventory_the_message_says_how_to_get_one(scene: Scene) -> None:
    with pytest.raises(IncompleteSnapshot, match=r"no inventory of ocp_default yet\. Trigger nightly_inventory_export"):
        planned(scene)


def test_an_inventory_that_is_too_old_decides_nothing(scene: Scene) -> None:
    publish(scene, TODAY - timedelta(days=1))
    assert planned(scene).lines
    with pytest.raises(IncompleteSnapshot, match="34 hours old"):
        planned(scene, POLICY.model_copy(update={"max_snapshot_age_hours": 33}))


def test_an_inventory_of_another_environment_decides_nothing(scene: Scene) -> None:
    publish(scene)
    for key in list(scene.data_root.keys("inventory/environment=ocp_default")):
        copied = key.replace("environment=ocp_default", "environment=ocp_other")
        scene.data_root.write(copied, scene.data_root.read(key) or b"")
    with pytest.raises(IncompleteSnapshot, match=r"environment=ocp_other/date=2026-11-23 holds .* of ocp_default"):
        plan_cleanup(scene.client, scene.data_root, environment="ocp_other", run="run", policy=POLICY, now=NOON)


def test_an_inventory_from_the_future_decides_nothing(scene: Scene) -> None:
    publish(scene)
    assert planned(scene, now=NOON - timedelta(hours=10, minutes=10)).lines
    with pytest.raises(IncompleteSnapshot, match="still to come"):
        planned(scene, now=NOON - timedelta(hours=11))


@pytest.mark.parametrize("field", ["miniAppId", "phoneNumberSetId", "groupId", "note"])
def test_what_ocp_does_not_tell_of_a_due_number_decides_nothing(scene: Scene, field: str) -> None:
    publish(scene)
    for path in ("*/numbers/search", "*/numbers-set/*/numbers"):
        scene.sandbox.faults.add(Fault(path=path, kind="drift", field=field))
    with pytest.raises(IncompleteSnapshot, match=rf"{field}: missing in OCP's answer"):
        planned(scene)


def test_a_due_number_used_since_the_inventory_is_not_in_the_plan(scene: Scene) -> None:
    publish(scene)
    scene.sandbox.edit.change_number(scene.numbers["due bought"], mini_app_id=scene.app)
    scene.sandbox.edit.remove_number(scene.numbers["due abroad"])
    plan = planned(scene)
    assert line_of(plan, scene, "due bought").action is Action.CLEAR
    assert line_of(plan, scene, "due abroad").why == "is no longer in the inventory"
    assert len(plan.releases) == 3


def test_a_number_used_for_a_while_after_it_was_marked_is_not_due(scene: Scene) -> None:
    number = scene.numbers["due bought"]
    publish(scene, DUE - timedelta(days=1))
    scene.sandbox.edit.change_number(number, mini_app_id=scene.app)
    publish(scene, DUE + timedelta(days=9))
    scene.sandbox.edit.change_number(number, mini_app_id=None)
    publish(scene)
    line = line_of(planned(scene), scene, "due bought")
    assert (line.action, line.last_used) == (Action.CLEAR, date(2026, 11, 2))
    assert "used again on 2026-11-02" in line.why


@pytest.mark.parametrize("typed", ["[unused since 2020-01-01]", "[Unused since 2026-01-02] hall", f"x {mark(DUE)}y"])
def test_a_mark_that_a_person_typed_gives_no_number_up_before_its_time(scene: Scene, typed: str) -> None:
    number = scene.numbers["due bought"]
    scene.sandbox.edit.change_number(number, note="desk", set_id=None)
    publish(scene, TODAY - timedelta(days=2))
    scene.sandbox.edit.change_number(number, note=typed)
    publish(scene, TODAY - timedelta(days=1))
    first = line_of(planned(scene), scene, "due bought")
    assert first.action is Action.QUARANTINE
    scene.sandbox.edit.change_number(number, set_id=scene.sets["us"])
    publish(scene)
    line = line_of(planned(scene), scene, "due bought")
    assert line.action is Action.CLEAR
    assert "was not there on 2026-11-21 yet" in line.why


def test_a_mark_made_older_by_hand_counts_no_more(scene: Scene) -> None:
    for days, note in ((20, mark(TODAY - timedelta(days=25))), (1, mark(DUE)), (0, mark(DUE))):
        scene.sandbox.edit.change_number(scene.numbers["due bought"], note=note)
        publish(scene, TODAY - timedelta(days=days))
    assert line_of(planned(scene), scene, "due bought").action is Action.CLEAR
    assert line_of(planned(scene), scene, "due entered").action is Action.RELEASE


def test_a_mark_is_believed_where_each_inventory_after_its_day_shows_it(scene: Scene) -> None:
    number = scene.numbers["due bought"]
    scene.sandbox.edit.change_number(number, note="desk", set_id=None)
    publish(scene, DUE)
    scene.sandbox.edit.change_number(number, note=f"desk {mark(DUE)}", set_id=scene.sets["us"])
    for day in (DUE + timedelta(days=1), DUE + timedelta(days=2), TODAY):
        publish(scene, day)
    assert line_of(planned(scene), scene, "due bought").action is Action.RELEASE


def test_the_last_known_use_comes_from_the_newest_inventory_that_shows_one(scene: Scene) -> None:
    number = scene.numbers["due bought"]
    for days, app in ((60, scene.app), (50, scene.app), (40, None), (0, None)):
        scene.sandbox.edit.change_number(number, mini_app_id=app)
        publish(scene, TODAY - timedelta(days=days))
    plan = planned(scene)
    assert line_of(plan, scene, "due bought").last_used == TODAY - timedelta(days=50)
    assert line_of(plan, scene, "due entered").last_used is None
    assert len(plan.releases) == 5


def test_a_number_first_seen_within_the_grace_period_is_new(scene: Scene) -> None:
    publish(scene, TODAY - timedelta(days=45))
    scene.sandbox.edit.add_number("+12125557001", "us")
    publish(scene, TODAY - timedelta(days=31))
    scene.sandbox.edit.add_number("+12125557002", "us")
    publish(scene, TODAY - timedelta(days=29))
    scene.sandbox.edit.add_number("+12125557003", "us")
    publish(scene)
    lines = {line.number: line for line in planned(scene).lines}
    assert lines[scene.numbers["blank"]].action is Action.MARK
    assert lines["+12125557001"].action is Action.MARK
    assert lines["+12125557002"].action is Action.LEAVE
    assert "2026-10-25" in lines["+12125557002"].why
    assert "2026-11-23" in lines["+12125557003"].why


def test_records_that_do_not_go_back_far_enough_make_no_number_new(scene: Scene) -> None:
    publish(scene, TODAY - timedelta(days=5))
    scene.sandbox.edit.add_number("+12125557001", "us")
    publish(scene)
    lines = {line.number: line for line in planned(scene).lines}
    assert lines[scene.numbers["blank"]].action is Action.MARK
    assert lines["+12125557001"].action is Action.LEAVE


@pytest.mark.parametrize(
    ("days_ago", "outcome", "state", "action", "why"),
    [
        (100, None, State.OWNED, Action.LEAVE, "still open"),
        (100, None, State.UNKNOWN, Action.LEAVE, "still open"),
        (100, None, State.REFUSED, Action.RELEASE, "ago"),
        (29, "complete", State.OWNED, Action.LEAVE, "is new"),
        (30, "complete", State.OWNED, Action.RELEASE, "ago"),
        (29, "short", State.REFUSED, Action.RELEASE, "ago"),
    ],
)
def test_orders_keep_their_numbers(
    scene: Scene, days_ago: int, outcome: str | None, state: State, action: Action, why: str
) -> None:
    publish(scene)
    settled = NOON - timedelta(days=days_ago)
    made = order(scene.numbers["due bought"], settled=settled, outcome=outcome, state=state)
    OrderBook(scene.data_root, "ocp_default").write(made)
    line = line_of(planned(scene), scene, "due bought")
    assert line.action is action
    assert why in line.why


def test_a_number_that_a_region_counts_on_is_not_marked(scene: Scene) -> None:
    """Neither by a plan made after it was reserved, nor by one made before."""
    publish(scene)
    earlier = planned(scene)
    (number,) = scene.of("new")
    reserve(scene, number)
    (line,) = [line for line in planned(scene).lines if line.number == number]
    assert (line.action, line.why) == (Action.LEAVE, "is reserved by a plan for set front of group us")
    scene.marking(earlier).carry_out()
    assert scene.now("new")["note"] == "lobby"
    assert "unused since" in scene.now("blank")["note"]


def test_an_order_that_cannot_be_read_stops_the_cleanup(scene: Scene) -> None:
    publish(scene)
    scene.data_root.write("orders/ocp_default%2Fus%2Ffront.json", b"{}")
    with pytest.raises(OrderCorrupt):
        planned(scene)


def test_a_mark_counts_as_older_each_day(scene: Scene) -> None:
    publish(scene)
    tomorrow = NOON + timedelta(hours=18)
    assert line_of(planned(scene), scene, "early").action is Action.WAIT
    assert line_of(planned(scene, now=tomorrow), scene, "early").action is Action.RELEASE
    assert mark(TODAY - timedelta(days=29)) in (line_of(planned(scene), scene, "early").note or "")


def test_an_inventory_of_exactly_the_greatest_age_still_decides(scene: Scene) -> None:
    publish(scene, TODAY - timedelta(days=1))
    assert planned(scene, POLICY.model_copy(update={"max_snapshot_age_hours": 34})).lines


def test_clocks_may_differ_by_a_quarter_of_an_hour(scene: Scene) -> None:
    publish(scene)
    taken = NOON.replace(hour=2)
    assert planned(scene, now=taken - timedelta(minutes=15)).lines
    with pytest.raises(IncompleteSnapshot, match="still to come"):
        planned(scene, now=taken - timedelta(minutes=16))


def test_a_group_without_numbers_adds_nothing_to_the_estate(scene: Scene) -> None:
    publish(scene)
    assert planned(scene, POLICY.model_copy(update={"groups": ("eu", "nowhere")})).estate == 3


def test_what_became_busy_since_the_inventory_is_given_up_by_nobody(scene: Scene) -> None:
    publish(scene)
    number = scene.numbers["due bought"]
    scene.sandbox.edit.change_number(number, mini_app_id=scene.app, note="sales", set_id=None)
    assert number not in {line.number for line in planned(scene).lines}


def test_where_nobody_has_cleaned_up_before_what_is_marked_is_to_go_into_quarantine_first(scene: Scene) -> None:
    for group in ("us", "eu"):
        scene.client.sets.delete(scene.sets[group])
    publish(scene)
    plan = planned(scene)
    assert plan.releases == ()
    assert {line.number for line in plan.only(Action.QUARANTINE)} >= set(scene.due)
    assert line_of(plan, scene, "used again").action is Action.CLEAR


def test_without_a_due_number_ocp_is_not_asked_again(scene: Scene) -> None:
    publish(scene)
    scene.sandbox.clear_calls()
    plan = planned(scene, POLICY.model_copy(update={"grace_days": 300}))
    assert plan.releases == ()
    assert not [call for call in scene.sandbox.calls() if call["path"].endswith("/api/numbers/search")]
