"""The earlier snapshots of a scope, and what they have to say about a new one."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory.attribution import Deeds
from ocp_numbers.inventory.changes import CHANGES, compare, numbers_in
from ocp_numbers.inventory.manifest import Comparison, Manifest, Scope
from ocp_numbers.inventory.sight import Change, Sight, compare_sight
from ocp_numbers.inventory.snapshot import CompleteSnapshot, dates, load, partition_of
from ocp_numbers.inventory.writer import PARQUET, REJECTS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Earlier:
    """The published snapshots of ``scope``, seen from an export of the date ``day``."""

    root: DataRoot
    scope: Scope
    day: date

    def last(self, until: date = date.max) -> CompleteSnapshot | None:
        """The newest snapshot of the scope, of ``until`` at the latest, that can be read."""
        for day in reversed(dates(self.root, self.scope.environment, *self.scope.part)):
            try:
                snapshot = load(self.root, partition_of(self.scope.environment, day, *self.scope.part))
            except IncompleteSnapshot as damaged:
                log.warning("Passed over for comparison: %s", damaged)
                continue
            if snapshot and day <= until:
                return snapshot
        return None

    def sight(self, manifest: Manifest, sight: Sight) -> Change:
        """How what the login sees differs from what it saw when the last snapshot before the date was taken.

        :raises ApiError, NoAnswer: when the platform cannot be asked at the moment.
        """
        last = self.last(self.day - timedelta(1))
        return compare_sight(last.manifest if last else None, manifest, sight)

    def compared(self, staging: str, manifest: Manifest, seen: Change) -> Manifest:
        """Write what changed since the last snapshot before the date into ``staging``; the manifest with it.

        The manifest as it is where there is none, or one that another login saw.
        """
        last = self.last(self.day - timedelta(1))
        if last is None:
            return manifest
        if last.manifest.scope.login != manifest.scope.login:
            log.warning(
                "Not compared with %s: %s saw it, who may see other numbers", last.date, last.manifest.scope.login
            )
            return manifest
        try:
            with (
                last.open(PARQUET) as before,
                last.open(REJECTS) as rejects_before,
                self.root.path(f"{staging}/{PARQUET}").open("rb") as after,
                self.root.path(f"{staging}/{REJECTS}").open("rb") as rejects_after,
            ):
                unsure = {*numbers_in(rejects_before), *numbers_in(rejects_after)}
                file, counts, authors = compare(
                    before,
                    after,
                    self.root.path(f"{staging}/{CHANGES}"),
                    deeds=Deeds.since(last.manifest.proof.started, root=self.root, environment=self.scope.environment),
                    unsure=unsure,
                    hidden=seen.hidden,
                    again=seen.again,
                )
        except IncompleteSnapshot as damaged:
            log.warning("Not compared: %s", damaged)
            return manifest
        log.info("Since %s: %s", last.date, ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing")
        changes = Comparison(date=last.date, digest=last.digest, counts=counts, by=authors)
        return manifest.model_copy(update={"files": manifest.files | {CHANGES: file}, "changes": changes})

    def manifests(self, nights: int) -> list[Manifest]:
        """Those of so many last nights before the date, oldest first; a damaged one is passed over."""
        manifests = []
        scope = self.scope
        for day in [day for day in dates(self.root, scope.environment, *scope.part) if day < self.day][-nights:]:
            with suppress(IncompleteSnapshot):
                if snapshot := load(self.root, partition_of(scope.environment, day, *scope.part)):
                    manifests.append(snapshot.manifest)
        return manifests
