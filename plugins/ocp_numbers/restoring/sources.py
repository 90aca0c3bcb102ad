"""What numbers were before: from the journal of a run, or from a snapshot; laid out so that memory stays flat."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ocp_numbers.bulk.change import FIELDS, fields_of
from ocp_numbers.journal import Entry, NumberEdit
from ocp_numbers.models import PhoneNumber
from ocp_numbers.restoring.deciding import Former, Known

_AT_ONCE = 500
_TABLE = "CREATE TABLE past(number TEXT PRIMARY KEY, known TEXT, seen INTEGER DEFAULT 0) WITHOUT ROWID"
_KNOW = "INSERT INTO past(number, known) VALUES (?, ?) ON CONFLICT DO UPDATE SET known = excluded.known"
_SEE = "INSERT INTO past(number, seen) VALUES (?, 1) ON CONFLICT DO UPDATE SET seen = 1"
_ASK = "SELECT number, known, seen FROM past WHERE number IN ({})"
_LEFT = "SELECT number FROM past WHERE NOT seen AND number > ? ORDER BY number LIMIT ?"


class Past:
    """By number, what is known of the past; a number is taken once, and what nobody took is left over.

    :param overwrite: whether what was changed again since is to be put back as well.
    """

    def __init__(self, database: sqlite3.Connection, *, overwrite: bool = False) -> None:
        self._db = database
        self._overwrite = overwrite
        self._set_names: dict[str, str] = {}

    @classmethod
    @contextmanager
    def open(cls, *, overwrite: bool = False) -> Iterator[Past]:
        """An empty one, gone with all that is in it when the context ends."""
        with (
            TemporaryDirectory(prefix="ocp-numbers-restore-") as folder,
            closing(sqlite3.connect(Path(folder) / "past.db", isolation_level=None)) as database,
        ):
            database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLE}; BEGIN;")
            yield cls(database, overwrite=overwrite)

    def remember(self, rows: Iterable[PhoneNumber]) -> None:
        """Take how numbers were in a snapshot: all their fields, whoever changed them since."""
        self._db.executemany(
            _KNOW, ((row.number, json.dumps({"was": fields_of(row), "set_name": row.set_name})) for row in rows)
        )

    def undo(self, entry: Entry) -> None:
        """Take how numbers were before an entry of a journal; entries may come in any order."""
        known = {number: json.loads(text or "{}") for number, text, _ in self._asked([e.number for e in entry.numbers])}
        for edit in entry.numbers:
            _merge(known.setdefault(edit.number, {}), edit, entry)
        self._db.executemany(_KNOW, ((number, json.dumps(each)) for number, each in known.items()))
        self._set_names.update((edit.before.id, edit.before.name) for edit in entry.sets if edit.before)

    def take(self, rows: Sequence[PhoneNumber]) -> Iterator[tuple[PhoneNumber, Known | None]]:
        """What is known of each of the rows that was not taken before; ``None`` where that is nothing."""
        asked = {row.number: row for row in rows}
        past = {number: (known, seen) for number, known, seen in self._asked(list(asked))}
        self._db.executemany(_SEE, ((number,) for number in asked))
        for number, row in asked.items():
            known, seen = past.get(number, (None, 0))
            if not seen:
                yield row, self._read(known) if known else None

    def left(self) -> Iterator[list[str]]:
        """The numbers that nobody took, in order, some at a time."""
        last = ""
        while found := [number for (number,) in self._db.execute(_LEFT, (last, _AT_ONCE)).fetchall()]:
            yield found
            last = found[-1]

    def count(self) -> int:
        """How many numbers something is known of."""
        return int(self._db.execute("SELECT count(*) FROM past WHERE known IS NOT NULL").fetchone()[0])

    def _asked(self, numbers: Sequence[str]) -> Iterator[tuple[str, str | None, int]]:
        for start in range(0, len(numbers), _AT_ONCE):
            asked = numbers[start : start + _AT_ONCE]
            yield from self._db.execute(_ASK.format(", ".join("?" * len(asked))), asked).fetchall()

    def _read(self, text: str) -> Known:
        said = json.loads(text)
        fields = {field: Former(was) for field, was in said.get("was", {}).items()}
        for field, (_, was, left) in said.get("fields", {}).items():
            fields[field] = Former(was) if self._overwrite else Former(was, tuple(left))
        set_id = fields["set_id"].was if "set_id" in fields else None
        name = said.get("set_name") or self._set_names.get(set_id or "")
        return Known(fields, name, brought="brought" in said, blind="blind" in said)


def _merge(known: dict[str, Any], edit: NumberEdit, entry: Entry) -> None:
    """Add to what is known of a number what one more edit says: the earliest value before, and every one after."""
    if edit.after is None:
        return
    if edit.before is None:
        known["brought" if entry.brings(edit) else "blind"] = True
        return
    time, fields = entry.at.timestamp(), known.setdefault("fields", {})
    for field in edit.after.keys() & set(FIELDS.values()):
        was, left = getattr(edit.before, field) or None, edit.after[field] or None
        past = fields.setdefault(field, [math.inf, None, []])
        if time < past[0]:
            past[:2] = [time, was]
            if field == "set_id":
                known["set_name"] = edit.before.set_name
        past[2].append(left)
