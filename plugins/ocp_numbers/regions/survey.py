"""What is there: reads the region's part of OCP and of our orders, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from ocp_numbers.models import AvailableNumber, PhoneNumber, check_told
from ocp_numbers.ordering import stamps_in
from ocp_numbers.ordering.offers import search_offers
from ocp_numbers.regions.identity import base_id, generation_in
from ocp_numbers.regions.plan import RegionOrder, Seen
from ocp_numbers.regions.planning import FEWEST_SPARES, affordable, in_area, order_wishes, the_set
from ocp_numbers.regions.spec import Region

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient
    from ocp_numbers.ordering import Order, OrderBook


def survey(
    client: OcpClient,
    book: OrderBook,
    region: Region,
    *,
    is_protected: Callable[[PhoneNumber], bool],
    reserved: Collection[str] = (),
) -> Seen:
    """The state that :func:`~ocp_numbers.regions.planning.plan_region` decides on.

    Reads the visible sets, the set's numbers, the group's numbers page by page, the region's orders, and what is on
    offer.

    :param is_protected: whether a free number is not to be touched.
    :param reserved: numbers that others have reserved: seen all the same, but so many more offers are looked for.
    :raises InvalidInput: when the set's name belongs to another group.
    :raises IncompleteSnapshot: when OCP does not tell which numbers are free.
    """
    sets = tuple(found for found in client.sets.list() if found.name == region.set_name)
    found = the_set(region, sets)
    members = check_told(client.sets.numbers(found.id) if found else (), "mini_app_id")
    free, stamped = [], {}
    for number in client.numbers.iterate(groups=[region.group]):
        check_told((number,), "mini_app_id", "set_id", "note")
        generation = generation_in(number.note, region)
        if generation is not None:
            stamped[number.number] = generation
        bought_for_others = generation is None and bool(stamps_in(number.note))
        if _is_free(number, region) and not bought_for_others and not is_protected(number):
            free.append(number)
    orders = tuple(_known(order) for order in book.family(base_id(region)))
    missing = region.quantity - len(members) - sum(number.number not in reserved for number in free)
    offers: Iterable[AvailableNumber] = ()
    if missing > 0 and not any(order.is_open for order in orders):
        wanted = missing + len(stamped) + FEWEST_SPARES
        offers = search_offers(
            client,
            order_wishes(region),
            enough=lambda found: sum(offer.number not in reserved for offer in affordable(region, found)) >= wanted,
        ).values()
    return Seen(
        environment=region.ocp_conn_id,
        sets=sets,
        members=members,
        free=tuple(free),
        offers=tuple(offers),
        orders=orders,
        stamped=stamped,
    )


def _known(order: Order) -> RegionOrder:
    return RegionOrder(
        order_id=order.order_id,
        generation=int(order.order_id.rpartition("/")[2]),
        is_open=order.is_open,
        wishes=order.wishes,
        owned=order.numbers,
    )


def _is_free(number: PhoneNumber, region: Region) -> bool:
    return (
        number.mini_app_id is None
        and number.set_id is None
        and number.group_id == region.group
        and in_area(number.number, number.country, region)
    )
