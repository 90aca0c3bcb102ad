"""Which orders and numbers belong to a region: its key, generation by generation, and the key's stamps in notes."""

from __future__ import annotations

from ocp_numbers.ordering.stamps import order_id, stamp_family, stamps_in
from ocp_numbers.regions.spec import Region


def base_id(region: Region) -> str:
    """What the ids of all orders of the region begin with."""
    return order_id(region.ocp_conn_id, region.group, region.set_name)


def region_order_id(region: Region, generation: int) -> str:
    """The id of the region's order number ``generation``, counted from 1."""
    return order_id(region.ocp_conn_id, region.group, region.set_name, generation=generation)


def generation_in(note: str | None, region: Region) -> int | None:
    """The generation of the region's order whose stamp stands in ``note``; the last one where several do."""
    family = stamp_family(base_id(region))
    ours = [stamp.removeprefix(family).rstrip("]") for stamp in stamps_in(note) if stamp.startswith(family)]
    return max(map(int, ours), default=None)
