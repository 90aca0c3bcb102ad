"""What one run and one month may take, counted from the documents of all orders."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from ocp_numbers.errors import OverBudget
from ocp_numbers.ordering import Caps, Order, OrderBook, Requester
from ocp_numbers.ordering import transitions as to
from ocp_numbers.ordering.caps import check_caps
from ocp_numbers.ordering.opening import Choice
from ordering.examples import NOW, SETTLE, A, B, C, offer, opened_for, purchased, seen
from ordering.platform_model import MortalRoot, Plan
from ordering.shop import wish

RUN = Requester(dag_id="d", run_id="r", task_id="t")
BEGIN_OF_MARCH = datetime(2026, 3, 1, tzinfo=timezone.utc)


@pytest.fixture
def book() -> OrderBook:
    return OrderBook(MortalRoot({}, Plan()), "ocp")


def order(name: str = "new", *, prices: tuple[str, ...] = ("2", "3"), by: Requester = RUN, **fields: Any) -> Order:
    """An order of two numbers for 5 in all, unless told otherwise, of which nothing was sent."""
    choice = Choice(offers=tuple(offer(number, price) for number, price in zip((A, B, C), prices, strict=False)))
    return opened_for(wish(len(prices)), choice, order_id=f"ocp/{name}", requested_by=by, **fields)


def bought(order: Order, *numbers: str, when: datetime = NOW) -> Order:
    """``order`` once ``numbers`` were bought and are shown."""
    answered = to.answered(to.sent(order, numbers, when), numbers, purchased(*numbers), when)
    return to.observed(answered, seen(*numbers), SETTLE)


def enter(book: OrderBook, *orders: Order, when: datetime = NOW) -> None:
    for each in orders:
        book.write(each)
        book.register(each, when)


@pytest.mark.parametrize("caps", [Caps(), Caps(max_per_run=99), Caps(max_total_per_month=Decimal(99))])
def test_whoever_is_let_through_is_counted_from_now_on(book: OrderBook, caps: Caps) -> None:
    book.write(order())

    check_caps(book, order(), caps, NOW)

    assert list(book.registered(NOW)) == [order()]


class TestOfARun:
    @pytest.mark.parametrize(
        ("beside", "already"),
        [
            pytest.param(order("first"), 2, id="an open order with all it is for"),
            pytest.param(bought(order("first"), A), 2, id="an open order also where it has some"),
            pytest.param(to.closed(bought(order("first"), A), "short", "no more", NOW), 1, id="a closed one as bought"),
            pytest.param(order("first", by=RUN.model_copy(update={"task_id": "u"})), 2, id="another task of the run"),
            pytest.param(order("first", by=RUN.model_copy(update={"run_id": "s"})), 0, id="another run"),
            pytest.param(order("first", by=RUN.model_copy(update={"dag_id": "e"})), 0, id="another dag's run"),
        ],
    )
    def test_numbers_of_all_its_orders_may_reach_the_cap_and_not_exceed_it(
        self, book: OrderBook, beside: Order, already: int
    ) -> None:
        enter(book, beside, order())

        check_caps(book, order(), Caps(max_per_run=2 + already), NOW)
        with pytest.raises(OverBudget, match=rf"is for 2 numbers.*max_per_run is {1 + already}\."):
            check_caps(book, order(), Caps(max_per_run=1 + already), NOW)

    def test_orders_without_a_run_have_none_in_common(self, book: OrderBook) -> None:
        enter(book, order("first", by=Requester()))

        check_caps(book, order(by=Requester()), Caps(max_per_run=2), NOW)
        with pytest.raises(OverBudget, match=r"is for 2 numbers; max_per_run is 1\."):
            check_caps(book, order(by=Requester()), Caps(max_per_run=1), NOW)

    def test_the_figures_of_the_others_are_told(self, book: OrderBook) -> None:
        enter(book, order("first"), order("second", prices=("1",)))

        with pytest.raises(OverBudget, match="2 numbers and 2 other orders of this run hold 3; max_per_run is 4"):
            check_caps(book, order(), Caps(max_per_run=4), NOW)


class TestOfAMonth:
    @pytest.mark.parametrize(
        ("others", "already"),
        [
            pytest.param((), "0", id="alone"),
            pytest.param((order("first", by=Requester()),), "5", id="reserved by anybody"),
            pytest.param((bought(order("first"), A), order("second", prices=("1.25",))), "6.25", id="both kinds"),
            pytest.param((to.closed(bought(order("first"), A), "short", "no more", NOW),), "2", id="closed"),
            pytest.param(
                (to.closed(bought(order("first"), A, when=BEGIN_OF_MARCH), "short", "no more", NOW),),
                "2",
                id="from its first instant",
            ),
            pytest.param(
                (
                    to.closed(
                        bought(order("first"), A, when=BEGIN_OF_MARCH - timedelta(microseconds=1)),
                        "short",
                        "no more",
                        NOW,
                    ),
                ),
                "0",
                id="and not before",
            ),
        ],
    )
    @pytest.mark.parametrize("now", [NOW, NOW.replace(day=31, hour=23, minute=59, second=59, microsecond=999999)])
    def test_money_of_all_orders_may_reach_the_cap_and_not_exceed_it(
        self, book: OrderBook, others: tuple[Order, ...], already: str, now: datetime
    ) -> None:
        enter(book, *others, order())
        cap = Decimal(5) + Decimal(already)

        check_caps(book, order(), Caps(max_total_per_month=cap), now)
        with pytest.raises(OverBudget, match=rf"may cost 5, and {already} of March 2026 .*so 0\.01 too much"):
            check_caps(book, order(), Caps(max_total_per_month=cap - Decimal("0.01")), now)

    def test_what_the_order_itself_spent_in_an_earlier_month_is_not_charged_again(self, book: OrderBook) -> None:
        half = bought(order(), A, when=BEGIN_OF_MARCH - timedelta(days=2))

        check_caps(book, half, Caps(max_total_per_month=Decimal(3)), NOW)

    def test_what_is_only_listed_in_another_month_is_not_counted(self, book: OrderBook) -> None:
        enter(book, order("first"), when=NOW - timedelta(days=31))

        check_caps(book, order(), Caps(max_total_per_month=Decimal(5)), NOW)


def test_each_cap_holds_where_the_other_is_kept(book: OrderBook) -> None:
    with pytest.raises(OverBudget, match="max_per_run"):
        check_caps(book, order(), Caps(max_per_run=1, max_total_per_month=Decimal(99)), NOW)
    with pytest.raises(OverBudget, match="max_total_per_month"):
        check_caps(book, order(), Caps(max_per_run=99, max_total_per_month=Decimal(4)), NOW)
