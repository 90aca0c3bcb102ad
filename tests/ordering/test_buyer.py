from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocp_numbers.errors import (
    ApiError,
    Forbidden,
    Interrupted,
    NotEnoughNumbers,
    NumberInUse,
    OrderConflict,
    OrderCorrupt,
    OrderHeld,
    OutcomeUnknown,
    OverBudget,
    Refused,
    ServerFault,
    TooManyRequests,
)
from ocp_numbers.ordering import Buyer, Caps, Claim, Receipt, Requester, Reservations, State, problem
from ordering.shop import COUNTRY, ENVIRONMENT, GROUP, PROVIDER, SETTLE, Shop, wish

TRIAL = f"{ENVIRONMENT}/trial"


def refuse_after(shop: Shop, carried_out: int) -> None:
    """The next purchase is refused although as many of its numbers are bought."""
    buy = shop.client.numbers.buy

    def refusing(*, numbers: Sequence[str], **how: Any) -> None:
        shop.client.numbers.buy = buy  # type: ignore[method-assign]
        buy(numbers=numbers[:carried_out], **how)
        raise Refused(operation="numbers.buy", call="PUT /api/numbers", status=200, message="half done")

    shop.client.numbers.buy = refusing  # type: ignore[assignment, method-assign]


def in_the_last_moment(shop: Shop) -> bool:
    """Whether the purchase is about to be sent."""
    order = shop.book.read(TRIAL)
    return order is not None and bool(order.in_doubt)


class TestFulfil:
    def test_buys_the_cheapest_and_says_so(self, shop: Shop) -> None:
        expected = [offer.number for offer in shop.offers(5)]

        receipt = shop.order(wish(5, note="front desk", max_total_price=100))

        assert (receipt.outcome, sorted(receipt.bought)) == ("complete", sorted(expected))
        assert shop.agrees_with(receipt)
        assert problem(receipt) is None
        assert {entry["note"] for entry in shop.bought()} == {f"front desk {shop.document().stamp}"}

    def test_what_a_waiting_plan_counts_on_is_left_to_it(self, shop: Shop) -> None:
        first, second, *others = [offer.number for offer in shop.offers(5)]
        claim = Claim(owner="set north of group us", plan="digest", numbers=(first, second))
        reservations = Reservations(shop.book.data_root, ENVIRONMENT)
        reservations.reserve(lambda _: (None, claim), owner=claim.owner, run="run", since=reservations.now())

        receipt = shop.order(wish(3))

        assert sorted(receipt.bought) == sorted(others)

    def test_a_second_run_buys_nothing_and_gives_the_same_account(self, shop: Shop) -> None:
        first = shop.order()
        shop.sandbox.clear_calls()

        assert shop.order() == first
        assert shop.sandbox.calls() == []

    def test_buys_exactly_the_approved_offers(self, shop: Shop) -> None:
        offers = shop.offers(4, start=3)

        receipt = shop.order(wish(offers=offers))

        assert set(receipt.bought) == {offer.number for offer in offers}
        assert shop.agrees_with(receipt)

    def test_an_empty_list_of_offers_buys_nothing_and_leaves_nothing(self, shop: Shop) -> None:
        receipt = shop.order(wish(offers=()))

        assert (receipt.outcome, receipt.numbers, receipt.spent) == ("complete", (), Decimal(0))
        assert shop.sandbox.calls() == []
        assert shop.book.read(TRIAL) is None

    def test_numbers_that_are_ours_already_are_not_bought_again(self, shop: Shop) -> None:
        numbers = [offer.number for offer in shop.offers(4)]
        shop.order(wish(numbers=numbers[:1]), order_id=f"{ENVIRONMENT}/earlier")

        receipt = shop.order(wish(numbers=numbers))

        assert (receipt.already_ours, set(receipt.bought)) == (tuple(numbers[:1]), set(numbers[1:]))
        assert shop.agrees_with(receipt)

    def test_calls_grow_with_batches(self, shop: Shop) -> None:
        shop.order(wish(20), batch_size=8)

        assert shop.purchases_sent() == 3

    def test_a_buyer_needs_no_more_than_a_client_and_a_book(self, shop: Shop) -> None:
        receipt = Buyer(shop.client, shop.book).fulfil(wish(1), order_id=TRIAL)

        assert (receipt.outcome, shop.agrees_with(receipt)) == ("complete", True)
        assert shop.document().opened_at.utcoffset() == timedelta(0)
        assert shop.document().requested_by == Requester()

    def test_more_numbers_than_one_answer_of_the_search_shows(self, shop: Shop) -> None:
        receipt = shop.order(wish(150, prefix=""))

        assert len(receipt.bought) == 150
        assert shop.agrees_with(receipt)


