"""The rows of a workbook, each cell as text where its meaning is certain."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any, BinaryIO, NamedTuple

from ocp_numbers.errors import InvalidInput, shown

MOST_BYTES = 2**30
"""Bytes that a workbook may have unpacked."""

MOST_HELD = 2**25
"""Bytes of those parts of it that are in memory as a whole: shared texts, formats."""

_LONGEST_ROW = 2**22
_SHEET = re.compile(rb'<Override[^>]*ContentType="[^"]*[.]worksheet[+]xml"[^>]*>')
_PART = re.compile(rb'PartName="/([^"]*)"')
_MOST_PARTS = 10_000
_CONTENT_TYPES = "[Content_Types].xml"

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
    from openpyxl.reader.excel import ExcelReader

    try:
        sheets = _check_size(stream, name)
        stream.seek(0)
        reader = ExcelReader(stream, read_only=True, data_only=False, keep_links=False)
        reader.archive = pace = _Paced(reader.archive, sheets)
        reader.read()
        pace.loaded = True
        book = reader.wb
    except InvalidInput:
        raise
    except Exception as error:
        raise InvalidInput(f"{name}: is not a workbook that can be read ({error}); save it as XLSX or CSV") from None
    try:
        filled = [sheet for sheet in book.worksheets if _has_content(sheet, pace, name)]
        if len(filled) > 1:
            raise InvalidInput(
                f"{name}: has {len(filled)} sheets with something in them ({shown(sheet.title for sheet in filled)}); "
                f"leave only the one with the changes"
            )
        yield _rows(filled[0], pace, name) if filled else iter(())
    finally:
        book.close()


class _Paced:
    """The parts of a workbook, of which no more than a row's worth is read before a row comes of it.

    Until the workbook is ``loaded`` its sheets look empty: what they say of their own size is not asked for.
    """

    def __init__(self, archive: zipfile.ZipFile, sheets: set[str]) -> None:
        self._archive = archive
        self._sheets = sheets
        self.loaded = False
        self.left = 2 * MOST_HELD

    def open(self, part: str) -> _PacedPart:
        """One part, to be read from its beginning."""
        empty = part in self._sheets and not self.loaded
        return _PacedPart(self, io.BytesIO(b"<worksheet/>") if empty else self._archive.open(part))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)


class _PacedPart:
    def __init__(self, pace: _Paced, part: IO[bytes]) -> None:
        self._pace, self._part = pace, part

    def read(self, size: int = -1) -> bytes:
        piece = self._part.read(size if 0 <= size < _LONGEST_ROW else _LONGEST_ROW)
        self._pace.left -= len(piece)
        if self._pace.left < 0:
            raise ValueError(f"a row of more than {_LONGEST_ROW:,} bytes")
        return piece

    def close(self) -> None:
        self._part.close()

    def __enter__(self) -> _PacedPart:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_size(stream: BinaryIO, name: str) -> set[str]:
    """Make sure that the workbook is not one of the small files that fill a memory.

    A sheet is read row by row; all other parts, and whatever is said to be a sheet and something else as well, are held
    as a whole.

    :return: the names of the sheets' parts.
    """
    with zipfile.ZipFile(stream) as packed:
        parts = packed.infolist()
        size = sum(part.file_size for part in parts)
        if size > MOST_BYTES or len(parts) > _MOST_PARTS:
            raise InvalidInput(f"{name}: is {size:,} bytes in {len(parts)} parts unpacked; split it, or save it as CSV")
        types = next((part for part in parts if part.filename == _CONTENT_TYPES), None)
        said = packed.read(types) if types is not None and types.file_size <= MOST_HELD else b""
    named = _PART.findall(said)
    of_sheets = (part for sheet in _SHEET.findall(said) for part in _PART.findall(sheet) if named.count(part) == 1)
    sheets = {part.decode(errors="replace") for part in of_sheets}
    held = sum(part.file_size for part in parts if part.filename not in sheets)
    if held > MOST_HELD:
        raise InvalidInput(f"{name}: its texts and formats are {held:,} bytes unpacked; split it, or save it as CSV")
    return sheets


def _has_content(sheet: Any, pace: _Paced, name: str) -> bool:
    sheet.reset_dimensions()  # what the file says about its own size need not be true
    return any(cell.value is not None for row in islice(_read_rows(sheet, pace, name), 50) for cell in row)


def _read_rows(sheet: Any, pace: _Paced, name: str) -> Iterator[Sequence[Any]]:
    rows = sheet.iter_rows()
    while True:
        pace.left = _LONGEST_ROW
        try:
            row = next(rows, None)
        except Exception as error:
            raise InvalidInput(f"{name}: the sheet is damaged ({error}); save it again as XLSX or CSV") from None
        if row is None:
            return
        yield row


def _rows(sheet: Any, pace: _Paced, name: str) -> Iterator[Sequence[str | Unreadable]]:
    width = 0
    for row in _read_rows(sheet, pace, name):
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
