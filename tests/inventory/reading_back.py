"""Published files read back by the tools that people use, none of which knows this project."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ocp_numbers.inventory import CompleteSnapshot
from ocp_numbers.models import PhoneNumber

COLUMNS = tuple(PhoneNumber.model_fields)
"""The platform's columns; those that are derived come behind them."""

Row = tuple[str | None, ...]


def by_pyarrow(snapshot: CompleteSnapshot) -> Iterator[Row]:
    """``numbers.parquet`` by pyarrow."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(_path(snapshot, "numbers.parquet")).iter_batches(columns=list(COLUMNS)):
        yield from zip(*(batch[name].to_pylist() for name in COLUMNS), strict=True)


def by_pandas(snapshot: CompleteSnapshot) -> Iterator[Row]:
    """``numbers.parquet`` by pandas."""
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]

    yield from _rows(pd.read_parquet(_path(snapshot, "numbers.parquet"), columns=list(COLUMNS)))


def by_duckdb(snapshot: CompleteSnapshot) -> Iterator[Row]:
    """``numbers.parquet`` by DuckDB."""
    yield from _select(f"read_parquet('{_path(snapshot, 'numbers.parquet')}')")


def csv_by_csv(snapshot: CompleteSnapshot) -> Iterator[Row]:
    """``numbers.csv.gz`` by the csv module, for which nothing and an empty text are the same."""
    with snapshot.open("numbers.csv.gz") as stream:
        rows = csv.reader(io.TextIOWrapper(gzip.GzipFile(fileobj=stream), encoding="utf-8", newline=""))
        header = next(rows)
        places = [header.index(name) for name in COLUMNS]
        yield from (tuple(each[place] for place in places) for each in rows)


def csv_by_pandas(snapshot: CompleteSnapshot) -> Iterator[Row]:
    """``numbers.csv.gz`` by pandas, told to take every cell for text."""
    import pandas as pd

    path = _path(snapshot, "numbers.csv.gz")
    yield from _rows(pd.read_csv(path, dtype=str, keep_default_na=False, usecols=list(COLUMNS))[list(COLUMNS)])


def csv_by_duckdb(snapshot: CompleteSnapshot) -> Iterator[Row]:
    """``numbers.csv.gz`` by DuckDB, which tells nothing from an empty text."""
    path = _path(snapshot, "numbers.csv.gz")
    yield from _select(f"read_csv('{path}', all_varchar=true, allow_quoted_nulls=false, max_line_size=4000000)")


def xlsx_by_openpyxl(snapshot: CompleteSnapshot) -> Iterator[Row]:
    """``numbers.xlsx`` by openpyxl, for which nothing and an empty text are the same."""
    from openpyxl import load_workbook

    book = load_workbook(_path(snapshot, "numbers.xlsx"), read_only=True)
    rows = book.active.iter_rows(max_col=len(COLUMNS), values_only=True)
    assert next(rows) == COLUMNS
    yield from (tuple(value or "" for value in each) for each in rows)
    book.close()


WAYS: tuple[Callable[[CompleteSnapshot], Iterator[Row]], ...] = (
    *(by_pyarrow, by_pandas, by_duckdb),
    *(csv_by_csv, csv_by_pandas, csv_by_duckdb),
    xlsx_by_openpyxl,
)
BLANK = (csv_by_csv, csv_by_pandas, xlsx_by_openpyxl)
"""Those that cannot tell nothing from an empty text."""


def expected(way: Callable[[CompleteSnapshot], Iterator[Row]], truth: Iterable[Row]) -> Iterable[Row]:
    """``truth`` as far as ``way`` can tell."""
    return (tuple(value or "" for value in row) for row in truth) if way in BLANK else truth


def _path(snapshot: CompleteSnapshot, name: str) -> str:
    return str(Path(snapshot.root.uri, snapshot.folder, name))


def _rows(frame: Any) -> Iterator[Row]:
    for each in frame.itertuples(index=False, name=None):
        yield tuple(value if isinstance(value, str) else None for value in each)


def _select(source: str) -> Iterator[Row]:
    import duckdb

    with duckdb.connect() as database:
        answer = database.execute(f"select {', '.join(COLUMNS)} from {source}")
        while rows := answer.fetchmany(20_000):
            yield from rows
