"""What the table shows, to take along: as CSV, as a workbook whose cells are all text; and the report of a night."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask
from upath import UPath

from ocp_numbers.dashboard import plain_csv
from ocp_numbers.dashboard.desk import AtDesk
from ocp_numbers.dashboard.pages.numbers import Asked
from ocp_numbers.dashboard.question import Question
from ocp_numbers.dashboard.table import Table
from ocp_numbers.inventory import CompleteSnapshot

router = APIRouter()

MOST_SHEET_ROWS = 100_000
"""Numbers of a workbook that is made while somebody waits."""

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/{environment}/numbers.csv")
def as_csv(desk: AtDesk, asked: Asked) -> Response:
    """All numbers that the table's question finds, in its order."""
    snapshot = _there(desk.snapshot)
    return plain_csv.answer(_rows(desk.estate.table(snapshot), asked), *_name(snapshot, asked))


@router.get("/{environment}/numbers.xlsx")
def as_xlsx(desk: AtDesk, asked: Asked) -> Response:
    """All numbers that the table's question finds, in its order."""
    snapshot = _there(desk.snapshot)
    table = desk.estate.table(snapshot)
    found = table.count(asked)
    if found > MOST_SHEET_ROWS:
        raise HTTPException(
            413,
            f"These are {found:,} numbers, and a workbook is made of up to {MOST_SHEET_ROWS:,}. Narrow the search "
            f"down, or take the CSV. The nightly export makes one of all numbers, with xlsx among its formats.",
        )
    folder = Path(tempfile.mkdtemp(prefix="ocp-numbers-download-"))
    try:
        path = _workbook(table, asked, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        path,
        media_type=_XLSX,
        headers=plain_csv.saved_as(*_name(snapshot, asked), "xlsx"),
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


@router.get("/{environment}/snapshots/{day}/report.html")
def report(desk: AtDesk, day: date) -> Response:
    """The report of one night, as it was published: one page without a script."""
    snapshot = desk.estate.snapshot(desk.environment, day)
    if snapshot is None:
        raise HTTPException(404, f"There is no snapshot of {day} in {desk.environment}.")
    with snapshot.open("report.html") as stream:
        content = stream.read()
    rules = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
    return Response(content, media_type="text/html; charset=utf-8", headers={"content-security-policy": rules})


def _there(snapshot: CompleteSnapshot | None) -> CompleteSnapshot:
    if snapshot is None:
        raise HTTPException(404, "There is no inventory yet. Run nightly_inventory_export for this connection first.")
    return snapshot


def _name(snapshot: CompleteSnapshot, asked: Question) -> tuple[object, ...]:
    return ("numbers", snapshot.environment, snapshot.date, *(["found"] if asked.filters else []))


def _rows(table: Table, asked: Question) -> Iterator[tuple[Any, ...]]:
    from ocp_numbers.inventory.derived import EXPORTED

    yield tuple(EXPORTED.names)
    for rows in table.batches(asked, EXPORTED.names):
        yield from rows


def _workbook(table: Table, asked: Question, folder: Path) -> Path:
    import pyarrow as pa

    from ocp_numbers.inventory.derived import EXPORTED
    from ocp_numbers.inventory.spreadsheet import XLSX, XlsxFile

    book = XlsxFile(UPath(folder))
    for rows in table.batches(asked, EXPORTED.names):
        columns = [
            pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), EXPORTED, strict=True)
        ]
        book.write(pa.Table.from_arrays(columns, schema=EXPORTED))
    book.close()
    return folder / XLSX
