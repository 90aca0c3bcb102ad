"""Opening an order: which numbers it is to buy at which prices, decided before the first cent, refused with figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ocp_numbers.documents import digest
from ocp_numbers.errors import NotEnoughNumbers, NumberInUse, OrderConflict, OverBudget, shown
from ocp_numbers.models import AvailableNumber, PhoneNumber
from ocp_numbers.ordering.order import Line, Order, Requester, State
from ocp_numbers.ordering.stamps import stamp, stamped
from ocp_numbers.ordering.wishes import Offer, Wishes

FEWEST_SPARES = 10


@dataclass(frozen=True)
class Choice:
    """The numbers that an order begins with: to be bought, to replace refused ones, and ours already."""

    offers: tuple[Offer, ...] = ()
    spares: tuple[Offer, ...] = ()
    owned: tuple[str, ...] = ()


def choose(
    wishes: Wishes,
    *,
    own_stamp: str,
    offers: Collection[AvailableNumber] = (),
    in_inventory: Mapping[str, PhoneNumber] | None = None,
    adopted: Collection[str] = (),
) -> Choice:
    """The numbers to order for ``wishes``.

    :param offers: what is on offer; needed for a quantity and for numbers, whose prices it tells.
    :param in_inventory: the wanted numbers that the inventory shows already, when numbers are wanted.
    :param adopted: numbers that OCP shows with this order's stamp: they count, and so many fewer are chosen.
    :raises NotEnoughNumbers: fewer fitting numbers are on offer than wanted.
    :raises OverBudget: they cost more, each or together, than the wishes allow.
    :raises NumberInUse: a wanted number is ours in another group.
    :raises OrderConflict: the stamp is on numbers that these wishes do not name.
    """
    if wishes.kind == "quantity":
        return _cheapest(wishes, offers, max(0, wishes.wanted - len(adopted)))
    if wishes.kind == "numbers":
        in_inventory = in_inventory or {}
        _check_owned(wishes, in_inventory, adopted, own_stamp)
        owned = tuple(number for number in wishes.numbers or () if number in in_inventory and number not in adopted)
        return Choice(offers=_named(wishes, offers, owned, adopted), owned=owned)
    return Choice(offers=wishes.offers or (), spares=wishes.spares)


def opened(
    wishes: Wishes, choice: Choice, *, order_id: str, environment: str, requested_by: Requester, now: datetime
) -> Order:
    """The order for ``wishes``, ready to be saved."""
    prices = [offer.price for offer in choice.offers if offer.price is not None]
    strict = wishes.kind == "offers"
    return Order(
        order_id=order_id,
        environment=environment,
        wishes=wishes,
        wishes_digest=digest(wishes),
        stamp=stamp(order_id),
        note=stamped(wishes.note, order_id),
        ceiling=max(prices, default=wishes.max_unit_price)
        if strict or wishes.max_unit_price is None
        else wishes.max_unit_price,
        budget=wishes.max_total_price,
        approved=sum(prices, Decimal(0)) if strict and len(prices) == len(choice.offers) else None,
        requested_by=requested_by,
        opened_at=now,
        lines=(
            *(
                Line(number=number, price=None, state=State.OWNED, origin="already ours", settled_at=now)
                for number in choice.owned
            ),
            *(Line(number=offer.number, price=offer.price) for offer in choice.offers),
        ),
        spares=choice.spares,
    )


def affordable(wishes: Wishes, offers: Iterable[AvailableNumber]) -> list[AvailableNumber]:
    """The offers that the wishes' price per number allows."""
    return [
        offer
        for offer in offers
        if (wishes.allow_unknown_price if offer.price is None else not wishes.is_too_dear(offer.price))
    ]