class TestLostAnswers:
    """Whatever becomes of the answer, the numbers are bought once, and the account is exact."""

    @pytest.mark.parametrize(
        ("kind", "when"),
        [
            ("drop_before", {}),
            ("drop_after", {}),
            ("broken_json", {}),
            ("truncated", {}),
            ("html", {}),
            ("unauthorized", {}),
            ("status", {"status": 500}),
            ("status", {"status": 503}),
            ("status", {"status": 408}),
            ("status_after", {"status": 500}),
            ("status_after", {"status": 504}),
        ],
    )
    @pytest.mark.parametrize("call", [1, 2])
    @pytest.mark.parametrize("hidden", [0, 20])
    def test_one_run_settles_it(self, shop: Shop, kind: str, when: dict[str, Any], call: int, hidden: float) -> None:
        object.__setattr__(shop.sandbox.settings, "visibility_delay", hidden)
        shop.fault(kind, nth=call, **when)

        receipt = shop.order(batch_size=3)

        assert (receipt.outcome, len(receipt.bought)) == ("complete", 5)
        assert shop.agrees_with(receipt)
        assert len(shop.bought()) == 5

    def test_an_answer_lost_each_time_is_settled_by_looking(self, shop: Shop) -> None:
        shop.fault("drop_after", every=1)

        receipt = shop.order()

        assert (receipt.outcome, shop.purchases_sent()) == ("complete", 1)
        assert shop.agrees_with(receipt)

    def test_calls_that_never_arrive_end_red_with_an_exact_account_and_a_later_run_completes(self, shop: Shop) -> None:
        shop.fault("drop_before", every=1)

        receipt = shop.order()

        assert (receipt.outcome, receipt.bought, len(receipt.unknown)) == ("open", (), 5)
        assert isinstance(problem(receipt), OutcomeUnknown)
        assert "the connection broke" in str(problem(receipt))
        assert shop.bought() == []
        shop.sandbox.faults.clear()
        assert shop.order().outcome == "complete"
        assert len(shop.bought()) == 5

    def test_our_own_hidden_purchase_in_the_way_of_its_repetition_is_no_refusal(self, shop: Shop) -> None:
        # Hidden when the same numbers are sent again, which then fail: because they are ours.
        object.__setattr__(shop.sandbox.settings, "visibility_delay", SETTLE.total_seconds() + 30)
        shop.fault("drop_after")

        receipt = shop.order()

        assert shop.purchases_sent() == 2
        assert (receipt.outcome, receipt.refused, len(shop.bought())) == ("complete", (), 5)
        assert shop.agrees_with(receipt)

    def test_a_reported_purchase_that_does_not_show_is_unknown_until_it_does(self, shop: Shop) -> None:
        object.__setattr__(shop.sandbox.settings, "visibility_delay", 500)

        receipt = shop.order()

        assert (len(receipt.unknown), receipt.at_risk, receipt.spent) == (5, shop.spent(), Decimal(0))
        shop.clock.advance(500)
        settled = shop.order()
        assert settled.outcome == "complete"
        assert shop.agrees_with(settled)
        assert shop.purchases_sent() == 1

    @pytest.mark.parametrize(
        ("when", "error"),
        [
            ({"kind": "status", "status": 429}, TooManyRequests),
            ({"kind": "status", "status": 403}, Forbidden),
        ],
    )
    def test_a_refused_call_is_raised_and_a_later_run_goes_on(
        self, shop: Shop, when: dict[str, Any], error: type[ApiError]
    ) -> None:
        shop.fault(nth=2, **when)

        with pytest.raises(error):
            shop.order(batch_size=3)

        assert len(shop.document().lines_in(State.PLANNED)) == 2
        receipt = shop.order(batch_size=3)
        assert (receipt.outcome, len(shop.bought())) == ("complete", 5)

    @pytest.mark.parametrize("call", [1, 2])
    @pytest.mark.parametrize("hidden", [0, 20])
    def test_a_refusal_is_raised_in_ocps_words_once_reading_back_shows_nothing(
        self, shop: Shop, call: int, hidden: float
    ) -> None:
        object.__setattr__(shop.sandbox.settings, "visibility_delay", hidden)
        shop.fault("refuse", nth=call, message="The provider's account is empty")

        with pytest.raises(Refused, match="The provider's account is empty"):
            shop.order(batch_size=3)

        earlier = 3 * (call - 1)
        account = shop.buyer().account(TRIAL)
        assert account is not None
        assert (account.outcome, len(account.bought), account.unknown, account.at_risk) == (
            "open",
            earlier,
            (),
            Decimal(0),
        )
        assert "The provider's account is empty" in str(account.reason)
        assert shop.agrees_with(account)
        assert shop.purchases_sent() == call, "what was refused is not sent again in the same run"
        asked = [line.number for line in shop.document().lines]
        receipt = shop.order(batch_size=3)
        assert (receipt.outcome, sorted(receipt.bought)) == ("complete", sorted(asked)), "the same numbers, no others"
        assert shop.agrees_with(receipt)

    @pytest.mark.parametrize("hidden", [0, 20])
    @pytest.mark.parametrize("carried_out", [1, 2, 3])
    def test_a_refusal_carried_out_in_part_is_found_out(self, shop: Shop, carried_out: int, hidden: float) -> None:
        object.__setattr__(shop.sandbox.settings, "visibility_delay", hidden)
        refuse_after(shop, carried_out)

        if carried_out == 3:  # a refusal of what is nevertheless done has no consequence
            assert shop.order(wish(3)).outcome == "complete"
        else:
            with pytest.raises(Refused, match="half done"):
                shop.order(wish(3))

        account = shop.buyer().account(TRIAL)
        assert account is not None
        assert (len(account.bought), account.unknown) == (carried_out, ())
        assert shop.agrees_with(account)
        receipt = shop.order(wish(3))
        assert (receipt.outcome, len(shop.bought())) == ("complete", 3)
        assert shop.agrees_with(receipt)

    def test_a_refusal_that_shows_too_late_to_be_a_lie_costs_nothing(self, shop: Shop) -> None:
        object.__setattr__(shop.sandbox.settings, "visibility_delay", 2 * SETTLE.total_seconds())
        refuse_after(shop, 3)
        with pytest.raises(Refused):
            shop.order(wish(3))

        receipt = shop.order(wish(3))

        assert (receipt.outcome, len(shop.bought())) == ("complete", 3)
        assert shop.agrees_with(receipt)

    def test_reading_back_that_fails_leaves_the_order_to_the_next_run(self, shop: Shop) -> None:
        shop.fault("status", call=("POST", "/api/numbers/search"), nth=2, times=50)

        with pytest.raises(ServerFault):
            shop.order()

        shop.sandbox.faults.clear()
        receipt = shop.order()
        assert shop.agrees_with(receipt)
        assert shop.purchases_sent() == 1

    def test_a_note_changed_before_the_answer_was_found_out_does_not_hide_the_number(self, shop: Shop) -> None:
        shop.fault("drop_after")

        def edit() -> None:
            for entry in shop.bought():
                shop.sandbox.edit.change_number(entry["number"], note="reception, do not touch")

        receipt = shop.buyer(between=edit).fulfil(wish(2), order_id=TRIAL)

        assert (len(receipt.bought), len(shop.bought())) == (2, 2)


