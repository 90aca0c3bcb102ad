"""A plan against the world: what stops its application, and what it means that it came true."""

from __future__ import annotations

from typing import Any

import pytest

from ocp_numbers.models import PhoneNumber
from ocp_numbers.regions.checks import account, differences, obstacles
from ocp_numbers.regions.plan import RegionPlan
from ocp_numbers.regions.planning import plan_region
from regions.examples import APP, OTHER_APP, SET, attached, named, number, offer, region, seen

MEMBERS = (attached(1), number(2, set_id=SET.id), attached(3, mini_app_id=OTHER_APP))
FREE = number(4)
OFFERED = (offer(10), offer(11))


@pytest.fixture
def plan() -> RegionPlan:
    world = seen(sets=(SET,), members=MEMBERS, free=(FREE,), offers=OFFERED)
    return plan_region(region(allow_reassign=[named(3)]), world)


def found(plan: RegionPlan, members: tuple[PhoneNumber, ...] = MEMBERS, **parts: Any) -> list[str]:
    arguments: dict[str, Any] = {"found": SET, "members": members, "reusable": {FREE.number: FREE}, **parts}
    return obstacles(plan, **arguments)


def test_an_unchanged_world_is_no_obstacle(plan: RegionPlan) -> None:
    assert found(plan) == []


def test_what_an_earlier_attempt_did_is_no_obstacle(plan: RegionPlan) -> None:
    assert found(plan, tuple(map(attached, (1, 2, 3, 4, 10)))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"found": None}, "set front-desk was set-1 and is now gone"),
        ({"members": MEMBERS[1:]}, f"{named(1)} has left the set"),
        ({"members": (attached(1, locale="es-ES"), *MEMBERS[1:])}, f"{named(1)} was attached as wanted and is now"),
        (
            {"members": (MEMBERS[0], attached(2, mini_app_id=OTHER_APP), MEMBERS[2])},
            f"{named(2)} was attached to nothing",
        ),
        ({"members": (*MEMBERS[:2], attached(3, mini_app_id="3333.New"))}, f"{named(3)} was attached to {OTHER_APP}"),
        ({"members": (*MEMBERS, attached(9))}, f"{named(9)} has come into the set"),
        ({"reusable": {}}, f"{named(4)} was free and is now not in the inventory"),
        (
            {"reusable": {named(4): number(4, set_id="set-9")}},
            f"{named(4)} was free and is now attached to nothing, in",
        ),
    ],
)
def test_what_somebody_else_did_is_named(plan: RegionPlan, change: dict[str, Any], said: str) -> None:
    (obstacle,) = found(plan, **change)
    assert obstacle.startswith(said)


def test_each_difference_is_named(plan: RegionPlan) -> None:
    members = (attached(1), attached(2, locale="es-ES"), attached(3), attached(4))
    wrong = differences(plan, bought=[named(10)], found=SET, members=members)
    assert wrong == [
        f"{named(10)} is not in the set",
        f"{named(2)} is attached to {APP} es-ES, in set set-1",
        "3 numbers are attached as wanted, not 5",
    ]
    assert differences(plan, bought=[], found=None, members=()) == ["set front-desk is not there"]
    assert differences(plan, bought=[named(10)], found=SET, members=tuple(map(attached, (1, 2, 3, 4, 10)))) == []


def test_the_account_is_a_sentence(plan: RegionPlan) -> None:
    assert account(plan, bought=1, spent="5") == (
        "Bought 1 of 1 in US/+1212 for 5, reused 1 of ours, attached 1 that were in the set, took over 1, left 1 as "
        f"they were: set front-desk of group retail-us now holds 5 numbers attached to {APP} with en-US."
    )


def test_where_there_was_nothing_to_do_the_account_says_what_the_plan_said() -> None:
    done = plan_region(region(quantity=2), seen(sets=(SET,), members=(attached(1), attached(2))))
    assert account(done, bought=0, spent="0") == done.summary


def test_a_plan_that_buys_nothing_expects_nobody_else_in_the_set() -> None:
    free = number(4)
    plan = plan_region(region(quantity=2), seen(sets=(SET,), members=(attached(1),), free=(free,)))
    assert plan.order is None
    assert obstacles(plan, found=SET, members=(attached(1), attached(4)), reusable={}) == []
    assert obstacles(plan, found=SET, members=(attached(1), attached(9)), reusable={free.number: free}) == [
        f"{named(9)} has come into the set"
    ]
