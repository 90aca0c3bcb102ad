"""Rows that buy: what the platform asks for their numbers now, and the orders that buy them for no more than that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ocp_numbers.bulk.change import Change
from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.orders import new_order, unfinished
from ocp_numbers.bulk.plan import PurchaseOrder
from ocp_numbers.errors import BadRequest, Conflict, Forbidden, InvalidInput, NotFound, OverBudget, Refused, shown
from ocp_numbers.ordering import Offer, OrderBook, Wishes

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

MOST_PURCHASES = 1_000
"""Numbers that one table may buy; more are a region's."""

_NO_ANSWER_TO_IT = (BadRequest, Conflict, Forbidden, NotFound, Refused)


@dataclass(frozen=True)
class Limits:
    """What rows that buy may cost, each and together; unless both are given, no row may buy."""

    max_unit_price: Decimal | None = None
    max_total_price: Decimal | None = None


class Priced(NamedTuple):
    """Purchases with the prices they are approved at, the orders that make them, and the rows that cannot be bought."""

    changes: tuple[Change, ...]
    orders: tuple[PurchaseOrder, ...]
    faults: tuple[Fault, ...]


def price(
    connect: Callable[[], OcpClient],
    book: OrderBook,
    changes: Sequence[Change],
    *,
    asked: Collection[str],
    limits: Limits,
) -> Priced:
    """Look every number up among the platform's offers, or in the order that an earlier run has left open for it.

    :param changes: rows that buy. :param asked: their numbers, and those of rows that would buy had it not been done.
    :raises OverBudget: when one or all of them cost more than ``limits`` allow; nothing was bought.
    :raises InvalidInput: without limits, when only an order that was left open may still buy.
    :raises OrderCorrupt: when an order cannot be read.
    """
    absent = {change.number for change in changes}
    continued = tuple(unfinished(connect, book, asked, absent=absent))
    pending = {offer.number: (order, offer) for order in reversed(continued) for offer in order.left}
    if problem := _unlimited(changes, continued, limits):
        if not changes:
            raise InvalidInput(problem)
        settled = tuple(order for order in continued if not order.left)
        return Priced((), settled, tuple(_fault(change, problem) for change in changes))
    priced: list[Change] = []
    faults: list[Fault] = []
    for change in changes:
        found = _on_order(*pending[change.number], change) if change.number in pending else _offered(connect(), change)
        if isinstance(found, Decimal):
            priced.append(change.model_copy(update={"price": found}))
        else:
            faults.append(_fault(change, found))
    more = {number: offer.price or Decimal(0) for number, (_, offer) in pending.items()}
    _check_budget({change.number: change.price or Decimal(0) for change in priced} | more, limits)
    new = _new_orders(book, (change for change in priced if change.number not in pending), limits)
    return Priced(tuple(priced), (*continued, *new), tuple(faults))


def _new_orders(book: OrderBook, changes: Iterable[Change], limits: Limits) -> Iterator[PurchaseOrder]:
    """An order for each provider, group and country."""
    offers: dict[tuple[str, str, str], list[Offer]] = defaultdict(list)
    for change in changes:
        offers[_place(change)].append(Offer(number=change.number, price=change.price))
    for (provider, group, country), those in sorted(offers.items()):
        wishes = Wishes(
            provider=provider,
            group=group,
            country_code=country,
            offers=tuple(those),
            max_unit_price=limits.max_unit_price,
            max_total_price=sum((offer.price or Decimal(0) for offer in those), Decimal(0)),
        )
        yield new_order(book, wishes)


def _place(change: Change) -> tuple[str, str, str]:
    return str(change.provider), str(change.after["group_id"]), str(change.after["country"])


def _on_order(order: PurchaseOrder, offer: Offer, change: Change) -> Decimal | str:
    """The price that was approved for the number, or why it cannot be had as the row wants it."""
    wishes, (_, group, country) = order.wishes, _place(change)
    if (wishes.provider, wishes.group, wishes.country_code) != _place(change):
        return (
            f"is to sell it for group {group} in {country}, and order {order.order_id}, which an earlier run has left "
            f"open, buys it from {wishes.provider} for group {wishes.group} in {wishes.country_code}; write that, and "
            f"move the number by an Update once it is there"
        )
    return offer.price or Decimal(0)


def _unlimited(changes: Sequence[Change], continued: Iterable[PurchaseOrder], limits: Limits) -> str | None:
    open_ = [order.order_id for order in continued if order.left]
    if (changes or open_) and (limits.max_unit_price is None or limits.max_total_price is None):
        if not changes:
            return (
                f"max_unit_price, max_total_price: not both given, and orders that an earlier run has left open may "
                f"still buy: {shown(open_)}. Nothing was changed. Give both"
            )
        return (
            "buys a number; give max_unit_price and max_total_price, or leave the cell blank for a number of your own"
        )
    if len(changes) > MOST_PURCHASES:
        return f"is one of {len(changes):,} purchases; a table buys {MOST_PURCHASES:,} at most: use provision_region"
    return None


def _offered(client: OcpClient, change: Change) -> Decimal | str:
    """The price of the number, or why it has none."""
    try:
        offers = client.numbers.search_available(
            provider=str(change.provider),
            code=str(change.after["country"]),
            group=str(change.after["group_id"]),
            prefix=change.number,
        )
    except _NO_ANSWER_TO_IT as error:
        return f"was asked for {change.number} and OCP refuses: {error.message}"
    offer = next((offer for offer in offers if offer.number == change.number), None)
    if offer is None:
        return f"does not offer {change.number}; search for what is on offer, or use provision_region"
    return offer.price if offer.price is not None else f"states no price for {change.number}; use BuyNumbersOperator"


def _check_budget(prices: Mapping[str, Decimal], limits: Limits) -> None:
    most, total = limits.max_unit_price or Decimal(0), sum(prices.values(), Decimal(0))
    dear = [f"{number} ({asked:f})" for number, asked in prices.items() if asked > most]
    if dear:
        raise OverBudget(f"{shown(dear)}: dearer than max_unit_price {most:f}. Nothing was bought or changed.")
    if limits.max_total_price is not None and total > limits.max_total_price:
        raise OverBudget(
            f"The {len(prices)} numbers to buy cost {total:f} together, {total - limits.max_total_price:f} more than "
            f"max_total_price {limits.max_total_price:f}. Nothing was bought or changed."
        )


def _fault(change: Change, problem: str) -> Fault:
    return Fault(change.row, "PROVIDER", str(change.provider), problem, change.number)
