"""The table of numbers: searched, filtered, sorted, page by page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from ocp_numbers.dashboard.desk import AtDesk
from ocp_numbers.dashboard.question import Attached, Column, Order, Question
from ocp_numbers.inventory import CompleteSnapshot

router = APIRouter()

SUGGESTED = 200
"""Groups, sets and miniApps that a filter suggests, the largest ones; any other can be typed."""

NEWER = 5
"""Orders that are pointed at where nothing fits, because they are newer than the inventory."""

Text = Annotated[str, Query(max_length=300)]


def question(
    q: Text = "",
    country: Text = "",
    group: Text = "",
    set: Text = "",
    mini_app: Text = "",
    attached: Attached = "",
    sort: Column = "number",
    order: Order = "asc",
    page: Annotated[int, Query(ge=1, le=10**7)] = 1,
) -> Question:
    """What the address asks."""
    return Question(q.strip(), country, group, set, mini_app, attached, sort, order, page)


Asked = Annotated[Question, Depends(question)]


@router.get("/{environment}/numbers")
def numbers(desk: AtDesk, asked: Asked) -> HTMLResponse:
    """A page of the table."""
    if desk.snapshot is None:
        return desk.page("numbers", "numbers", found=None, asked=asked)
    snapshot = desk.snapshot
    found = desk.estate.table(snapshot).page(asked)
    asked = asked.but(page=min(asked.page, found.pages))
    since = [] if found.total else [each for each in desk.ledger.accounts if each.opened_at > snapshot.taken]
    choices = _choices(snapshot, desk.estate.sets(snapshot))
    return desk.page("numbers", "numbers", found=found, asked=asked, since=since[:NEWER], **choices)


def _choices(snapshot: CompleteSnapshot, sets: dict[str, int]) -> dict[str, Any]:
    counts = snapshot.manifest.counts

    def largest(found: dict[str, int]) -> list[str]:
        return [name for name in sorted(found, key=lambda name: (-found[name], name)) if name][:SUGGESTED]

    return {
        "countries": sorted(name for name in counts.by_country if name),
        "groups": largest(counts.by_group),
        "mini_apps": largest(counts.by_mini_app),
        "sets": largest(sets),
    }
