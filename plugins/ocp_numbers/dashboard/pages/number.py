"""One number: what it is now, and how it came to be so."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from ocp_numbers.cleanup.marks import kept, marked_since
from ocp_numbers.dashboard import look
from ocp_numbers.dashboard.approvals import Answer, approval_of
from ocp_numbers.dashboard.deeds import DAYS
from ocp_numbers.dashboard.desk import AtDesk, Desk
from ocp_numbers.models import E164
from ocp_numbers.ordering.order import Line, Order

router = APIRouter()


@dataclass(frozen=True)
class Purchase:
    """The order that a number is one of, its line in it, and the approval of the order's plan."""

    order: Order
    line: Line
    approval: Answer | None


@router.get("/{environment}/numbers/{number}")
def number(desk: AtDesk, number: str) -> HTMLResponse:
    """The number's record and its history."""
    if not E164.fullmatch(number):
        raise HTTPException(404, f"{look.seen(number, 40)!r} is not a number in E.164, such as +12125550123.")
    snapshot = desk.snapshot
    record = desk.estate.table(snapshot).number(number) if snapshot else None
    changes = desk.sources.trail.changes(desk.environment, number)
    purchases = list(_purchases(desk, number))
    diary = desk.sources.diary.of(desk.environment, number)
    if record is None and not changes and not purchases and not diary.deeds:
        raise HTTPException(404, f"{number} is in none of the inventories, orders and runs of {desk.environment}.")
    days = desk.estate.days(desk.environment)
    approvers = {run.run: run.approved_by for run in desk.sources.cleanups.runs(desk.environment)}
    return desk.page(
        "number",
        "numbers",
        number=number,
        record=record,
        changes=[(change, *look.author(change.by)) for change in changes],
        approvers=approvers,
        purchases=purchases,
        diary=diary,
        diary_days=DAYS,
        marked=marked_since(record.note) if record else None,
        kept=kept(record.note) if record else False,
        first=days[0] if days else None,
    )


def _purchases(desk: Desk, number: str) -> list[Purchase]:
    found = []
    for account in desk.ledger.brought(number):
        order = desk.sources.purchases.order(desk.environment, account.order_id)
        line = next((line for line in order.lines if line.number == number), None) if order else None
        if order and line:
            found.append(Purchase(order, line, approval_of(desk.estate.root, order)))
    return found
