"""What changed between two snapshots, found by walking through both in the order of the numbers; memory stays flat."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import pairwise
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from ocp_numbers.arrays import texts
from ocp_numbers.inventory.attribution import Deeds
from ocp_numbers.inventory.manifest import File
from ocp_numbers.inventory.sink import Sink

CHANGES = "changes.parquet"

KINDS = {
    "country": "changed",
    "group_id": "moved",
    "mini_app_id": "reattached",
    "locale": "changed",
    "note": "changed",
    "application_tag": "changed",
    "set_id": "changed",
}
"""The fields that are compared, and what a change of each is called. Names belong to their ids and are not."""

SCHEMA = pa.schema(
    [
        pa.field("number", pa.string(), nullable=False),
        pa.field("change", pa.string(), nullable=False),
        pa.field("field", pa.string(), nullable=False),
        pa.field("before", pa.string()),
        pa.field("after", pa.string()),
        pa.field("by", pa.string(), nullable=False),
    ]
)
_COLUMNS = ["number", *KINDS]
_ROWS_AT_ONCE = 65_536
_UNSIGNED = pa.schema([*list(SCHEMA)[:-1], pa.field("note", pa.string())])
"""Changes before it is known who made them, with the notes of the numbers added."""


def compare(
    before: BinaryIO,
    after: BinaryIO,
    target: UPath,
    *,
    deeds: Deeds,
    unsure: Iterable[str] = (),
    hidden: Iterable[str] = (),
    again: Iterable[str] = (),
) -> tuple[File, dict[str, int], dict[str, int]]:
    """Write the changes from one ``numbers.parquet`` to the next.

    A row says that one field of one number changed, from what to what, and by whom. For a number that was ``added`` or
    is ``gone`` the field is its group. Returns the file's entry, a count of each kind, and one of each author.

    :param unsure: numbers that one of the two could not show properly; nothing is said of them.
    :param hidden: groups that only the first could see: their numbers are ``hidden`` instead of ``gone``.
    :param again: groups that only the second could see: their numbers are ``seen`` instead of ``added``.
    """
    dark, light = texts(sorted(hidden)), texts(sorted(again))
    counts: Counter[str] = Counter()
    authors: Counter[str] = Counter()
    skipped = texts(sorted(unsure))
    with closing(Sink(target.open("wb"))) as sink, pq.ParquetWriter(sink, SCHEMA, compression="zstd") as writer:
        for old, new in _side_by_side(_sorted(before), _sorted(after)):
            found = _differences(old, new, dark, light)
            found = found.filter(pc.invert(pc.is_in(found["number"], value_set=skipped)))
            if found.num_rows:
                by = deeds.authors(found, found["note"])
                writer.write_table(pa.table([*found.drop_columns("note").columns, by], schema=SCHEMA))
                counts.update(found["change"].to_pylist())
                authors.update(by.to_pylist())
    return sink.file(CHANGES), dict(sorted(counts.items())), dict(sorted(authors.items()))


def numbers_in(rejects: Iterable[bytes]) -> Iterator[str]:
    """The numbers that the lines of a ``rejects.jsonl`` are about, as far as they name one."""
    for line in rejects:
        value = json.loads(line)["value"]
        if isinstance(value, dict) and isinstance(value.get("number"), str):
            yield value["number"]


def _sorted(stream: BinaryIO) -> Iterator[pa.Table]:
    """The rows in ascending order of the numbers, piece by piece; a platform with another order costs a sort."""
    file = pq.ParquetFile(stream)
    statistics = [file.metadata.row_group(place).column(0).statistics for place in range(file.num_row_groups)]
    ranges = [(each.min, each.max) for each in statistics if each is not None]
    ascending = len(ranges) == file.num_row_groups and all(lower[1] < upper[0] for lower, upper in pairwise(ranges))
    if ascending:
        for place in range(file.num_row_groups):
            yield file.read_row_group(place, columns=_COLUMNS).sort_by("number")
        return
    table = file.read(columns=_COLUMNS).sort_by("number")
    for start in range(0, table.num_rows, _ROWS_AT_ONCE):
        yield table.slice(start, _ROWS_AT_ONCE)


def _side_by_side(old: Iterator[pa.Table], new: Iterator[pa.Table]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Pieces of both that reach up to the same number."""
    empty = pa.table({name: pa.nulls(0, pa.string()) for name in _COLUMNS})
    left = right = empty
    while True:
        left = left if left.num_rows else next(old, empty)
        right = right if right.num_rows else next(new, empty)
        if not left.num_rows and not right.num_rows:
            return
        reach = min((piece["number"][-1] for piece in (left, right) if piece.num_rows), key=str)
        cuts = [pc.sum(pc.less_equal(piece["number"], reach)).as_py() or 0 for piece in (left, right)]
        yield left.slice(0, cuts[0]), right.slice(0, cuts[1])
        left, right = left.slice(cuts[0]), right.slice(cuts[1])


def _differences(old: pa.Table, new: pa.Table, dark: pa.Array, light: pa.Array) -> pa.Table:
    places = pc.index_in(new["number"], value_set=old["number"])
    added = new.filter(pc.is_null(places))
    gone = old.filter(pc.invert(pc.is_in(old["number"], value_set=new["number"])))
    was, now = old.take(pc.drop_null(places)), new.filter(pc.is_valid(places))
    return pa.concat_tables(
        [
            _rows(
                added["number"],
                _either("seen", "added", pc.is_in(added["group_id"], value_set=light)),
                "group_id",
                after=added["group_id"],
                note=added["note"],
            ),
            _rows(
                gone["number"],
                _either("hidden", "gone", pc.is_in(gone["group_id"], value_set=dark)),
                "group_id",
                before=gone["group_id"],
            ),
            *(_changed(was, now, field) for field in KINDS),
        ]
    )


def _either(one: str, other: str, which: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(which, *texts([one, other]))


def _changed(was: pa.Table, now: pa.Table, field: str) -> pa.Table:
    before, after = was[field], now[field]
    one_is_missing = pc.xor(pc.is_valid(before), pc.is_valid(after))
    differs = pc.coalesce(pc.not_equal(before, after), one_is_missing)
    number, before, after = (column.filter(differs) for column in (now["number"], before, after))
    kind = KINDS[field]
    if field == "mini_app_id":
        attached, detached, kind = texts(["attached", "detached", kind])
        kind = pc.if_else(pc.is_null(before), attached, pc.if_else(pc.is_null(after), detached, kind))
    return _rows(number, kind, field, before=before, after=after)


def _rows(
    number: pa.ChunkedArray,
    kind: str | pa.ChunkedArray,
    field: str,
    *,
    before: pa.ChunkedArray | None = None,
    after: pa.ChunkedArray | None = None,
    note: pa.ChunkedArray | None = None,
) -> pa.Table:
    count = len(number)
    nothing = pa.nulls(count, pa.string())
    return pa.table(
        [
            number,
            pa.repeat(*texts([kind]), count) if isinstance(kind, str) else kind,
            pa.repeat(*texts([field]), count),
            nothing if before is None else before,
            nothing if after is None else after,
            nothing if note is None else note,
        ],
        schema=_UNSIGNED,
    )
