"""The decision, in tables: from an order and what is known to the one step that is allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocp_numbers.errors import Refused
from ocp_numbers.ordering import Line, Offer, Order, State, View, next_step
from ocp_numbers.ordering import transitions as to
from ocp_numbers.ordering.steps import Close, Desist, Drop, Look, Pause, Quote, Replace, Send
from ordering.examples import NOW, POLICY, SETTLE, A, B, C, D, E, at, offer, order, purchased, seen, states, view


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
        assert steps[-1] == Pause((A,)), "which names what is in doubt"

    def test_what_is_in_doubt_but_no_longer_needed_is_not_sent_again(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)
        adopted = to.observed(lost, seen(D), SETTLE)

        assert next_step(adopted, view(60, sought=A), at(60), POLICY) == Drop((A,))
        dropped = to.dropped(adopted, (A,), at(60))
        assert isinstance(next_step(dropped, view(60), at(60), POLICY), Close)

    def test_what_a_reported_purchase_makes_needless_is_not_sent_again(self) -> None:
        both = to.sent(order(1, 1), (A, B), NOW)
        reported = to.answered(both, (A, B), purchased(A), NOW)
        adopted = to.observed(reported, seen(D), SETTLE)

        assert next_step(adopted, view(60, sought=B), at(60), POLICY) == Drop((B,))

    def test_the_price_of_a_number_in_doubt_is_asked_for_before_it_is_sent_again(self) -> None:
        lost = to.unanswered(to.sent(order(1, 1), (A, B), NOW), (A, B), "lost", NOW)

        assert next_step(lost, view(60, sought=A + B, quoted=""), at(60), POLICY) == Quote((A, B))
        assert next_step(lost, view(60, sought=A + B, quoted=A), at(60), POLICY) == Quote((B,))


class TestReplacing:
    @staticmethod
    def with_refused(*prices: int, spare: str) -> Order:
        """A was refused, the others were bought; D is the spare."""
        spares = (offer(D, spare),)
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

    @pytest.mark.parametrize("spare", [offer(D, "3.01"), offer(D, None)], ids=["dearer than any approved", "no price"])
    def test_a_spare_that_nobody_approved_is_not_taken(self, spare: Offer) -> None:
        cheaper = to.quoted(order(3, 1, spares=(spare,)), (B,), {B: Decimal("0.50")}, NOW)
        refused = to.answered(to.sent(cheaper, (A, B), NOW), (A, B), purchased(B, failed=(A,)), NOW)

        step = next_step(to.observed(refused, seen(B), SETTLE), view(), NOW, POLICY)

        assert isinstance(step, Close), "not even where the approved sum would bear it"
        assert step.reason.startswith("1 of 2 numbers are missing and 1 cannot be replaced")

    def test_a_spare_counts_at_its_own_price(self) -> None:
        cheap = order(3, 2, spares=(offer(D, 2),))
        refused = to.answered(to.sent(cheap, (A, B), NOW), (A, B), purchased(A, failed=(B,)), NOW)

        assert next_step(refused, view(None), NOW, POLICY) == Replace((offer(D, 2),))

    def test_of_many_spares_as_many_are_taken_as_numbers_are_missing(self) -> None:
        spares = (offer(C, 1), offer(D, 1), offer(E, 1))
        refused = to.answered(to.sent(order(2, 2, spares=spares), (A, B), NOW), (A, B), purchased(failed=(A, B)), NOW)

        assert next_step(refused, view(None), NOW, POLICY) == Replace(spares[:2])

    def test_spares_that_exceed_the_approved_sum_together_are_not_taken(self) -> None:
        spares = (offer(C, 3), offer(D, 2))
        refused = to.answered(to.sent(order(3, 1, spares=spares), (A, B), NOW), (A, B), purchased(failed=(A, B)), NOW)

        step = next_step(refused, view(), NOW, POLICY)

        assert isinstance(step, Close)
        assert "2 of 2 numbers are missing and 2 cannot be replaced" in step.reason

    def test_a_gap_is_looked_into_before_the_order_is_closed(self) -> None:
        assert next_step(self.with_refused(2, 3, spare="3"), view(None), NOW, POLICY) == Look()


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

    def test_the_whole_budget_may_be_spent(self) -> None:
        assert next_step(order(2, 3, max_total_price=5), view(), NOW, POLICY) == Send((A, B))

    def test_adopted_numbers_of_unknown_price_block_a_budget_that_nothing_else_bounds(self) -> None:
        adopted = to.observed(order(2, 2, max_total_price=9), seen(D), SETTLE)

        step = next_step(adopted, view(), NOW, POLICY)

        assert isinstance(step, Close)
        assert "the price of 1 numbers is not known" in step.reason

    def test_adopted_numbers_of_unknown_price_count_as_the_most_that_one_may_cost(self) -> None:
        adopted = to.observed(order(2, 2, max_total_price=9, max_unit_price=4), seen(D), SETTLE)

        assert adopted.spent == 4
        assert next_step(adopted, view(), NOW, POLICY) == Send((A,))
