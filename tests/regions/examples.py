"""A region, its numbers and a small world to apply plans to, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ocp_numbers.models import AvailableNumber, NumberSet, PhoneNumber
from ocp_numbers.ordering import stamp
from ocp_numbers.regions.identity import generation_in
from ocp_numbers.regions.plan import RegionOrder, RegionPlan, Seen
from ocp_numbers.regions.planning import in_area, is_right
from ocp_numbers.regions.spec import Region, RegionSpec

APP, OTHER_APP = "1111.FrontDesk.Flow", "2222.Billing.Flow"
PARAMETERS: dict[str, Any] = {
    "set_name": "front-desk",
    "group": "retail-us",
    "quantity": 5,
    "mini_app_id": APP,
    "locale": "en-US",
    "prefix": "+1212",
    "country_code": "US",
    "provider": "telnova",
    "max_total_price": 50,
    "max_unit_price": 10,
    "ocp_conn_id": "ocp_default",
}
SET = NumberSet(id="set-1", name="front-desk", group_id="retail-us")


def region(**changes: Any) -> Region:
    return RegionSpec.parse({**PARAMETERS, **changes}).region


def named(index: int, prefix: str = "+1212") -> str:
    return f"{prefix}555{index:04d}"


def number(index: int, **fields: Any) -> PhoneNumber:
    return PhoneNumber(**{"number": named(index), "country": "US", "group_id": "retail-us", **fields})


def attached(index: int, **fields: Any) -> PhoneNumber:
    return number(index, **{"mini_app_id": APP, "locale": "en-US", "set_id": SET.id, **fields})


def offer(index: int, price: Decimal | int | str | None = 5, **fields: Any) -> AvailableNumber:
    return AvailableNumber(
        **{"number": named(index), "country": "US", "price": None if price is None else Decimal(price), **fields}
    )


def seen(**parts: Any) -> Seen:
    return Seen(**{"environment": "ocp_default", **parts})


@dataclass
class World:
    """What a platform and an order book hold, with the effects that applying a plan has on them."""

    group: list[PhoneNumber] = field(default_factory=list)
    offers: list[AvailableNumber] = field(default_factory=list)
    has_set: bool = False
    orders: list[RegionOrder] = field(default_factory=list)
    spent: Decimal = Decimal(0)

    def look(self, wanted: Region) -> Seen:
        generations = {n.number: generation_in(n.note, wanted) for n in self.group}
        return seen(
            sets=(SET,) if self.has_set else (),
            members=tuple(n for n in self.group if n.set_id == SET.id),
            free=tuple(
                n
                for n in self.group
                if n.mini_app_id is None and n.set_id is None and in_area(n.number, n.country, wanted)
            ),
            offers=tuple(self.offers),
            orders=tuple(self.orders),
            stamped={name: generation for name, generation in generations.items() if generation is not None},
        )

    def apply(self, plan: RegionPlan) -> None:
        bought: Iterable[str] = ()
        if plan.order is not None:
            bought = self._buy(plan)
        self.has_set = True
        target = {*plan.known, *bought}
        wanted = plan.region
        self.group = [
            n.model_copy(update={"set_id": SET.id, "mini_app_id": wanted.mini_app_id, "locale": wanted.locale})
            if n.number in target
            else n
            for n in self.group
        ]

    def right(self, wanted: Region) -> int:
        return sum(n.set_id == SET.id and is_right(n, wanted) for n in self.group)

    def _buy(self, plan: RegionPlan) -> list[str]:
        assert plan.order is not None
        order = plan.order
        new = order.offers[: order.to_buy]
        note = stamp(order.order_id)
        self.group += [PhoneNumber(number=n.number, country="US", group_id=plan.region.group, note=note) for n in new]
        sold = {n.number for n in new}
        self.offers = [n for n in self.offers if n.number not in sold]
        self.spent += sum((n.price or Decimal(0) for n in new), Decimal(0))
        owned = (*order.earlier, *(n.number for n in new))
        self.orders = [known for known in self.orders if known.generation != order.generation] + [
            RegionOrder(
                order_id=order.order_id,
                generation=order.generation,
                is_open=False,
                wishes=order.wishes,
                owned=owned,
            )
        ]
        return list(owned)
