"""The decision: from a wish and what is there to a plan, without touching anything.

Reuse comes before buying and buying is by price; whatever the wish does not allow stops here, before the first cent,
with the figures that broke it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ocp_numbers.errors import InvalidInput, NotEnoughNumbers, NumberInUse, OrderConflict, OverBudget, shown
from ocp_numbers.models import COUNTRY_CODE, AvailableNumber, NumberSet, PhoneNumber
from ocp_numbers.ordering import Offer, Wishes
from ocp_numbers.regions.identity import region_order_id
from ocp_numbers.regions.plan import Binding, OrderPlan, RegionOrder, RegionPlan, Reuse, Seen
from ocp_numbers.regions.spec import Region

FEWEST_SPARES = 5


def plan_region(region: Region, seen: Seen) -> RegionPlan:
    """What makes ``region`` true, given what was ``seen``.

    :raises InvalidInput: the set's name is taken in another group, or stands for more than one set.
    :raises NumberInUse: numbers in the set are attached to something else and ``allow_reassign`` does not name them.
    :raises OrderConflict: an open order of this region was made for other wishes.
    :raises NotEnoughNumbers: fewer numbers are on offer than are missing.
    :raises OverBudget: the missing numbers cost more, each or together, than the wish allows.
    """
    found = the_set(region, seen.sets)
    members = sorted(seen.members, key=lambda number: number.number)
    right = [number.number for number in members if is_right(number, region)]
    unattached = [number.number for number in members if number.mini_app_id is None]
    taken_over = _to_take_over(region, [number for number in members if _is_elsewhere(number, region)])

    missing = max(0, region.quantity - len(right))
    attach = unattached[:missing]
    reassign = taken_over[: missing - len(attach)]
    left_alone = (*unattached[len(attach) :], *(binding.number for binding in taken_over[len(reassign) :]))
    missing -= len(attach) + len(reassign)

    present = {*right, *attach, *(binding.number for binding in reassign), *left_alone}
    free = _in_order_of_reuse(seen)
    current = _open_order(seen.orders)
    if current is not None:
        reuse, order = _continue(region, seen, current, missing, free, present)
    else:
        reuse = free[:missing]
        order = _new_order(region, seen, missing - len(reuse)) if missing > len(reuse) else None
        reuse = [number for number in reuse if order is None or number.number not in order.adopted]
    return RegionPlan(
        environment=seen.environment,
        region=region,
        set_id=found.id if found else None,
        right=tuple(right),
        attach=tuple(attach),
        reassign=tuple(reassign),
        reuse=tuple(reuse),
        left_alone=tuple(sorted(left_alone)),
        order=order,
        remarks=tuple(_remarks(region, seen, members, order)),
    )


def the_set(region: Region, sets: Iterable[NumberSet]) -> NumberSet | None:
    """The region's set among the visible ``sets``, or ``None`` where it has to be created.

    :raises InvalidInput: when only another group has a set of that name, or the group has two.
    """
    named = [found for found in sets if found.name == region.set_name]
    ours = [found for found in named if found.group_id == region.group]
    if len(ours) > 1:
        ids = shown(found.id for found in ours)
        raise InvalidInput(
            f"set_name: group {region.group} has {len(ours)} sets named {region.set_name!r} ({ids}); rename all but one"
        )
    if named and not ours:
        places = shown(f"group {found.group_id}, id {found.id}" for found in named)
        raise InvalidInput(
            f"set_name: {region.set_name!r} exists, but not in group {region.group!r}: {places}; "
            "choose another name, or name the group that has it"
        )
    return ours[0] if ours else None


def is_right(number: PhoneNumber, region: Region) -> bool:
    """Whether ``number`` is attached as the region wants it; a tag counts only where the region names one."""
    return (
        number.mini_app_id == region.mini_app_id
        and number.locale == region.locale
        and region.application_tag in (None, number.application_tag)
    )


def _is_elsewhere(number: PhoneNumber, region: Region) -> bool:
    return number.mini_app_id is not None and not is_right(number, region)


def _to_take_over(region: Region, elsewhere: list[PhoneNumber]) -> list[Binding]:
    allowed = set(region.allow_reassign)
    refused = [number for number in elsewhere if not {number.number, number.mini_app_id} & allowed]
    if refused:
        wanted = f"{region.mini_app_id}, locale {region.locale}" + (
            f", tag {region.application_tag}" if region.application_tag else ""
        )
        raise NumberInUse(
            f"{len(refused)} of the numbers in set {region.set_name} are attached to something else than {wanted}: "
            + shown(f"{number.number} ({number.mini_app_id}, {_binding(number)})" for number in refused)
            + ". Nothing was changed. Name the numbers, or their miniApp, in allow_reassign to take them over."
        )
    return [Binding.of(number) for number in elsewhere]


def _binding(number: PhoneNumber) -> str:
    return f"locale {number.locale}" + (f", tag {number.application_tag}" if number.application_tag else "")


def _in_order_of_reuse(seen: Seen) -> list[Reuse]:
    """Free numbers: first those bought for this region, then those that nobody wrote a note about."""
    free = sorted(seen.free, key=lambda number: (number.number not in seen.stamped, bool(number.note), number.number))
    return [Reuse(number=number.number, note=number.note) for number in free]


def _open_order(orders: Iterable[RegionOrder]) -> RegionOrder | None:
    still_open = [order for order in orders if order.is_open]
    if len(still_open) > 1:
        raise OrderConflict(
            f"{len(still_open)} orders of this region are open: {shown(order.order_id for order in still_open)}. "
            "Nothing was changed. Close all but one by hand before the region is provisioned again."
        )
    return still_open[0] if still_open else None


def _continue(
    region: Region, seen: Seen, order: RegionOrder, missing: int, free: list[Reuse], present: set[str]
) -> tuple[list[Reuse], OrderPlan | None]:
    """Finish what is open before anything new is chosen; the wishes must be those that it was opened with."""
    then, now = order.wishes, order_wishes(region, order.wishes.offers or (), order.wishes.spares)
    if then != now:
        raise OrderConflict(
            f"Order {order.order_id} is open for {_in_words(then)}; wanted now: {_in_words(now)}. "
            "Nothing was changed. Provision the region with the order's own wishes first."
        )
    ours = {*order.owned, *(number for number, generation in seen.stamped.items() if generation == order.generation)}
    coming = then.wanted - len(ours & present)
    reuse = [number for number in free if number.number not in ours][: max(0, missing - coming)]
    if missing != coming + len(reuse):
        raise OrderConflict(
            f"Order {order.order_id} is open and brings {coming} numbers, but {missing} are missing of the "
            f"{region.quantity} wanted and {len(reuse)} more can be reused. Nothing was changed. "
            f"Provision the region with quantity {region.quantity - missing + coming + len(reuse)} first."
        )
    plan = OrderPlan(
        order_id=order.order_id,
        generation=order.generation,
        continues=True,
        wishes=then,
        owned=order.owned,
        adopted=tuple(sorted(ours - set(order.owned))),
    )
    return reuse, plan


def order_wishes(region: Region, offers: tuple[Offer, ...] = (), spares: tuple[Offer, ...] = ()) -> Wishes:
    """What the region's order asks for, with the approved ``offers`` and ``spares``."""
    return Wishes(
        provider=region.provider,
        group=region.group,
        country_code=region.country_code,
        prefix=region.prefix,
        offers=offers,
        spares=spares,
        note=region.note,
        max_unit_price=region.max_unit_price,
        max_total_price=region.max_total_price,
    )


