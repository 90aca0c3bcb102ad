"""What changes an order: each event as a pure function from the order before to the order after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ocp_numbers.errors import shown
from ocp_numbers.models import PhoneNumber, Purchase
from ocp_numbers.ordering.order import Event, Line, Order, Outcome, Refusal, State
from ocp_numbers.ordering.stamps import stamps_in
from ocp_numbers.ordering.wishes import Offer

LONGEST_HISTORY = 200


@dataclass(frozen=True)
class Seen:
    """What OCP shows: the numbers whose notes carry the order's stamp, and those that were looked for by number.

    :param at: when the look began. :param sought: the numbers looked for by number, found or not.
    """

    at: datetime
    stamped: Mapping[str, PhoneNumber]
    sought: frozenset[str] = frozenset()
    found: Mapping[str, PhoneNumber] = field(default_factory=dict)


def recovered(order: Order, now: datetime) -> Order:
    """At the start of a run: what was being sent when an earlier one ended is in doubt.

    Times from the future come from another machine's clock and become ``now``: nothing waits for them.
    """

    def change(line: Line) -> Line:
        past = _with(line, sends=tuple(min(at, now) for at in line.sends), heard_at=min(line.heard_at or now, now))
        return past if line.state is State.UNKNOWN or line.reply else _lost(past, now)

    return _each(order, change, of=order.in_doubt)


def sent(order: Order, numbers: Collection[str], now: datetime) -> Order:
    """Before a call: from now on these numbers may be ours."""

    def change(line: Line) -> Line:
        return _with(line, state=State.SENT, sends=(*line.sends, now), reply=None, remark=None)

    return noted(_each(order, change, of=_named(order, numbers)), now, f"sending {shown(numbers)}")


def answered(order: Order, numbers: Collection[str], answer: Purchase, now: datetime) -> Order:
    """After a whole answer. A refusal after a call in doubt proves nothing: our own purchase may be in the way."""
    purchased, failed = {number.number for number in answer.purchased}, set(answer.failed)

    def change(line: Line) -> Line:
        if line.number in purchased and line.number not in failed:
            return _with(line, reply="purchased", heard_at=now)
        if line.number in failed and line.number not in purchased:
            heard = _with(line, reply="failed", heard_at=now)
            return _with(heard, state=State.UNKNOWN) if line.doubted else _refused(heard, now, "not sold")
        return _lost(line, now)

    # A number purchased that nobody asked for carries our stamp: the next look adopts it.
    what = f"answer: {len(purchased)} purchased, {len(failed)} failed"
    return noted(_each(order, change, of=_named(order, numbers)), now, what)


def unanswered(order: Order, numbers: Collection[str], reason: str, now: datetime) -> Order:
    """After a call that may or may not have taken effect."""

    def change(line: Line) -> Line:
        return _with(_lost(line, now), remark=reason)

    return noted(_each(order, change, of=_named(order, numbers)), now, f"outcome unknown: {reason}")


def unsent(order: Order, numbers: Collection[str], reason: str, now: datetime) -> Order:
    """After a call proven to have had no effect: as before it."""

    def change(line: Line) -> Line:
        state = State.UNKNOWN if line.doubted else State.PLANNED
        return _with(line, state=state, sends=line.sends[:-1])

    return noted(_each(order, change, of=_named(order, numbers)), now, f"no effect: {reason}")


def declined(order: Order, numbers: Collection[str], now: datetime) -> Order:
    """After a call refused as a whole, once OCP had its time to show otherwise: to be bought still, by a later run."""

    def change(line: Line) -> Line:
        return _with(line, state=State.PLANNED)

    return noted(_each(order, change, of=_named(order, numbers)), now, f"refused and not bought: {shown(numbers)}")


def observed(order: Order, seen: Seen, settle: timedelta) -> Order:
    """After a look at OCP: what it shows with our stamp is ours, whatever was known before.

    A number without the stamp is judged only when it was looked for by number: its note may have been changed since.
    Found in the order's group with no order's stamp it is taken for ours - the mistake then costs no money; elsewhere,
    or with another order's stamp, it is someone else's, unless OCP told us that we purchased it. One that OCP failed to
    sell after a call in doubt may be ours from that call; if it is not shown although ``settle`` has passed since, it
    is refused.
    """

    def change(line: Line) -> Line:
        if line.number in seen.stamped:
            return line if line.state is State.OWNED else _owned(line, seen.at)
        if line.state not in (State.SENT, State.UNKNOWN) or line.number not in seen.sought:
            return line
        shown_now = seen.found.get(line.number)
        if shown_now is None:
            over = line.heard_at is not None and seen.at >= line.heard_at + settle
            return _refused(line, seen.at, "not sold") if line.reply == "failed" and over else line
        stamps = stamps_in(shown_now.note)
        if order.stamp in stamps:
            return _with(_owned(line, seen.at), remark=f"ours, but in group {shown_now.group_id}")
        if line.reply == "purchased" or (not stamps and shown_now.group_id == order.wishes.group):
            return _with(_owned(line, seen.at), remark="ours, but its note lost the stamp")
        owner = f"belongs to {stamps[0]}" if stamps else f"in group {shown_now.group_id} without a stamp"
        return _refused(line, seen.at, "someone else's", owner)

    changed = _each(order, change, of=order.lines)
    known = {line.number for line in order.lines}
    adopted = sorted(set(seen.stamped) - known)
    prices = {offer.number: offer.price for offer in order.spares}
    lines = tuple(
        Line(
            number=number,
            price=prices.get(number),
            state=State.OWNED,
            origin="adopted",
            settled_at=seen.at,
            remark="found with the order's stamp",
        )
        for number in adopted
    )
    spares = tuple(offer for offer in changed.spares if offer.number not in adopted)
    changed = changed.model_copy(update={"lines": changed.lines + lines, "spares": spares})
    owned = len(changed.lines_in(State.OWNED)) - len(order.lines_in(State.OWNED))
    return noted(changed, seen.at, f"seen as ours: {owned} more") if owned else changed


def quoted(order: Order, numbers: Collection[str], prices: Mapping[str, Decimal | None], now: datetime) -> Order:
    """After asking for ``numbers``' prices again: who is dearer than approved, or gone, is not sent.

    A number in doubt that is no longer on offer may be missing there because it is ours: it stays in doubt.
    """

    def change(line: Line) -> Line:
        if line.number not in prices:
            return line if line.doubted else _refused(line, now, "not on offer")
        price, limit = prices[line.number], _limit(order, line)
        if price is None and not order.wishes.allow_unknown_price:
            return _refused(line, now, "too dear", "its price is not stated any more")
        if price is not None and limit is not None and price > limit:
            return _refused(line, now, "too dear", f"costs {price:f} now, approved is {limit:f}")
        # A call in doubt would have been charged at the price of its time.
        return line if price is None or line.doubted else _with(line, price=price)

    return _each(order, change, of=_named(order, numbers))


def replaced(order: Order, offers: Sequence[Offer], now: datetime) -> Order:
    """Put spares in the places of refused numbers, in sequence."""
    taken = {line.replaces for line in order.lines}
    free = [line.number for line in order.lines_in(State.REFUSED) if line.number not in taken]
    places: list[str | None] = [*free, *[None] * len(offers)]
    lines = tuple(
        Line(number=offer.number, price=offer.price, origin="spare", replaces=place)
        for offer, place in zip(offers, places, strict=False)
    )
    spares = tuple(offer for offer in order.spares if offer not in offers)
    changed = order.model_copy(update={"lines": order.lines + lines, "spares": spares})
    return noted(changed, now, f"replacing {shown(free[: len(offers)])} by {shown(offer.number for offer in offers)}")


def dropped(order: Order, numbers: Collection[str], now: datetime) -> Order:
    """Give up on numbers in doubt that OCP does not show and that are no longer needed."""

    def change(line: Line) -> Line:
        return _refused(line, now, "not needed", "not shown as ours in time")

    return noted(_each(order, change, of=_named(order, numbers)), now, f"giving up on {shown(numbers)}")


def closed(order: Order, outcome: Outcome, reason: str, now: datetime) -> Order:
    """The end of the order: its account stands."""
    return noted(order.model_copy(update={"outcome": outcome, "reason": reason, "closed_at": now}), now, reason)


def noted(order: Order, now: datetime, what: str) -> Order:
    """Add a sentence to the order's history, which keeps its latest entries."""
    return order.model_copy(update={"history": (*order.history, Event(at=now, what=what))[-LONGEST_HISTORY:]})


