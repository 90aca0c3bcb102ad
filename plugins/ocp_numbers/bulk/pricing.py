"""Rows that buy: what the platform asks for their numbers now, and the orders that buy them for no more than that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ocp_numbers.bulk.change import Change
from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.plan import PurchaseOrder
from ocp_numbers.errors import BadRequest, Conflict, Forbidden, NotFound, OverBudget, Refused, shown
from ocp_numbers.ordering import Offer

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
    """Purchases with the prices they are approved at, and the rows that cannot be bought."""

    changes: tuple[Change, ...]
    faults: tuple[Fault, ...]

    @property
    def orders(self) -> tuple[PurchaseOrder, ...]:
        """What is bought: an order for each provider, group and country."""
        offers: dict[tuple[str, str, str], list[Offer]] = defaultdict(list)
        for change in self.changes:
            place = (str(change.provider), str(change.after["group_id"]), str(change.after["country"]))
            offers[place].append(Offer(number=change.number, price=change.price))
        return tuple(
            PurchaseOrder(provider=provider, group=group, country_code=country, offers=tuple(those))
            for (provider, group, country), those in sorted(offers.items())
        )


def price(connect: Callable[[], OcpClient], changes: Sequence[Change], limits: Limits) -> Priced:
    """Look every number up among the platform's offers.

    :raises OverBudget: when one or all of them cost more than ``limits`` allow; nothing was bought.
    """
    if changes and (problem := _unlimited(changes, limits)):
        return Priced((), tuple(_fault(change, problem) for change in changes))
    priced: list[Change] = []
    faults: list[Fault] = []
    for change in changes:
        found = _offered(connect(), change)
        if isinstance(found, Decimal):
            priced.append(change.model_copy(update={"price": found}))
        else:
            faults.append(_fault(change, found))
    _check_budget(priced, limits)
    return Priced(tuple(priced), tuple(faults))


def _unlimited(changes: Sequence[Change], limits: Limits) -> str | None:
    if limits.max_unit_price is None or limits.max_total_price is None:
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


def _check_budget(changes: Iterable[Change], limits: Limits) -> None:
    prices = {change.number: change.price or Decimal(0) for change in changes}
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