def _in_words(wishes: Wishes) -> str:
    each, in_all = (
        "any price" if limit is None else f"{limit:f}" for limit in (wishes.max_unit_price, wishes.max_total_price)
    )
    return (
        f"{wishes.wanted} numbers in {wishes.area} from {wishes.provider} for group {wishes.group}, "
        f"at most {each} each and {in_all} in all, note {wishes.note!r}"
    )


def _new_order(region: Region, seen: Seen, wanted: int) -> OrderPlan:
    """The next generation - or the last one again, where numbers carry its stamp but its document is lost."""
    documented = {order.generation for order in seen.orders}
    last = max((*documented, *seen.stamped.values()), default=0)
    free = {number.number for number in seen.free}
    adopted = sorted(number for number, generation in seen.stamped.items() if generation == last)
    lost = bool(adopted) and last not in documented and not free.isdisjoint(adopted)
    if not lost:
        last, adopted = last + 1, []
    quantity = wanted + len(adopted)
    offers, spares = _choose(region, seen.offers, quantity)
    return OrderPlan(
        order_id=region_order_id(region, last),
        generation=last,
        continues=False,
        wishes=order_wishes(region, offers, spares),
        adopted=tuple(adopted),
    )


def _choose(
    region: Region, shown_now: Iterable[AvailableNumber], quantity: int
) -> tuple[tuple[Offer, ...], tuple[Offer, ...]]:
    """The cheapest ``quantity`` of what is on offer, and spares that cost no more than the dearest of them."""
    on_offer = tuple({offer.number: offer for offer in shown_now if _is_offered_in(offer, region)}.values())
    prices = sorted(offer.price for offer in on_offer if offer.price is not None)
    unpriced = len(on_offer) - len(prices)
    figures = f"{quantity} numbers are to be bought in {region.area} from {region.provider}"
    if len(prices) < quantity:
        raise NotEnoughNumbers(
            f"{figures}, but {len(prices)} are on offer"
            + (f" and {unpriced} more without a price" if unpriced else "")
            + ". Nothing was bought. Lower the quantity, widen the prefix or try another provider."
        )
    fitting = affordable(region, on_offer)
    if len(fitting) < quantity:
        raise OverBudget(
            f"{figures}, but only {len(fitting)} of {len(prices)} on offer cost at most {region.max_unit_price:f} "
            f"(max_unit_price): the cheapest costs {prices[0]:f}, number {quantity} by price {prices[quantity - 1]:f}. "
            "Nothing was bought."
        )
    chosen, total, dearest = fitting[:quantity], sum(prices[:quantity]), prices[quantity - 1]
    if total > region.max_total_price:
        raise OverBudget(
            f"{figures}; the cheapest cost {total:f} together, {total - region.max_total_price:f} more than "
            f"{region.max_total_price:f} (max_total_price). Nothing was bought."
        )
    rest = fitting[quantity : quantity + max(FEWEST_SPARES, quantity)]
    return tuple(chosen), tuple(offer for offer in rest if offer.price is not None and offer.price <= dearest)


