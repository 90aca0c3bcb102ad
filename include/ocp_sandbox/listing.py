"""Ordered lists of the numbers that a query finds, kept between pages.

A page deep inside a million numbers is a slice of such a list. The list ordered by number follows each change by
itself; the others are made again after one.
"""

from __future__ import annotations

import heapq
import sqlite3
from array import array
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, replace

from ocp_sandbox.clock import Clock

ORDERS = {
    "none": "n.created, n.id",
    "number": "n.id",
    "miniapp": "m.name, n.id",
    "miniapp-type": "m.type, n.id",
    "locale": "n.locale, n.id",
    "note": "n.note, n.id",
    "group": "n.group_id, n.id",
    "miniapp-group": "m.group_id, n.id",
}
_KEPT = 8
_FOLLOWED = 20_000
_FROM = """
FROM numbers n LEFT JOIN mini_apps m ON m.key = n.mini_app LEFT JOIN sets s ON s.key = n.number_set
WHERE n.visible_at <= ?
"""


@dataclass(frozen=True)
class Query:
    """Which numbers, in which order. Texts match anywhere without regard to case; ``%`` in them is a wildcard.

    ``term`` is looked for in number and note. ``groups`` of ``None`` means all; ``set_id`` is exact.
    """

    groups: frozenset[str] | None = None
    term: str | None = None
    number: str | None = None
    note: str | None = None
    locale: str | None = None
    mini_app_name: str | None = None
    mini_app_type: str | None = None
    set_id: str | None = None
    order: str = "none"
    descending: bool = False

    def where(self) -> tuple[str, list[str]]:
        """The condition in SQL, beginning with AND, and its values."""
        conditions, values = [], []
        if self.groups is not None:
            conditions.append(f"n.group_id IN ({', '.join('?' * len(self.groups))})")
            values += sorted(self.groups)
        if self.set_id is not None:
            conditions.append("s.id = ?")
            values.append(self.set_id)
        texts = [
            (self.term, ("n.number", "n.note")),
            (self.number, ("n.number",)),
            (self.note, ("n.note",)),
            (self.locale, ("n.locale",)),
            (self.mini_app_name, ("m.name",)),
            (self.mini_app_type, ("m.type",)),
        ]
        for text, columns in texts:
            if text is not None and text.strip("%"):
                conditions.append("(" + " OR ".join(rf"{column} LIKE ? ESCAPE '\'" for column in columns) + ")")
                values += [_pattern(text)] * len(columns)
        return "".join(f" AND {condition}" for condition in conditions), values


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("_", "\\_")
    return escaped if "%" in text else f"%{escaped}%"


class _List:
    def __init__(self, keys: array[int]) -> None:
        self.keys = keys
        self.stale: set[int] = set()


class Listings:
    """The lists used last, each for one query. Only for use under the store's lock."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._lists: OrderedDict[Query, _List] = OrderedDict()
        self._pending: list[tuple[float, int]] = []

    def note_change(self, key: int, visible_at: float) -> None:
        """Take notice that the number with this key came, changed, went, or comes into sight later."""
        for kept in self._lists.values():
            kept.stale.add(key)
        if visible_at > 0:
            heapq.heappush(self._pending, (visible_at, key))

    def note_pending(self) -> None:
        """Take notice of the numbers in a reopened state that are not in sight yet."""
        self._pending = [
            (row["visible_at"], row["id"])
            for row in self._db.execute("SELECT visible_at, id FROM numbers WHERE visible_at > ?", (self._clock.now(),))
        ]
        heapq.heapify(self._pending)

    def keys(self, query: Query) -> array[int]:
        """The keys of the numbers in sight that ``query`` finds, ascending in its order."""
        now = self._clock.now()
        while self._pending and self._pending[0][0] <= now:
            _, key = heapq.heappop(self._pending)
            self.note_change(key, 0)
        query = replace(query, descending=False)
        kept = self._lists.pop(query, None)
        if kept is None or len(kept.stale) > _FOLLOWED or (kept.stale and query.order != "number"):
            kept = _List(self._read(query, now))
        elif kept.stale:
            self._follow(kept, query, now)
        self._lists[query] = kept
        if len(self._lists) > _KEPT:
            self._lists.popitem(last=False)
        return kept.keys

    def _read(self, query: Query, now: float) -> array[int]:
        condition, values = query.where()
        found = self._db.execute(f"SELECT n.id {_FROM}{condition} ORDER BY {ORDERS[query.order]}", (now, *values))
        return array("q", (row[0] for row in found))

    def _follow(self, kept: _List, query: Query, now: float) -> None:
        condition, values = query.where()
        for key in kept.stale:
            place = bisect_left(kept.keys, key)
            there = place < len(kept.keys) and kept.keys[place] == key
            found = self._db.execute(f"SELECT 1 {_FROM} AND n.id = ?{condition}", (now, key, *values)).fetchone()
            if found and not there:
                kept.keys.insert(place, key)
            elif there and not found:
                kept.keys.pop(place)
        kept.stale = set()
