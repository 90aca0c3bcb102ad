"""Caps across orders: what one DAG run and one calendar month may take, counted from the order documents themselves.

An order is saved before it is counted, and counts the others with all that they may still spend. Two that are opened at
the same moment therefore see each other: both may be refused, but never both let through.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ocp_numbers.errors import OverBudget
from ocp_numbers.ordering.book import OrderBook
from ocp_numbers.ordering.order import Order
from ocp_numbers.ordering.wishes import Caps


def check_caps(book: OrderBook, order: Order, caps: Caps, now: datetime) -> None:
    """Let ``order`` pass if it, with all that it may still spend, fits the caps beside the others.

    :raises OverBudget: with the figures, when it does not.
    :raises OrderCorrupt: when an order that has to be counted cannot be read.
    """
    book.register(order, now)
    if caps.max_per_run is None and caps.max_total_per_month is None:
        return
    others = [other for other in book.registered(now) if other.order_id != order.order_id]
    _check_run(order, others, caps.max_per_run)
    _check_month(order, others, caps.max_total_per_month, now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def _check_run(order: Order, others: list[Order], cap: int | None) -> None:
    if cap is None:
        return
    run = (order.requested_by.dag_id, order.requested_by.run_id)
    beside = [
        other
        for other in others
        if run[1] is not None and (other.requested_by.dag_id, other.requested_by.run_id) == run
    ]
    already = sum(other.wanted if other.is_open else len(other.numbers) for other in beside)
    if order.wanted + already > cap:
        others_hold = f" and {len(beside)} other orders of this run hold {already}" if beside else ""
        raise OverBudget(
            f"order {order.order_id} is for {order.wanted} numbers{others_hold}; max_per_run is {cap}. "
            f"Nothing was sent. Order fewer, or raise the cap."
        )


def _check_month(order: Order, others: list[Order], cap: Decimal | None, month: datetime) -> None:
    if cap is None:
        return
    own = order.committed_since(month)
    already = sum((other.committed_since(month) for other in others), Decimal(0))
    if own + already > cap:
        raise OverBudget(
            f"order {order.order_id} may cost {own:f}, and {already:f} of {month:%B %Y} are spent or reserved by other "
            f"orders of this environment; max_total_per_month is {cap:f}, so {own + already - cap:f} too much. "
            f"Nothing was sent. Order less, wait for the next month, or raise the cap."
        )
