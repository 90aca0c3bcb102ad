"""Letting old snapshots go: by age, but never below a number of them."""

from __future__ import annotations

from datetime import date, timedelta

from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory.manifest import Scope
from ocp_numbers.inventory.snapshot import MANIFEST, dates, folder_of, partition_of

KEEP_AT_LEAST = 7
"""Snapshots of a scope that stay however old they are: where exports stopped, the last ones are all there is."""


def expire(root: DataRoot, scope: Scope, *, today: date, keep_days: int) -> list[date]:
    """Delete the snapshots of ``scope`` that are older than ``keep_days``, and what failed exports of that age left.

    A snapshot's manifest goes first: killed in between, readers miss the snapshot, and the next call deletes the rest.
    Returns the dates that are gone.
    """
    folder = folder_of(scope.environment, scope.groups)
    kept = dates(root, scope.environment, scope.groups)[-KEEP_AT_LEAST:]
    oldest = today - timedelta(keep_days)
    found = {
        name for key in root.keys(folder) if (name := key[len(folder) + 1 :].partition("/")[0]).startswith("date=")
    }
    due = sorted(day for day in (date.fromisoformat(name[5:]) for name in found) if day < oldest and day not in kept)
    for day in due:
        partition = partition_of(scope.environment, day, scope.groups)
        root.delete(f"{partition}/{MANIFEST}")
        for key in root.keys(partition):
            root.delete(key)
    return due
