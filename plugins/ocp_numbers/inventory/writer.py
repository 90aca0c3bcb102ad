"""Writing an export's data files in one pass, in a thread of its own, while the next pages are on their way."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from isal import isal_zlib
from upath import UPath

from ocp_numbers.inventory.derived import EXPORTED, derive
from ocp_numbers.inventory.manifest import Counts, File
from ocp_numbers.inventory.schema import SCHEMA, DecodedPage, Reject
from ocp_numbers.inventory.sink import Sink
from ocp_numbers.inventory.spreadsheet import XlsxFile
from ocp_numbers.inventory.tally import Tally
from ocp_numbers.threads import Threads

PARQUET, CSV, REJECTS = "numbers.parquet", "numbers.csv.gz", "rejects.jsonl"

ROW_GROUP_ROWS = 16_384
ROW_GROUP_BYTES = 32 * 2**20
"""A row group ends at whichever comes first: neither many rows nor long notes may pile up in memory."""
PAGES_WAITING = 6
"""Pages that may wait for the writing thread before reading waits for it."""

_UNIQUE = ("number", "note")
"""Columns that hardly ever repeat a value: a dictionary of them would only cost."""


class _Gzip(io.RawIOBase):
    """A gzip stream of the fastest level, without a time in its header: equal content makes equal files."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._zip = isal_zlib.compressobj(1, isal_zlib.DEFLATED, 16 + isal_zlib.MAX_WBITS)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        view = memoryview(content)
        self._sink.write(self._zip.compress(view))
        return view.nbytes

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sink.write(self._zip.flush())
            self._sink.close()


class ParquetFile:
    """``numbers.parquet``: typed, zstd, row groups, low-cardinality columns dictionary-encoded.

    Only the numbers, which are in order, have statistics: no row group could be passed over for another column's.
    """

    def __init__(self, folder: UPath) -> None:
        self._sink = Sink((folder / PARQUET).open("wb"))
        dictionary = [name for name in EXPORTED.names if name not in _UNIQUE]
        self._writer = pq.ParquetWriter(
            self._sink,
            EXPORTED,
            compression="zstd",
            compression_level=1,
            use_dictionary=dictionary,
            write_statistics=["number"],
        )

    def write(self, rows: pa.Table) -> None:
        """Append ``rows`` as a row group."""
        self._writer.write_table(rows)

    def close(self) -> File:
        """Write the footer; durable when this returns."""
        self._writer.close()
        self._sink.close()
        return self._sink.file(PARQUET)


class CsvFile:
    """``numbers.csv.gz``: UTF-8, every text in quotes, nothing where there is no value.

    Values stand as they are, also where a spreadsheet would take one for a formula: the file is data, and what it
    says must come back unchanged when it is read or uploaded again.
    """

    def __init__(self, folder: UPath) -> None:
        self._sink = Sink((folder / CSV).open("wb"))
        self._stream = _Gzip(self._sink)
        self._writer = pyarrow.csv.CSVWriter(self._stream, EXPORTED)

    def write(self, rows: pa.Table) -> None:
        """Append ``rows``."""
        self._writer.write(rows)

    def close(self) -> File:
        """Finish the stream; durable when this returns."""
        self._writer.close()
        self._stream.close()
        return self._sink.file(CSV)


class RejectsFile:
    """``rejects.jsonl``: one JSON object a line, for each row that is not a number's record; empty when all are."""

    def __init__(self, folder: UPath) -> None:
        self._sink = Sink((folder / REJECTS).open("wb"))

    def write(self, rejects: tuple[Reject, ...]) -> None:
        """Append ``rejects``."""
        for reject in rejects:
            self._sink.write(reject.line())

    def close(self) -> File:
        """Durable when this returns."""
        self._sink.close()
        return self._sink.file(REJECTS)


FORMATS: dict[str, type[ParquetFile] | type[CsvFile] | type[XlsxFile]] = {
    "parquet": ParquetFile,
    "csv": CsvFile,
    "xlsx": XlsxFile,
}


class Writer:
    """Takes pages, and writes them to every file in a thread of its own; a context that waits for the thread.

    :param folder: where the files go; it exists.
    :param formats: keys of :data:`FORMATS`.
    """

    def __init__(self, folder: UPath, formats: Sequence[str]) -> None:
        self._files: list[ParquetFile | CsvFile | XlsxFile] = [FORMATS[name](folder) for name in formats]
        self._rejects_file = RejectsFile(folder)
        self._thread = Threads(1, thread_name_prefix="inventory-writer")
        self._pending: deque[Future[None]] = deque()
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._tally = Tally()
        self.rejects = 0

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def write(self, page: DecodedPage) -> None:
        """Append a page, sooner or later.

        :raises OSError: what writing an earlier page ended with.
        """
        self._pending.append(self._thread.submit(self._append, page))
        while len(self._pending) > PAGES_WAITING:
            self._pending.popleft().result()

    def close(self) -> list[File]:
        """Write what is waiting, and finish all files.

        :raises OSError: what writing ended with.
        """
        while self._pending:
            self._pending.popleft().result()
        self._flush()
        return [file.close() for file in (*self._files, self._rejects_file)]

    @property
    def rows(self) -> int:
        """How many rows were written."""
        return self._tally.rows

    @property
    def counts(self) -> Counts:
        """What the rows written add up to."""
        return self._tally.counts

    def _append(self, page: DecodedPage) -> None:
        self._rejects_file.write(page.rejects)
        self.rejects += len(page.rejects)
        self._waiting.append(page.batch)
        self._waiting_rows += page.batch.num_rows
        self._waiting_bytes += page.batch.nbytes
        if self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        rows = pa.Table.from_batches(self._waiting, SCHEMA)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        if not rows.num_rows:
            return
        numbers = rows["number"].combine_chunks()
        rows = pa.Table.from_arrays([*rows.columns, *derive(numbers)], schema=EXPORTED)
        for file in self._files:
            file.write(rows)
        self._tally.add(rows)
