"""The account of a night: the verdict, the figures, and the findings."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import BinaryIO, Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, computed_field

from ocp_numbers.errors import IncompleteSnapshot

BALANCE, FINDINGS = "balance.json", "findings.csv"
SHOWN = 200
"""Findings of each kind that the account itself lists; all of them are in the file beside it."""

Kind = Literal["orphan", "stranger", "unknown"]
Verdict = Literal["balanced", "unbalanced", "opening"]
_COLUMNS = ("finding", "number", "what", "record", "since")


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class Finding(_Document):
    """One thing that does not add up.

    :param number: that it is about; empty for a record that cannot be read, and for a group that cannot be looked at.
    :param what: what is wrong, in words.
    :param record: the order, run or document that says otherwise, where there is one.
    :param since: when that was.
    """

    finding: Kind
    number: str
    what: str
    record: str = ""
    since: AwareDatetime | None = None


class Balance(_Document):
    """Whether the inventory and our records agree.

    ``opening`` where there is no earlier snapshot to close on: all numbers are taken as they are.

    :param until: the date of the snapshot that it is of. :param since: that of the one that it closes on.
    :param before: numbers in that one. :param arrived: that came since. :param departed: that went since.
    :param again: those that came because the login may look at their group again; likewise, ``departed`` counts those
        of groups that it may not look at any more.
    :param rows: numbers now.
    :param orphans: how many there are; likewise strangers and unknowns.
    :param first: the first findings of each kind.
    """

    schema_version: Literal[1] = 1
    environment: str
    until: date
    since: date | None = None
    before: int | None = None
    arrived: int = 0
    departed: int = 0
    again: int = 0
    rows: int
    orphans: int = 0
    strangers: int = 0
    unknowns: int = 0
    first: tuple[Finding, ...] = ()

    @property
    def findings(self) -> int:
        """How many there are of all kinds."""
        return self.orphans + self.strangers + self.unknowns

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Verdict:
        """``balanced``, ``unbalanced``, or ``opening`` where there was nothing to compare with."""
        if self.findings:
            return "unbalanced"
        return "opening" if self.since is None else "balanced"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def summary(self) -> str:
        """The verdict in a sentence."""
        if self.findings:
            counts = ((self.orphans, "orphan"), (self.strangers, "stranger"), (self.unknowns, "unknown"))
            found = ", ".join(f"{count:,} {name}{'s' * (count != 1)}" for count, name in counts if count)
            return f"The books do not balance: {found}; each is in {FINDINGS}."
        if self.since is None:
            return f"The books open with {self.rows:,} numbers."
        again = f" ({self.again:,} in sight again)" if self.again else ""
        return (
            f"The books balance: {self.before or 0:,} numbers on {self.since}, {self.arrived:,} came{again} and "
            f"{self.departed:,} went, each on record."
        )

    def document(self) -> bytes:
        """The account as JSON."""
        return self.model_dump_json(indent=1).encode() + b"\n"


class Contents(Protocol):
    """What is needed of a snapshot's manifest."""

    @property
    def files(self) -> Mapping[str, object]:
        """The snapshot's files by name."""


class Snapshot(Protocol):
    """What is needed of a published snapshot."""

    @property
    def manifest(self) -> Contents:
        """What it consists of."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """One of its files, proven to be whole."""


def read(snapshot: Snapshot) -> Balance | None:
    """The account of a snapshot's night; ``None`` where none was made, as for snapshots of some groups only.

    :raises IncompleteSnapshot: when the file is not the one that was published, or cannot be understood.
    """
    if BALANCE not in snapshot.manifest.files:
        return None
    with snapshot.open(BALANCE) as stream:
        content = stream.read()
    try:
        return Balance.model_validate_json(content)
    except ValidationError as error:
        raise IncompleteSnapshot(
            f"{BALANCE}: not an account of this version ({error.error_count()} faults); export that date again"
        ) from None


class Table:
    """All findings as CSV."""

    def __init__(self) -> None:
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(_COLUMNS)

    def add(self, finding: Finding) -> None:
        """Append one."""
        since = finding.since.isoformat(timespec="seconds") if finding.since else ""
        self._writer.writerow([finding.finding, finding.number, finding.what, finding.record, since])

    def document(self) -> bytes:
        """What has come together."""
        return self._text.getvalue().encode()
