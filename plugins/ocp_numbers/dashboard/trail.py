"""One number through time: every change that the nights showed, and who made it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ocp_numbers.dashboard.estate import CHANGES, Estate
from ocp_numbers.dashboard.index import SETTINGS
from ocp_numbers.dashboard.recent import Recent
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory import CompleteSnapshot

_KNOWN_FOR = 3600.0
"""Seconds after which an earlier night is looked at again: somebody may have exported it anew."""

_AT_ONCE = 8


@dataclass(frozen=True)
class Change:
    """What a night found different from the night before: one field, from what to what, and by whom."""

    night: date
    number: str
    kind: str
    field: str
    before: str | None
    after: str | None
    by: str


class Trail:
    """Looks through the nights' changes; the files are kept locally, so only new nights cost anything."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: Recent[Path | None] = Recent(_KNOWN_FOR, clock=estate.seconds, most=20_000)

    def changes(self, environment: str, number: str) -> list[Change]:
        """The changes of ``number``, the newest night first; a night that cannot be read tells nothing."""
        import duckdb

        nights = self._nights(environment)
        if not nights:
            return []
        with duckdb.connect(":memory:", config=SETTINGS) as base:
            found = base.execute(
                'SELECT filename, number, change, field, before, after, "by" FROM read_parquet(?, filename = true, '
                "union_by_name = true) WHERE number = ?",
                [list(nights), number],
            ).fetchall()
        changes = [Change(night, *told) for name, *told in found for night in nights[name]]
        return sorted(changes, key=lambda change: (change.night, change.kind, change.field), reverse=True)

    def examples(self, snapshot: CompleteSnapshot, most: int) -> list[Change]:
        """Some changes of every kind that the snapshot's night showed."""
        import duckdb

        path = self._estate.shelf.file(snapshot, CHANGES)
        with duckdb.connect(":memory:", config=SETTINGS) as base:
            found = base.execute(
                'SELECT number, change, field, before, after, "by" FROM read_parquet(?) '
                "QUALIFY row_number() OVER (PARTITION BY change ORDER BY number) <= ? "
                "ORDER BY row_number() OVER (PARTITION BY change ORDER BY number), change LIMIT ?",
                [str(path), most, most],
            ).fetchall()
        return [Change(snapshot.date, *told) for told in found]

    def _nights(self, environment: str) -> dict[str, list[date]]:
        """The local files of changes, each with its nights: where the same happened again, that is one file."""
        days = self._estate.days(environment)
        newest = days[-1:]

        def path(day: date) -> Path | None:
            if [day] == newest:  # it may be exported anew at any time
                return self._fetch(environment, day)
            known = self._known.get((environment, day), lambda: self._fetch(environment, day))
            return known if known is None or self._estate.shelf.has(known.name) else self._fetch(environment, day)

        nights: dict[str, list[date]] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for day, found in zip(days, pool.map(path, days), strict=True):
                if found is not None:
                    nights.setdefault(str(found), []).append(day)
        return nights

    def _fetch(self, environment: str, day: date) -> Path | None:
        try:
            snapshot = self._estate.snapshot(environment, day)
            if snapshot is None or CHANGES not in snapshot.manifest.files:
                return None
            return self._estate.shelf.file(snapshot, CHANGES)
        except IncompleteSnapshot:
            return None
