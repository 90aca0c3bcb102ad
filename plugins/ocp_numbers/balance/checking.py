"""Closing the books of a night: what came and went against what is on record; memory grows with the records and the
findings, not with the inventory.

Reading the inventory takes time, and so do calls. So a record is held against a reading only where it was made clearly
before it or after it, and what came or went may be explained by a record of up to a day before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ocp_numbers.arrays import texts
from ocp_numbers.balance.account import SHOWN, Balance, Finding, Kind
from ocp_numbers.balance.records import Event, Past, Records

MARGIN = timedelta(days=1)
"""How long before a reading a call may have begun whose effect it does not show yet."""

SETTLED = timedelta(minutes=15)
"""How long before a reading a record must have been made to be held against it; clocks differ by less."""

IN_DOUBT = timedelta(hours=1)
"""How long a call may be under way before its outcome counts as unknown."""

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, kw_only=True)
class Night:
    """What the books of a night are closed on.

    :param until: the date. :param rows: how many numbers there are. :param began: when their reading began.
    :param since: the date of the snapshot before, :param before: its numbers, :param opened: when its reading began;
        none of them where there is no earlier one.
    """

    environment: str
    until: date
    rows: int
    began: datetime
    since: date | None = None
    before: int | None = None
    opened: datetime | None = None

    @property
    def looks_back_to(self) -> datetime:
        """The oldest records that can explain something."""
        return (self.opened or self.began) - MARGIN


def check(
    night: Night,
    records: Records,
    *,
    numbers: BinaryIO,
    changes: BinaryIO | None,
    unsure: Iterable[str] = (),
    tell: Callable[[Finding], object],
) -> Balance:
    """Close the books of ``night``.

    :param numbers: its ``numbers.parquet``. :param changes: its ``changes.parquet``.
    :param unsure: numbers that one of the readings could not show properly; nothing is said of them.
    :param tell: takes each finding.
    """
    closing = _Closing(night, records, set(unsure), tell)
    closing.look(numbers)
    closing.check_damaged()
    if changes is not None and night.opened is not None:
        closing.check_changes(changes)
        closing.check_records(night.opened)
    closing.check_doubts()
    return closing.balance()


class _Closing:
    """The books while they are closed."""

    def __init__(self, night: Night, records: Records, unsure: set[str], tell: Callable[[Finding], object]) -> None:
        self._night = night
        self._records = records
        self._unsure = unsure
        self._tell = tell
        self._present: set[str] = set()
        self._came: set[str] = set()
        self._told: set[str] = set()
        self._counts = {"orphan": 0, "stranger": 0, "unknown": 0}
        self._moved = {"added": 0, "gone": 0}
        self._hidden: Counter[str] = Counter()
        self._again = 0
        self._first: list[Finding] = []

    def look(self, numbers: BinaryIO) -> None:
        """Find out which of the numbers on record are in the inventory."""
        asked = texts(list(self._records.numbers))
        file = pq.ParquetFile(numbers)
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=["number"]) if len(asked) else ():
            found = batch["number"].filter(pc.is_in(batch["number"], value_set=asked))
            self._present.update(found.to_pylist())

    def check_damaged(self) -> None:
        """Name the records that cannot be read: what they say is missing in the books."""
        for key, fault in sorted(self._records.damaged.items()):
            self._note("unknown", "", f"a record cannot be read: {fault}", Event(self._night.began, key, False))

    def check_changes(self, changes: BinaryIO) -> None:
        """Trace what came and went to a record."""
        came, went = self._explained(lambda past: past.came or past.doubted), self._explained(_was_given_up)
        for batch in pq.ParquetFile(changes).iter_batches(
            batch_size=_ROWS_AT_ONCE, columns=["number", "change", "before"]
        ):
            self._again += pc.sum(pc.equal(batch["change"], "seen")).as_py() or 0
            hidden = batch.filter(pc.equal(batch["change"], "hidden"))["before"]
            self._hidden.update(hidden.to_pylist())
            for change, explained in (("added", came), ("gone", went)):
                rows = batch.filter(pc.equal(batch["change"], change))
                self._moved[change] += rows.num_rows
                if change == "added":
                    self._came.update(self._records.numbers.keys() & set(rows["number"].to_pylist()))
                open_ = rows.filter(pc.invert(pc.is_in(rows["number"], value_set=explained)))
                for number in open_["number"].to_pylist():
                    self._unexplained(number, change)
        for group, count in self._hidden.items():
            self._moved["gone"] += count
            self._note("unknown", "", f"{count:,} numbers of {group} are out of this login's sight")

    def _unexplained(self, number: str, change: str) -> None:
        past = self._records.numbers.get(number, Past())
        if change == "gone":
            record = past.came if past.went else None
            self._note("stranger", number, "is gone, and no run on record gave it up", record)
        elif not self._still_there(past, came_back=True):
            self._note("orphan", number, "came, and no order, adoption or run on record brought it")

    def check_records(self, opened: datetime) -> None:
        """Trace what is on record to the inventory."""
        for number, past in self._records.numbers.items():
            if number in self._present:
                if self._still_there(past, came_back=number in self._came, opened=opened):
                    self._note("stranger", number, "was given up, and is in the inventory", past.went)
            elif past.came and past.came.proven and self._holds(past.came, opened) and not _was_given_up(past):
                self._note("stranger", number, "was brought, and is not in the inventory", past.came)

    def check_doubts(self) -> None:
        """Name the calls of which nobody knows whether they took effect."""
        for number, past in self._records.numbers.items():
            latest = self._night.began - IN_DOUBT
            there = number in self._present
            if past.doubted and past.doubted.at < latest:
                shown = "is shown" if there else "is not shown"
                self._note("unknown", number, f"may or may not have been bought; it {shown} as ours", past.doubted)
            if past.went and not past.went.proven and past.went.at < latest and there:
                self._note("unknown", number, "was about to be given up, and is in the inventory", past.went)

    def balance(self) -> Balance:
        """The account."""
        night = self._night
        return Balance(
            environment=night.environment,
            until=night.until,
            since=night.since,
            before=night.before,
            arrived=self._moved["added"] + self._again,
            departed=self._moved["gone"],
            again=self._again,
            rows=night.rows,
            orphans=self._counts["orphan"],
            strangers=self._counts["stranger"],
            unknowns=self._counts["unknown"],
            first=tuple(self._first),
        )

    def _explained(self, explains: Callable[[Past], object]) -> pa.Array:
        return texts([number for number, past in self._records.numbers.items() if explains(past)])

    def _still_there(self, past: Past, *, came_back: bool, opened: datetime | None = None) -> bool:
        """Whether a number that the inventory shows was given up for good on record."""
        went = past.went
        if went is None or not went.proven or (past.came and past.came.at > went.at):
            return False
        return went.at < self._night.began - SETTLED and (
            came_back or (opened is not None and self._holds(went, opened))
        )

    def _holds(self, event: Event, opened: datetime) -> bool:
        """Whether a record belongs to this night, and was made clearly before its reading."""
        return opened - SETTLED <= event.at < self._night.began - SETTLED

    def _note(self, kind: Kind, number: str, what: str, event: Event | None = None) -> None:
        if number and (number in self._told or number in self._unsure):
            return
        self._told.add(number)
        finding = Finding(
            finding=kind,
            number=number,
            what=what,
            record=event.record if event else "",
            since=event.at if event else None,
        )
        if self._counts[kind] < SHOWN:
            self._first.append(finding)
        self._counts[kind] += 1
        self._tell(finding)


def _was_given_up(past: Past) -> bool:
    """Whether a run set about giving the number up after it last came."""
    return past.went is not None and (past.came is None or past.came.at <= past.went.at)