def spares_for(quantity: int) -> int:
    """How many spares an order of ``quantity`` numbers is opened with, where there are that many."""
    return max(FEWEST_SPARES, quantity // 5)


def _cheapest(wishes: Wishes, offers: Collection[AvailableNumber], quantity: int) -> Choice:
    """The cheapest ``quantity`` in a stable order, those without a price last, and the next ones as spares."""
    fitting = sorted(affordable(wishes, offers), key=_price_then_number)
    goal = f"{quantity} numbers are wanted in {wishes.area} from {wishes.provider}"
    if len(fitting) < quantity:
        raise _too_few(wishes, offers, quantity, len(fitting), goal)
    chosen, rest = fitting[:quantity], fitting[quantity : quantity + spares_for(quantity)]
    _check_total(wishes, chosen, f"{goal}; the cheapest {quantity}")
    return Choice(offers=_as_offers(chosen), spares=_as_offers(rest))


def _named(
    wishes: Wishes, offers: Iterable[AvailableNumber], owned: Collection[str], adopted: Collection[str]
) -> tuple[Offer, ...]:
    """Exactly the wanted numbers, each of which has to be on offer."""
    on_offer = {offer.number: offer for offer in offers}
    needed = [number for number in wishes.numbers or () if number not in owned and number not in adopted]
    absent = [number for number in needed if number not in on_offer]
    if absent:
        raise NotEnoughNumbers(
            f"{len(absent)} of {wishes.wanted} wanted numbers are not on offer from {wishes.provider} in "
            f"{wishes.area}: {shown(absent)}. Nothing was bought. Take them out of the list, or check provider and "
            f"country."
        )
    chosen = [on_offer[number] for number in needed]
    refused = [offer for offer in chosen if offer not in affordable(wishes, chosen)]
    if refused:
        listed = shown(
            f"{offer.number} ({'no price' if offer.price is None else f'{offer.price:f}'})" for offer in refused
        )
        limit = "no limit" if wishes.max_unit_price is None else f"{wishes.max_unit_price:f}"
        raise OverBudget(
            f"{listed}: dearer than max_unit_price ({limit}), or without a price and allow_unknown_price is not set. "
            f"Nothing was bought."
        )
    _check_total(wishes, chosen, f"the {len(chosen)} wanted numbers")
    return _as_offers(chosen)


def _check_owned(wishes: Wishes, owned: Mapping[str, PhoneNumber], adopted: Collection[str], own_stamp: str) -> None:
    strangers = sorted(set(adopted) - set(wishes.numbers or ()))
    if strangers:
        raise OrderConflict(
            f"OCP shows {shown(strangers)} with the stamp {own_stamp} of this order, which does not name them: it was "
            f"opened for other numbers before its document was lost. Nothing was sent. Use another order_id."
        )
    elsewhere = [
        f"{number.number} (group {number.group_id})" for number in owned.values() if number.group_id != wishes.group
    ]
    if elsewhere:
        raise NumberInUse(
            f"{shown(elsewhere)}: ours already, but not in group {wishes.group}. Nothing was bought. Move them, or "
            f"take them out of the list."
        )


def _check_total(wishes: Wishes, chosen: Collection[AvailableNumber], what: str) -> None:
    if wishes.max_total_price is None:
        return
    prices = [offer.price if offer.price is not None else wishes.max_unit_price for offer in chosen]
    unknown = sum(price is None for price in prices)
    if unknown:
        raise OverBudget(
            f"{what}: {unknown} have no price, so max_total_price {wishes.max_total_price:f} cannot be held. Nothing "
            f"was bought. Set max_unit_price, at which such numbers are counted, or leave max_total_price out."
        )
    total = sum((price for price in prices if price is not None), Decimal(0))
    if total > wishes.max_total_price:
        raise OverBudget(
            f"{what} cost {total:f} together, {total - wishes.max_total_price:f} more than max_total_price "
            f"{wishes.max_total_price:f}. Nothing was bought."
        )


def _too_few(
    wishes: Wishes, offers: Collection[AvailableNumber], quantity: int, fitting: int, goal: str
) -> NotEnoughNumbers | OverBudget:
    prices = sorted(offer.price for offer in offers if offer.price is not None)
    unpriced = len(offers) - len(prices)
    hint = f", {unpriced} of them without a price" if unpriced else ""
    if (len(offers) if wishes.allow_unknown_price else len(prices)) < quantity:
        return NotEnoughNumbers(
            f"{goal}, but only {len(offers)} are on offer{hint}. Nothing was bought. Lower the quantity, widen the "
            f"prefix or try another provider."
        )
    return OverBudget(
        f"{goal}, but only {fitting} of the {len(offers)} on offer{hint} cost at most {wishes.max_unit_price} "
        f"(max_unit_price): the cheapest costs {prices[0]:f}. Nothing was bought."
    )


def _price_then_number(offer: AvailableNumber) -> tuple[bool, Decimal, str]:
    return offer.price is None, offer.price or Decimal(0), offer.number


def _as_offers(offers: Iterable[AvailableNumber]) -> tuple[Offer, ...]:
    return tuple(Offer(number=offer.number, price=offer.price) for offer in offers)