class TestCompetition:
    def test_a_number_sold_meanwhile_is_replaced_from_the_spares(self, shop: Shop) -> None:
        offers, spares = shop.offers(3), shop.offers(3, start=3)
        shop.sandbox.edit.remove_offer(offers[1].number)
        for spare in spares:
            shop.sandbox.edit.add_offer(spare.number, PROVIDER, COUNTRY, offers[1].price or "0")

        receipt = shop.order(
            wish(offers=offers, spares=[{**spare.model_dump(), "price": offers[1].price} for spare in spares])
        )

        assert (receipt.outcome, receipt.refused) == ("complete", (offers[1].number,))
        assert set(receipt.bought) == {offers[0].number, offers[2].number, spares[0].number}
        assert shop.agrees_with(receipt)

    def test_a_number_bought_by_somebody_else_in_the_last_moment_is_replaced(self, shop: Shop) -> None:
        loser = shop.offers(1)[0].number

        def snatch() -> None:
            if in_the_last_moment(shop) and not shop.bought():
                shop.client.numbers.buy(provider=PROVIDER, numbers=[loser], group="ocp-qa", note="mine")

        receipt = shop.buyer(between=snatch).fulfil(wish(3), order_id=TRIAL)

        assert (receipt.outcome, receipt.refused, len(receipt.bought)) == ("complete", (loser,), 3)
        assert shop.agrees_with(receipt)

    def test_without_spares_the_order_is_closed_short_and_says_what_is_missing(self, shop: Shop) -> None:
        offers = shop.offers(3)

        def snatch() -> None:
            if in_the_last_moment(shop) and not shop.bought():
                shop.client.numbers.buy(provider=PROVIDER, numbers=[offers[1].number], group="ocp-qa", note="mine")

        receipt = shop.buyer(between=snatch).fulfil(wish(offers=offers), order_id=TRIAL)

        assert (receipt.outcome, receipt.missing, len(receipt.bought)) == ("short", 1, 2)
        assert isinstance(problem(receipt), NotEnoughNumbers)
        assert offers[1].number in str(problem(receipt))
        assert shop.agrees_with(receipt)
        assert shop.order(wish(offers=offers)) == receipt

    def test_another_orders_purchase_is_not_taken_for_ours(self, shop: Shop) -> None:
        number = shop.offers(1)[0].number
        shop.fault("drop_before")

        def snatch() -> None:
            # Between our lost call and its repetition another order gets the number.
            sent = any(line.sends for line in shop.document().lines) if shop.book.read(TRIAL) else False
            if sent and not shop.bought() and shop.purchases_sent() == 1:
                shop.client.numbers.buy(provider=PROVIDER, numbers=[number], group=GROUP, note="[order 0123456789ab]")

        receipt = shop.buyer(between=snatch).fulfil(wish(1), order_id=TRIAL)

        assert receipt.refused == (number,)
        assert (receipt.outcome, len(receipt.bought)) == ("complete", 1)
        assert shop.agrees_with(receipt)

    def test_nothing_is_chosen_anew_while_a_number_is_unknown(self, shop: Shop) -> None:
        shop.fault("drop_before", every=1)

        shop.order()

        asked = {line.number for line in shop.document().lines if line.sends}
        assert asked == {line.number for line in shop.document().lines_in(State.UNKNOWN)}
        assert len(asked) == 5


