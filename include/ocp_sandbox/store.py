"""The state: one SQLite database, in a file or in memory, whose every change is a transaction.

What is committed survives the death of the process. One connection is shared by all threads and guarded by one lock.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocp_sandbox.clock import Clock
from ocp_sandbox.listing import Listings, Query

_VERSION = 1
_BATCH = 5_000
_SCHEMA = """
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE groups(id TEXT PRIMARY KEY);
CREATE TABLE mini_apps(
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL,
    diamant_app_name TEXT NOT NULL, group_id TEXT NOT NULL REFERENCES groups);
CREATE TABLE sets(
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, group_id TEXT NOT NULL REFERENCES groups,
    UNIQUE (group_id, name));
CREATE TABLE numbers(
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, country TEXT, group_id TEXT NOT NULL REFERENCES groups,
    mini_app INTEGER REFERENCES mini_apps, locale TEXT, note TEXT, application_tag TEXT,
    number_set INTEGER REFERENCES sets, purchased INTEGER NOT NULL, provider TEXT, provider_id TEXT,
    log_ani INTEGER, log_dnis INTEGER, created REAL NOT NULL, visible_at REAL NOT NULL DEFAULT 0);
CREATE TABLE stock(
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, provider TEXT NOT NULL, country TEXT NOT NULL, locality TEXT,
    region TEXT, price TEXT NOT NULL, priced INTEGER NOT NULL, available INTEGER NOT NULL DEFAULT 1);
CREATE TABLE ledger(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, login TEXT NOT NULL, kind TEXT NOT NULL,
    number TEXT NOT NULL, price TEXT, group_id TEXT NOT NULL, note TEXT);
CREATE TABLE sessions(id TEXT PRIMARY KEY, login TEXT NOT NULL);
CREATE TABLE tokens(
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
    expires REAL NOT NULL);
CREATE TABLE attempts(login TEXT PRIMARY KEY, failures INTEGER NOT NULL, locked_until REAL NOT NULL);
CREATE TABLE used_codes(login TEXT NOT NULL, code TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (login, code));
"""
_INDEXES = """
CREATE INDEX numbers_by_set ON numbers(number_set) WHERE number_set IS NOT NULL;
CREATE INDEX numbers_pending ON numbers(visible_at) WHERE visible_at > 0;
CREATE INDEX stock_by_provider ON stock(provider, country);
"""
_WATCH = """
CREATE TEMP TRIGGER number_added AFTER INSERT ON numbers BEGIN SELECT changed(NEW.id, NEW.visible_at); END;
CREATE TEMP TRIGGER number_changed AFTER UPDATE ON numbers BEGIN SELECT changed(NEW.id, NEW.visible_at); END;
CREATE TEMP TRIGGER number_gone AFTER DELETE ON numbers BEGIN SELECT changed(OLD.id, 0); END;
CREATE TEMP TRIGGER set_changed AFTER UPDATE ON sets BEGIN SELECT changed(0, 0); END;
CREATE TEMP TRIGGER mini_app_changed AFTER UPDATE ON mini_apps BEGIN SELECT changed(0, 0); END;
"""
_NUMBER = """
SELECT n.id AS key, n.number AS number, n.country AS country, n.group_id AS groupId, m.id AS miniAppId,
    m.name AS miniAppName, m.type AS miniAppType, m.diamant_app_name AS miniAppDiamantAppName,
    m.group_id AS miniAppGroup, n.locale AS locale, n.note AS note, n.application_tag AS applicationTag,
    s.id AS setId, s.name AS setName, n.purchased AS purchased, n.provider AS provider, n.log_ani AS logAni,
    n.log_dnis AS logDnis, n.visible_at AS visibleAt
FROM numbers n LEFT JOIN mini_apps m ON m.key = n.mini_app LEFT JOIN sets s ON s.key = n.number_set
"""


class Store:
    """The database and the lists derived from it.

    :raises ValueError: when ``path`` is no state of this sandbox, or another process has it open.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=0.2)
            self._db.row_factory = sqlite3.Row
            self._open()
        except sqlite3.Error as error:
            hint = "; is another sandbox running on it?" if "locked" in str(error) else ""
            raise ValueError(f"state: {path} cannot be used: {error}{hint}") from error
        self.clock = Clock(float(self.fact("clock offset") or 0), self._keep_offset)
        self._listings = Listings(self._db, self.clock)

    def _open(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version == 0 and tables == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise sqlite3.DatabaseError("it is another program's database; name another file")

    @property
    def seeded(self) -> bool:
        """Whether a world was put into this state already."""
        return self.fact("seeded") is not None

    def watch(self) -> None:
        """Begin to keep the lists in step with changes; called once, when the world is there."""
        self._db.executescript(_INDEXES.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS"))
        self._db.create_function("changed", 2, self._listings.note_change)
        self._db.executescript(_WATCH)
        self._listings.note_pending()

    def close(self) -> None:
        """Close the database; what was committed is in the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block that takes effect as a whole when it ends, or not at all when it raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Run a block of reads that nothing changes in between."""
        with self._lock:
            yield self._db

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """What a query finds, as dictionaries."""
        with self.reading() as db:
            return [dict(row) for row in db.execute(sql, values)]

    def fact(self, name: str) -> str | None:
        """A single remembered value."""
        found = self.rows("SELECT value FROM facts WHERE name = ?", name)
        return found[0]["value"] if found else None

    def _keep_offset(self, offset: float) -> None:
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES ('clock offset', ?)", (repr(offset),))

    def page(self, query: Query, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Some of the numbers that ``query`` finds, from ``offset`` on, and how many it finds in all."""
        with self.reading():
            keys = self._listings.keys(query)
            return self.numbers(_cut(keys, query.descending, offset, limit)), len(keys)

    def numbers(self, keys: Iterable[int]) -> list[dict[str, Any]]:
        """Full rows of the numbers with these keys, in the order of the keys."""
        wanted = list(keys)
        found = self.rows(f"{_NUMBER} WHERE n.id IN (SELECT value FROM json_each(?))", json.dumps(wanted))
        by_key = {row.pop("key"): row for row in found}
        return [by_key[key] for key in wanted]

    def batches(self, query: Query) -> Iterator[list[dict[str, Any]]]:
        """All numbers that ``query`` finds, a few thousand rows at a time; nothing changes meanwhile."""
        with self.reading():
            keys = self._listings.keys(query)
            for offset in range(0, len(keys), _BATCH):
                yield self.numbers(_cut(keys, query.descending, offset, _BATCH))

    def truth(self) -> Iterator[dict[str, Any]]:
        """Every number there is, visible or not, in the order of the numbers."""
        last = 0
        while rows := self.rows(f"{_NUMBER} WHERE n.id > ? ORDER BY n.id LIMIT {_BATCH}", last):
            last = rows[-1]["key"]
            for row in rows:
                del row["key"]
                yield row


def _cut(keys: Sequence[int], descending: bool, offset: int, limit: int) -> Sequence[int]:
    if not descending:
        return keys[offset : offset + limit]
    end = max(len(keys) - offset, 0)
    return keys[max(end - limit, 0) : end][::-1]
