"""Whether the books balance: every number traces to a record, and every record to the inventory."""

from __future__ import annotations

import csv
import io

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response

from ocp_numbers.balance import FINDINGS, Balance, read
from ocp_numbers.dashboard import look, plain_csv
from ocp_numbers.dashboard.desk import AtDesk, Desk

router = APIRouter()


@router.get("/{environment}/balance")
def balance(desk: AtDesk) -> HTMLResponse:
    """The verdict on the newest snapshot, and what does not add up."""
    account = latest(desk)
    return desk.page(
        "balance",
        "balance",
        account=account,
        findings=[(each, *look.author(each.record)) for each in account.first] if account else [],
    )


@router.get("/{environment}/balance/findings.csv")
def findings(desk: AtDesk) -> Response:
    """All findings on the newest snapshot as CSV, each value as text."""
    snapshot = desk.snapshot
    if snapshot is None or FINDINGS not in snapshot.manifest.files:
        raise HTTPException(404, f"The newest snapshot of {desk.environment} comes without findings.")
    with snapshot.open(FINDINGS) as stream:
        rows = list(csv.reader(io.StringIO(stream.read().decode(), newline="")))
    return plain_csv.answer(rows, "findings", desk.environment, snapshot.date)


def latest(desk: Desk) -> Balance | None:
    """The account of the newest snapshot's night; ``None`` where there is none."""
    return read(desk.snapshot) if desk.snapshot else None
