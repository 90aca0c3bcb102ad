"""Reservations in object storage: of runs that plan at the same moment each gets its own numbers there as well."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from inventory.bucket import root, store
from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import Reservations, Taken
from ocp_numbers.regions.plan import RegionPlan
from ocp_numbers.regions.reserving import claim_of, owner, plan_around
from regions.examples import offer, region, seen

__all__ = ["root", "store"]


def test_eight_at_once_share_the_offers_of_an_area(root: DataRoot) -> None:
    there = seen(offers=tuple(offer(index) for index in range(16)))

    def reserve(place: int) -> RegionPlan:
        wanted = region(set_name=f"desk-{place}", quantity=2)
        reservations = Reservations(root, "ocp_default")

        def decide(taken: Taken) -> tuple[RegionPlan, object]:
            plan = plan_around(wanted, there, taken)
            return plan, claim_of(plan)

        return reservations.reserve(decide, owner=owner(wanted), run="run", since=reservations.now())  # type: ignore[arg-type]

    with ThreadPoolExecutor(8) as pool:
        plans = list(pool.map(reserve, range(8)))
    chosen = [number for plan in plans for number in claim_of(plan).numbers]
    assert sorted(chosen) == [offer(index).number for index in range(16)]
    assert set(Reservations(root, "ocp_default").taken().owner) == set(chosen)
