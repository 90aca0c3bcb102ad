"""The order's money and its account, for lines in every state."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from ocp_numbers.ordering import Line, Order, Receipt, State
from ocp_numbers.ordering.opening import Choice
from ordering.examples import NOW, A, B, C, D, E, offer, opened_for, order, with_lines
from ordering.shop import wish

F, G, H = (f"+1212555000{n}" for n in range(6, 9))
MARCH = datetime(2026, 3, 1, tzinfo=timezone.utc)
IN_FEBRUARY, IN_MARCH = datetime(2026, 2, 28, 23, 59, 59, tzinfo=timezone.utc), MARCH


def line(number: str, price: int | None, state: State, **fields: Any) -> Line:
    return Line.model_validate({"number": number, "price": price, "state": state, **fields})


def of_each_kind() -> Order:
    """Eight numbers are wanted; one line in each state and of each origin, at prices that tell them apart."""
    wanted = opened_for(wish(8, max_unit_price=9), Choice(spares=(offer(E, 5),)))
    return with_lines(
        wanted,
        line(A, 1, State.OWNED, sends=(NOW,)),
        line(B, 2, State.OWNED, sends=(NOW,), origin="spare", replaces=F),
        line(C, None, State.OWNED, origin="adopted", settled_at=NOW),
        line(D, None, State.OWNED, origin="already ours"),
        line(E, 40, State.UNKNOWN, sends=(NOW,), remark="the connection broke"),
        line(F, 80, State.REFUSED, sends=(NOW,), refusal="not sold", remark="not shown"),
        line(G, 160, State.PLANNED, remark="no funds"),
        line(H, 320, State.SENT, sends=(NOW,), reply="purchased"),
    )


class TestMoney:
    def test_what_is_ours_is_spent_what_is_in_doubt_committed_and_what_is_planned_reserved(self) -> None:
        order = of_each_kind()

        assert order.spent == 1 + 2 + 9, "a price that is not known counts as the most allowed"
        assert order.committed == order.spent + 40 + 320
        assert order.reserved == 160

    def test_a_closed_order_reserves_nothing(self) -> None:
        assert of_each_kind().model_copy(update={"outcome": "short"}).reserved == 0

    def test_planned_numbers_that_are_not_needed_any_more_reserve_nothing(self) -> None:
        adopted = line(C, 5, State.OWNED, origin="adopted")
        planned = (line(A, 1, State.PLANNED), line(B, 2, State.PLANNED))

        assert with_lines(order(1, 2), adopted, *planned).reserved == 1
        assert with_lines(order(1, 2), adopted, adopted, adopted, *planned).outstanding == ()

    @pytest.mark.parametrize(
        ("limit", "prices", "counted"), [(7, (2, None), 7), (None, (2, 4, None), 4), (None, (None,), 0)]
    )
    def test_an_unknown_price_counts_as_the_most_that_a_number_may_cost(
        self, limit: int | None, prices: tuple[int | None, ...], counted: int
    ) -> None:
        planned = order(*prices, max_unit_price=limit, allow_unknown_price=True)

        assert planned.cost(planned.lines) == counted + sum(price or 0 for price in prices)

    @pytest.mark.parametrize(
        ("lines", "reached"),
        [
            ([line(A, 1, State.PLANNED)], False),
            ([line(A, 1, State.REFUSED)], False),
            ([line(A, 1, State.OWNED, origin="already ours")], False),
            ([line(A, 1, State.REFUSED, sends=(NOW,))], True),
            ([line(A, 1, State.OWNED, origin="adopted")], True),
            ([line(A, 1, State.PLANNED), line(B, 1, State.UNKNOWN, sends=(NOW,))], True),
        ],
    )
    def test_an_order_is_untouched_until_something_of_it_may_have_reached_ocp(
        self, lines: list[Line], reached: bool
    ) -> None:
        assert with_lines(order(1), *lines).untouched is not reached

    @pytest.mark.parametrize(
        ("charged", "counts"),
        [
            ({"state": State.OWNED, "sends": (IN_MARCH,)}, True),
            ({"state": State.OWNED, "sends": (IN_FEBRUARY,), "settled_at": IN_MARCH}, False),
            ({"state": State.UNKNOWN, "sends": (IN_FEBRUARY, IN_MARCH)}, True),
            ({"state": State.SENT, "sends": (IN_FEBRUARY,)}, False),
            ({"state": State.OWNED, "origin": "adopted", "settled_at": IN_MARCH}, True),
            ({"state": State.OWNED, "origin": "adopted", "settled_at": IN_FEBRUARY}, False),
            ({"state": State.OWNED, "origin": "already ours", "settled_at": IN_MARCH}, False),
            ({"state": State.REFUSED, "sends": (IN_MARCH,), "settled_at": IN_MARCH}, False),
        ],
    )
    @pytest.mark.parametrize("opened_at", [IN_FEBRUARY, IN_MARCH])
    def test_a_month_is_charged_with_what_was_sent_or_adopted_in_it(
        self, charged: dict[str, Any], counts: bool, opened_at: datetime
    ) -> None:
        paid = Line.model_validate({"number": A, "price": 5, **charged})
        planned = line(B, 3, State.PLANNED)
        order = opened_for(wish(3), Choice(), now=opened_at)

        assert with_lines(order, paid, planned).committed_since(MARCH) == (5 if counts else 0) + 3


class TestReceipt:
    def test_each_number_stands_in_one_list_and_the_money_adds_up(self) -> None:
        receipt = Receipt.of(of_each_kind())

        assert receipt == Receipt(
            order_id="ocp/x",
            outcome="open",
            wanted=8,
            bought=(A, B),
            adopted=(C,),
            already_ours=(D,),
            refused=(F,),
            unknown=(E, H),
            spent=Decimal(12),
            unpriced=1,
            at_risk=Decimal(360),
            reason="no funds; the connection broke",
        )
        assert (receipt.numbers, receipt.missing) == ((A, B, C, D), 4)

    def test_a_closed_order_gives_its_own_reason(self) -> None:
        closed = of_each_kind().model_copy(update={"outcome": "short", "reason": "no spares are left"})

        assert (Receipt.of(closed).outcome, Receipt.of(closed).reason) == ("short", "no spares are left")

    def test_without_anything_to_remark_there_is_no_reason(self) -> None:
        assert Receipt.of(order(1)).reason is None
        sent = line(A, 1, State.SENT, sends=(NOW,), remark="asked twice")
        assert Receipt.of(with_lines(order(1), sent)).reason == "asked twice"

    def test_more_than_wanted_leaves_nothing_missing(self) -> None:
        assert Receipt(order_id="ocp/x", outcome="complete", wanted=1, bought=(A,), adopted=(B,)).missing == 0

    @pytest.mark.parametrize(
        ("order", "sentence"),
        [
            (
                of_each_kind(),
                "Order ocp/x: 2 bought, 1 adopted, 1 already ours, 1 refused, 2 unknown of 8 wanted; spent 12 (the "
                "price of 1 is not known), up to 360 more if the unknown ones are ours.",
            ),
            (order(1), "Order ocp/x: nothing bought of 1 wanted; spent 0."),
            (with_lines(order(7), line(A, 7, State.OWNED)), "Order ocp/x: 1 bought of 1 wanted; spent 7."),
        ],
    )
    def test_it_is_a_sentence_for_people(self, order: Order, sentence: str) -> None:
        assert str(Receipt.of(order)) == sentence
