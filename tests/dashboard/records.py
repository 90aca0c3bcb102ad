"""A data root as it is after some nights: inventories, orders, clean-ups, regions, written by the rooms that do so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from inventory.estate import Estate, Row, row
from ocp_numbers.cleanup.plan import CleanupPlan, folder, save_plan
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import Action
from ocp_numbers.cleanup.selection import Line as CleanupLine
from ocp_numbers.cleanup.verifying import Result
from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.documents import canonical, digest
from ocp_numbers.inventory import CompleteSnapshot, Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.journal import Actor, Entry, Journal, NumberEdit
from ocp_numbers.models import PhoneNumber
from ocp_numbers.ordering import Order, OrderBook, State
from ocp_numbers.ordering.order import Line, Requester
from ocp_numbers.ordering.stamps import order_id, stamp, stamped
from ocp_numbers.ordering.wishes import Wishes
from ocp_numbers.regions.drift import DriftReport, Finding
from ocp_numbers.regions.drift import State as RegionState

ENVIRONMENT = "ocp_default"
TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 8, tzinfo=timezone.utc)


def export(
    root: DataRoot,
    rows: Iterable[Row],
    day: date = TODAY,
    *,
    environment: str = ENVIRONMENT,
    max_reject_percent: float = 0.1,
    **part: Any,
) -> CompleteSnapshot:
    """Publish ``rows`` as the inventory of ``day``, read at two in the morning; ``part`` narrows its scope."""
    at = datetime.combine(day, time(2), timezone.utc)
    return Export(
        source=Estate(list(rows)),
        root=root,
        scope=Scope(environment=environment, **part),
        day=day,
        holder="run-1",
        page_size=100,
        concurrency=2,
        max_change_percent=10**6,
        max_reject_percent=max_reject_percent,
        clock=lambda: at,
    ).run()


def numbers(count: int, **fields: Any) -> list[Row]:
    """The records of that many numbers."""
    return [row(place, **fields) for place in range(count)]


def order(
    root: DataRoot,
    bought: Iterable[str],
    *,
    group: str = "retail",
    set_name: str = "Athens",
    at: datetime = NOW - timedelta(days=2),
    price: Decimal | None = Decimal(5),
    unknown: Iterable[str] = (),
    approved_by: str | None = "nikos",
    generation: int = 1,
) -> Order:
    """Put an order of a region on record, closed unless a number's outcome is ``unknown``, and its plan's approval."""
    name = order_id(ENVIRONMENT, group, set_name, generation=generation)
    lines = [Line(number=each, price=price, state=State.OWNED, sends=(at,), settled_at=at) for each in bought]
    lines += [Line(number=each, price=price, state=State.UNKNOWN, sends=(at,), doubted=True) for each in unknown]
    open_ = any(line.state is State.UNKNOWN for line in lines)
    wishes = Wishes(provider="twilio", group=group, country_code="US", prefix="+1212", quantity=len(lines))
    written = Order(
        order_id=name,
        environment=ENVIRONMENT,
        wishes=wishes,
        wishes_digest=digest(wishes),
        stamp=stamp(name),
        note=stamped("front desk", name),
        ceiling=None,
        budget=Decimal(100),
        approved=None,
        requested_by=Requester(
            dag_id="provision_region", run_id=f"manual__{at.isoformat()}", task_id="buy", user="maria"
        ),
        opened_at=at,
        lines=tuple(lines),
        spares=(),
        outcome=None if open_ else "complete",
        closed_at=None if open_ else at,
    )
    OrderBook(root, ENVIRONMENT).write(written)
    run = f"provision_region/manual__{at.isoformat()}"
    place = f"regions/{ENVIRONMENT}/{segment(group)}/{segment(set_name)}/approvals"
    answer = {"digest": "7f" * 32, "approved": True, "requested_by": "maria", "approved_by": approved_by}
    root.write(f"{place}/7f7f7f7f7f7f-{segment(run)}.json", canonical(answer | {"approved_at": at, "run": run}))
    return written


def cleanup(root: DataRoot, *, grace_days: int = 10, run: str = "scheduled__2026-03-03", finished: bool = True) -> None:
    """Put a clean-up on record that gave one number up, as somebody approved."""
    plan = CleanupPlan(
        environment=ENVIRONMENT,
        run=run,
        made_at=NOW - timedelta(days=1),
        today=TODAY - timedelta(days=1),
        snapshot="",
        estate=50,
        policy=CleanupPolicy(grace_days=grace_days),
        lines=(CleanupLine(number="+12120000001", action=Action.RELEASE, why="its time is over"),),
    )
    save_plan(root, plan)
    answer = {"digest": plan.digest, "approved": True, "approved_by": "eleni", "approved_at": NOW, "run": run}
    root.write(f"{folder(run)}/approvals/1.json", canonical(answer))
    if finished:
        nobody = {name: () for name, field in Result.model_fields.items() if field.annotation == tuple[str, ...]}
        told = nobody | {"released": ("+12120000001",), "digest": plan.digest, "dry_run": False, "approved": True}
        result = Result.model_validate(told | {"marked": 3, "cleared": 1})
        root.write(f"{folder(run)}/result.json", result.model_dump_json().encode())


def drift(root: DataRoot, **states: RegionState) -> None:
    """Put a comparison of regions on record: their names and states."""
    findings = tuple(
        Finding(name=name, environment=ENVIRONMENT, group="retail", set_name="Athens", apply="never", state=state)
        for name, state in states.items()
    )
    DriftReport(run="1", compared_at=NOW, findings=findings).save(root)


def done(
    root: DataRoot,
    operation: str,
    number: str,
    after: dict[str, str | None] | None,
    *,
    before: str | None = None,
    at: datetime = NOW,
    run: str = "manual__1",
    confirmed: bool = True,
    refused: bool = False,
) -> Entry:
    """Put on record that a run did something to a number, whose note was ``before``, and that it was read back."""
    actor = Actor(dag_id="apply_number_changes", run_id=run, task_id="apply", user="maria")
    journal = Journal(root, ENVIRONMENT, actor, now=lambda: at)
    was = PhoneNumber(number=number, note=before) if before is not None else None
    intent = journal.intend(operation, [NumberEdit(number=number, before=was, after=after)])
    if confirmed:
        journal.confirm(intent, without=[number] if refused else [])
    return intent
