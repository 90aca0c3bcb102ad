"""CSV for people: opened in a spreadsheet, every value is the text that it is, and no formula is ever run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.responses import StreamingResponse

from ocp_numbers.data_root import segment

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
_ROWS_AT_ONCE = 4_096


def saved_as(*parts: object) -> dict[str, str]:
    """The headers of a file that is saved under this name, the last part being its ending."""
    name = f"{'-'.join(segment(str(part)) for part in parts[:-1])}.{parts[-1]}"
    # As it is: otherwise Airflow would pack it, and do so in its event loop.
    return {"content-disposition": f'attachment; filename="{name}"', "content-encoding": "identity"}


def answer(rows: Iterable[Iterable[Any]], *name: object) -> StreamingResponse:
    """``rows`` as a download in UTF-8, with its mark for spreadsheets; written while it is sent."""
    return StreamingResponse(_written(rows), media_type="text/csv; charset=utf-8", headers=saved_as(*name, "csv"))


def harmless(value: Any) -> Any:
    """``value`` with an apostrophe before it where a spreadsheet would take it for a formula or a figure.

    A number in E.164 is such a text as well: its ``+`` would be lost.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _written(rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write("\ufeff")
    for place, row in enumerate(rows, start=1):
        writer.writerow([harmless(value) for value in row])
        if place % _ROWS_AT_ONCE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
