"""The decision what to do next, from the order and what this run knows of OCP. Pure; who carries it out saves first.

While a number is in doubt the only steps are to look, and - once OCP had the time to show a purchase - to send the
*same* number again: it can be ours once only. Numbers are replaced only when nothing is in doubt.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from ocp_numbers.errors import Refused, shown
from ocp_numbers.ordering.order import Line, Order, Outcome, State
from ocp_numbers.ordering.wishes import Offer


@dataclass(frozen=True)
class Policy:
    """How patient and how bold a run is.

    :param settle: how long a purchase may take to show in OCP's lists; until then an absent number proves nothing.
    :param shortest_pause: and ``longest_pause``: between two looks; the pauses grow with the time waited.
    :param batch_size: how many numbers one call buys at most.
    :param sends_per_run: how often one run sends the same number; the next run may try again.
    """

    settle: timedelta = timedelta(seconds=60)
    shortest_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(seconds=10)
    batch_size: int = 50
    sends_per_run: int = 2


@dataclass(frozen=True)
class View:
    """What this run knows of OCP.

    :param started: when this run began. :param looked_at: the last look, if nothing was sent since.
    :param surveyed: whether this run has looked at all. :param sought: the numbers that look searched for by number.
    :param quoted: the numbers whose price this run has seen.
    :param refusals: by number, the refusal of a whole call that this run made for it.
    """

    started: datetime
    looked_at: datetime | None = None
    surveyed: bool = False
    sought: frozenset[str] = frozenset()
    quoted: frozenset[str] = field(default_factory=frozenset)
    refusals: Mapping[str, Refused] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """Read back what carries the stamp, after a pause, and look for ``numbers`` by number."""

    pause: timedelta = timedelta(0)
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quote:
    """Ask for the prices of ``numbers`` again."""

    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Replace:
    """Let these spares take the places of refused numbers."""

    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class Send:
    """Buy ``numbers`` in one call."""

    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Drop:
    """Give up on ``numbers``: in doubt, not shown by OCP, not needed."""

    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Desist:
    """End this run with OCP's ``refusal``: it had its time to show ``numbers`` nevertheless, and does not."""

    numbers: tuple[str, ...]
    refusal: Refused


@dataclass(frozen=True)
class Close:
    """End the order with this account."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Pause:
    """End this run with ``numbers`` in doubt; a later run goes on finding out."""

    numbers: tuple[str, ...]


Step: TypeAlias = Look | Quote | Replace | Send | Drop | Desist | Close | Pause


def next_step(order: Order, view: View, now: datetime, policy: Policy) -> Step:
    """The only thing to do next for an open ``order``."""
    if not view.surveyed:
        return Look()
    doubtful = order.lines_in(State.UNKNOWN)
    if doubtful:
        return _find_out(order, doubtful, view, now, policy)
    step = _go_on(order, view, policy)
    if isinstance(step, Close) and order.awaited:
        return _confirm(order.awaited, view, now, policy)
    return step


def _find_out(order: Order, doubtful: Sequence[Line], view: View, now: datetime, policy: Policy) -> Step:
    look = _look_for(doubtful, view, now, policy)
    if look:
        return look
    # OCP had its time and shows none of these, not even by number.
    room = order.wanted - len(order.lines_in(State.OWNED)) - len(order.awaited)
    if room <= 0:
        return Drop(_numbers(doubtful))
    refused = [line.number for line in doubtful if line.number in view.refusals]
    if refused:
        return Desist(tuple(refused), view.refusals[refused[0]])
    again = [line for line in doubtful if sum(at >= view.started for at in line.sends) < policy.sends_per_run]
    if not again:
        return Pause(_numbers(doubtful))
    unquoted = [line.number for line in again if line.number not in view.quoted]
    if unquoted:
        return Quote(tuple(unquoted))
    return Send(_numbers(again[: min(room, policy.batch_size)]))


def _confirm(awaited: Sequence[Line], view: View, now: datetime, policy: Policy) -> Step:
    return _look_for(awaited, view, now, policy) or Pause(_numbers(awaited))


def _look_for(lines: Sequence[Line], view: View, now: datetime, policy: Policy) -> Look | None:
    """The next look for numbers that may not be visible yet; None once OCP had the time to show them and does not."""
    if view.looked_at is None:
        return Look()
    since = max(line.heard_at or now for line in lines)
    over = since + policy.settle
    if now < over:
        pause = min(max((now - since) / 2, policy.shortest_pause), policy.longest_pause)
        return Look(pause=min(pause, over - now))
    numbers = _numbers(lines)
    if view.looked_at < over or not view.sought.issuperset(numbers):
        return Look(numbers=numbers)
    return None


def _go_on(order: Order, view: View, policy: Policy) -> Step:
    """Nothing is in doubt: send what is planned, fill gaps from the spares, or close."""
    secured = len(order.lines_in(State.OWNED)) + len(order.awaited)
    needed = order.wanted - secured
    if needed <= 0:
        return Close("complete", f"all {order.wanted} numbers are ours")
    outstanding = order.outstanding
    gap = needed - len(outstanding)
    if gap > 0:
        spares = _fitting(order, gap)
        return Replace(spares) if len(spares) == gap else _short(order, needed, gap)
    excess = order.excess(outstanding)
    if excess:
        return Close("over budget", excess)
    unquoted = [line.number for line in outstanding if line.number not in view.quoted]
    if unquoted:
        return Quote(tuple(unquoted))
    return Send(_numbers(outstanding[: policy.batch_size]))


def _fitting(order: Order, gap: int) -> tuple[Offer, ...]:
    """The first ``gap`` spares that were approved at their price and that the budget still allows."""
    chosen: list[Offer] = []
    lines = list(order.outstanding)
    for spare in order.spares:
        line = Line(number=spare.number, price=spare.price)
        dear = spare.price is not None and order.ceiling is not None and spare.price > order.ceiling
        hidden = spare.price is None and not order.wishes.allow_unknown_price
        if len(chosen) < gap and not (dear or hidden or order.excess([*lines, line])):
            chosen.append(spare)
            lines.append(line)
    return tuple(chosen)


def _short(order: Order, needed: int, gap: int) -> Close:
    refused = [
        f"{line.number} ({line.refusal}{': ' + line.remark if line.remark else ''})"
        for line in order.lines_in(State.REFUSED)
    ]
    limits = [f"at most {order.ceiling:f} each"] if order.ceiling is not None else []
    limits += [f"{order.budget:f} in all"] if order.budget is not None else []
    dear = any(line.refusal == "too dear" for line in order.lines_in(State.REFUSED))
    left = (
        f"{len(order.spares)} spares are left, too few of them within what was approved"
        if order.spares
        else "no spares are left"
    )
    return Close(
        "over budget" if dear else "short",
        f"{needed} of {order.wanted} numbers are missing and {gap} cannot be replaced: refused "
        f"{shown(refused) or 'none'}; {left}{' (' + ', '.join(limits) + ')' if limits else ''}",
    )


def _numbers(lines: Collection[Line]) -> tuple[str, ...]:
    return tuple(line.number for line in lines)
