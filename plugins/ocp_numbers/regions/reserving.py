"""Planning beside other runs of ours: around the numbers that their plans count on, and reserving one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocp_numbers.errors import NotEnoughNumbers, OverBudget, shown
from ocp_numbers.ordering import Claim, Reservations, Taken
from ocp_numbers.regions.planning import plan_region
from ocp_numbers.regions.survey import survey

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient
    from ocp_numbers.models import PhoneNumber
    from ocp_numbers.ordering import OrderBook
    from ocp_numbers.regions.plan import RegionPlan, Seen
    from ocp_numbers.regions.spec import Region

MOST_SURVEYS = 5
"""How often a run looks again when others took, while it looked, what it then misses."""


@dataclass(frozen=True)
class Planner:
    """Makes plans of regions; for the parameters see :func:`~ocp_numbers.regions.survey.survey`."""

    client: OcpClient
    book: OrderBook
    reservations: Reservations
    is_protected: Callable[[PhoneNumber], bool]

    def propose(self, region: Region) -> RegionPlan:
        """What would be planned now. Reserves nothing.

        :raises OcpError: as :func:`~ocp_numbers.regions.planning.plan_region`.
        """
        taken = self.reservations.taken(by_others_than=owner(region))
        return plan_around(region, self._survey(region, taken), taken)

    def reserve(self, region: Region, *, run: str) -> RegionPlan:
        """The plan, whose numbers no other plan picks from now on, until it is carried out, refused or out of time.

        :param run: a run that is tried again frees what its earlier attempt held.
        :raises OcpError: as :func:`~ocp_numbers.regions.planning.plan_region`.
        :raises Held: other runs are planning for longer than anybody should be.
        """
        surveys_left = MOST_SURVEYS
        while True:
            surveys_left -= 1
            began = self.reservations.now()
            taken = self.reservations.taken(by_others_than=owner(region))
            seen = self._survey(region, taken)
            try:
                return self.reservations.reserve(
                    lambda now, seen=seen: _decided(plan_around(region, seen, now)),  # type: ignore[misc]
                    owner=owner(region),
                    run=run,
                    since=began,
                )
            except (NotEnoughNumbers, OverBudget):
                if not surveys_left or self.reservations.taken(by_others_than=owner(region)).all <= taken.all:
                    raise

    def _survey(self, region: Region, taken: Taken) -> Seen:
        return survey(self.client, self.book, region, is_protected=self.is_protected, reserved=taken.all)


def plan_around(region: Region, seen: Seen, taken: Taken) -> RegionPlan:
    """The plan without what others count on; the spares of others are used only where it cannot be made without them.

    :raises OcpError: as :func:`~ocp_numbers.regions.planning.plan_region`.
    """
    if not taken.all:
        return plan_region(region, seen)
    try:
        return plan_region(region, seen.without(taken.all))
    except (NotEnoughNumbers, OverBudget):
        left = seen.without(taken.owner.keys())
    try:
        return plan_region(region, left)
    except (NotEnoughNumbers, OverBudget) as error:
        there = (*(each.number for each in seen.free), *(each.number for each in seen.offers))
        held = [number for number in there if number in taken.owner]
        if not held:
            raise
        raise type(error)(
            f"{error} {len(held)} more are reserved by plans that wait or are being carried out, for "
            f"{shown(sorted({taken.owner[number] for number in held}))}: they come free when these are rejected or "
            f"run out."
        ) from None


def claim_of(plan: RegionPlan) -> Claim:
    """The numbers that ``plan`` counts on and does not have in its set yet."""
    order = plan.order
    reused = (number.number for number in plan.reuse)
    bought = (*order.earlier, *(offer.number for offer in order.offers)) if order else ()
    return Claim(
        owner=owner(plan.region),
        plan=plan.digest,
        numbers=tuple(dict.fromkeys((*reused, *bought))),
        spares=tuple(offer.number for offer in order.wishes.spares) if order else (),
    )


def owner(region: Region) -> str:
    """Whom a region's plans reserve for, in words."""
    return f"set {region.set_name} of group {region.group}"


def _decided(plan: RegionPlan) -> tuple[RegionPlan, Claim | None]:
    return plan, None if plan.changes_nothing else claim_of(plan)
