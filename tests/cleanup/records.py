"""What our own records may hold: inventories of single nights, orders, and reservations."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from cleanup.scene import TODAY, Scene
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.ordering import Claim, Line, Order, Requester, Reservations, State, Wishes


def publish(scene: Scene, day: date = TODAY) -> None:
    moment = datetime(day.year, day.month, day.day, 2, tzinfo=timezone.utc)
    Export(
        source=ClientSource(lambda: scene.client),
        root=scene.data_root,
        scope=Scope(environment="ocp_default"),
        day=day,
        holder="export",
        formats=("parquet",),
        max_change_percent=100,
        clock=lambda: moment,
    ).run()


def order(number: str, *, settled: datetime, outcome: Any, state: State = State.OWNED) -> Order:
    wishes = Wishes(provider="telnova", group="us", country_code="US", numbers=(number,))
    return Order(
        order_id=f"ocp_default/us/{number}",
        environment="ocp_default",
        wishes=wishes,
        wishes_digest="0" * 64,
        stamp="[order 7f3a9c2e1b40]",
        note="[order 7f3a9c2e1b40]",
        ceiling=None,
        budget=None,
        approved=None,
        requested_by=Requester(),
        opened_at=settled,
        lines=(Line(number=number, price=None, state=state, settled_at=settled),),
        spares=(),
        outcome=outcome,
        closed_at=settled if outcome else None,
    )


def reserve(scene: Scene, number: str) -> None:
    reservations = Reservations(scene.data_root, "ocp_default")
    claim = Claim(owner="set front of group us", plan="digest", numbers=(number,))
    reservations.reserve(lambda _: (None, claim), owner=claim.owner, run="other", since=reservations.now())
