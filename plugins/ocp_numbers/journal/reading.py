"""Reading the journal back, and letting go of what is old."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone

from pydantic import ValidationError

from ocp_numbers.data_root import DataRoot
from ocp_numbers.journal.entry import Entry
from ocp_numbers.journal.places import entries_in, listed, run_folder

log = logging.getLogger(__name__)

Damaged = Callable[[str, str], None]
"""Told of an entry that cannot be read: its key, and what is wrong with it."""


def _warn(key: str, fault: str) -> None:
    log.warning("%s is passed over: it is not an entry of the journal (%s)", key, fault)


def entries(data_root: DataRoot, environment: str, run: str, *, damaged: Damaged = _warn) -> Iterator[Entry]:
    """The entries of a run, task by task, each task's in its order; one is in memory at a time.

    :param run: as :attr:`Actor.run <ocp_numbers.journal.entry.Actor.run>`, such as ``apply_number_changes/manual__1``.
    """
    yield from _in_folder(data_root, run_folder(environment, run), damaged)


def entries_since(
    data_root: DataRoot, environment: str, start: datetime, *, damaged: Damaged = _warn
) -> Iterator[Entry]:
    """All entries that were made at ``start`` or later, run by run."""
    # A machine whose clock is behind lists its runs under the day before.
    first = start.astimezone(timezone.utc).date() - timedelta(1)
    for folder in dict.fromkeys(each.folder for each in listed(data_root, environment) if each.day >= first):
        yield from (entry for entry in _in_folder(data_root, folder, damaged) if entry.at >= start)


def runs(data_root: DataRoot, environment: str, since: date) -> dict[str, date]:
    """The runs that wrote on ``since`` (UTC) or later, each with the last day on which it did."""
    return {
        (data_root.read(each.key) or b"").decode(errors="replace"): each.day
        for each in listed(data_root, environment)
        if each.day >= since
    }


def expire(data_root: DataRoot, environment: str, *, today: date, keep_days: int) -> int:
    """Delete the journals of runs that wrote nothing in the last ``keep_days``; how many there were.

    A run is unlisted last: killed in between, the next call deletes the rest.
    """
    oldest = today - timedelta(keep_days)
    known = list(listed(data_root, environment))
    kept = {each.folder for each in known if each.day >= oldest}
    gone = {each.folder for each in known} - kept
    for folder in sorted(gone):
        for key in data_root.keys(folder):
            data_root.delete(key)
    for each in known:
        if each.day < oldest:
            data_root.delete(each.key)
    return len(gone)


def _in_folder(data_root: DataRoot, folder: str, damaged: Damaged) -> Iterator[Entry]:
    for _, key in entries_in(data_root, folder):
        content = data_root.read(key)
        if content is None:  # let go of since the listing
            continue
        try:
            yield Entry.model_validate_json(content)
        except ValidationError as error:
            fault = error.errors()[0]
            damaged(key, f"{'.'.join(map(str, fault['loc'])) or 'the document'}: {fault['msg']}")
