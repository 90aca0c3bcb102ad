"""Plans made from published inventories, orders and a fresh look."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from cleanup.scene import DUE, NOON, POLICY, TODAY, Scene, mark
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.planning import plan_cleanup
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import Action, Line
from ocp_numbers.errors import IncompleteSnapshot, OrderCorrupt
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.ordering import Line as OrderLine
from ocp_numbers.ordering import Order, OrderBook, Requester, State, Wishes


def publish(scene: Scene, day: date = TODAY) -> None:
    moment = datetime(day.year, day.month, day.day, 2, tzinfo=timezone.utc)
    Export(
        source=ClientSource(lambda: scene.client),
        root=scene.data_root,
        scope=Scope(environment="ocp_default"),
        day=day,
        holder="export",
        formats=("parquet",),
        max_change_percent=100,
        clock=lambda: moment,
    ).run()


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


def order(number: str, *, settled: datetime, outcome: str | None, state: State = State.OWNED) -> Order:
    wishes = Wishes(provider="telnova", group="us", country_code="US", numbers=(number,))
    return Order(
        order_id=f"ocp_default/us/{number}",
        environment="ocp_default",
        wishes=wishes,
        wishes_digest="0" * 64,
        stamp="[order 7f3a9c2e1b40]",
        note="[order 7f3a9c2e1b40]",
        ceiling=None,
        budget=None,
        approved=None,
        requested_by=Requester(),
        opened_at=settled,
        lines=(OrderLine(number=number, price=None, state=state, settled_at=settled),),
        spares=(),
        outcome=outcome,
        closed_at=settled if outcome else None,
    )


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