class TestLostDataRoot:
    @pytest.mark.parametrize("hidden", [0, 50])
    @pytest.mark.parametrize("kind", ["quantity", "offers", "numbers"])
    def test_what_carries_the_stamp_is_adopted_not_bought_again(self, shop: Shop, hidden: float, kind: str) -> None:
        object.__setattr__(shop.sandbox.settings, "visibility_delay", hidden)
        offers = shop.offers(5)
        wishes = {
            "quantity": wish(5),
            "offers": wish(offers=offers),
            "numbers": wish(numbers=[offer.number for offer in offers]),
        }[kind]
        killed_after(shop, purchases=1, wishes=wishes, batch_size=3)
        shop.lose_data_root()

        receipt = shop.order(wishes)

        assert (receipt.outcome, len(receipt.numbers), receipt.already_ours) == ("complete", 5, ())
        assert len(shop.bought()) == 5

    def test_an_order_complete_before_the_loss_stays_so(self, shop: Shop) -> None:
        first = shop.order()
        shop.lose_data_root()
        for offer in shop.sandbox.stock(PROVIDER, COUNTRY):
            shop.sandbox.edit.remove_offer(offer["number"])

        receipt = shop.order()

        assert (receipt.outcome, set(receipt.adopted)) == ("complete", set(first.bought))
        assert len(shop.bought()) == 5

    def test_losing_it_in_the_middle_of_a_run_ends_the_run_and_the_next_one_completes(self, shop: Shop) -> None:
        def lose() -> None:
            if shop.bought() and shop.book.read(TRIAL):
                shop.lose_data_root()

        with pytest.raises(OrderHeld, match="lease"):
            shop.buyer(between=lose, batch_size=2).fulfil(wish(), order_id=TRIAL)

        receipt = shop.order()
        assert (receipt.outcome, len(shop.bought())) == ("complete", 5)


