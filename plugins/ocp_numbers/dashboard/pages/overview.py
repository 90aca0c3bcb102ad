"""The overview: how many numbers, whose, how that changed, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ocp_numbers.dashboard import look
from ocp_numbers.dashboard.desk import FRESH, AtDesk, Desk, Sources
from ocp_numbers.dashboard.estate import CHANGES
from ocp_numbers.dashboard.pages import balance, regions
from ocp_numbers.dashboard.question import Question
from ocp_numbers.dashboard.trail import Change
from ocp_numbers.dashboard.waiting import grace_days, queue
from ocp_numbers.inventory import CompleteSnapshot
from ocp_numbers.inventory.attribution import OUTSIDE

router = APIRouter()

BARS = 8
"""The largest groups, countries and so on that are drawn; the others are added up."""

LISTED = 200
EXAMPLES = 10


@dataclass(frozen=True)
class Bar:
    """One of a distribution: its share of the largest (0 to 100), and the table's question that lists its numbers."""

    label: str
    count: int
    length: float
    query: str


@dataclass(frozen=True)
class Distribution:
    """How the numbers divide up; ``rest`` counts what is not listed, ``without`` the numbers that have none."""

    title: str
    what: str
    bars: list[Bar]
    more: list[Bar]
    rest: int
    without: int


@dataclass(frozen=True)
class Notice:
    """Something that needs a person, and where to look at it."""

    text: str
    page: str
    pressing: bool = False


@router.get("/")
def first(request: Request) -> Response:
    """The first environment's overview."""
    sources: Sources = request.app.state.sources
    known = sources.estate.environments()
    home = str(request.scope.get("root_path", ""))
    # Before anything was ever exported there is the connection's usual name.
    return RedirectResponse(f"{home}/{quote(known[0] if known else 'ocp_default', safe='')}/", 302)


@router.get("/{environment}/")
def overview(desk: AtDesk) -> HTMLResponse:
    """Everything at a glance."""
    month = f"{desk.estate.now():%Y-%m}"
    money = {"month": month, "spent": desk.ledger.spent_in(month), "orders": len(desk.ledger.accounts)}
    snapshot = desk.snapshot
    inventory = _inventory(desk, snapshot) if snapshot else None
    return desk.page("overview", "", inventory=inventory, notices=list(_notices(desk)), money=money)


def _inventory(desk: Desk, snapshot: CompleteSnapshot) -> dict[str, Any]:
    estate = desk.estate
    counts = snapshot.manifest.counts
    sets = estate.sets(snapshot)
    nights = estate.nights(desk.environment)
    changes = snapshot.manifest.changes
    return {
        "counts": counts,
        "nights": nights,
        "before": next((night for night in reversed(nights[:-1]) if not night.fault), None),
        "sets": len(sets) - ("" in sets),
        "distributions": [
            _distribution("By country", "country", counts.by_country),
            _distribution("By group", "group", counts.by_group),
            _distribution("By miniApp", "mini_app", counts.by_mini_app),
            _distribution("By set", "set", sets),
        ],
        "changes": changes,
        "outside": OUTSIDE,
        "authors": [(*look.author(by), count) for by, count in _largest(changes.by)[:6]] if changes else [],
        "examples": [(each, *look.author(each.by)) for each in _examples(desk, snapshot)],
    }


def _examples(desk: Desk, snapshot: CompleteSnapshot) -> list[Change]:
    told = CHANGES in snapshot.manifest.files
    return desk.sources.trail.examples(snapshot, EXAMPLES) if told else []


def _distribution(title: str, what: str, counts: Mapping[str, int]) -> Distribution:
    named = _largest({label: count for label, count in counts.items() if label})
    longest = named[0][1] if named else 1
    bars = [
        Bar(label, count, 100 * count / longest, Question(**{what: label}).query)  # type: ignore[arg-type]
        for label, count in named[:LISTED]
    ]
    return Distribution(title, what, bars[:BARS], bars[BARS:], max(0, len(named) - LISTED), counts.get("", 0))


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _due(desk: Desk, snapshot: CompleteSnapshot) -> int:
    runs = desk.sources.cleanups.runs(desk.environment)
    today = desk.estate.now().date()
    waiting = queue(desk.estate.table(snapshot), grace_days(runs))
    return sum(not each.days_left(today) for each in waiting)


def _notices(desk: Desk) -> Iterator[Notice]:
    snapshot, ledger = desk.snapshot, desk.ledger
    if snapshot and desk.estate.now() - snapshot.taken > FRESH:
        yield Notice(f"The newest inventory is of {look.day(snapshot.date)}: the nightly export is late.", "", True)
    if snapshot and snapshot.manifest.rejects:
        yield Notice(
            f"{look.figure(snapshot.manifest.rejects)} rows were left out of the inventory: not records of numbers.",
            f"snapshots/{snapshot.date}/report.html",
        )
    for account in ledger.in_doubt[:3]:
        yield Notice(
            f"Whether {len(account.in_doubt)} numbers of order {look.seen(account.order_id, 60)} are ours is unknown; "
            f"{look.money(account.at_risk)} may have been spent.",
            f"orders/{quote(account.order_id)}",
            True,
        )
    for fault in ledger.faults[:3]:
        yield Notice(f"An order cannot be read: {look.seen(fault, 200)}", "orders", True)
    drifted = [finding for finding in regions.findings(desk) if finding.state != "as declared"]
    if drifted:
        names = ", ".join(look.seen(finding.name, 40) for finding in drifted[:3])
        yield Notice(f"{len(drifted)} regions are not as declared: {names}.", "regions")
    if snapshot and (due := _due(desk, snapshot)):
        yield Notice(f"{look.figure(due)} unused numbers have waited their time and may be given up.", "cleanup")
    books = balance.latest(desk)
    if books and books.findings:
        yield Notice(books.summary, "balance", True)