def affordable(region: Region, offers: Iterable[AvailableNumber]) -> list[Offer]:
    """Offers at a stated price within the region's limit, the cheapest first, in a stable order."""
    priced = ((offer.price, offer.number) for offer in offers if offer.price is not None)
    return [Offer(number=number, price=price) for price, number in sorted(priced) if price <= region.max_unit_price]


def in_area(number: str, country: str | None, region: Region) -> bool:
    """Whether ``number`` belongs to the region's country and begins with its prefix."""
    return country == region.country_code and number.startswith(region.prefix or "+")


def _is_offered_in(offer: AvailableNumber, region: Region) -> bool:
    """As :func:`in_area`, but a country written in words, or left out, says nothing against the offer."""
    named = offer.country is not None and COUNTRY_CODE.fullmatch(offer.country)
    return in_area(offer.number, offer.country if named else region.country_code, region)


def _remarks(region: Region, seen: Seen, members: list[PhoneNumber], order: OrderPlan | None) -> Iterable[str]:
    outside = [number.number for number in members if not in_area(number.number, number.country, region)]
    if outside:
        yield f"{len(outside)} numbers in the set lie outside {region.area} and count all the same: {shown(outside)}."
    if order and order.continues:
        yield f"Order {order.order_id} is open and is finished first."
    if order and order.adopted:
        yield (
            f"{len(order.adopted)} numbers carry the stamp of order {order.order_id} although our records do not know "
            f"them; they are adopted, not bought again: {shown(order.adopted)}."
        )