def killed_after(shop: Shop, *, purchases: int, **order: Any) -> None:
    """A run that dies right after that many purchases took effect, before it can write anything down."""

    class Killed(BaseException):
        pass

    client, sent = shop.client.numbers, []
    original = client.buy

    def buy(**call: Any) -> Any:
        answer = original(**call)
        sent.append(call)
        if len(sent) == purchases:
            raise Killed
        return answer

    client.buy = buy  # type: ignore[method-assign]
    try:
        with pytest.raises(Killed):
            shop.order(**order)
    finally:
        del client.buy


class TestKilled:
    @pytest.mark.parametrize("purchases", [1, 2])
    @pytest.mark.parametrize("hidden", [0, 20])
    def test_what_was_sent_is_found_and_the_rest_bought(self, shop: Shop, purchases: int, hidden: float) -> None:
        object.__setattr__(shop.sandbox.settings, "visibility_delay", hidden)
        killed_after(shop, purchases=purchases, batch_size=3)

        receipt = shop.order(batch_size=3)

        assert (receipt.outcome, len(receipt.bought), shop.purchases_sent()) == ("complete", 5, 2)
        assert shop.agrees_with(receipt)

    def test_a_request_to_end_ends_between_two_calls(self, shop: Shop) -> None:
        def end() -> None:
            if shop.purchases_sent() == 1:
                raise Interrupted("asked to end")

        with pytest.raises(Interrupted):
            shop.buyer(between=end, batch_size=2).fulfil(wish(), order_id=TRIAL)

        assert len(shop.bought()) == 2
        assert shop.document().is_open
        assert shop.order().outcome == "complete"
        assert len(shop.bought()) == 5


class TestBudget:
    def test_a_price_limit_below_the_cheapest_offer_stops_before_anything(self, shop: Shop) -> None:
        cheapest = shop.offers(1)[0].price
        assert cheapest is not None

        with pytest.raises(OverBudget, match=rf"the cheapest costs {cheapest:f}"):
            shop.order(wish(max_unit_price=cheapest - Decimal("0.01")))

        self.nothing_happened(shop)

    def test_a_total_above_the_budget_stops_with_the_figures(self, shop: Shop) -> None:
        total = sum(offer.price or 0 for offer in shop.offers(5))

        with pytest.raises(OverBudget, match=rf"cost {total:f} together, 0.01 more than max_total_price"):
            shop.order(wish(max_total_price=total - Decimal("0.01")))

        self.nothing_happened(shop)

    def test_fewer_on_offer_than_wanted_stops_with_the_figures(self, shop: Shop) -> None:
        with pytest.raises(
            NotEnoughNumbers, match=r"900 numbers are wanted in US/\+1212 from telnova, but only \d+ are"
        ):
            shop.order(wish(900))

        self.nothing_happened(shop)

    def test_a_price_that_rose_since_the_approval_is_not_paid(self, shop: Shop) -> None:
        offers = shop.offers(3)
        shop.sandbox.edit.add_offer(offers[0].number, PROVIDER, COUNTRY, (offers[0].price or Decimal(0)) + 1)

        with pytest.raises(OverBudget, match=rf"\{offers[0].number} \(too dear: costs .* now, approved is"):
            shop.order(wish(offers=offers))

        self.nothing_happened(shop)

    def test_a_price_that_rose_between_two_runs_is_not_paid(self, shop: Shop) -> None:
        shop.fault("status", nth=2, status=429)
        with pytest.raises(TooManyRequests):
            shop.order(batch_size=4)
        last = shop.document().lines_in(State.PLANNED)[0]
        shop.sandbox.edit.add_offer(last.number, PROVIDER, COUNTRY, "1000")

        receipt = shop.order(batch_size=4)

        assert last.number in receipt.refused
        assert last.number not in {entry["number"] for entry in shop.bought()}
        assert shop.agrees_with(receipt)

    def test_an_unknown_price_refuses_unless_allowed(self, shop: Shop) -> None:
        number = "+12125559999"
        shop.sandbox.edit.add_offer(number, PROVIDER, COUNTRY, "3", priced=False)

        with pytest.raises(OverBudget, match="no price"):
            shop.order(wish(numbers=[number]))
        self.nothing_happened(shop)

        receipt = shop.order(wish(numbers=[number], allow_unknown_price=True, max_unit_price=7))
        assert (receipt.bought, receipt.spent) == ((number,), Decimal(7))

    def test_a_wanted_number_in_another_group_stops(self, shop: Shop) -> None:
        number = shop.offers(1)[0].number
        shop.client.numbers.buy(provider=PROVIDER, numbers=[number], group="ocp-qa")

        with pytest.raises(NumberInUse, match=rf"\{number} \(group ocp-qa\)"):
            shop.order(wish(numbers=[number]))

    @staticmethod
    def nothing_happened(shop: Shop) -> None:
        assert shop.purchases_sent() == 0
        assert shop.book.read(TRIAL) is None


