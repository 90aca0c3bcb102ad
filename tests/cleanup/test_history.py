"""What published inventories tell about numbers: when they came, when they were last used or without their mark."""

from __future__ import annotations

from datetime import timedelta

from cleanup.records import publish
from cleanup.scene import DUE, POLICY, TODAY, Scene, mark
from ocp_numbers.cleanup.history import History
from ocp_numbers.cleanup.planning import plan_cleanup, recalled
from ocp_numbers.cleanup.selection import Action, Sets
from ocp_numbers.inventory import latest


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


def test_a_mark_in_capitals_on_a_number_in_use_is_seen_as_well(scene: Scene) -> None:
    scene.sandbox.edit.change_number(scene.numbers["attached"], note=f"busy {mark(DUE).upper()}")
    publish(scene)
    noon = scene.plan().made_at
    plan = plan_cleanup(scene.client, scene.data_root, environment="ocp_default", run="run", policy=POLICY, now=noon)
    assert [line.action for line in plan.lines if line.number == scene.numbers["attached"]] == [Action.CLEAR]
