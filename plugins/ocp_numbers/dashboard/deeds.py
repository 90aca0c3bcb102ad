"""What our runs did to one number in the last days, as they put it on record themselves: newer than any night."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.journal import Entry, NumberEdit
from ocp_numbers.journal.places import entries_in, run_folder
from ocp_numbers.journal.reading import runs

DAYS = 14
MOST_RUNS = 50
MOST_DOCUMENTS = 300
"""Entries that are looked at for one page. Each is small; where there are more, the page says so."""

_AT_ONCE = 8

Steps = tuple[tuple[str, str | None, str | None], ...]


@dataclass(frozen=True)
class Deed:
    """One entry of the journal about the number.

    ``steps`` are the fields with what they were and were to be; there are none where the number was to be ``gone``.
    ``outcome`` is ``done`` once it was read back, ``not done`` where OCP refused it, ``begun`` where nobody knows yet.
    """

    entry: Entry
    gone: bool
    steps: Steps
    outcome: str


@dataclass(frozen=True)
class Deeds:
    """The deeds of the last days, newest first; ``whole`` where no entry of these days was passed over."""

    deeds: tuple[Deed, ...]
    whole: bool


class Diary:
    """Looks through the journal: the newest runs of the last days, and no more documents than a page can wait for."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def of(self, environment: str, number: str) -> Deeds:
        """What was done to ``number``; an entry that cannot be read is passed over."""
        since = self._estate.now().date() - timedelta(DAYS)
        known = runs(self._estate.root, environment, since)
        newest = sorted(known, key=lambda run: known[run], reverse=True)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            listed = pool.map(lambda run: self._keys(environment, run), newest[:MOST_RUNS])
            keys = [key for folder in listed for key in folder]
            contents = pool.map(self._estate.root.read, keys[:MOST_DOCUMENTS])
            entries = [entry for content in contents if content and (entry := _concerning(content, number))]
        deeds = sorted(_deeds(entries, number), key=lambda deed: deed.entry.age_key, reverse=True)
        return Deeds(tuple(deeds), len(newest) <= MOST_RUNS and len(keys) <= MOST_DOCUMENTS)

    def _keys(self, environment: str, run: str) -> list[str]:
        return [key for _, key in entries_in(self._estate.root, run_folder(environment, run))]


def _concerning(content: bytes, number: str) -> Entry | None:
    # Most entries are about other numbers: these are not worth being understood.
    if f'"{number}"'.encode() not in content and b'"confirms":[]' in content:
        return None
    try:
        return Entry.model_validate_json(content)
    except ValidationError:
        return None


def _deeds(entries: list[Entry], number: str) -> Iterator[Deed]:
    done: dict[tuple[str, str, int], bool] = defaultdict(bool)
    for entry in entries:
        for confirmed in entry.confirms:
            done[entry.by.run, entry.by.task, confirmed] = number not in entry.without
    for entry in entries:
        place = entry.by.run, entry.by.task, entry.entry
        outcome = "begun" if place not in done else "done" if done[place] else "not done"
        for edit in entry.numbers:
            if edit.number == number:
                yield Deed(entry, edit.after is None, _steps(edit), outcome)


def _steps(edit: NumberEdit) -> Steps:
    return tuple((name, getattr(edit.before, name, None), after) for name, after in (edit.after or {}).items())
