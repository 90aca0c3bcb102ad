"""What each event makes of an order, as literals: before and after."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ocp_numbers.models import Purchase
from ocp_numbers.ordering import Line, State, View, next_step, stamp
from ocp_numbers.ordering import transitions as to
from ocp_numbers.ordering.opening import Choice
from ocp_numbers.ordering.steps import Look, Send
from ordering.examples import (
    NOW,
    POLICY,
    SETTLE,
    A,
    B,
    C,
    D,
    E,
    at,
    offer,
    opened_for,
    order,
    purchased,
    seen,
    states,
    view,
    with_lines,
)
from ordering.shop import GROUP, wish


def line(number: str, state: State = State.PLANNED, **fields: Any) -> Line:
    return Line.model_validate({"number": number, "price": 1, "state": state, **fields})


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

    def test_what_was_refused_and_shows_nevertheless_is_ours_without_a_refusal(self) -> None:
        refused = line(A, State.REFUSED, refusal="too dear", remark="costs 9 now", settled_at=NOW, sends=(NOW,))

        changed = to.observed(with_lines(order(1), refused), seen(A, seconds=5), SETTLE)

        assert changed.lines == (line(A, State.OWNED, settled_at=at(5), sends=(NOW,)),)

    def test_what_is_ours_stays_as_it_was_when_it_is_seen_again(self) -> None:
        owned = line(A, State.OWNED, settled_at=NOW, remark="ours, but its note lost the stamp")
        before = with_lines(order(1), owned)

        assert to.observed(before, seen(A, seconds=99), SETTLE) == before

    def test_how_many_more_are_ours_is_noted(self) -> None:
        both = to.sent(order(1, 1, 1), (A, B, C), NOW)
        first = to.observed(both, seen(A), SETTLE)

        assert first.history[-1].what == "seen as ours: 1 more"
        assert to.observed(first, seen(A, B, C, seconds=5), SETTLE).history[-1].what == "seen as ours: 2 more"

    @pytest.mark.parametrize("state", [State.PLANNED, State.REFUSED])
    def test_what_is_not_in_doubt_is_not_judged_without_the_stamp(self, state: State) -> None:
        before = with_lines(order(1), line(A, state))

        assert to.observed(before, seen(A, sought=A, note="reception"), SETTLE) == before

    def test_what_was_not_looked_for_by_number_is_not_judged_without_the_stamp(self) -> None:
        failed = line(A, State.UNKNOWN, reply="failed", heard_at=NOW, doubted=True)
        before = with_lines(order(1), failed)

        assert to.observed(before, seen(seconds=999, sought=B), SETTLE) == before

    def test_somebody_elses_number_is_named_with_its_owner(self) -> None:
        lost = to.unanswered(to.sent(order(1, 1), (A, B), NOW), (A, B), "lost", NOW)
        theirs, elsewhere = "[order 0123456789ab]", "ocp-qa"

        stamped = to.observed(lost, seen(A, seconds=60, sought=A, note=theirs), SETTLE).lines[0]
        moved = to.observed(lost, seen(B, seconds=60, sought=B, note="", group=elsewhere), SETTLE).lines[1]

        assert (stamped.refusal, stamped.remark) == ("someone else's", f"belongs to {theirs}")
        assert (moved.refusal, moved.remark) == ("someone else's", "in group ocp-qa without a stamp")
        assert stamped.settled_at == moved.settled_at == at(60)

    def test_ours_without_the_stamp_or_in_another_group_is_remarked_upon(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)

        plain = to.observed(lost, seen(A, sought=A, note="reception"), SETTLE).lines[0]
        moved = to.observed(lost, seen(A, sought=A, note=lost.stamp, group="ocp-qa"), SETTLE).lines[0]

        assert plain.remark == "ours, but its note lost the stamp"
        assert moved.remark == "ours, but in group ocp-qa"

    def test_an_adopted_spare_has_its_price_and_is_a_spare_no_more(self) -> None:
        before = order(2, spares=(offer(C, 3), offer(D, 4)))

        changed = to.observed(before, seen(D, E, seconds=5), SETTLE)

        assert changed.spares == (offer(C, 3),)
        assert [(line.number, line.price, line.origin, line.settled_at) for line in changed.lines[1:]] == [
            (D, Decimal(4), "adopted", at(5)),
            (E, None, "adopted", at(5)),
        ]


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

    def test_after_an_answer_each_number_says_what_was_heard_and_when(self) -> None:
        asked = to.sent(order(1, 1, 1), (A, B, C), NOW)

        bought, refused, silent = to.answered(asked, (A, B, C), purchased(A, failed=(B,)), at(2)).lines

        assert (bought.reply, bought.heard_at, bought.settled_at, bought.doubted) == ("purchased", at(2), None, False)
        assert (refused.reply, refused.refusal, refused.settled_at) == ("failed", "not sold", at(2))
        assert (silent.reply, silent.heard_at, silent.doubted) == (None, at(2), True)

    def test_a_lost_answer_leaves_its_reason_and_its_time(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "the connection broke", at(3))

        assert lost.lines == (
            line(A, State.UNKNOWN, sends=(NOW,), doubted=True, heard_at=at(3), remark="the connection broke"),
        )
        assert lost.history[-1].what == "outcome unknown: the connection broke"

    def test_what_was_heard_of_an_earlier_call_is_forgotten_when_the_number_is_sent_again(self) -> None:
        failed = line(A, State.UNKNOWN, reply="failed", remark="lost", heard_at=NOW, doubted=True, sends=(NOW,))

        again = to.sent(with_lines(order(1), failed), (A,), at(60))

        assert again.lines == (line(A, State.SENT, heard_at=NOW, doubted=True, sends=(NOW, at(60))),)
        assert states(to.recovered(again, at(70))) == {A: State.UNKNOWN}
        assert to.unanswered(again, (A,), "lost", at(70)).lines[0].reply is None

    def test_only_the_call_without_effect_is_left_out(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)

        after = to.unsent(to.sent(lost, (A,), at(60)), (A,), "429", at(61))

        assert after.lines[0].sends == (NOW,)
        assert after.history[-1].what == "no effect: 429"


class TestRecovered:
    """What a run finds that begins where an earlier one ended."""

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (
                line(A, State.SENT, sends=(NOW,)),
                line(A, State.UNKNOWN, sends=(NOW,), doubted=True, heard_at=at(500)),
            ),
            (
                line(A, State.SENT, sends=(NOW,), reply="purchased", heard_at=at(1)),
                line(A, State.SENT, sends=(NOW,), reply="purchased", heard_at=at(1)),
            ),
            (
                line(A, State.UNKNOWN, sends=(NOW,), reply="failed", doubted=True, heard_at=at(1)),
                line(A, State.UNKNOWN, sends=(NOW,), reply="failed", doubted=True, heard_at=at(1)),
            ),
            (
                line(A, State.UNKNOWN, sends=(NOW,), doubted=True, heard_at=at(1), remark="lost"),
                line(A, State.UNKNOWN, sends=(NOW,), doubted=True, heard_at=at(1), remark="lost"),
            ),
        ],
        ids=["in the middle of a call", "reported", "failed after a doubt", "in doubt"],
    )
    def test_only_what_was_being_sent_becomes_doubtful(self, found: Line, expected: Line) -> None:
        assert to.recovered(with_lines(order(1), found), at(500)).lines == (expected,)

    def test_a_run_that_ended_in_the_middle_of_a_call_leaves_doubt(self) -> None:
        found = to.recovered(to.sent(order(1, 1), (A,), NOW), at(500))

        assert states(found) == {A: State.UNKNOWN, B: State.PLANNED}
        assert isinstance(next_step(found, view(500, sought=A), at(500), POLICY), Look)

    def test_times_from_another_machines_future_do_not_make_it_wait(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), at(9000)), (A,), "lost", at(9000))

        found = to.recovered(lost, NOW)

        assert (found.lines[0].sends, found.lines[0].heard_at) == ((NOW,), NOW)
        later = View(started=at(30), looked_at=at(60), surveyed=True, sought=frozenset({A}), quoted=frozenset({A}))
        assert next_step(found, later, at(60), POLICY) == Send((A,))


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

    def test_what_is_not_sent_says_why_and_since_when(self) -> None:
        def remark(prices: dict[str, Decimal | None]) -> tuple[str | None, str | None]:
            refused = to.quoted(order(2), (A,), prices, at(7)).lines[0]
            assert refused.settled_at == at(7)
            return refused.refusal, refused.remark

        assert remark({A: Decimal(3)}) == ("too dear", "costs 3 now, approved is 2")
        assert remark({A: None}) == ("too dear", "its price is not stated any more")
        assert remark({}) == ("not on offer", None)

    @pytest.mark.parametrize(
        ("approved", "limit", "quoted", "state"),
        [
            pytest.param("2", "9", "3", State.REFUSED, id="its own price"),
            pytest.param(None, "9", "2", State.PLANNED, id="no price: the highest approved"),
            pytest.param(None, "9", "2.01", State.REFUSED, id="no price: above the highest approved"),
        ],
    )
    def test_an_approved_list_holds_each_number_to_its_own_price(
        self, approved: str | None, limit: str, quoted: str, state: State
    ) -> None:
        listed = order(approved, 2, max_unit_price=limit, allow_unknown_price=True)

        assert states(to.quoted(listed, (A,), {A: Decimal(quoted)}, NOW))[A] is state

    @pytest.mark.parametrize(
        ("limit", "quoted", "state"),
        [
            ("9", "9", State.PLANNED),
            ("9", "9.01", State.REFUSED),
            (None, "2", State.PLANNED),
            (None, "2.01", State.REFUSED),
        ],
    )
    def test_a_quantity_is_held_to_the_limit_or_without_one_to_the_price_seen(
        self, limit: str | None, quoted: str, state: State
    ) -> None:
        choice = Choice(offers=(offer(A, 2), offer(B, 8)))
        before = opened_for(wish(2, max_unit_price=limit), choice)

        changed = to.quoted(before, (A,), {A: Decimal(quoted)}, NOW)

        assert states(changed)[A] is state
        if state is State.PLANNED:
            assert changed.lines[0].price == Decimal(quoted)

    def test_a_number_in_doubt_keeps_the_price_that_it_was_sent_at(self) -> None:
        lost = to.unanswered(
            to.sent(opened_for(wish(1, max_unit_price=9), Choice(offers=(offer(A, 2),))), (A,), NOW), (A,), "lost", NOW
        )

        assert to.quoted(lost, (A,), {A: Decimal(1)}, NOW) == lost, "it may have been charged then"
        assert states(to.quoted(lost, (A,), {A: Decimal(3)}, NOW)) == {A: State.REFUSED}

    def test_a_price_that_is_not_stated_any_more_is_the_one_seen_before_where_that_is_allowed(self) -> None:
        before = order(2, allow_unknown_price=True)

        assert to.quoted(before, (A,), {A: None}, NOW) == before

    def test_a_lower_price_is_what_is_spent(self) -> None:
        assert to.quoted(order(2), (A,), {A: Decimal(1)}, NOW).reserved == 1

    def test_a_number_in_doubt_that_is_not_on_offer_may_be_ours(self) -> None:
        lost = to.unanswered(to.sent(order(2), (A,), NOW), (A,), "lost", NOW)

        assert states(to.quoted(lost, (A,), {}, NOW)) == {A: State.UNKNOWN}


class TestReplaced:
    def test_spares_take_the_places_of_refused_numbers_in_sequence_at_their_own_prices(self) -> None:
        before = with_lines(
            order(5, 5, 5, spares=(offer(D, 2), offer(E, 3))),
            line(A, State.REFUSED),
            line(B, State.OWNED),
            line(C, State.REFUSED),
        )

        first = to.replaced(before, (offer(D, 2),), NOW)
        second = to.replaced(first, (offer(E, 3),), NOW)

        assert first.spares == (offer(E, 3),)
        assert second.lines == (
            *before.lines,
            Line(number=D, price=Decimal(2), origin="spare", replaces=A),
            Line(number=E, price=Decimal(3), origin="spare", replaces=C),
        )
        assert second.spares == ()
        assert [event.what for event in second.history] == [f"replacing {A} by {D}", f"replacing {C} by {E}"]


class TestTheEnd:
    def test_what_is_given_up_says_so(self) -> None:
        lost = to.unanswered(to.sent(order(1), (A,), NOW), (A,), "lost", NOW)

        dropped = to.dropped(lost, (A,), at(9)).lines[0]

        assert (dropped.state, dropped.refusal, dropped.remark) == (
            State.REFUSED,
            "not needed",
            "not shown as ours in time",
        )
        assert dropped.settled_at == at(9)

    def test_history_is_bounded(self) -> None:
        long = order(1)
        for second in range(500):
            long = to.noted(long, at(second), f"event {second}")

        assert len(long.history) == to.LONGEST_HISTORY
        assert long.history[-1].what == "event 499"
