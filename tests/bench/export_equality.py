"""Whether an export of many numbers is the platform's own state, row for row, in every file that it writes."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from itertools import zip_longest

from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Scope, read_rows
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.models import PhoneNumber
from ocp_sandbox import Sandbox, Settings, User

ROWS = (200_000, 1_000_000)
FIELDS = (
    *("number", "country", "groupId", "miniAppId", "miniAppName", "miniAppType", "miniAppDiamantAppName"),
    *("miniAppGroup", "locale", "note", "applicationTag", "setId", "setName"),
)

Row = tuple[str | None, ...]


def run() -> None:
    """Print a line for each size; fails at the first row that differs."""
    for rows in ROWS:
        started = time.perf_counter()
        with (
            Sandbox(Settings(numbers=rows, users=[User("bench", "bench")])) as sandbox,
            tempfile.TemporaryDirectory() as folder,
            OcpClient(ClientSettings(host=sandbox.url, login="bench", password="bench")) as client,
        ):
            snapshot = Export(
                source=ClientSource(lambda: client),
                root=DataRoot(folder),
                scope=Scope(environment="bench"),
                day=date(2026, 1, 1),
                holder="bench",
            ).run()
            truth = [tuple(each[name] for name in FIELDS) for each in sandbox.numbers()]
            _check("numbers.parquet", truth, (tuple(each.model_dump().values()) for each in read_rows(snapshot)))
            blank = [tuple(value or "" for value in each) for each in truth]
            _check("numbers.csv.gz", blank, _csv_rows(snapshot))
        print(f"Export of {rows:,} numbers equals the sandbox's state, {time.perf_counter() - started:.0f} s in all")


def _csv_rows(snapshot: CompleteSnapshot) -> Iterator[Row]:
    with snapshot.open("numbers.csv.gz") as stream:
        rows = csv.reader(io.TextIOWrapper(gzip.GzipFile(fileobj=stream), encoding="utf-8", newline=""))
        next(rows)
        yield from (tuple(each[: len(PhoneNumber.model_fields)]) for each in rows)


def _check(name: str, expected: list[Row], found: Iterator[Row]) -> None:
    for place, (theirs, ours) in enumerate(zip_longest(expected, found), start=1):
        if theirs != ours:
            raise RuntimeError(f"{name}, row {place}: {ours} instead of {theirs}")
