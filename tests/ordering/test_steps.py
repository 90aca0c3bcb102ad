"""The decision, in tables: from an order and what is known to the one step that is allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from ocp_numbers.errors import Refused
from ocp_numbers.models import PhoneNumber, Purchase
from ocp_numbers.ordering import Line, Offer, Order, Policy, Requester, State, View, next_step, stamp
from ocp_numbers.ordering import transitions as to
from ocp_numbers.ordering.opening import Choice, opened
from ocp_numbers.ordering.steps import Close, Desist, Drop, Look, Pause, Quote, Replace, Send
from ocp_numbers.ordering.transitions import Seen
from ordering.shop import GROUP, wish

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc)
SETTLE = timedelta(seconds=60)
POLICY = Policy(settle=SETTLE, batch_size=2)
A, B, C, D = (f"+1212555000{n}" for n in range(1, 5))


def order(*prices: int, spares: tuple[Offer, ...] = (), **fields: Any) -> Order:
    """An approved order for numbers A, B, C ... at these prices."""
    offers = tuple(Offer(number=number, price=Decimal(price)) for number, price in zip((A, B, C), prices, strict=False))
    wishes = wish(offers=offers, spares=spares, **fields)
    choice = Choice(offers=offers, spares=spares)
    return opened(wishes, choice, order_id="ocp/x", environment="ocp", requested_by=Requester(), now=NOW)


def view(seconds: float | None = 0, *, sought: str = "", quoted: str = A + B + C + D) -> View:
    """A run that began at NOW and looked so many seconds later; None for: not since it sent something."""
    numbers = (A, B, C, D)
    return View(
        started=NOW,
        looked_at=None if seconds is None else NOW + timedelta(seconds=seconds),
        surveyed=True,
        sought=frozenset(number for number in numbers if number in sought),
        quoted=frozenset(number for number in numbers if number in quoted),
    )


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def purchased(*numbers: str, failed: tuple[str, ...] = ()) -> Purchase:
    return Purchase.model_validate(
        {"purchasedNumbers": [{"number": number} for number in numbers], "failedNumbers": failed}
    )


def seen(*numbers: str, seconds: float = 0, sought: str = "", note: str | None = None, group: str = GROUP) -> Seen:
    rows = {number: PhoneNumber(number=number, group_id=group, note=note) for number in numbers}
    stamped = rows if note is None else {}
    found = {} if note is None else rows
    return Seen(at=at(seconds), stamped=stamped, sought=frozenset(n for n in (A, B, C, D) if n in sought), found=found)


def states(order: Order) -> dict[str, State]:
    return {line.number: line.state for line in order.lines}


class TestNextStep:
    def test_a_run_begins_by_looking(self) -> None:
        assert next_step(order(1), View(started=NOW), NOW, POLICY) == Look()

    def test_prices_are_asked_for_again_before_anything_is_sent(self) -> None:
        assert next_step(order(1, 1), view(quoted=A), NOW, POLICY) == Quote((B,))

    def test_planned_numbers_are_sent_in_batches(self) -> None:
        assert next_step(order(1, 1, 1), view(), NOW, POLICY) == Send((A, B))

    def test_after_a_whole_answer_the_next_batch_is_sent_and_one_look_confirms_all(self) -> None:
        first = to.answered(to.sent(order(1, 1, 1), (A, B), NOW), (A, B), purchased(A, B), NOW)
        assert next_step(first, view(None), NOW, POLICY) == Send((C,))
        second = to.answered(to.sent(first, (C,), NOW), (C,), purchased(C), NOW)
        assert next_step(second, view(None), NOW, POLICY) == Look()
        shown = to.observed(second, seen(A, B, C), SETTLE)
        assert isinstance(next_step(shown, view(), NOW, POLICY), Close)

    def test_while_a_number_is_in_doubt_no_other_is_sent(self) -> None:
        lost = to.unanswered(to.sent(order(1, 1, 1), (A, B), NOW), (A, B), "lost", NOW)

        for seconds in range(200):
            step = next_step(lost, view(seconds, sought=A + B), at(seconds), POLICY)
            assert isinstance(step, Look) or step == Send((A, B))

    @pytest.mark.parametrize(
        ("looked", "now", "sought", "step"),
        [
            (None, 0, "", Look()),
            (0, 0, "", Look(pause=timedelta(seconds=1))),
            (8, 8, "", Look(pause=timedelta(seconds=4))),
            (50, 50, "", Look(pause=timedelta(seconds=10))),
            (57, 57, "", Look(pause=timedelta(seconds=3))),
            (60, 60, "", Look(numbers=(A,))),
            (59, 60, A, Look(numbers=(A,))),
            (60, 60, A, Send((A,))),
        ],
    )
    def test_a_number_in_doubt_gets_the_time_to_show_before_it_is_sent_again(
        self, looked: float | None, now: float, sought: str, step: object
    ) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)

        assert next_step(lost, view(looked, sought=sought), at(now), POLICY) == step

    def test_one_run_sends_the_same_number_only_so_often(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)
        again = to.unanswered(to.sent(lost, (A,), NOW), (A,), "lost", NOW)

        assert next_step(again, view(60, sought=A), at(60), POLICY) == Pause((A,))
        later = View(started=at(60), looked_at=at(60), surveyed=True, sought=frozenset({A}), quoted=frozenset({A}))
        assert next_step(again, later, at(60), POLICY) == Send((A,))

    def test_what_ocp_refused_as_a_whole_is_not_sent_again_in_the_same_run(self) -> None:
        refusal = Refused(operation="numbers.buy", call="PUT /api/numbers", status=200, message="no")
        lost = to.unanswered(to.sent(order(1, 1, 1), (A, B), NOW), (A, B), "no", NOW)
        shown = to.observed(lost, seen(A), SETTLE)
        knowing = replace(view(60, sought=A + B), refusals={A: refusal, B: refusal})

        assert next_step(shown, replace(knowing, looked_at=at(59)), at(60), POLICY) == Look(numbers=(B,))
        assert next_step(shown, knowing, at(60), POLICY) == Desist((B,), refusal)
        declined = to.declined(shown, (B,), at(60))
        assert states(declined) == {A: State.OWNED, B: State.PLANNED, C: State.PLANNED}
        assert not declined.untouched
        assert next_step(declined, view(60), at(60), POLICY) == Send((B, C)), "what another run does"

    def test_a_reported_purchase_is_never_sent_again(self) -> None:
        reported = to.answered(to.sent(order(1), (A,), NOW), (A,), purchased(A), NOW)

        steps = [next_step(reported, view(n, sought=A), at(n), POLICY) for n in range(100)]

        assert {type(step) for step in steps} == {Look, Pause}

    def test_what_is_in_doubt_but_no_longer_needed_is_not_sent_again(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)
        adopted = to.observed(lost, seen(D), SETTLE)

        assert next_step(adopted, view(60, sought=A), at(60), POLICY) == Drop((A,))
        dropped = to.dropped(adopted, (A,), at(60))
        assert isinstance(next_step(dropped, view(60), at(60), POLICY), Close)


class TestReplacing:
    @staticmethod
    def with_refused(*prices: int, spare: str) -> Order:
        """A was refused, the others were bought; D is the spare."""
        spares = (Offer(number=D, price=Decimal(spare)),)
        numbers = (A, B)[: len(prices)]
        answer = purchased(*numbers[1:], failed=(A,))
        return to.answered(to.sent(order(*prices, spares=spares), numbers, NOW), numbers, answer, NOW)

    def test_a_refused_number_is_replaced_by_the_next_spare(self) -> None:
        refused = self.with_refused(2, 2, spare="2")

        assert next_step(refused, view(None), NOW, POLICY) == Replace((Offer(number=D, price=Decimal(2)),))

    def test_a_spare_that_would_exceed_the_approved_sum_is_not_taken(self) -> None:
        shown = to.observed(self.with_refused(2, 3, spare="3"), seen(B), SETTLE)

        step = next_step(shown, view(), NOW, POLICY)

        assert isinstance(step, Close)
        assert step.outcome == "short"
        assert f"refused {A} (not sold)" in step.reason

    @pytest.mark.parametrize(
        "spare",
        [Offer(number=D, price=Decimal("3.01")), Offer(number=D, price=None)],
        ids=["dearer than approved", "no price"],
    )
    def test_a_spare_that_nobody_approved_is_not_taken(self, spare: Offer) -> None:
        refused = to.answered(to.sent(order(3, spares=(spare,)), (A,), NOW), (A,), purchased(failed=(A,)), NOW)

        assert isinstance(next_step(refused, view(), NOW, POLICY), Close)

    def test_a_gap_is_looked_into_before_the_order_is_closed(self) -> None:
        assert next_step(self.with_refused(2, 3, spare="3"), view(None), NOW, POLICY) == Look()

    def test_replacing_names_whose_place_is_taken(self) -> None:
        refused = to.answered(to.sent(order(2), (A,), NOW), (A,), purchased(failed=(A,)), NOW)

        line = to.replaced(refused, (Offer(number=D, price=Decimal(2)),), NOW).lines[-1]

        assert (line.number, line.origin, line.replaces, line.state) == (D, "spare", A, State.PLANNED)


class TestBudget:
    def test_numbers_in_doubt_count_as_bought(self) -> None:
        lost = to.unanswered(to.sent(order(2, 3), (A,), NOW), (A,), "lost", NOW)

        assert (lost.spent, lost.committed, lost.reserved) == (Decimal(0), Decimal(2), Decimal(3))

    def test_nothing_is_sent_that_could_break_the_budget(self) -> None:
        held = order(2, 3, max_total_price=5)
        risen = held.model_copy(update={"lines": (held.lines[0], Line(number=B, price=Decimal(4)))})

        step = next_step(risen, view(), NOW, POLICY)

        assert isinstance(step, Close)
        assert (step.outcome, "exceed the budget of 5" in step.reason) == ("over budget", True)

    def test_adopted_numbers_of_unknown_price_block_a_budget_that_nothing_else_bounds(self) -> None:
        adopted = to.observed(order(2, 2, max_total_price=9), seen(D), SETTLE)

        step = next_step(adopted, view(), NOW, POLICY)

        assert isinstance(step, Close)
        assert "the price of 1 numbers is not known" in step.reason

    def test_adopted_numbers_of_unknown_price_count_as_the_most_that_one_may_cost(self) -> None:
        adopted = to.observed(order(2, 2, max_total_price=9, max_unit_price=4), seen(D), SETTLE)

        assert adopted.spent == 4
        assert next_step(adopted, view(), NOW, POLICY) == Send((A,))


class TestObserved:
    def test_what_carries_the_stamp_is_ours_whatever_was_known(self) -> None:
        refused = to.answered(to.sent(order(1, 1, 1), (A,), NOW), (A,), purchased(failed=(A,)), NOW)

        changed = to.observed(refused, seen(A, B, D), SETTLE)

        assert states(changed) == {A: State.OWNED, B: State.OWNED, C: State.PLANNED, D: State.OWNED}
        assert changed.lines[-1].origin == "adopted"

    @pytest.mark.parametrize(
        ("note", "group", "state"),
        [
            ("reception", GROUP, State.OWNED),
            ("", GROUP, State.OWNED),
            ("[order 0123456789ab]", GROUP, State.REFUSED),
            ("reception", "ocp-qa", State.REFUSED),
            (stamp("ocp/x"), "ocp-qa", State.OWNED),
        ],
    )
    def test_a_number_without_our_stamp_is_ours_only_in_our_group_and_nobody_elses(
        self, note: str, group: str, state: State
    ) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)

        changed = to.observed(lost, seen(A, seconds=60, sought=A, note=note, group=group), SETTLE)

        assert states(changed) == {A: state}

    def test_a_reported_purchase_is_ours_wherever_it_went(self) -> None:
        reported = to.answered(to.sent(order(1), (A,), NOW), (A,), purchased(A), NOW)

        changed = to.observed(reported, seen(A, sought=A, note="[order 0123456789ab]", group="ocp-qa"), SETTLE)

        assert states(changed) == {A: State.OWNED}

    @pytest.mark.parametrize(("seconds", "state"), [(59, State.UNKNOWN), (60, State.REFUSED)])
    def test_a_failure_after_a_call_in_doubt_is_a_refusal_only_once_our_purchase_would_show(
        self, seconds: float, state: State
    ) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), at(-100)), (A,), "lost", at(-90))
        failed = to.answered(to.sent(lost, (A,), NOW), (A,), purchased(failed=(A,)), NOW)

        assert states(to.observed(failed, seen(seconds=seconds, sought=A), SETTLE)) == {A: state}

    def test_an_absent_number_stays_in_doubt(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)

        assert states(to.observed(lost, seen(seconds=999, sought=A), SETTLE)) == {A: State.UNKNOWN}


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (purchased(A, B), {A: State.SENT, B: State.SENT}),
            (purchased(A, failed=(B,)), {A: State.SENT, B: State.REFUSED}),
            (purchased(A), {A: State.SENT, B: State.UNKNOWN}),
            (purchased(), {A: State.UNKNOWN, B: State.UNKNOWN}),
            (purchased(A, B, failed=(B,)), {A: State.SENT, B: State.UNKNOWN}),
            (purchased(A, B, D), {A: State.SENT, B: State.SENT}),
        ],
        ids=["all", "one failed", "one left out", "empty", "both at once", "one nobody asked for"],
    )
    def test_an_answer_counts_for_what_it_says_and_no_more(self, answer: Purchase, expected: dict[str, State]) -> None:
        assert states(to.answered(to.sent(order(1, 1), (A, B), NOW), (A, B), answer, NOW)) == expected

    def test_a_call_without_effect_leaves_no_trace(self) -> None:
        before = order(1, 1)

        after = to.unsent(to.sent(before, (A,), NOW), (A,), "429", NOW)

        assert after.lines == before.lines
        assert after.untouched

    def test_a_call_without_effect_does_not_settle_an_earlier_doubt(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)

        assert states(to.unsent(to.sent(lost, (A,), NOW), (A,), "429", NOW)) == {A: State.UNKNOWN}

    def test_a_run_that_ended_in_the_middle_of_a_call_leaves_doubt(self) -> None:
        found = to.recovered(to.sent(order(1, 1), (A,), NOW), at(500))

        assert states(found) == {A: State.UNKNOWN, B: State.PLANNED}
        assert isinstance(next_step(found, view(500, sought=A), at(500), POLICY), Look)

    def test_times_from_another_machines_future_do_not_make_it_wait(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), at(9000)), (A,), "lost", at(9000))

        found = to.recovered(lost, NOW)

        assert next_step(found, view(60, sought=A), at(60), POLICY) == Send((A,))


class TestQuoted:
    @pytest.mark.parametrize(
        ("prices", "state"),
        [
            ({A: Decimal(2)}, State.PLANNED),
            ({A: Decimal(1)}, State.PLANNED),
            ({A: Decimal(3)}, State.REFUSED),
            ({}, State.REFUSED),
            ({A: None}, State.REFUSED),
        ],
        ids=["same", "cheaper", "dearer", "gone", "no price any more"],
    )
    def test_only_what_costs_at_most_what_was_approved_is_sent(
        self, prices: dict[str, Decimal | None], state: State
    ) -> None:
        assert states(to.quoted(order(2), (A,), prices, NOW)) == {A: state}

    def test_a_lower_price_is_what_is_spent(self) -> None:
        assert to.quoted(order(2), (A,), {A: Decimal(1)}, NOW).reserved == 1

    def test_a_number_in_doubt_that_is_not_on_offer_may_be_ours(self) -> None:
        lost = to.unanswered(to.sent(order(2), (A,), NOW), (A,), "lost", NOW)

        assert states(to.quoted(lost, (A,), {}, NOW)) == {A: State.UNKNOWN}

    def test_history_is_bounded(self) -> None:
        long = order(1)
        for second in range(500):
            long = to.noted(long, at(second), f"event {second}")

        assert len(long.history) == to.LONGEST_HISTORY
        assert long.history[-1].what == "event 499"
