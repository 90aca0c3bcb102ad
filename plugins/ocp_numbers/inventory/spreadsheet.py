"""The export as a spreadsheet, for people who look things up in one: every value is text, no formula is ever run."""

from __future__ import annotations

from datetime import datetime
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from upath import UPath

from ocp_numbers.errors import InvalidInput
from ocp_numbers.inventory.derived import EXPORTED
from ocp_numbers.inventory.manifest import File
from ocp_numbers.inventory.sink import Sink

XLSX = "numbers.xlsx"
MOST_ROWS = 1_048_575
"""Rows that a sheet holds below its header."""

_MOST_CHARACTERS = 32_767
"""What a cell holds, counted in the 16-bit units of spreadsheets."""
_CUT = "\N{HORIZONTAL ELLIPSIS} (cut here; whole in numbers.parquet)"
_WIDTHS = {"number": 18, "mini_app_id": 40, "note": 40}
_WIDTH = 16


def check_fits(rows: int) -> None:
    """Make sure that so many rows go into one sheet.

    :raises InvalidInput: when they do not.
    """
    if rows > MOST_ROWS:
        raise InvalidInput(
            f"formats: a sheet holds {MOST_ROWS:,} numbers, and there are {rows:,}; export without xlsx, or only some "
            f"groups at a time"
        )


class XlsxFile:
    """``numbers.xlsx``: one sheet with a header that stays in sight and can be filtered by.

    A text longer than a cell may be ends in a remark that says so.
    """

    def __init__(self, folder: UPath) -> None:
        from xlsxwriter import Workbook

        self._sink = Sink((folder / XLSX).open("wb"))
        # A folder of its own for the rows on their way: gone with this object, also where the export is given up.
        self._scratch = TemporaryDirectory(prefix="ocp-numbers-xlsx-", ignore_cleanup_errors=True)
        self._book = Workbook(self._sink, {"constant_memory": True, "tmpdir": self._scratch.name})
        self._sheet: Any = self._book.add_worksheet("Numbers")
        for place, name in enumerate(EXPORTED.names):
            self._sheet.set_column(place, place, _WIDTHS.get(name, _WIDTH))
        self._sheet.freeze_panes(1, 1)
        bold = self._book.add_format({"bold": True})
        for place, name in enumerate(EXPORTED.names):
            self._sheet.write_string(0, place, name, bold)
        self._rows = 0

    def write(self, rows: pa.Table) -> None:
        """Append ``rows``.

        :raises InvalidInput: when the sheet cannot hold them.
        """
        check_fits(self._rows + rows.num_rows)
        write = self._sheet.write_string
        for batch in rows.to_batches(max_chunksize=4_096):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                self._rows += 1
                for place, value in enumerate(values):
                    if value is not None:
                        write(self._rows, place, _cell(value))

    def close(self) -> File:
        """Finish the workbook; durable when this returns."""
        self._sheet.autofilter(0, 0, self._rows, len(EXPORTED) - 1)
        # Without the time of writing: equal content makes equal files.
        self._book.set_properties({"created": datetime(2000, 1, 1)})
        self._book.close()
        self._scratch.cleanup()
        self._sink.close()
        return self._sink.file(XLSX)


def _cell(value: str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if len(value) <= _MOST_CHARACTERS // 2:
        return value
    units = value.encode("utf-16-le")
    if len(units) <= 2 * _MOST_CHARACTERS:
        return value
    return units[: 2 * (_MOST_CHARACTERS - len(_CUT))].decode("utf-16-le", "ignore") + _CUT
