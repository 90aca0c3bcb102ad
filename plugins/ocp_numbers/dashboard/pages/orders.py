"""Orders, and what they spent by month and region."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse

from ocp_numbers.dashboard import look
from ocp_numbers.dashboard.approvals import approval_of
from ocp_numbers.dashboard.desk import AtDesk
from ocp_numbers.dashboard.purchases import Ledger

router = APIRouter()

MONTHS = 12
REGIONS = 7
"""Regions that are drawn one by one; what the others spent is added up."""

ORDERS_ON_A_PAGE = 50
OTHERS = "all others"


@router.get("/{environment}/orders")
def orders(desk: AtDesk, page: Annotated[int, Query(ge=1, le=10**6)] = 1) -> HTMLResponse:
    """Spending, and the orders, newest first."""
    ledger = desk.ledger
    pages = max(1, -(-len(ledger.accounts) // ORDERS_ON_A_PAGE))
    page = min(page, pages)
    month = f"{desk.estate.now():%Y-%m}"
    names, months = _spending(ledger)
    return desk.page(
        "orders",
        "orders",
        ledger=ledger,
        shown=ledger.accounts[(page - 1) * ORDERS_ON_A_PAGE : page * ORDERS_ON_A_PAGE],
        page=page,
        pages=pages,
        month=month,
        spent=ledger.spent_in(month),
        in_all=sum((account.total for account in ledger.accounts), Decimal(0)),
        regions=names,
        months=months,
    )


@router.get("/{environment}/orders/{order_id:path}")
def order(desk: AtDesk, order_id: str) -> HTMLResponse:
    """One order: what was wanted, approved and bought, number by number."""
    found = desk.sources.purchases.order(desk.environment, order_id)
    if found is None:
        raise HTTPException(404, f"There is no order {look.seen(order_id, 80)!r} in {desk.environment}.")
    return desk.page("order", "orders", order=found, approval=approval_of(desk.estate.root, found))


def _spending(ledger: Ledger) -> tuple[list[str], list[tuple[str, list[Decimal], Decimal]]]:
    """The regions that spent most, and for each of the last months what each of them and all together spent."""
    months = dict(list(ledger.months().items())[-MONTHS:])
    sums: dict[str, Decimal] = {}
    for spent in months.values():
        for region, amount in spent.items():
            sums[region] = sums.get(region, Decimal(0)) + amount
    names = sorted(sums, key=lambda region: (-sums[region], region))
    drawn, others = names[:REGIONS], names[REGIONS:]
    rows = []
    for month, spent in months.items():
        amounts = [spent.get(region, Decimal(0)) for region in drawn]
        if others:
            amounts.append(sum((spent.get(region, Decimal(0)) for region in others), Decimal(0)))
        rows.append((month, amounts, sum(amounts, Decimal(0))))
    return [*drawn, *([OTHERS] if others else [])], rows
