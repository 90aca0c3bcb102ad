"""Where rows wait until what OCP shows of their numbers has been read: a file of its own, so that memory stays flat."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.rows import Row

_ASKED_AT_ONCE = 500
_TABLES = """
    CREATE TABLE rows(
        number TEXT, kind TEXT, row INTEGER, operation TEXT, fields TEXT, as_written INTEGER, provider TEXT, extra TEXT,
        PRIMARY KEY (number, kind)
    ) WITHOUT ROWID;
    CREATE TABLE faults(row INTEGER, "column" TEXT, value TEXT, problem TEXT, number TEXT);
"""
_READ = "SELECT row, operation, number, fields, as_written, provider, extra, kind FROM rows"


class Desk:
    """Rows by their numbers, and the faults found so far."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self.repeated = 0

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Desk]:
        """A desk that is gone with all that is on it when the context ends."""
        with (
            TemporaryDirectory(prefix="ocp-numbers-bulk-") as folder,
            closing(sqlite3.connect(Path(folder) / "desk.db", isolation_level=None)) as database,
        ):
            database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES} BEGIN;")
            yield cls(database)

    def put(self, row: Row) -> None:
        """Lay a row down; one that says what another says is counted, one that says otherwise is a fault."""
        written = (
            row.number,
            row.kind,
            row.row,
            row.operation,
            json.dumps(row.fields, sort_keys=True),
            row.as_written,
            row.provider,
            json.dumps(dict(row.extra), sort_keys=True),
        )
        if self._db.execute("INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", written).rowcount:
            return
        (known,) = self._rows(f"{_READ} WHERE number = ? AND kind = ?", (row.number, row.kind))
        same = known._replace(row=row.row, as_written=row.as_written) == row
        if same:
            self.repeated += 1
            return
        what = f"asks for {row.operation.title()}, and row {known.row} for {known.operation.title()}"
        if row.operation == known.operation:
            what = f"asks for another {row.operation.title()} than row {known.row}"
        self.fault([Fault(row.row, "", "", f"{what} of {row.number}; keep one of them", row.number)])

    def fault(self, faults: Iterable[Fault]) -> None:
        """Note what is wrong."""
        self._db.executemany("INSERT INTO faults VALUES (?, ?, ?, ?, ?)", faults)

    def check_existence(self) -> None:
        """Note the numbers that are created or deleted in one row, and changed in another."""
        contradictions = self._db.execute(
            "SELECT other.row, other.operation, rows.row, rows.operation, rows.number FROM rows JOIN rows AS other"
            " ON other.number = rows.number AND other.kind != 'existence' WHERE rows.kind = 'existence'"
        ).fetchall()
        self.fault(
            Fault(
                row,
                "",
                "",
                f"asks for {operation.title()}, and row {before} for {first.title()} of {number}; keep one of them",
                number,
            )
            for row, operation, before, first, number in contradictions
        )

    def take(self, numbers: Sequence[str]) -> Iterator[Row]:
        """Take the rows for these numbers away, those of one number in the order in which they are carried out."""
        for start in range(0, len(numbers), _ASKED_AT_ONCE):
            asked = numbers[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(asked))
            found = list(self._rows(f"{_READ} WHERE number IN ({marks}) ORDER BY number, kind DESC", asked))
            if found:
                self._db.execute(f"DELETE FROM rows WHERE number IN ({marks})", asked)  # noqa: S608 - question marks only
            yield from found

    def numbers(self) -> Iterator[list[str]]:
        """The numbers of the rows that are still there, in order, some at a time."""
        last = ""
        while True:
            found = self._db.execute(
                "SELECT DISTINCT number FROM rows WHERE number > ? ORDER BY number LIMIT ?", (last, _ASKED_AT_ONCE)
            ).fetchall()
            if not found:
                return
            yield [number for (number,) in found]
            last = found[-1][0]

    def count(self) -> int:
        """How many numbers there are rows for."""
        return int(self._db.execute("SELECT count(DISTINCT number) FROM rows").fetchone()[0])

    def faults(self) -> Iterator[Fault]:
        """All that is wrong, in the order of the rows."""
        yield from map(Fault._make, self._db.execute('SELECT * FROM faults ORDER BY row, "column"'))

    def fault_count(self) -> int:
        """How much is wrong."""
        return int(self._db.execute("SELECT count(*) FROM faults").fetchone()[0])

    def _rows(self, query: str, values: Sequence[str]) -> Iterator[Row]:
        for row, operation, number, fields, as_written, provider, extra, _ in self._db.execute(
            query, values
        ).fetchall():
            yield Row(row, operation, number, json.loads(fields), bool(as_written), provider, json.loads(extra))
