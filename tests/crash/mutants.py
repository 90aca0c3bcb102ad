"""Programs broken on purpose: each takes away one rule that keeps money safe, and must not survive the prover."""

from __future__ import annotations

from collections.abc import Collection

from ocp_numbers.client import retry
from ocp_numbers.client.operations import Effect
from ocp_numbers.errors import ApiError, NoAnswer
from ocp_numbers.ordering import attempt, steps
from ocp_numbers.ordering.attempt import Attempt
from ocp_numbers.ordering.order import Line, Order, State
from ocp_numbers.ordering.steps import Drop, Step


def order_saved_after_the_call() -> None:
    """What is about to be sent is not saved; only the answer is."""
    saved = Attempt._saved

    def late(self: Attempt, before: Order, after: Order) -> Order:
        about_to_send = any(line.state is State.SENT and line.reply is None for line in after.lines)
        return after if about_to_send else saved(self, before, after)

    attempt.Attempt._saved = late  # type: ignore[method-assign]


def paid_calls_are_repeated() -> None:
    """The client repeats a purchase like a look, whenever the failure may pass."""

    def may_repeat(effect: Effect, error: ApiError | NoAnswer) -> bool:
        return error.transient

    retry.may_repeat = may_repeat


def new_numbers_while_unknown() -> None:
    """A number in doubt is given up at once, and another one takes its place."""

    def give_up(order: Order, doubtful: Collection[Line], *how: object) -> Step:
        return Drop(tuple(line.number for line in doubtful))

    steps._find_out = give_up  # type: ignore[assignment]
