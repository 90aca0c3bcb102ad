"""What our own records tell about numbers: when they came, when they were last used or without their mark."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cleanup.records import order, publish
from cleanup.scene import DUE, NOON, POLICY, TODAY, Scene, mark
from ocp_numbers.cleanup.history import History, orders_of
from ocp_numbers.cleanup.planning import plan_cleanup, recalled
from ocp_numbers.cleanup.selection import Action, Sets
from ocp_numbers.inventory import latest, partition_of
from ocp_numbers.ordering import OrderBook, State


def history(scene: Scene) -> History:
    until = latest(scene.data_root, "ocp_default")
    assert until is not None
    return History(scene.data_root, "ocp_default", until=until)


def arrivals(scene: Scene, within_days: int = 30) -> dict[str, int]:
    """Case: how many days ago it came."""
    cases = {number: case for case, number in scene.numbers.items()}
    seen = history(scene).first_seen(scene.numbers.values(), today=TODAY, within_days=within_days)
    return {cases[number]: (TODAY - day).days for number, day in seen.items()}


def add(scene: Scene, case: str) -> None:
    scene.numbers[case] = f"+1646555{len(scene.numbers):04}"
    scene.sandbox.edit.add_number(scene.numbers[case], "us", purchased=True)


def test_a_number_came_on_the_day_of_the_first_inventory_that_shows_it(scene: Scene) -> None:
    for days_ago, case in [(3, "third"), (2, "second"), (1, "first")]:
        publish(scene, TODAY - timedelta(days=days_ago))
        add(scene, case)
    publish(scene)
    assert arrivals(scene) == {"third": 2, "second": 1, "first": 0}


def test_what_the_oldest_inventory_holds_came_at_an_unknown_time(scene: Scene) -> None:
    publish(scene)
    assert arrivals(scene) == {}


def test_of_no_numbers_none_came(scene: Scene) -> None:
    publish(scene)
    assert history(scene).first_seen([], today=TODAY, within_days=30) == {}


@pytest.mark.parametrize("asked_before", [True, False])
def test_inventories_that_were_deleted_in_the_meantime_tell_nothing(scene: Scene, asked_before: bool) -> None:
    for day in (TODAY - timedelta(days=1), TODAY):
        publish(scene, day)
    until = latest(scene.data_root, "ocp_default")
    assert until is not None
    asked = History(scene.data_root, "ocp_default", until=until)
    for day in (TODAY - timedelta(days=1), TODAY):
        scene.data_root.delete_folder(partition_of("ocp_default", day))
    if not asked_before:
        asked = History(scene.data_root, "ocp_default", until=until)
    assert asked.first_seen(scene.numbers.values(), today=TODAY, within_days=30) == {}
    traces = asked.of_marked(dict.fromkeys(scene.due, DUE), Sets.of(scene.client.sets.list()))
    assert (traces.last_used, traces.unmarked) == ({}, {})


def test_what_was_there_when_the_time_began_did_not_come_in_it(scene: Scene) -> None:
    publish(scene, TODAY - timedelta(days=9))
    add(scene, "before")
    publish(scene, TODAY - timedelta(days=5))
    add(scene, "within")
    publish(scene)
    assert arrivals(scene, within_days=5) == {"within": 0}
    assert arrivals(scene, within_days=4) == {"within": 0}
    assert arrivals(scene, within_days=8) == {"before": 5, "within": 0}


def test_inventories_of_the_day_given_and_before_are_not_read(scene: Scene) -> None:
    """What was before the oldest mark says nothing about the time since."""
    number = scene.numbers["due bought"]
    scene.sandbox.edit.change_number(number, mini_app_id=scene.app)
    publish(scene, TODAY - timedelta(days=2))
    scene.sandbox.edit.change_number(number, mini_app_id=None)
    publish(scene)
    sets = Sets.of(scene.client.sets.list())
    used = TODAY - timedelta(days=2)
    of_marked = history(scene).of_marked
    assert of_marked({number: DUE}, sets).last_used == {number: used}
    assert of_marked({number: DUE}, sets, after=used - timedelta(days=1)).last_used == {number: used}
    assert of_marked({number: DUE}, sets, after=used).last_used == {}


def test_a_use_since_the_mark_is_remembered_while_the_plan_is_carried_out(scene: Scene) -> None:
    plan = scene.plan()
    number = scene.numbers["due bought"]
    scene.sandbox.edit.change_number(number, mini_app_id=scene.app)
    publish(scene, TODAY - timedelta(days=1))
    scene.sandbox.edit.change_number(number, mini_app_id=None)
    publish(scene)
    known = recalled(scene.data_root, plan, Sets.of(scene.client.sets.list()))
    assert known.last_used == {number: TODAY - timedelta(days=1)}


def test_while_a_plan_is_carried_out_it_counts_what_happened_since_the_oldest_of_its_marks(scene: Scene) -> None:
    plan = scene.plan()
    used, unmarked = scene.of("due bought", "due abroad")
    scene.sandbox.edit.change_number(used, mini_app_id=scene.app)
    publish(scene, DUE - timedelta(days=1))
    scene.sandbox.edit.change_number(used, mini_app_id=None)
    scene.sandbox.edit.change_number(unmarked, note="yard")
    publish(scene, TODAY - timedelta(days=2))
    known = recalled(scene.data_root, plan, Sets.of(scene.client.sets.list()))
    assert known.last_used == {}
    assert known.unmarked == {unmarked: TODAY - timedelta(days=2)}


@pytest.mark.parametrize(("published", "releasing"), [(True, False), (False, True), (False, False)])
def test_orders_are_recalled_whether_or_not_there_is_an_inventory_or_anything_to_give_up(
    scene: Scene, published: bool, releasing: bool
) -> None:
    plan = scene.plan()
    if published:
        publish(scene)
    number = scene.numbers["due bought"]
    OrderBook(scene.data_root, "ocp_default").write(order(number, settled=NOON, outcome=None))
    if not releasing:
        plan = plan.model_copy(update={"lines": plan.only(Action.MARK)})
    known = recalled(scene.data_root, plan, Sets.of(scene.client.sets.list()))
    assert known.ordered == {number: f"ocp_default/us/{number}"}
    assert (known.last_used, known.unmarked) == ({}, {})


SETTLED, CLOSED, OPENED = (NOON - timedelta(days=days) for days in (3, 2, 9))


@pytest.mark.parametrize(
    ("line", "closed", "came"),
    [
        ({"settled_at": SETTLED}, CLOSED, SETTLED),
        ({"settled_at": None}, CLOSED, CLOSED),
        ({"settled_at": None}, None, OPENED),
        ({"state": State.REFUSED}, CLOSED, None),
        ({"origin": "already ours"}, CLOSED, None),
    ],
)
def test_a_closed_order_brought_its_number_when_that_was_settled_or_else_when_it_was_closed(
    scene: Scene, line: dict[str, Any], closed: datetime | None, came: datetime | None
) -> None:
    number = "+12125550000"
    made = order(number, settled=OPENED, outcome="complete")
    lines = (made.lines[0].model_copy(update=line),)
    made = made.model_copy(update={"lines": lines, "opened_at": OPENED, "closed_at": closed})
    OrderBook(scene.data_root, "ocp_default").write(made)
    known = orders_of(scene.data_root, "ocp_default")
    assert known.since == ({} if came is None else {number: came.date()})
    assert known.ordered == {}


@pytest.mark.parametrize(("first", "second"), [(9, 3), (3, 9), (3, 3)])
def test_a_number_that_several_orders_brought_came_with_the_last_of_them(scene: Scene, first: int, second: int) -> None:
    number = "+12125550000"
    for name, days in (("a", first), ("b", second)):
        made = order(number, settled=NOON - timedelta(days=days), outcome="complete")
        made = made.model_copy(update={"order_id": f"ocp_default/us/{name}"})
        OrderBook(scene.data_root, "ocp_default").write(made)
    assert orders_of(scene.data_root, "ocp_default").since == {number: date(2026, 11, 20)}


def test_what_was_ordered_in_another_environment_is_no_business_of_this_one(scene: Scene) -> None:
    OrderBook(scene.data_root, "ocp_default").write(order("+12125550000", settled=NOON, outcome=None))
    assert orders_of(scene.data_root, "ocp_other").ordered == {}


def test_a_mark_in_capitals_on_a_number_in_use_is_seen_as_well(scene: Scene) -> None:
    scene.sandbox.edit.change_number(scene.numbers["attached"], note=f"busy {mark(DUE).upper()}")
    publish(scene)
    noon = scene.plan().made_at
    plan = plan_cleanup(scene.client, scene.data_root, environment="ocp_default", run="run", policy=POLICY, now=noon)
    assert [line.action for line in plan.lines if line.number == scene.numbers["attached"]] == [Action.CLEAR]
