"""Where the journal lives in the data root."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timezone
from typing import NamedTuple

from ocp_numbers.data_root import DataRoot, day_of, segment
from ocp_numbers.journal.entry import Actor

_LISTED = re.compile(r"(?P<environment>.+)/\.days/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<run>[^/]+)")
_ENTRY = re.compile(r".+/(?P<number>[0-9]+)\.json")


class Listed(NamedTuple):
    """That a run wrote on a day (UTC): the run's folder, and the key of the document that says so."""

    day: date
    folder: str
    key: str


def environment_folder(environment: str) -> str:
    """Folder of all that was done in an environment."""
    return f"journal/environment={segment(environment)}"


def run_folder(environment: str, run: str) -> str:
    """Folder of a run; ``run`` is the DAG's id, a slash, and the run's."""
    return f"{environment_folder(environment)}/{segment(run)}"


def task_folder(environment: str, by: Actor) -> str:
    """Folder of a task's entries."""
    return f"{run_folder(environment, by.run)}/{segment(by.task)}"


def entry_key(folder: str, number: int) -> str:
    """An entry of a task."""
    return f"{folder}/{number:06d}.json"


def entries_in(data_root: DataRoot, folder: str) -> Iterator[tuple[int, str]]:
    """Number and key of each entry in the folder of a run or of a task, by key."""
    for key in data_root.keys(folder):
        if match := _ENTRY.fullmatch(key):
            yield int(match["number"]), key


def day_key(environment: str, run: str, at: datetime) -> str:
    """The document that lists a run among those of a day; no segment of a run begins with a dot."""
    day = at.astimezone(timezone.utc).date().isoformat()
    return f"{environment_folder(environment)}/.days/{day}/{segment(run)}"


def listed(data_root: DataRoot, environment: str) -> Iterator[Listed]:
    """Which runs wrote when, oldest day first."""
    for key in data_root.keys(f"{environment_folder(environment)}/.days"):
        match = _LISTED.fullmatch(key)
        if match and (day := day_of(match["day"])):
            yield Listed(day, f"{match['environment']}/{match['run']}", key)