def _each(order: Order, change: Callable[[Line], Line], *, of: Iterable[Line]) -> Order:
    chosen = {line.number for line in of}
    return order.model_copy(
        update={"lines": tuple(change(line) if line.number in chosen else line for line in order.lines)}
    )


def _named(order: Order, numbers: Collection[str]) -> list[Line]:
    return [line for line in order.lines if line.number in numbers]


def _with(line: Line, **changes: Any) -> Line:
    return line.model_copy(update=changes)


def _lost(line: Line, now: datetime) -> Line:
    return _with(line, state=State.UNKNOWN, doubted=True, reply=None, heard_at=now)


def _owned(line: Line, now: datetime) -> Line:
    return _with(line, state=State.OWNED, settled_at=now, refusal=None, remark=None)


def _refused(line: Line, now: datetime, refusal: Refusal, remark: str | None = None) -> Line:
    return _with(line, state=State.REFUSED, settled_at=now, refusal=refusal, remark=remark)


def _limit(order: Order, line: Line) -> Decimal | None:
    """The most this number may cost: its own approved price, or the limit where only a limit was approved.

    A number in doubt is in the budget at its price already, and stays there.
    """
    if order.wishes.kind != "offers" and order.wishes.max_unit_price is not None and not line.doubted:
        return order.wishes.max_unit_price
    return line.price if line.price is not None else order.ceiling
