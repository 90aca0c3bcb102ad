"""Reading the whole inventory from the CSV that the platform makes itself: few calls, but all of it in memory at once.

One answer is not a page that can shift, yet it can be cut short or stale. So it has to hold as many rows as the listing
counts, and it is asked for twice: what both times say the same is what the inventory was in between.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ocp_numbers.errors import IncompleteSnapshot, quoted
from ocp_numbers.inventory.cross_check import COLUMNS, check_header
from ocp_numbers.inventory.reader import Moved, Numbers, PageSource, Progress, Shape
from ocp_numbers.inventory.schema import E164_WHOLE, SCHEMA, DecodedPage, Reject, batch_of, decode, fingerprint
from ocp_numbers.models import E164

ROWS_AT_ONCE = 5_000
_BLOCK = 2**22


class CsvReading:
    """One reading of the platform's CSV, handed on piece by piece, and its confirmation by a second one.

    The CSV does not name sets, and a blank cell is a value that is not there.
    """

    def __init__(self, source: PageSource) -> None:
        self.source = source
        self.shape = Shape(0, ROWS_AT_ONCE)
        self._mark = b""

    def pages(self, progress: Progress) -> Iterator[DecodedPage]:
        """All rows in order; exhausted only once there are as many as the listing counts, and none twice.

        :raises Moved: when there are not.
        :raises IncompleteSnapshot: when it is not a CSV with the columns that are needed.
        :raises ApiError, NoAnswer: when it does not come.
        """
        self.shape = Shape(self._total(), ROWS_AT_ONCE)
        content = self._content()
        self._mark = fingerprint(content)
        numbers = Numbers()
        rows = 0
        for place, page in enumerate(_pieces(content, self.shape), start=1):
            numbers.add(page.batch["number"])
            rows += page.count
            progress(min(place, self.shape.pages), self.shape.pages, rows)
            yield page
        if rows != self.shape.total:
            raise Moved(f"the platform's CSV holds {rows} numbers, and its listing counts {self.shape.total}")
        numbers.prove_distinct()

    def confirm(self, progress: Progress) -> None:
        """Read it again and compare.

        :raises Moved: when it is not what it was.
        :raises ApiError, NoAnswer: when it does not come.
        """
        if fingerprint(self._content()) != self._mark:
            raise Moved("the platform's CSV changed between two readings")
        if (total := self._total()) != self.shape.total:
            raise Moved(f"the total went from {self.shape.total} to {total} while the platform's CSV was read")
        progress(self.shape.pages, self.shape.pages, total)

    def _total(self) -> int:
        return self.source.fetch(1, 1, decode).all_numbers

    def _content(self) -> bytes:
        try:
            return self.source.csv().encode()
        except UnicodeEncodeError as error:
            raise _unreadable(error) from None


def _pieces(content: bytes, shape: Shape) -> Iterator[DecodedPage]:
    try:
        header = next(csv.reader(io.StringIO(content[: 2**16].decode("utf-8-sig", "replace"), newline="")), [])
    except csv.Error as error:
        raise _unreadable(error) from None
    check_header(header)
    broken: list[Reject] = []

    def keep(row: pyarrow.csv.InvalidRow) -> str:
        reason = f"the row has {row.actual_columns} cells, the header {row.expected_columns}"
        named = E164.search(row.text)
        broken.append(Reject(1, row.number or 0, reason, {"number": named and named[0], "row": row.text}))
        return "skip"

    read = pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK)
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep)
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(COLUMNS, pa.string()),
        include_columns=list(COLUMNS),
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        rows = pyarrow.csv.open_csv(pa.BufferReader(content), read, parse, convert).read_all()
    except pa.ArrowException as error:
        raise _unreadable(error) from None
    yield DecodedPage(1, shape.pages, shape.total, batch_of([]), tuple(broken))
    for place, batch in enumerate(rows.to_batches(max_chunksize=ROWS_AT_ONCE), start=1):
        yield _page(batch, place, shape)


def _page(batch: pa.RecordBatch, place: int, shape: Shape) -> DecodedPage:
    columns = {ours: batch[theirs] for theirs, ours in COLUMNS.items()}
    rows = pa.RecordBatch.from_arrays(
        [columns.get(name, pa.nulls(batch.num_rows, pa.string())) for name in SCHEMA.names], SCHEMA.names
    )
    right = pc.fill_null(pc.match_substring_regex(rows["number"], E164_WHOLE), False)
    wrong = rows.filter(pc.invert(right)).to_pylist()
    where = pc.indices_nonzero(pc.invert(right)).to_pylist()
    rejects = tuple(
        Reject(place, row + 1, f"number: {quoted(value['number'])} is not in E.164", value)
        for row, value in zip(where, wrong, strict=True)
    )
    return DecodedPage(place, shape.pages, shape.total, rows.filter(right).cast(SCHEMA), rejects)


def _unreadable(error: Exception) -> IncompleteSnapshot:
    return IncompleteSnapshot(
        f"The platform's CSV cannot be read: {error}; nothing was published. Export from its pages instead, without "
        f"source csv"
    )
