"""The rows of a workbook, each cell as text where its meaning is certain."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

from ocp_numbers.errors import InvalidInput, shown

MOST_BYTES = 2**30
"""Bytes that a workbook may have unpacked."""

_EXACT = 2**53
"""From here on a spreadsheet's number is no longer certain to be the one that was typed."""
_PLAIN = ("General", "0", "@")
_SMALL = 10**6
"""Below it a format with leading zeros or decimals would show another text; above it stand numbers to be dialled."""
_ESCAPED = re.compile(r"_x[0-9A-Fa-f]{4}_")


class Unreadable(NamedTuple):
    """A cell whose text is not certain, as far as it can be shown, and why."""

    shown: str
    problem: str


@contextmanager
def sheet_rows(stream: BinaryIO, *, name: str) -> Iterator[Iterator[Sequence[str | Unreadable]]]:
    """The rows of the workbook's only sheet with something in it, one by one; memory stays flat.

    :raises InvalidInput: when it is no workbook, too large, or more than one sheet has something in it.
    """
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(stream) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > MOST_BYTES:
            raise InvalidInput(f"{name}: is {size:,} bytes unpacked; split it, or save it as CSV")
        stream.seek(0)
        book = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    except InvalidInput:
        raise
    except Exception as error:
        raise InvalidInput(f"{name}: is not a workbook that can be read ({error}); save it as XLSX or CSV") from None
    try:
        filled = [sheet for sheet in book.worksheets if _has_content(sheet)]
        if len(filled) > 1:
            raise InvalidInput(
                f"{name}: has {len(filled)} sheets with something in them ({shown(sheet.title for sheet in filled)}); "
                f"leave only the one with the changes"
            )
        yield _rows(filled[0], name) if filled else iter(())
    finally:
        book.close()


def _has_content(sheet: Any) -> bool:
    sheet.reset_dimensions()  # what the file says about its own size need not be true
    return any(cell is not None for row in sheet.iter_rows(max_row=50, values_only=True) for cell in row)


def _rows(sheet: Any, name: str) -> Iterator[Sequence[str | Unreadable]]:
    width = 0
    rows = sheet.iter_rows()
    while True:
        try:
            row = next(rows, None)
        except Exception as error:
            raise InvalidInput(f"{name}: the sheet is damaged ({error}); save it again as XLSX or CSV") from None
        if row is None:
            return
        cells = [_read(cell) for cell in row]
        # A sheet leaves blank cells at a row's end out; the header says how wide it is.
        width = width or len(cells)
        yield [*cells, *[""] * (width - len(cells))]


def _read(cell: Any) -> str | Unreadable:
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "f":
        return Unreadable(str(value), "is a formula; replace it by its value (copy, paste values)")
    if kind == "e":
        return Unreadable(str(value), "is an error of the spreadsheet; write the value")
    if kind == "s" or isinstance(value, str):
        if _ESCAPED.search(value):
            return Unreadable(value, "holds a control character, or a text that looks like one; type it again")
        return str(value)
    if isinstance(value, bool):
        return Unreadable(str(value).upper(), "is a truth value, not a text; format the cell as text")
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        if abs(value) >= _EXACT:
            return Unreadable(str(value), "is a number of which the last digits are lost; type it again as text")
        if abs(value) >= _SMALL or cell.number_format in _PLAIN:
            return str(int(value))
    return Unreadable(str(value), "is shown as something else by its format; format the cell as text, type it again")
