"""Who changed a number: one of our own orders or runs, as orders and journals in the data root tell, or somebody else.

A document that cannot be read attributes nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ocp_numbers.arrays import texts
from ocp_numbers.data_root import DataRoot
from ocp_numbers.journal import NumberEdit, entries_since
from ocp_numbers.ordering import OrderBook, State

log = logging.getLogger(__name__)

OUTSIDE = "outside"
"""Neither an order nor a run of ours: the platform's console, another program, or a run that keeps no record."""

_ATTACHMENT, _ALONG = "mini_app_id", ("locale", "application_tag")
_STAMP = re.compile(r"\[order [^\]]+\]")


class Deeds:
    """What our own orders and runs did to numbers; nothing, until it is told."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], _Made] = {}
        self._stamps: dict[str, str] = {}

    @classmethod
    def since(cls, start: datetime, *, root: DataRoot, environment: str) -> Deeds:
        """What is on record as done since ``start``, or of unknown date."""
        deeds = cls()
        for entry in sorted(entries_since(root, environment, start), key=lambda entry: entry.age_key):
            for edit in entry.numbers:
                for what, after in _effects(edit):
                    deeds._made[edit.number, what] = _Made(f"run {entry.by.run}", after)
        for order in OrderBook(root, environment).orders(damaged=_unreadable):
            deeds._stamps[order.stamp] = f"order {order.order_id}"
            for line in order.lines_in(State.OWNED):
                if line.origin != "already ours" and (line.settled_at or start) >= start:
                    deeds._made[line.number, "added"] = _Made(f"order {order.order_id}")
        return deeds

    def authors(self, changes: pa.Table, notes: pa.ChunkedArray) -> pa.ChunkedArray:
        """Who made each of ``changes``, rows of ``changes.parquet``; ``notes`` are those of the numbers added."""
        numbers = texts(list({number for number, _ in self._made}))
        stamped = pc.and_kleene(pc.is_valid(notes), pc.match_substring(notes, "[order "))
        known = pc.or_(pc.is_in(changes["number"], value_set=numbers), stamped)
        asked = zip(changes.filter(known).to_pylist(), notes.filter(known).to_pylist(), strict=True)
        authors = texts([self._author(change, note) for change, note in asked])
        return pc.replace_with_mask(pa.repeat(*texts([OUTSIDE]), changes.num_rows), known.combine_chunks(), authors)

    def _author(self, change: dict[str, Any], note: str | None) -> str:
        number, kind, field, after = change["number"], change["change"], change["field"], change["after"]
        if kind in ("hidden", "seen"):
            return OUTSIDE
        if kind in ("added", "gone"):
            stamps = (self._stamps.get(stamp) for stamp in _STAMP.findall(note or ""))
            made = self._made.get((number, kind))
            return made.by if made else next(filter(None, stamps), OUTSIDE)
        # Detaching a number empties what belonged to its attachment, whether or not anybody asked for that.
        along = [_ATTACHMENT] if field in _ALONG and after is None else []
        for made in (self._made.get((number, name)) for name in (field, *along)):
            if made and made.after == after:
                return made.by
        return OUTSIDE


class _Made(NamedTuple):
    """Who did it, and what the field was to be then: where it is something else, somebody came after them."""

    by: str
    after: str | None = None


def _effects(edit: NumberEdit) -> Iterator[tuple[str, str | None]]:
    """The fields that an edit changes, or ``added`` or ``gone``, each with the value that it is to have."""
    if edit.after is None:
        yield "gone", None
    elif edit.before is None:
        yield "added", None
    else:
        yield from edit.after.items()


def _unreadable(key: str, fault: object) -> None:
    log.warning("%s attributes nothing: it cannot be read (%s)", key, fault)
