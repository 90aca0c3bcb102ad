"""The plan of a region: what is reused, bought, attached and left alone, and what stops it before the first cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.errors import InvalidInput, NotEnoughNumbers, NumberInUse, OrderConflict, OverBudget
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.ordering import Offer, stamp
from ocp_numbers.regions.identity import region_order_id
from ocp_numbers.regions.plan import RegionOrder
from ocp_numbers.regions.planning import order_wishes, plan_region
from regions.examples import OTHER_APP, SET, World, attached, named, number, offer, region, seen

OFFERS = tuple(offer(index) for index in range(100, 120))


def numbers(*indexes: int) -> tuple[str, ...]:
    return tuple(named(index) for index in indexes)


def stamped(generation: int, **wishes: Any) -> str:
    return stamp(region_order_id(region(**wishes), generation))


def known_order(generation: int, *, is_open: bool, offered: tuple[int, ...], owned: tuple[int, ...]) -> RegionOrder:
    offers = tuple(Offer(number=named(index), price=Decimal(5)) for index in offered)
    return RegionOrder(
        order_id=region_order_id(region(), generation),
        generation=generation,
        is_open=is_open,
        wishes=order_wishes(region(), offers),
        owned=numbers(*owned),
    )


class TestWhatIsPlanned:
    def test_a_new_region_buys_all(self) -> None:
        plan = plan_region(region(), seen(offers=OFFERS))
        assert plan.order is not None
        assert [bought.number for bought in plan.order.offers] == [*numbers(100, 101, 102, 103, 104)]
        assert (plan.order.order_id, plan.order.generation) == ("ocp_default/retail-us/front-desk/1", 1)
        assert plan.total == 25
        assert plan.set_id is None

    def test_a_provisioned_region_needs_nothing(self) -> None:
        plan = plan_region(region(), seen(sets=(SET,), members=tuple(map(attached, range(5)))))
        assert plan.changes_nothing
        assert plan.summary.startswith("Nothing to do")

    def test_what_is_there_comes_before_what_is_ours_and_that_before_buying(self) -> None:
        members = (attached(1), number(2, set_id=SET.id))
        plan = plan_region(region(), seen(sets=(SET,), members=members, free=(number(3), number(4)), offers=OFFERS))
        assert plan.order is not None
        assert (plan.right, plan.attach) == (numbers(1), numbers(2))
        assert tuple(reused.number for reused in plan.reuse) == numbers(3, 4)
        assert tuple(bought.number for bought in plan.order.offers) == numbers(100)

    def test_numbers_bought_for_the_region_are_reused_first_then_those_without_a_note(self) -> None:
        free = (number(1, note="fax"), number(2), number(3, note=stamped(1)))
        plan = plan_region(region(quantity=2), seen(free=free, stamped={named(3): 1}))
        assert tuple(reused.number for reused in plan.reuse) == numbers(3, 2)

    def test_more_than_wanted_is_left_alone(self) -> None:
        members = (*map(attached, range(5)), number(9, set_id=SET.id))
        plan = plan_region(region(), seen(sets=(SET,), members=members))
        assert plan.changes_nothing
        assert plan.left_alone == numbers(9)

    def test_the_cheapest_are_bought_and_spares_cost_no_more_than_the_dearest_of_them(self) -> None:
        offers = (offer(1, 3), offer(2, 1), offer(3, 2), offer(4, 2), offer(5, 9), offer(6, None))
        plan = plan_region(region(quantity=2), seen(offers=offers))
        assert plan.order is not None
        assert tuple(bought.number for bought in plan.order.offers) == numbers(2, 3)
        assert tuple(spare.number for spare in plan.order.wishes.spares) == numbers(4)
        assert plan.total == 3

    def test_an_offer_of_another_area_is_not_bought_even_when_it_is_cheaper(self) -> None:
        offers = (offer(1, 1, number="+13105550001"), offer(2, 1, country="CA"), offer(3, 5, country="United States"))
        plan = plan_region(region(quantity=1), seen(offers=offers))
        assert plan.order is not None
        assert tuple(bought.number for bought in plan.order.offers) == numbers(3)

    def test_members_outside_the_area_count_and_are_said(self) -> None:
        plan = plan_region(region(quantity=1, prefix="+1646"), seen(sets=(SET,), members=(attached(1),)))
        assert plan.changes_nothing
        assert "outside US/+1646" in plan.remarks[0]

    def test_a_tag_counts_only_where_one_is_wanted(self) -> None:
        members = (attached(1, application_tag="desk"),)
        assert plan_region(region(quantity=1), seen(sets=(SET,), members=members)).changes_nothing
        with pytest.raises(NumberInUse, match="tag desk"):
            plan_region(region(quantity=1, application_tag="ivr"), seen(sets=(SET,), members=members))

    def test_the_same_world_gives_the_same_digest_and_another_one_another(self) -> None:
        first, again = (plan_region(region(), seen(offers=OFFERS)) for _ in range(2))
        shuffled = plan_region(region(), seen(offers=OFFERS[::-1]))
        dearer = plan_region(region(), seen(offers=(offer(100, 6), *OFFERS[1:])))
        assert first.digest == again.digest == shuffled.digest != dearer.digest


class TestWhatStops:
    def test_a_set_of_that_name_in_another_group(self) -> None:
        elsewhere = NumberSet(id="set-9", name="front-desk", group_id="banking-eu")
        with pytest.raises(InvalidInput, match="group banking-eu, id set-9"):
            plan_region(region(), seen(sets=(elsewhere,), offers=OFFERS))

    def test_two_sets_of_that_name(self) -> None:
        twin = SET.model_copy(update={"id": "set-2"})
        with pytest.raises(InvalidInput, match="set-1, set-2"):
            plan_region(region(), seen(sets=(SET, twin), offers=OFFERS))

    @pytest.mark.parametrize(
        ("binding", "figure"),
        [({"mini_app_id": OTHER_APP}, OTHER_APP), ({"locale": "es-ES"}, "locale es-ES")],
    )
    def test_a_number_that_is_attached_otherwise_unless_it_is_named(self, binding: dict[str, str], figure: str) -> None:
        world = seen(sets=(SET,), members=(attached(1, **binding),), offers=OFFERS)
        with pytest.raises(NumberInUse, match=figure) as stopped:
            plan_region(region(), world)
        assert named(1) in str(stopped.value)
        plan = plan_region(region(allow_reassign=[named(1)]), world)
        assert [taken.number for taken in plan.reassign] == [named(1)]

    def test_the_miniapp_that_may_be_taken_from_can_be_named(self) -> None:
        world = seen(sets=(SET,), members=(attached(1, mini_app_id=OTHER_APP),))
        plan = plan_region(region(quantity=1, allow_reassign=[OTHER_APP]), world)
        assert [taken.number for taken in plan.reassign] == [named(1)]

    def test_too_few_on_offer(self) -> None:
        with pytest.raises(NotEnoughNumbers, match=r"5 numbers .* but 2 are on offer and 1 more without a price"):
            plan_region(region(), seen(offers=(offer(1), offer(2), offer(3, None))))

    def test_a_price_limit_below_the_cheapest(self) -> None:
        with pytest.raises(OverBudget, match=r"only 0 of 20 .* at most 4 .* cheapest costs 5"):
            plan_region(region(max_unit_price=4), seen(offers=OFFERS))

    def test_a_total_above_the_budget(self) -> None:
        with pytest.raises(OverBudget, match="cost 25 together, 1 more than 24"):
            plan_region(region(max_total_price=24), seen(offers=OFFERS))


class TestOrders:
    def test_a_closed_order_is_followed_by_the_next_generation(self) -> None:
        closed = known_order(1, is_open=False, offered=(1, 2), owned=(1, 2))
        world = seen(sets=(SET,), members=(attached(1), attached(2)), orders=(closed,), offers=OFFERS)
        plan = plan_region(region(), world)
        assert plan.order is not None
        assert (plan.order.generation, plan.order.to_buy) == (2, 3)

    def test_what_a_closed_order_bought_is_used_before_more_is_bought(self) -> None:
        closed = known_order(1, is_open=False, offered=(1, 2), owned=(1, 2))
        free = (number(1, note=stamped(1)), number(2, note=stamped(1)))
        world = seen(free=free, orders=(closed,), stamped={named(1): 1, named(2): 1}, offers=OFFERS)
        plan = plan_region(region(quantity=2), world)
        assert plan.order is None
        assert tuple(reused.number for reused in plan.reuse) == numbers(1, 2)

    def test_an_open_order_is_continued_with_its_own_offers(self) -> None:
        opened = known_order(1, is_open=True, offered=(1, 2, 3, 4, 5), owned=(1, 2))
        free = (number(1, note=stamped(1)), number(2, note=stamped(1)))
        world = seen(free=free, orders=(opened,), stamped={named(1): 1, named(2): 1}, offers=OFFERS)
        plan = plan_region(region(), world)
        assert plan.order is not None
        assert (plan.order.order_id, plan.order.continues) == (opened.order_id, True)
        assert plan.order.wishes == opened.wishes
        assert (plan.order.to_buy, plan.reuse) == (3, ())

    def test_numbers_of_the_open_order_that_its_document_lacks_are_its_to_adopt(self) -> None:
        opened = known_order(1, is_open=True, offered=(1, 2, 3, 4, 5), owned=())
        world = seen(free=(number(7, note=stamped(1)),), orders=(opened,), stamped={named(7): 1})
        plan = plan_region(region(), world)
        assert plan.order is not None
        assert (plan.order.adopted, plan.order.to_buy, plan.reuse) == (numbers(7), 4, ())

    @pytest.mark.parametrize(
        ("wish", "figure"),
        [
            ({"provider": "bridgetel"}, "bridgetel"),
            ({"max_unit_price": 4}, "at most 4 each"),
            ({"prefix": "+1646"}, r"US/\+1646"),
            ({"quantity": 7}, "brings 5 numbers, but 7 are missing"),
            ({"quantity": 3}, "brings 5 numbers, but 3 are missing"),
        ],
    )
    def test_an_open_order_is_not_bent_to_other_wishes(self, wish: dict[str, Any], figure: str) -> None:
        opened = known_order(1, is_open=True, offered=(1, 2, 3, 4, 5), owned=())
        with pytest.raises(OrderConflict, match=figure):
            plan_region(region(**wish), seen(orders=(opened,), offers=OFFERS))

    def test_two_open_orders_stop_the_run(self) -> None:
        orders = tuple(known_order(generation, is_open=True, offered=(1,), owned=()) for generation in (1, 2))
        with pytest.raises(OrderConflict, match="2 orders"):
            plan_region(region(), seen(orders=orders))

    def test_a_lost_order_is_opened_again_so_that_its_numbers_are_adopted(self) -> None:
        world = seen(free=(number(1, note=stamped(3)),), stamped={named(1): 3}, offers=OFFERS)
        plan = plan_region(region(), world)
        assert plan.order is not None
        assert plan.order.order_id.endswith("/3")
        assert (plan.order.adopted, plan.order.to_buy, plan.reuse) == (numbers(1), 4, ())
        assert len(plan.order.offers) == 5

    def test_a_lost_order_whose_numbers_are_all_in_place_is_over(self) -> None:
        members = (attached(1, note=stamped(3)),)
        plan = plan_region(region(), seen(sets=(SET,), members=members, stamped={named(1): 3}, offers=OFFERS))
        assert plan.order is not None
        assert (plan.order.generation, plan.order.to_buy) == (4, 4)


worlds = st.builds(
    World,
    group=st.lists(
        st.builds(
            lambda index, state, note: number(index, note=note, **state),
            st.integers(0, 30),
            st.sampled_from(
                [
                    {},
                    {"set_id": SET.id},
                    {"set_id": SET.id, "mini_app_id": "1111.FrontDesk.Flow", "locale": "en-US"},
                    {"set_id": SET.id, "mini_app_id": OTHER_APP, "locale": "en-US"},
                    {"set_id": "set-other"},
                    {"mini_app_id": OTHER_APP, "locale": "de-DE"},
                ]
            ),
            st.sampled_from([None, "lobby"]),
        ),
        max_size=12,
        unique_by=lambda owned: owned.number,
    ),
    offers=st.lists(
        st.builds(offer, st.integers(100, 130), st.none() | st.integers(0, 8)),
        max_size=15,
        unique_by=lambda offered: offered.number,
    ),
    has_set=st.just(True),
)
wishes = st.builds(
    region,
    quantity=st.integers(1, 8),
    max_unit_price=st.integers(0, 8),
    max_total_price=st.integers(0, 40),
    allow_reassign=st.sampled_from([[], [OTHER_APP]]),
)


@given(world=worlds, changes=st.data())
def test_a_plan_keeps_its_limits_and_applying_it_leaves_nothing_to_do(world: World, changes: st.DataObject) -> None:
    wanted = changes.draw(wishes)
    before = {owned.number: owned for owned in world.group}
    try:
        plan = plan_region(wanted, world.look(wanted))
    except (NumberInUse, NotEnoughNumbers, OverBudget):
        assert world.spent == 0
        return
    assert plan.total <= wanted.max_total_price
    if plan.order is not None:
        assert all(bought.price <= wanted.max_unit_price for bought in plan.order.offers if bought.price is not None)
        assert len(plan.known) + plan.order.to_buy == wanted.quantity
        assert {free.number for free in world.look(wanted).free} == {reused.number for reused in plan.reuse}
    world.apply(plan)
    assert world.right(wanted) >= wanted.quantity
    assert world.spent <= wanted.max_total_price
    assert _untouched(before, world.group, {*plan.known})
    assert plan_region(wanted, world.look(wanted)).changes_nothing


def _untouched(before: dict[str, PhoneNumber], now: list[PhoneNumber], planned: set[str]) -> bool:
    return all(before[owned.number] == owned for owned in now if owned.number in before and owned.number not in planned)


@given(quantities=st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_growing_a_region_again_and_again_never_reuses_an_order(quantities: list[int]) -> None:
    world = World(offers=[offer(index) for index in range(100, 140)])
    for quantity in quantities:
        wanted = region(quantity=quantity)
        plan = plan_region(wanted, world.look(wanted))
        if plan.order is not None:
            assert plan.order.order_id not in {known.order_id for known in world.orders}
        world.apply(plan)
        assert world.right(wanted) >= quantity
    assert len(world.group) == max(quantities)
