"""What an order begins with, and what is refused before anything is bought."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.documents import digest
from ocp_numbers.errors import NotEnoughNumbers, NumberInUse, OrderConflict, OverBudget, Stopped
from ocp_numbers.models import AvailableNumber, PhoneNumber
from ocp_numbers.ordering import Line, Offer, Requester, State, Wishes, stamp
from ocp_numbers.ordering.opening import FEWEST_SPARES, Choice, affordable, choose, opened
from ordering.examples import NOW, A, B, C, D, offer, opened_for
from ordering.shop import GROUP, wish

STAMP = stamp("ocp/x")
Prices = list[Decimal | None]


def on_sale(*prices: str | Decimal | None) -> list[AvailableNumber]:
    """A, B, C ... at these prices."""
    return [
        AvailableNumber(number=f"+1212555{n:04d}", price=None if price is None else Decimal(price))
        for n, price in enumerate(prices, 1)
    ]


def chosen(wishes: Wishes, *prices: str | Decimal | None, **known: Any) -> Choice:
    return choose(wishes, own_stamp=STAMP, offers=on_sale(*prices), **known)


def numbers(offers: tuple[Offer, ...]) -> list[str]:
    return [offer.number for offer in offers]


class TestAQuantity:
    @pytest.mark.parametrize(
        ("prices", "expected"),
        [
            (("3", "1", "2"), [B, C, A]),
            (("2", "2", "1"), [C, A, B]),
            (("0.50", "0", None), [B, A, C]),
            ((None, "9", None), [B, A, C]),
        ],
        ids=["by price", "then by number", "free ones first", "unknown ones last"],
    )
    def test_the_cheapest_are_bought_and_the_next_ones_are_spares(
        self, prices: tuple[str | None, ...], expected: list[str]
    ) -> None:
        choice = choose(wish(2, allow_unknown_price=True), own_stamp=STAMP, offers=on_sale(*prices)[::-1])

        assert (numbers(choice.offers), numbers(choice.spares), choice.owned) == (expected[:2], expected[2:], ())

    @pytest.mark.parametrize(("quantity", "spares"), [(1, FEWEST_SPARES), (50, FEWEST_SPARES), (59, 11), (60, 12)])
    def test_there_are_ten_spares_or_one_for_five_numbers(self, quantity: int, spares: int) -> None:
        choice = chosen(wish(quantity), *["1"] * 100)

        assert (len(choice.offers), len(choice.spares)) == (quantity, spares)

    @pytest.mark.parametrize(("adopted", "bought"), [((), 3), ((D,), 2), ((B, C, D), 0), ((A, B, C, D), 0)])
    def test_what_carries_the_stamp_already_is_not_bought_again(self, adopted: tuple[str, ...], bought: int) -> None:
        assert len(chosen(wish(3), *["1"] * 9, adopted=adopted).offers) == bought

    def test_as_many_on_offer_as_wanted_are_enough(self) -> None:
        assert chosen(wish(2, max_unit_price=2), "1", "2", "3") == Choice(offers=(offer(A, 1), offer(B, 2)))

    @pytest.mark.parametrize(
        ("wishes", "adopted", "error", "message"),
        [
            (wish(4), (), NotEnoughNumbers, r"4 numbers are wanted in US/\+1212 from telnova, but only 3 are on offer"),
            (wish(4), (), NotEnoughNumbers, "on offer, 1 of them without a price. Nothing was bought"),
            (wish(3), (), NotEnoughNumbers, "only 3 are on offer, 1 of them without a price"),
            (
                wish(2, max_unit_price=1),
                (),
                OverBudget,
                r"only 0 of the 3 on offer.* cost at most 1 .*cheapest costs 2",
            ),
            (wish(3, max_unit_price=2), (D,), OverBudget, r"2 numbers are wanted .* only 1 of the 3 on offer"),
            (wish(3, max_unit_price=1, allow_unknown_price=True), (), OverBudget, r"only 1 of the 3 on offer"),
            (wish(4, max_unit_price=1, allow_unknown_price=True), (), NotEnoughNumbers, "only 3 are on offer"),
        ],
    )
    def test_too_few_stop_with_the_figures_and_say_whether_the_limit_is_the_reason(
        self, wishes: Wishes, adopted: tuple[str, ...], error: type[Stopped], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            chosen(wishes, "2", "3", None, adopted=adopted)

    @given(
        prices=st.lists(st.one_of(st.none(), st.decimals(0, 9, places=2)), max_size=30),
        quantity=st.integers(1, 12),
        unit=st.one_of(st.none(), st.decimals(0, 9, places=2)),
        total=st.one_of(st.none(), st.decimals(0, 40, places=2)),
        unknown=st.booleans(),
    )
    def test_a_choice_is_whole_the_cheapest_there_is_and_within_all_limits(
        self, prices: Prices, quantity: int, unit: Decimal | None, total: Decimal | None, unknown: bool
    ) -> None:
        wishes = wish(quantity, max_unit_price=unit, max_total_price=total, allow_unknown_price=unknown)
        try:
            choice = chosen(wishes, *prices)
        except (NotEnoughNumbers, OverBudget):
            return

        listed = [*choice.offers, *choice.spares]
        assert len(choice.offers) == quantity
        assert len({offer.number for offer in listed}) == len(listed)
        known = [offer.price for offer in listed if offer.price is not None]
        assert (
            known
            == sorted(price for price in prices if price is not None and (unit is None or price <= unit))[: len(known)]
        )
        assert unknown or len(known) == len(listed)
        if total is not None:
            assert sum(unit or 0 if offer.price is None else offer.price for offer in choice.offers) <= total


class TestTheSum:
    def test_all_of_it_may_be_spent_and_not_a_cent_more(self) -> None:
        assert numbers(chosen(wish(2, max_total_price="3.50"), "1.50", "2").offers) == [A, B]
        with pytest.raises(
            OverBudget, match=r"the cheapest 2 cost 3\.50 together, 0\.01 more than max_total_price 3\.49"
        ):
            chosen(wish(2, max_total_price="3.49"), "1.50", "2")

    def test_an_unknown_price_counts_as_the_most_that_one_may_cost(self) -> None:
        limits = {"max_unit_price": 3, "allow_unknown_price": True}

        assert len(chosen(wish(2, max_total_price=5, **limits), "2", None).offers) == 2
        with pytest.raises(OverBudget, match="cost 5 together, 1 more"):
            chosen(wish(2, max_total_price=4, **limits), "2", None)

    def test_unknown_prices_that_nothing_bounds_cannot_be_held_to_a_sum(self) -> None:
        with pytest.raises(OverBudget, match=r"1 have no price, so max_total_price 9 cannot be held"):
            chosen(wish(2, max_total_price=9, allow_unknown_price=True), "2", None)


class TestNumbers:
    def test_each_is_bought_unless_it_is_ours_or_carries_the_stamp(self) -> None:
        ours = {B: PhoneNumber(number=B, group_id=GROUP), D: PhoneNumber(number=D, group_id=GROUP)}

        choice = chosen(wish(numbers=[C, D, B, A]), "1", None, "3", in_inventory=ours, adopted=(D,))

        assert choice == Choice(offers=(offer(C, 3), offer(A, 1)), owned=(B,))

    def test_without_anything_known_all_are_bought(self) -> None:
        assert choose(wish(numbers=[B]), own_stamp=STAMP, offers=on_sale("1", "2")) == Choice(offers=(offer(B, 2),))

    @pytest.mark.parametrize(
        ("wishes", "known", "error", "message"),
        [
            ({"numbers": [A, D]}, {}, NotEnoughNumbers, rf"1 of 2 wanted numbers are not on offer .*: \{D}\. Nothing"),
            (
                {"numbers": [A, B], "max_unit_price": 1},
                {},
                OverBudget,
                rf"^\{B} \(2\): dearer than max_unit_price \(1\)",
            ),
            ({"numbers": [A, C]}, {}, OverBudget, rf"^\{C} \(no price\): .*max_unit_price \(no limit\)"),
            ({"numbers": [A, B], "max_total_price": 2}, {}, OverBudget, "the 2 wanted numbers cost 3 together, 1 more"),
            (
                {"numbers": [A, B]},
                {"in_inventory": {B: PhoneNumber(number=B, group_id="ocp-qa")}},
                NumberInUse,
                rf"^\{B} \(group ocp-qa\): ours already, but not in group retail-us",
            ),
            (
                {"numbers": [A, B]},
                {"adopted": (D, A, C)},
                OrderConflict,
                rf"shows \{C}, \{D} with the stamp \{STAMP} of this order",
            ),
        ],
    )
    def test_each_that_cannot_be_bought_is_named_with_the_reason(
        self, wishes: dict[str, Any], known: dict[str, Any], error: type[Stopped], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            chosen(wish(**wishes), "1", "2", None, **known)

    def test_at_the_limit_is_within_it(self) -> None:
        limits = {"max_unit_price": 2, "max_total_price": 3}

        assert numbers(chosen(wish(numbers=[A, B], **limits), "1", "2").offers) == [A, B]


def test_an_approved_list_is_ordered_as_it_stands() -> None:
    offers, spares = (offer(C, 3), offer(A, None)), (offer(B, 1),)

    assert choose(wish(offers=offers, spares=spares), own_stamp=STAMP) == Choice(offers=offers, spares=spares)


@pytest.mark.parametrize(
    ("wishes", "price", "expected"),
    [
        (wish(1), None, False),
        (wish(1, allow_unknown_price=True), None, True),
        (wish(1, allow_unknown_price=True, max_unit_price=1), "2", False),
        (wish(1, max_unit_price=2), "2", True),
        (wish(1), "999", True),
    ],
)
def test_a_price_that_is_not_stated_is_affordable_only_where_that_is_allowed(
    wishes: Wishes, price: str | None, expected: bool
) -> None:
    assert bool(affordable(wishes, on_sale(price))) is expected


class TestOpened:
    def test_the_document_says_what_is_wanted_by_whom_and_what_each_number_costs(self) -> None:
        wishes = wish(numbers=[A, B], note="front desk", max_total_price=9)
        asked_by = Requester(dag_id="d", user="ada")

        order = opened(
            wishes,
            Choice(offers=(offer(B, 2),), spares=(offer(C, 3),), owned=(A,)),
            order_id="ocp/x",
            environment="ocp",
            requested_by=asked_by,
            now=NOW,
        )

        assert (order.order_id, order.environment, order.wishes, order.wishes_digest) == (
            "ocp/x",
            "ocp",
            wishes,
            digest(wishes),
        )
        assert (order.stamp, order.note) == (STAMP, f"front desk {STAMP}")
        assert (order.requested_by, order.opened_at, order.budget) == (asked_by, NOW, Decimal(9))
        assert order.lines == (
            Line(number=A, price=None, state=State.OWNED, origin="already ours", settled_at=NOW),
            Line(number=B, price=Decimal(2)),
        )
        assert order.spares == (offer(C, 3),)
        assert (order.is_open, order.numbers, order.spent) == (True, (A,), Decimal(0))

    @pytest.mark.parametrize(
        ("kind", "limit", "prices", "ceiling", "approved"),
        [
            ("offers", None, (2, 3), 3, 5),
            ("offers", 9, (2, 3), 3, 5),
            ("offers", 9, (2, None), 2, None),
            ("offers", 9, (None,), 9, None),
            ("offers", None, (None,), None, None),
            ("quantity", None, (2, 3), 3, None),
            ("quantity", 9, (2, 3), 9, None),
            ("quantity", None, (None,), None, None),
        ],
    )
    def test_a_list_approves_its_own_prices_and_their_sum_a_quantity_its_limit(
        self,
        kind: str,
        limit: int | None,
        prices: tuple[int | None, ...],
        ceiling: int | None,
        approved: int | None,
    ) -> None:
        offers = tuple(offer(number, price) for number, price in zip((A, B), prices, strict=False))
        content = {"offers": offers} if kind == "offers" else {"quantity": len(prices)}

        order = opened_for(wish(**content, max_unit_price=limit, allow_unknown_price=True), Choice(offers=offers))

        assert (order.ceiling, order.approved) == (ceiling, approved)
