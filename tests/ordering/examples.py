"""Orders small enough to be read in a test, and what may happen to them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from ocp_numbers.models import PhoneNumber, Purchase
from ocp_numbers.ordering import Line, Offer, Order, Policy, Requester, State, View, Wishes
from ocp_numbers.ordering.opening import Choice, opened
from ocp_numbers.ordering.transitions import Seen
from ordering.shop import GROUP, wish

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc)
SETTLE = timedelta(seconds=60)
POLICY = Policy(settle=SETTLE, batch_size=2)
A, B, C, D, E = (f"+1212555000{n}" for n in range(1, 6))


def offer(number: str, price: str | int | None) -> Offer:
    return Offer(number=number, price=None if price is None else Decimal(price))


def order(*prices: str | int | None, spares: tuple[Offer, ...] = (), **fields: Any) -> Order:
    """An approved order for numbers A, B, C ... at these prices."""
    offers = tuple(offer(number, price) for number, price in zip((A, B, C), prices, strict=False))
    wishes = wish(offers=offers, spares=spares, **fields)
    return opened_for(wishes, Choice(offers=offers, spares=spares))


def opened_for(wishes: Wishes, choice: Choice, *, order_id: str = "ocp/x", **fields: Any) -> Order:
    """The order that begins with ``choice``."""
    details: dict[str, Any] = {"environment": "ocp", "requested_by": Requester(), "now": NOW, **fields}
    return opened(wishes, choice, order_id=order_id, **details)


def with_lines(order: Order, *lines: Line) -> Order:
    """The same order with other lines."""
    return order.model_copy(update={"lines": lines})


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
    """A look that shows ``numbers``: with the order's stamp, or found by number with another ``note``."""
    rows = {number: PhoneNumber(number=number, group_id=group, note=note) for number in numbers}
    stamped = rows if note is None else {}
    found = {} if note is None else rows
    return Seen(at=at(seconds), stamped=stamped, sought=frozenset(n for n in (A, B, C, D) if n in sought), found=found)


def states(order: Order) -> dict[str, State]:
    return {line.number: line.state for line in order.lines}
