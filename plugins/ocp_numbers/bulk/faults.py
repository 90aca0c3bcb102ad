"""What is wrong with a row, where it stands, and what to do about it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SHOWN = 20
LONGEST_VALUE = 60

_COLUMNS = ("row", "number", "column", "value", "problem")


class Fault(NamedTuple):
    """Why a row, or a number, is left as it is.

    :param row: as a spreadsheet counts, the header being row 1; ``None`` for what stands in no file.
    :param column: by the name that the file gives it; empty where the row as a whole is meant.
    :param problem: a sentence with the fix, to be read after the value.
    """

    row: int | None
    column: str
    value: str
    problem: str
    number: str = ""

    def __str__(self) -> str:
        where = ", ".join(part for part in (f"row {self.row}" if self.row else self.number, self.column) if part)
        value = self.value if len(self.value) <= LONGEST_VALUE else f"{self.value[: LONGEST_VALUE - 1]}…"
        return f"{where}: {value!r} {self.problem}" if self.value else f"{where}: {self.problem}"


def listed(faults: Iterable[Fault], count: int, *, all_in: str) -> list[str]:
    """The first faults in words, and where to find the rest."""
    shown = [str(fault) for _, fault in zip(range(SHOWN), faults, strict=False)]
    if count > len(shown):
        shown.append(f"and {count - len(shown):,} more; all {count:,} are in {all_in} of the data root")
    return shown


def as_csv(faults: Iterable[Fault]) -> Iterator[bytes]:
    """All of them as CSV, line by line. Values stand in quotes of their own, so that no spreadsheet runs them."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    yield b"\xef\xbb\xbf"
    for fault in faults:
        yield _taken(text)
        writer.writerow([fault.row or "", fault.number, fault.column, repr(fault.value), fault.problem])
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    written = text.getvalue().encode("utf-8", "backslashreplace")
    text.seek(0)
    text.truncate()
    return written
