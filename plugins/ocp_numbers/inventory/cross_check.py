"""The full check: what the pages said, compared row by row with the CSV that the platform makes itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import pyarrow.parquet as pq
from upath import UPath

from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory.reader import Moved

COLUMNS = {
    "NUMBER": "number",
    "COUNTRY": "country",
    "GROUP_ID": "group_id",
    "MINIAPP_ID": "mini_app_id",
    "MINIAPP_NAME": "mini_app_name",
    "MINIAPP_TYPE": "mini_app_type",
    "MINIAPP_DIAMANT_APP_NAME": "mini_app_diamant_app_name",
    "MINIAPP_GROUP": "mini_app_group",
    "LOCALE": "locale",
    "NOTE": "note",
    "APPLICATION_TAG": "application_tag",
    "PHONE_NUMBER_SET_ID": "set_id",
}
"""The platform's columns and ours. It does not give the name of the set."""

Record = tuple[str, ...]


def cross_check(text: str, parquet: UPath, rejects: int) -> None:
    """Make sure that ``text``, the platform's CSV in the order of the numbers, says what ``parquet`` does.

    A blank cell and a value that is not there are the same in a CSV.

    :param rejects: rows that may be in the CSV only, since they were no records of numbers.
    :raises Moved: naming the first row that differs.
    :raises IncompleteSnapshot: when the CSV lacks a column, or cannot be read.
    """
    ours = _ours(parquet)
    theirs = _readable(_theirs(text))
    for mine, other in zip_longest(ours, theirs):
        while other != mine and other is not None and rejects:
            rejects -= 1
            other = next(theirs, None)
        if other != mine:
            raise Moved(f"the platform's CSV differs from its pages: {_difference(mine, other)}")


def check_header(header: Sequence[str]) -> None:
    """Make sure that ``header``, the names of a CSV's columns, has all that are needed.

    :raises IncompleteSnapshot: naming those that are missing.
    """
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise IncompleteSnapshot(
            f"The platform's CSV has no column {', '.join(missing)}, so that it is no help here; export from the "
            f"pages, without the full check"
        )


def _ours(parquet: UPath) -> Iterator[Record]:
    with parquet.open("rb") as stream:
        for batch in pq.ParquetFile(stream).iter_batches(columns=list(COLUMNS.values())):
            columns = [batch[name].to_pylist() for name in COLUMNS.values()]
            yield from (tuple(value or "" for value in row) for row in zip(*columns, strict=True))


def _theirs(text: str) -> Iterator[Record]:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    check_header(header)
    places = [header.index(name) for name in COLUMNS]
    for row in rows:
        padded = row + [""] * (len(header) - len(row))
        yield tuple(padded[place] for place in places)


def _readable(rows: Iterator[Record]) -> Iterator[Record]:
    try:
        yield from rows
    except csv.Error as error:
        raise IncompleteSnapshot(
            f"The platform's CSV cannot be read: {error}; export from the pages, without the full check"
        ) from None


def _difference(mine: Record | None, other: Record | None) -> str:
    if mine is None or other is None:
        return f"{(mine or other or ('',))[0]} is in the {'pages' if mine else 'CSV'} only"
    if mine[0] != other[0]:
        return f"{mine[0]} in the pages stands where {other[0]} is in the CSV"
    fields = [name for name, left, right in zip(COLUMNS.values(), mine, other, strict=True) if left != right]
    return f"{mine[0]} has another {', '.join(fields)}"
