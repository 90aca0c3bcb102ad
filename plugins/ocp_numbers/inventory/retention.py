"""Letting old snapshots go: by age, but never below a number of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import PartitionBusy
from ocp_numbers.inventory.manifest import Scope
from ocp_numbers.inventory.publish import lease_of
from ocp_numbers.inventory.snapshot import MANIFEST, dates, folder_of, partition_of

log = logging.getLogger(__name__)

_DATE = re.compile(r"/date=(?P<date>\d{4}-\d\d-\d\d)/")

KEEP_AT_LEAST = 7
"""Snapshots of a scope that stay however old they are: where exports stopped, the last ones are all there is."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


def expire(
    root: DataRoot,
    scope: Scope,
    *,
    today: date,
    keep_days: int,
    by: str = "retention",
    clock: Callable[[], datetime] = _now,
) -> list[date]:
    """Delete the snapshots of ``scope`` that are older than ``keep_days``, and what failed exports of that age left.

    A snapshot's manifest goes first: killed in between, readers miss the snapshot, and the next call deletes the rest.
    A date that is being exported again at this moment is left for the next call. Returns the dates that are gone.

    :param by: who deletes, for an export of such a date that wants to begin meanwhile.
    """
    folder = folder_of(scope.environment, *scope.part)
    kept = dates(root, scope.environment, *scope.part)[-KEEP_AT_LEAST:]
    oldest = today - timedelta(keep_days)
    found = {_DATE.match(key, len(folder)) for key in root.keys(folder)}
    days = {date.fromisoformat(each["date"]) for each in found if each}
    due = sorted(day for day in days if day < oldest and day not in kept)
    gone = []
    for day in due:
        partition = partition_of(scope.environment, day, *scope.part)
        try:
            with lease_of(root, partition, clock=clock, by=by).held() as lease:
                root.delete(f"{partition}/{MANIFEST}")
                lease.keep()
                root.delete_folder(partition)
                lease.end()
        except PartitionBusy as busy:
            log.info("%s is left for the next time: %s", partition, busy)
            continue
        gone.append(day)
    return gone
