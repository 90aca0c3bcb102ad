"""Programs broken on purpose: each takes away one rule that keeps money or numbers safe, and must not survive."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from ocp_numbers.bulk import applying
from ocp_numbers.cleanup import marking, marks, releasing, selection
from ocp_numbers.cleanup.releasing import Releasing
from ocp_numbers.client import retry
from ocp_numbers.client.operations import Effect
from ocp_numbers.errors import ApiError, NoAnswer
from ocp_numbers.journal import Entry, Journal
from ocp_numbers.models import NumberSet, PhoneNumber
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


def protection_is_ignored() -> None:
    """Neither a pattern of the policy nor the word keep holds a cleanup back."""
    selection._guard = lambda *number: None


def nothing_is_read_again() -> None:
    """What was approved is given up, however it looks by now."""
    releasing.unfit = lambda *number: None
    Releasing._astray = lambda self, row: None  # type: ignore[method-assign]


def strangers_are_given_up() -> None:
    """Whatever lies in the set goes with it."""
    give_up, unfit = Releasing._give_up, Releasing._unfit

    def give_up_all(self: Releasing, target: NumberSet, expected: Collection[str]) -> list[PhoneNumber]:
        return give_up(self, target, self._placing.members(target.id).keys())

    def unfit_of_ours(self: Releasing, number: str, row: PhoneNumber | None) -> str | None:
        return unfit(self, number, row) if number in self._lines else None

    Releasing._give_up = give_up_all  # type: ignore[method-assign]
    Releasing._unfit = unfit_of_ours  # type: ignore[method-assign]


def a_mark_is_made_anew() -> None:
    """Whoever comes to a number writes the day's date into its mark."""

    def with_mark(note: str | None, day: date) -> str:
        return marks.with_mark(marks.without_mark(note), day)

    marking.with_mark = with_mark  # type: ignore[attr-defined]


def journal_written_after_the_change() -> None:
    """What is about to be done is not put on record; what was done is."""
    intend, confirm = Journal.intend, Journal.confirm
    put_off: list[Any] = []

    def later(self: Journal, *what: Any, **more: Any) -> Entry:
        put_off.append((what, more))
        return Entry(entry=1, at=self._now(), by=self.by, operation=what[0])

    def now(self: Journal, *intents: Entry, **how: Any) -> None:
        what, more = put_off.pop()
        confirm(self, intend(self, *what, **more), **how)

    Journal.intend = later  # type: ignore[method-assign]
    Journal.confirm = now  # type: ignore[method-assign]


def no_way_back() -> None:
    """A bulk change leaves the restore file for later."""
    applying._write_restore = lambda root, plan: None


def edits_are_overwritten() -> None:
    """A bulk change does not ask whether a number is still as it was planned."""
    applying.astray = lambda change, seen: None  # type: ignore[attr-defined]
