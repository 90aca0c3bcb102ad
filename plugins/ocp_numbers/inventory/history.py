"""What became of a number, night by night, as the published snapshots tell."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory.snapshot import dates, load, partition_of, read_number
from ocp_numbers.models import PhoneNumber

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Period:
    """How a number was in all snapshots from ``since`` to ``until``; ``record`` is ``None`` while it was not there."""

    since: date
    until: date
    record: PhoneNumber | None


def history(
    root: DataRoot, environment: str, number: str, groups: Sequence[str] = (), filters: Mapping[str, str] = {}
) -> list[Period]:
    """The periods of ``number`` in the snapshots of a scope, the oldest first; none where there are no snapshots.

    A snapshot that cannot be read is passed over, with a line in the log.

    :param number: in E.164.
    """
    periods: list[Period] = []
    for day in dates(root, environment, groups, filters):
        try:
            snapshot = load(root, partition_of(environment, day, groups, filters))
            if snapshot is None:
                continue
            record = read_number(snapshot, number)
        except IncompleteSnapshot as damaged:
            log.warning("Passed over: %s", damaged)
            continue
        if periods and periods[-1].record == record:
            periods[-1] = replace(periods[-1], until=day)
        else:
            periods.append(Period(day, day, record))
    return periods