class TestCaps:
    def test_the_months_cap_counts_all_orders_of_the_environment(self, shop: Shop) -> None:
        spent = shop.order(order_id=f"{ENVIRONMENT}/first").spent
        shop.clock.advance(3600)

        with pytest.raises(OverBudget, match=rf"{spent:f} of March 2026 are spent or reserved"):
            shop.order(caps=Caps(max_total_per_month=spent + 1))

        assert shop.book.read(TRIAL) is None
        assert len(shop.bought()) == 5

    def test_the_next_month_begins_anew(self, shop: Shop) -> None:
        spent = shop.order(order_id=f"{ENVIRONMENT}/first").spent
        shop.clock.advance(timedelta(days=30).total_seconds())

        assert shop.order(caps=Caps(max_total_per_month=spent * 2)).outcome == "complete"

    def test_an_order_that_was_withdrawn_counts_no_more(self, shop: Shop) -> None:
        spent = sum((offer.price or Decimal(0) for offer in shop.offers(5)), Decimal(0))
        with pytest.raises(OverBudget):
            shop.order(order_id=f"{ENVIRONMENT}/first", caps=Caps(max_total_per_month=spent - 1))

        assert shop.order(caps=Caps(max_total_per_month=spent)).outcome == "complete"

    def test_an_open_order_counts_with_all_that_it_may_still_spend(self, shop: Shop) -> None:
        shop.fault("status", nth=2, status=429)
        with pytest.raises(TooManyRequests):
            shop.order(order_id=f"{ENVIRONMENT}/first", batch_size=2)
        open_order = shop.document(f"{ENVIRONMENT}/first")

        with pytest.raises(OverBudget, match=rf"{open_order.committed + open_order.reserved:f} of March 2026"):
            shop.order(wish(1), caps=Caps(max_total_per_month=open_order.committed + open_order.reserved))

    def test_a_corrupt_order_stops_a_cap_from_being_counted(self, shop: Shop) -> None:
        shop.order(order_id=f"{ENVIRONMENT}/first")
        shop.book.data_root.write(shop.book.key(f"{ENVIRONMENT}/first"), b"{}")

        with pytest.raises(OrderCorrupt, match="first"):
            shop.order(caps=Caps(max_per_run=50))

        assert len(shop.bought()) == 5

    def test_the_runs_cap_counts_all_orders_of_the_run(self, shop: Shop) -> None:
        run = Requester(dag_id="d", run_id="r", task_id="t")
        shop.order(wish(3), order_id=f"{ENVIRONMENT}/first", requested_by=run)

        with pytest.raises(OverBudget, match="hold 3; max_per_run is 7"):
            shop.order(wish(5), requested_by=run, caps=Caps(max_per_run=7))

        other = run.model_copy(update={"run_id": "s"})
        assert shop.order(wish(5), requested_by=other, caps=Caps(max_per_run=7)).outcome == "complete"


