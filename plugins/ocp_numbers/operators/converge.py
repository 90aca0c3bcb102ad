"""From what is to what is wanted: look, change only what is missing, look again.

A reply does not decide, and neither does a missing one: what OCP shows afterwards does. That makes each change safe to
repeat after a crash, a lost answer or a second run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from ocp_numbers.errors import ApiError, NoAnswer, OutcomeUnknown, Refused, VerificationFailed, shown
from ocp_numbers.operators.journals import journal_of
from ocp_numbers.progress import Progress

if TYPE_CHECKING:
    from ocp_numbers.journal import Entry, NumberEdit, SetEdit
    from ocp_numbers.operators.base import OcpOperator

ItemT = TypeVar("ItemT")
EditT = TypeVar("EditT", bound="NumberEdit | SetEdit")

BATCH = 100
"""Numbers per call: few calls for long lists, and an answer that fits into a message when one is refused."""

PAUSES: tuple[float, ...] = (1.0, 4.0, 15.0)
"""Seconds before each further look: OCP may show a change some seconds late."""


def batches(items: Sequence[ItemT], size: int | None = None) -> Iterator[Sequence[ItemT]]:
    """``items`` in calls' worth, of ``size`` or else :data:`BATCH`."""
    size = size or BATCH
    for start in range(0, len(items), size):
        yield items[start : start + size]


def subjects(edits: Iterable[NumberEdit | SetEdit]) -> list[str]:
    """The numbers or sets that ``edits`` are about, for calls and messages."""
    return [edit.subject for edit in edits]


def converge(
    operator: OcpOperator,
    doing: str,
    *,
    operation: str,
    todo: Callable[[], Sequence[EditT]],
    change: Callable[[Sequence[EditT]], object],
    at_once: bool = False,
) -> int:
    """Bring about a state, and return how many numbers or sets had to be changed for it.

    Each batch is in the journal, with how it was before, when OCP is asked to change it.

    :param doing: what is done, for the log, such as ``attach to miniApp X``.
    :param operation: the same in a word or two, for the journal.
    :param todo: looks at OCP and returns what is to become different to be as wanted.
    :param change: asks OCP to change one batch of them; must be safe to repeat.
    :param at_once: whether ``change`` is one call for all of them, however many.
    :raises VerificationFailed: when OCP says yes but goes on showing something else.
    :raises ApiError, NoAnswer: when OCP refuses, or its answers go missing too often.
    """
    journal = journal_of(operator)
    intents: list[Entry] = []

    def change_on_record(batch: Sequence[EditT]) -> None:
        intents.append(journal.intend(operation, batch))
        change(batch)

    wanted = missing = todo()
    if not wanted:
        operator.tell(f"{doing}: nothing to do, it is so already")
    for pause in PAUSES:
        if not missing:
            break
        failure = _change_all(operator, doing, missing, change_on_record, size=len(missing) if at_once else BATCH)
        missing = todo()
        if missing:
            _wait(pause)
            missing = todo()
        if missing and isinstance(failure, Refused):
            operator.log.error("%s: refused, and not so for %s", doing, shown(subjects(missing)))
            raise failure
    if missing:
        raise failure or VerificationFailed(
            f"{doing}: OCP said yes, but still shows otherwise for {shown(subjects(missing))}. Look at them in OCP's "
            f"console, then clear the task: it changes only what is still missing.",
            differences=subjects(missing),
        )
    journal.confirm(*intents)
    if wanted:
        operator.tell(f"{doing}: done for {len(wanted):,}, and read back")
    return len(wanted)


def send_once(
    operator: OcpOperator, doing: str, *, send: Callable[[], object], remaining: Callable[[], Sequence[str]]
) -> None:
    """Carry out what cannot be undone: sent a single time; when its answer goes missing, reading back decides.

    :param doing: what is done, for log and message, such as ``delete +12125550123``.
    :param remaining: looks at OCP and returns what is still there, empty once the call has taken effect.
    :raises Refused: when OCP said no, and reading back shows that it is not done, or not whole.
    :raises OutcomeUnknown: when reading back does not tell either; the next attempt finds out by looking first.
    """
    try:
        send()
    except (ApiError, NoAnswer) as error:
        if error.settled:
            raise
        operator.log.warning("%s: %s Reading back what happened.", doing, error)
        if left := _left(remaining):
            if isinstance(error, Refused):
                operator.log.error("%s: refused; OCP still shows %s", doing, shown(left))
                raise
            raise OutcomeUnknown(
                f"{doing}: the outcome is not known. It was sent once and its answer is missing ({error}); OCP still "
                f"shows {shown(left)}. Nothing was sent again. Clear or retry the task: it looks first.",
                numbers=left,
            ) from error


def confirm_gone(doing: str, *, remaining: Callable[[], Sequence[str]]) -> None:
    """Read back that what OCP said to have done is so.

    :raises VerificationFailed: when OCP goes on showing what should be gone.
    """
    if left := _left(remaining):
        raise VerificationFailed(
            f"{doing}: OCP said yes, but still shows {shown(left)}. Look into OCP's console, then clear the task.",
            differences=left,
        )


def _left(remaining: Callable[[], Sequence[str]]) -> Sequence[str]:
    left = remaining()
    for pause in PAUSES:
        if not left:
            break
        _wait(pause)
        left = remaining()
    return left


def _change_all(
    operator: OcpOperator,
    doing: str,
    missing: Sequence[EditT],
    change: Callable[[Sequence[EditT]], object],
    *,
    size: int,
) -> ApiError | NoAnswer | None:
    """Change ``missing`` batch by batch; the error after which only looking tells what took effect."""
    progress, sent = Progress(doing, len(missing), unit="items"), 0
    for batch in batches(missing, size):
        try:
            change(batch)
        except (ApiError, NoAnswer) as error:
            if error.settled:
                operator.log.error("%s: refused for %s", doing, shown(subjects(batch)))
                raise
            operator.log.warning("%s: %s Reading back what took effect.", doing, error)
            return error
        sent += len(batch)
        progress(sent)
    return None


def _wait(seconds: float) -> None:
    """Let time pass, unless waiting is switched off for the client as well."""
    from ocp_numbers.client.clock import Clock  # late: a DAG file that only names operators need not load the client

    Clock().pause(seconds)
