"""The page that a person approves: all of the plan, and nothing that a hostile name could add to it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ocp_numbers.markdown import SHOWN_AT_MOST
from ocp_numbers.ordering import Offer, order_id, stamp
from ocp_numbers.regions.page import page
from ocp_numbers.regions.plan import RegionOrder
from ocp_numbers.regions.planning import order_wishes, plan_region
from regions.examples import OTHER_APP, SET, attached, named, number, offer, region, seen


def test_the_page_says_what_is_reused_bought_taken_over_and_left_and_what_it_costs() -> None:
    world = seen(
        sets=(SET,),
        members=(attached(1), number(2, set_id=SET.id), attached(3, mini_app_id=OTHER_APP)),
        free=(number(4, note="lobby"),),
        offers=(offer(10, 3), offer(11, 3), offer(12, 7), offer(13, 7)),
    )
    plan = plan_region(region(quantity=7, allow_reassign=[OTHER_APP]), world)
    shown = page(plan)
    assert f"| Reuse: ours, free, added to the set and attached | 1 | `{named(4)} (lobby)` |" in shown
    assert f"| **Buy**, add and attach | 2 | `{named(10)}` `{named(11)}` | 2 x 3 = 6 |" in shown
    assert f"| **Buy**, add and attach | 1 | `{named(12)}` | 1 x 7 = 7 |" in shown
    assert f"`{named(3)} from {OTHER_APP} en-US`" in shown
    assert f"`{named(13)} for 7`" in shown
    assert "**Total: at most 13**" in shown
    assert f"`{plan.short_digest}`" in shown


def test_an_order_that_has_brought_all_is_told_without_offers_and_spares() -> None:
    name = order_id("ocp_default", "retail-us", "front-desk", generation=1)
    wishes = order_wishes(region(quantity=2), tuple(Offer(number=named(place), price=Decimal(5)) for place in (1, 2)))
    opened = RegionOrder(order_id=name, generation=1, is_open=True, wishes=wishes, owned=(named(1), named(2)))
    free = tuple(number(place, note=stamp(name)) for place in (1, 2))
    plan = plan_region(region(quantity=2), seen(free=free, orders=(opened,), stamped={named(1): 1, named(2): 1}))
    shown = page(plan)
    assert plan.order is not None
    assert plan.order.to_buy == 0
    assert f"| Bought for this order earlier | 2 | `{named(1)}` `{named(2)}` | - |" in shown
    assert "Spares" not in shown


def test_a_long_list_is_counted_not_shown() -> None:
    shown = page(plan_region(region(quantity=SHOWN_AT_MOST + 7), seen(free=tuple(map(number, range(40))))))
    assert "and 7 more" in shown
    assert len(shown) < 3_000


@pytest.mark.parametrize(
    "note", ["`](http://x) `", "a|b", "two\nlines", "\u202eright to left", "![](http://x/y.png)", "{{ params }}"]
)
def test_a_hostile_note_cannot_leave_its_code_span(note: str) -> None:
    shown = page(plan_region(region(quantity=1), seen(free=(number(1, note=note),))))
    (row,) = [line for line in shown.splitlines() if line.startswith("| Reuse")]
    assert row.count("|") == 5
    assert row.count("`") == 2
    assert row.isprintable()
