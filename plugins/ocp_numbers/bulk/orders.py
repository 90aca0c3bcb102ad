"""Orders of bulk changes: what they are called, and those that an earlier run has left open.

An order's name is made of what it is for and not of the run, so that a new run with the same rows meets the same order.
What an earlier run has left open is finished by the next table that names one of its numbers, as a whole and with the
wishes that were approved for it: it may have spent its money already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from ocp_numbers.bulk.looking import Look
from ocp_numbers.bulk.plan import PurchaseOrder
from ocp_numbers.documents import digest
from ocp_numbers.ordering import Order, OrderBook, State, Wishes, order_id

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

_KIND = "bulk"
_PARTS = 7


def new_order(book: OrderBook, wishes: Wishes) -> PurchaseOrder:
    """An order for ``wishes``: the next generation of those for just these numbers, all of which are closed."""
    numbers = digest({"numbers": sorted(offer.number for offer in wishes.offers or ())})[:12]
    about = (book.environment, _KIND, wishes.provider, wishes.group, wishes.country_code, numbers)
    last = max((int(order.order_id.rpartition("/")[2]) for order in book.family(order_id(*about))), default=0)
    return PurchaseOrder(order_id=order_id(*about, generation=last + 1), wishes=wishes)


def unfinished(
    connect: Callable[[], OcpClient], book: OrderBook, numbers: Collection[str], *, absent: Collection[str]
) -> Iterator[PurchaseOrder]:
    """The orders of bulk changes that are still open and name one of ``numbers``, the oldest first.

    :param absent: those of ``numbers`` that OCP does not show.
    :raises OrderCorrupt: when an order cannot be read.
    """
    if not numbers:
        return
    found = [order for order in book.orders(f"{order_id(book.environment, _KIND)}/") if _is_meant(order, numbers)]
    for order in sorted(found, key=lambda order: (order.opened_at, order.order_id)):
        settled = {line.number for line in order.lines_in(State.OWNED, State.REFUSED)}
        rest = [line.number for line in order.lines if line.number not in settled]
        settled |= Look(connect).find(rest).keys()
        left = [number for number in rest if number not in settled]
        yield PurchaseOrder(
            order_id=order.order_id,
            wishes=order.wishes,
            continues=True,
            settled=tuple(sorted(settled)),
            besides=tuple(number for number in left if number not in absent),
        )


def _is_meant(order: Order, numbers: Collection[str]) -> bool:
    # A region whose group is called as this kind of order has shorter names.
    ours = order.order_id.count("/") == _PARTS - 1
    return ours and order.is_open and any(line.number in numbers for line in order.lines)
