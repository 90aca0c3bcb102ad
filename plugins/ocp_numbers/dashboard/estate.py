"""What the data root holds of each environment's inventory: the newest snapshot, the nights before it, its table."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from urllib.parse import unquote

from ocp_numbers.dashboard.index import WORTH_ROWS, Indexer
from ocp_numbers.dashboard.recent import Recent
from ocp_numbers.dashboard.shelf import Shelf
from ocp_numbers.dashboard.table import Table
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory import CompleteSnapshot, dates, latest, load, partition_of

NIGHTS = 90
"""Nights that the trend goes back."""

NUMBERS = "numbers.parquet"
CHANGES = "changes.parquet"

_MOMENT = 5.0
_NIGHT_KNOWN_FOR = 600.0
_AT_ONCE = 8

Scope = tuple[str, ...]


@dataclass(frozen=True)
class Night:
    """What one night's manifest says, in figures; ``fault`` where it cannot be read."""

    date: date
    rows: int = 0
    attached: int = 0
    changes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0
    attempts: int = 1
    rejects: int = 0
    report: bool = False
    fault: str = ""

    @property
    def unattached(self) -> int:
        """Numbers that no miniApp uses."""
        return self.rows - self.attached


class Estate:
    """Everything that the pages read of the inventory.

    :param clock: gives the present moment, with its time zone.
    """

    def __init__(
        self,
        root: DataRoot,
        shelf: Shelf,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root = root
        self.shelf = shelf
        self.now = clock
        self.seconds = seconds
        self.indexer = Indexer(shelf)
        self._listed: Recent[list[str]] = Recent(_MOMENT, clock=seconds)
        self._newest: Recent[CompleteSnapshot | None] = Recent(_MOMENT, clock=seconds)
        self._nights: Recent[Night] = Recent(_NIGHT_KNOWN_FOR, clock=seconds, most=20 * NIGHTS)
        self._tables: Recent[Table] = Recent(math.inf, clock=seconds, most=4)
        self._sets: Recent[dict[str, int]] = Recent(math.inf, clock=seconds, most=16)

    def environments(self) -> list[str]:
        """The environments that there are snapshots or orders of, by name."""
        exported = {key.split("/")[1].removeprefix("environment=") for key in self._keys()}
        begun = {
            key.rpartition("/")[2].removesuffix(".json")
            for key in self._listed.get("orders/begun", lambda: self.root.keys("orders/begun"))
        }
        # A name too long for a folder ends in "=" and a hash, and cannot be told from it.
        return sorted(unquote(name) for name in exported | begun if "=" not in name)

    def scope(self, environment: str) -> Scope:
        """The groups that the environment's inventory is of: none where it is whole, or where there is no other."""
        found: dict[str, str] = {}
        for key in self._keys():
            parts = key.split("/")
            if parts[-1] == "manifest.json" and unquote(parts[1].removeprefix("environment=")) == environment:
                *part, day = parts[2:-1]
                # What somebody searched for is nobody's inventory.
                if not part or (len(part) == 1 and part[0].startswith("groups=")):
                    groups = "".join(part)
                    found[groups] = max(day, found.get(groups, ""))
        if not found or "" in found:
            return ()
        newest = max(found, key=lambda groups: found[groups]).removeprefix("groups=")
        return tuple(unquote(group) for group in unquote(newest).split("+"))

    def latest(self, environment: str) -> CompleteSnapshot | None:
        """The newest snapshot, ``None`` where there is none.

        :raises IncompleteSnapshot: when its manifest cannot be read.
        """
        return self._newest.get(environment, lambda: latest(self.root, environment, self.scope(environment)))

    def snapshot(self, environment: str, day: date) -> CompleteSnapshot | None:
        """The snapshot of one date.

        :raises IncompleteSnapshot: when its manifest cannot be read.
        """
        return load(self.root, partition_of(environment, day, self.scope(environment)))

    def days(self, environment: str) -> list[date]:
        """The dates of all snapshots, oldest first."""
        return dates(self.root, environment, self.scope(environment))

    def nights(self, environment: str) -> list[Night]:
        """The last nights, oldest first. An earlier one that is exported anew shows after some minutes."""
        days = self.days(environment)[-NIGHTS:]

        def known(day: date) -> Night:
            return self._nights.get((environment, day), lambda: self._night(environment, day))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            earlier = list(pool.map(known, days[:-1]))
        return [*earlier, *(self._night(environment, day) for day in days[-1:])]

    def table(self, snapshot: CompleteSnapshot) -> Table:
        """The snapshot's numbers.

        :raises IncompleteSnapshot: when the file is missing, damaged, or replaced since the manifest was read.
        """
        parquet = self.shelf.file(snapshot, NUMBERS)
        index = self.indexer.find(parquet) if snapshot.rows >= WORTH_ROWS else None
        made_of = index or parquet
        return self._tables.get(made_of, lambda: Table(made_of, indexed=index is not None))

    def sets(self, snapshot: CompleteSnapshot) -> dict[str, int]:
        """How many numbers each set holds, the largest first; those in none under ``""``."""
        return self._sets.get(snapshot.digest, lambda: self.table(snapshot).sets())

    def _keys(self) -> list[str]:
        return self._listed.get("inventory", lambda: [key for key in self.root.keys("inventory") if key.count("/") > 1])

    def _night(self, environment: str, day: date) -> Night:
        try:
            snapshot = self.snapshot(environment, day)
        except IncompleteSnapshot as damaged:
            return Night(day, fault=str(damaged))
        if snapshot is None:
            return Night(day, fault="It was removed meanwhile.")
        manifest = snapshot.manifest
        return Night(
            date=day,
            rows=manifest.rows,
            attached=manifest.counts.attached,
            changes=manifest.changes.counts if manifest.changes else {},
            seconds=(manifest.proof.ended - manifest.proof.started).total_seconds(),
            attempts=manifest.proof.attempts,
            rejects=manifest.rejects,
            report="report.html" in manifest.files,
        )