class TestTheDocument:
    def test_other_wishes_under_the_same_key_are_refused_with_both_shown(self, shop: Shop) -> None:
        shop.order(wish(2))

        with pytest.raises(OrderConflict, match="opened for quantity 2; wanted now: quantity 3"):
            shop.order(wish(3))

        assert len(shop.bought()) == 2

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"digest": "0"}', b"\xff\xfe"])
    def test_a_corrupt_document_stops_the_order(self, shop: Shop, content: bytes) -> None:
        shop.book.data_root.write(shop.book.key(TRIAL), content)

        with pytest.raises(OrderCorrupt, match="Nothing was sent"):
            shop.order()

        assert shop.purchases_sent() == 0

    def test_a_document_changed_by_hand_stops_the_order(self, shop: Shop) -> None:
        shop.order(wish(2))
        key = shop.book.key(TRIAL)
        content = shop.book.data_root.read(key) or b""
        shop.book.data_root.write(key, content.replace(b'"quantity": 2', b'"quantity": 9'))

        with pytest.raises(OrderCorrupt, match="does not match its digest"):
            shop.order(wish(9))

    def test_a_document_of_another_environment_stops_the_order(self, shop: Shop) -> None:
        shop.order(wish(2))
        foreign = shop.document().model_copy(update={"environment": "ocp_test"})
        shop.book.write(foreign)

        with pytest.raises(OrderCorrupt, match="environment ocp_test"):
            shop.order(wish(2))

    def test_it_says_who_asked_and_what_became_of_each_number(self, shop: Shop) -> None:
        run = Requester(dag_id="d", run_id="r", task_id="t", user="ada")

        shop.order(wish(2), requested_by=run)

        document = shop.document()
        assert document.requested_by == run
        assert [(line.state, line.reply, len(line.sends)) for line in document.lines] == [
            (State.OWNED, "purchased", 1)
        ] * 2
        assert document.history[0].what == "opened for 2 numbers"
        assert document.closed_at == shop.clock.now
        assert b'"spent"' not in (shop.book.data_root.read(shop.book.key(TRIAL)) or b"")

    def test_no_lease_is_left_behind_by_a_closed_order(self, shop: Shop) -> None:
        shop.order(wish(2))

        assert [key for key in shop.book.data_root.keys("") if "lease" in key] == []


class TestTheAccount:
    def test_it_is_the_receipt_of_the_run_and_none_where_there_was_none(self, shop: Shop) -> None:
        assert shop.buyer().account(TRIAL) is None
        receipt = shop.order(wish(2))

        assert shop.buyer().account(TRIAL) == receipt

    @pytest.mark.parametrize(
        ("outcome", "account", "error", "message"),
        [
            ("short", {"bought": ("+12125550001",)}, NotEnoughNumbers, "1 missing: no spares are left"),
            ("over budget", {}, OverBudget, "2 missing: no spares are left"),
            ("open", {"unknown": ("+12125550001",)}, OutcomeUnknown, r"In doubt: \+12125550001 \(no spares are left\)"),
        ],
    )
    def test_what_is_wrong_with_it_is_said_with_the_figures(
        self, outcome: Any, account: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        receipt = Receipt(order_id=TRIAL, outcome=outcome, wanted=2, reason="no spares are left", **account)

        with pytest.raises(error, match=message):
            raise problem(receipt) or AssertionError

    def test_numbers_in_doubt_are_named_for_programs_as_well(self) -> None:
        receipt = Receipt(order_id=TRIAL, outcome="open", wanted=2, unknown=("+12125550001", "+12125550002"))

        found = problem(receipt)

        assert isinstance(found, OutcomeUnknown)
        assert found.numbers == receipt.unknown
        assert "In doubt: +12125550001, +12125550002. OCP does not show them yet" in str(found)
