"""An estate that can be read page by page without a server, changed at any moment, and made to misbehave."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from threading import Lock
from typing import Any, TypeVar

from ocp_numbers.inventory import CompleteSnapshot, read_rows
from ocp_numbers.inventory.cross_check import COLUMNS
from ocp_numbers.inventory.schema import COLUMNS as SCHEMA_COLUMNS

DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)

Row = dict[str, Any]
ResultT = TypeVar("ResultT")


def row(place: int, **fields: Any) -> Row:
    """The record of the ``place``-th number, as the listing shows it."""
    return {
        "number": f"+1212{place:07}",
        "country": "US",
        "groupId": f"group-{place % 3}",
        "miniAppId": f"app-{place % 5}" if place % 4 else None,
        "miniAppName": None,
        "miniAppType": "Flow",
        "miniAppDiamantAppName": None,
        "miniAppGroup": None,
        "locale": "en-US",
        "note": f"line {place}",
        "applicationTag": None,
        "phoneNumbersSetId": None,
        "phoneNumbersSetName": None,
    } | fields


@dataclass
class Estate:
    """A page source over rows in memory.

    ``before`` is called with the count of calls before each is answered, ``spoil`` with the page and the fields of its
    answer, ``spoil_csv`` with the CSV, and ``key`` is what the listing is sorted by.
    """

    rows: list[Row] = field(default_factory=list)
    cap: int = 10_000
    says_cap: bool = True
    before: Callable[[int], None] = lambda call: None
    spoil: Callable[[int, Row], Row] = lambda page, answer: answer
    spoil_csv: Callable[[str], str] = lambda text: text
    key: Callable[[Row], Any] = lambda each: str(each.get("number"))
    calls: int = 0
    retries: int = 0
    lock: Any = field(default_factory=Lock)

    def fetch(self, page: int, page_size: int, read: Callable[[bytes], ResultT]) -> ResultT:
        with self.lock:
            self.calls += 1
            self.before(self.calls)
            size = min(page_size, self.cap)
            rows = sorted(self.rows, key=self.key)
            answer = {
                "numbers": rows[(page - 1) * size : page * size],
                "page": page,
                "pageSize": size if self.says_cap else page_size,
                "numberOfPages": -(-len(rows) // size),
                "allNumbers": len(rows),
            }
            body = json.dumps(self.spoil(page, answer)).encode()
        return read(body)

    def csv(self) -> str:
        with self.lock:
            self.calls += 1
            self.before(self.calls)
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(["LOG_ANI", *(name for name in COLUMNS)])
            vendor = dict(zip(SCHEMA_COLUMNS, row(0), strict=True))
            for each in sorted(self.rows, key=self.key):
                writer.writerow(["true", *(each[vendor[name]] for name in COLUMNS.values())])
            return self.spoil_csv(text.getvalue())

    def state(self) -> list[tuple[Any, ...]]:
        """The rows as they are now, in the order of the listing, as tuples in the order of the export's columns."""
        return as_tuples(sorted(self.rows, key=self.key))


def estate_of(count: int, **given: Any) -> Estate:
    """An estate of ``count`` numbers."""
    return Estate([row(place) for place in range(count)], **given)


def as_tuples(rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    """Records of the API as tuples in the order of the export's columns."""
    return [tuple(each.get(name) for name in row(0)) for each in rows]


def content(snapshot: CompleteSnapshot) -> list[tuple[Any, ...]]:
    """The snapshot's rows as tuples."""
    return [tuple(each.model_dump().values()) for each in read_rows(snapshot)]
