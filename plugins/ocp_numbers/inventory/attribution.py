"""Who changed a number: one of our own orders or clean-ups, as their documents in the data root tell, or somebody else.

The documents are read as plain JSON, as far as it matters here; one that cannot be read attributes nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AwareDatetime, BaseModel, ValidationError

from ocp_numbers.data_root import DataRoot, segment

log = logging.getLogger(__name__)

OUTSIDE = "outside"
"""Neither an order nor a clean-up: the platform's console, another program, or a run that keeps no record."""

_ORDERS, _CLEANUPS = "orders", "cleanup"
_SAFE_PREFIX = 100
_STAMP = re.compile(r"\[order [^\]]+\]")


class _Line(BaseModel):
    number: str
    state: str
    origin: str
    settled_at: AwareDatetime | None = None


class _Order(BaseModel):
    order_id: str
    environment: str
    stamp: str
    lines: tuple[_Line, ...]


class _Plan(BaseModel):
    environment: str
    run: str


class _Row(BaseModel, extra="allow"):
    number: str


class _Entry(BaseModel):
    at: AwareDatetime
    before: tuple[_Row, ...] = ()
    after: tuple[_Row, ...] = ()


DocumentT = TypeVar("DocumentT", bound=BaseModel)


class Deeds:
    """What our own orders and clean-ups did to numbers; nothing, until it is told."""

    def __init__(self) -> None:
        self._by: dict[tuple[str, str], str] = {}
        self._stamps: dict[str, str] = {}

    @classmethod
    def since(cls, start: datetime, *, root: DataRoot, environment: str) -> Deeds:
        """What is on record as done since ``start``, or of unknown date."""
        deeds = cls()
        for order in _orders(root, environment):
            deeds._stamps[order.stamp] = f"order {order.order_id}"
            for line in order.lines:
                if line.state == "owned" and line.origin != "already ours" and (line.settled_at or start) >= start:
                    deeds._by[line.number, "added"] = f"order {order.order_id}"
        for run, entry in _cleanups(root, environment, start):
            for number, what in _effects(entry):
                deeds._by[number, what] = f"cleanup {run}"
        return deeds

    def authors(self, changes: pa.Table, notes: pa.ChunkedArray) -> pa.ChunkedArray:
        """Who made each of ``changes``, rows of ``changes.parquet``; ``notes`` are those of the numbers added."""
        numbers = pa.array({number for number, _ in self._by}, pa.string())
        stamped = pc.fill_null(pc.match_substring(notes, "[order "), False)
        known = pc.or_(pc.is_in(changes["number"], value_set=numbers), stamped)
        asked = zip(changes.filter(known).to_pylist(), notes.filter(known).to_pylist(), strict=True)
        authors = pa.array([self._author(change, note) for change, note in asked], pa.string())
        return pc.replace_with_mask(pa.repeat(OUTSIDE, changes.num_rows), known.combine_chunks(), authors)

    def _author(self, change: dict[str, Any], note: str | None) -> str:
        what = change["change"] if change["change"] in ("added", "gone") else change["field"]
        stamps = (self._stamps.get(stamp) for stamp in _STAMP.findall(note or ""))
        return self._by.get((change["number"], what)) or next(filter(None, stamps), OUTSIDE)


def _orders(root: DataRoot, environment: str) -> Iterator[_Order]:
    start = f"{_ORDERS}/{segment(f'{environment}/')[:_SAFE_PREFIX]}"
    for key in root.keys(_ORDERS):
        if key.startswith(start) and key.endswith(".json"):
            order = _read(root, key, _Order)
            if order and order.environment == environment:
                yield order


def _cleanups(root: DataRoot, environment: str, start: datetime) -> Iterator[tuple[str, _Entry]]:
    """What the clean-ups of the environment put on record since ``start``, with the name of the run."""
    journals = (key for key in root.keys(_CLEANUPS) if key.split("/")[2:3] == ["journal"])
    for folder, keys in groupby(journals, lambda key: key.rpartition("/journal/")[0]):
        entries = sorted(keys, reverse=True)
        newest = _read(root, entries[0], _Entry)
        if newest and newest.at < start:
            continue
        plan = _read(root, f"{folder}/plan.json", _Plan)
        if not plan or plan.environment != environment:
            continue
        for key in entries:
            entry = _read(root, key, _Entry)
            if entry and entry.at >= start:
                yield plan.run, entry


def _effects(entry: _Entry) -> Iterator[tuple[str, str]]:
    """The numbers that an entry of a journal is about, each with the name of a field that it changes, or ``gone``."""
    after = {row.number: row.model_dump() for row in entry.after}
    for row in entry.before:
        was, then = row.model_dump(), after.get(row.number)
        if then is None:
            yield row.number, "gone"
        else:
            yield from ((row.number, name) for name in was.keys() | then.keys() if was.get(name) != then.get(name))


def _read(root: DataRoot, key: str, kind: type[DocumentT]) -> DocumentT | None:
    try:
        return kind.model_validate_json(root.read(key) or b"")
    except ValidationError as error:
        log.warning("%s attributes nothing: it cannot be read (%s)", key, error.errors()[0]["msg"])
        return None
