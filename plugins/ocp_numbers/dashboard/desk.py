"""What every page is made with: the environment it is about, what is known of it, and the frame around the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from ocp_numbers.dashboard import look
from ocp_numbers.dashboard.deeds import Diary
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.purchases import Ledger, Purchases
from ocp_numbers.dashboard.recent import Recent
from ocp_numbers.dashboard.trail import Trail
from ocp_numbers.dashboard.waiting import Cleanups
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory import CompleteSnapshot

FRESH = timedelta(hours=26)
"""A nightly snapshot that is older than this is late."""

SECTIONS = {
    "": "Overview",
    "numbers": "Numbers",
    "orders": "Orders",
    "cleanup": "Cleanup",
    "regions": "Regions",
    "balance": "Balance",
}


@dataclass
class Sources:
    """What the pages read; made once for the application."""

    estate: Estate
    purchases: Purchases = field(init=False)
    cleanups: Cleanups = field(init=False)
    trail: Trail = field(init=False)
    diary: Diary = field(init=False)

    def __post_init__(self) -> None:
        self.purchases = Purchases(self.estate.root)
        self.cleanups = Cleanups(self.estate.root, Recent(60.0, clock=self.estate.seconds, most=500))
        self.trail = Trail(self.estate)
        self.diary = Diary(self.estate)


@dataclass
class Desk:
    """One request's view of one environment."""

    request: Request
    environment: str
    sources: Sources

    @property
    def estate(self) -> Estate:
        """The inventory."""
        return self.sources.estate

    @cached_property
    def snapshot(self) -> CompleteSnapshot | None:
        """The newest snapshot, ``None`` where there is none.

        :raises IncompleteSnapshot: when its manifest cannot be read.
        """
        return self.estate.latest(self.environment)

    @cached_property
    def ledger(self) -> Ledger:
        """The environment's orders."""
        return self.sources.purchases.of(self.environment)

    @property
    def home(self) -> str:
        """Address of the dashboard, without a slash at its end."""
        return str(self.request.scope.get("root_path", ""))

    def page(self, template: str, section: str, **content: Any) -> HTMLResponse:
        """``template`` filled with ``content``, in the frame."""
        html = (
            look.templates()
            .get_template(f"{template}.html.jinja")
            .render(
                **frame(self.request),
                base=f"{self.home}/{quote(self.environment, safe='')}",
                environment=self.environment,
                environments=self.estate.environments(),
                section=section,
                standing=self._standing(),
                snapshot=self._readable(),
                now=self.estate.now(),
                **content,
            )
        )
        return HTMLResponse(html)

    def _readable(self) -> CompleteSnapshot | None:
        try:
            return self.snapshot
        except IncompleteSnapshot:
            return None

    def _standing(self) -> tuple[str, str]:
        """How the newest snapshot stands, as a class of the style sheet and a sentence."""
        try:
            snapshot = self.snapshot
        except IncompleteSnapshot:
            return "bad", "The newest snapshot cannot be read"
        if snapshot is None:
            return "none", "No inventory yet"
        old = self.estate.now() - snapshot.taken
        if not snapshot.manifest.scope.whole:
            count = len(snapshot.manifest.scope.groups)
            return "late", f"{count:,} {'group' if count == 1 else 'groups'} only, not all numbers; {look.age(old)} old"
        if old > FRESH:
            return "late", f"Complete, but {look.age(old)} old: the nightly export is late"
        return "good", f"Complete, read {look.age(old)} ago"


def frame(request: Request) -> dict[str, Any]:
    """What the frame of every page needs, also where the page is about no environment."""
    home = str(request.scope.get("root_path", ""))
    return {
        "home": home,
        "airflow": home.removesuffix("/ocp-numbers"),
        "static": f"{home}/-/{look.version()}",
        "sections": SECTIONS,
        "path": request.url.path,
    }


def desk(request: Request, environment: str) -> Desk:
    """The desk for the environment that the address names."""
    sources: Sources = request.app.state.sources
    known = sources.estate.environments()
    if environment not in known and known:
        listed = ", ".join(known[:10])
        raise HTTPException(404, f"There is no environment {look.seen(environment, 60)!r} here; there is {listed}.")
    return Desk(request, environment, sources)


AtDesk = Annotated[Desk, Depends(desk)]
