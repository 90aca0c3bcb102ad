"""The declared regions, and where reality has drifted from them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from ocp_numbers.dashboard.desk import AtDesk, Desk
from ocp_numbers.dashboard.purchases import place_of
from ocp_numbers.regions.drift import DOCUMENT, DriftReport, Finding

router = APIRouter()


@router.get("/{environment}/regions")
def regions(desk: AtDesk) -> HTMLResponse:
    """How each region of the environment stood at the last comparison."""
    spent: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for account in desk.ledger.accounts:
        spent[place_of(account.order_id)] += account.total
    return desk.page("regions", "regions", report=_report(desk), findings=findings(desk), spent=spent)


def findings(desk: Desk) -> list[Finding]:
    """What the last comparison found out about the environment's regions, the most pressing first."""
    report = _report(desk)
    return [each for each in report.findings if each.environment == desk.environment] if report else []


def _report(desk: Desk) -> DriftReport | None:
    try:
        return DriftReport.model_validate_json(desk.estate.root.read(DOCUMENT) or b"")
    except ValidationError:
        return None
