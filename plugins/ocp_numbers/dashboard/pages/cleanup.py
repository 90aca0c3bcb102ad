"""What waits to be given up, and what the last clean-ups did."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from ocp_numbers.dashboard.desk import AtDesk
from ocp_numbers.dashboard.waiting import grace_days, queue

router = APIRouter()

SHOWN = 300
DAYS = 60
"""Days to come that the calendar of due numbers shows."""


@router.get("/{environment}/cleanup")
def cleanup(desk: AtDesk) -> HTMLResponse:
    """The queue by due date, and the runs."""
    runs = desk.sources.cleanups.runs(desk.environment)
    grace = grace_days(runs)
    waiting = queue(desk.estate.table(desk.snapshot), grace) if desk.snapshot else []
    today = desk.estate.now().date()
    due = [each for each in waiting if not each.days_left(today)]
    calendar = Counter(max(each.due, today) for each in waiting if each.days_left(today) <= DAYS)
    return desk.page(
        "cleanup",
        "cleanup",
        runs=runs,
        grace=grace,
        waiting=waiting,
        shown=waiting[:SHOWN],
        due=len(due),
        calendar=sorted(calendar.items()),
        today=today,
    )
