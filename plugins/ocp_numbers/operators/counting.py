"""What a task's purchases and exports are counted by: told to :mod:`ocp_numbers.metrics`, and never in the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ocp_numbers import metrics

if TYPE_CHECKING:
    from ocp_numbers.inventory import CompleteSnapshot
    from ocp_numbers.ordering import OrderBook

log = logging.getLogger(__name__)


class _Standing(NamedTuple):
    brought: int = 0
    spent: Decimal = Decimal(0)
    unknown: int = 0


@contextmanager
def purchases_counted(book: OrderBook, *order_ids: str) -> Iterator[None]:
    """Tell what the orders gain while this lasts, however it ends; one that only gives its account gains nothing."""
    before = _standing(book, order_ids)
    try:
        yield
    finally:
        after = _standing(book, order_ids)
        if before is not None and after is not None:
            metrics.BOUGHT.tell(max(after.brought - before.brought, 0), environment=book.environment)
            metrics.SPENT.tell(max(after.spent - before.spent, Decimal(0)), environment=book.environment)
            metrics.UNKNOWN.tell(after.unknown, environment=book.environment)


def tell_snapshot(snapshot: CompleteSnapshot) -> None:
    """Tell of a snapshot that has just been published."""
    proof = snapshot.manifest.proof
    metrics.EXPORT_ROWS.tell(snapshot.rows, environment=snapshot.environment)
    metrics.EXPORT_SECONDS.tell((proof.ended - proof.started).total_seconds(), environment=snapshot.environment)
    metrics.tell_age(snapshot)


def _standing(book: OrderBook, order_ids: tuple[str, ...]) -> _Standing | None:
    """What the orders have brought by now; ``None`` where that cannot be read."""
    from ocp_numbers.ordering import Receipt

    try:
        orders = [order for order_id in order_ids if (order := book.read(order_id))]
    except Exception as error:  # whatever it is, the buyer meets it as well and says what to do about it
        log.debug("The orders could not be counted: %s", error)
        return None
    accounts = [Receipt.of(order) for order in orders]
    return _Standing(
        brought=sum(len(account.bought) + len(account.adopted) for account in accounts),
        spent=sum((account.spent for account in accounts), Decimal(0)),
        unknown=sum(len(account.unknown) for account in accounts),
    )
