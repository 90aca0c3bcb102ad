"""Whether an export of many numbers is the platform's own state, row for row, in every file, by every tool."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import date
from itertools import zip_longest

from inventory.reading_back import WAYS, Row, expected
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_sandbox import Sandbox, Settings, User

ROWS = (200_000, 1_000_000)
FIELDS = (
    *("number", "country", "groupId", "miniAppId", "miniAppName", "miniAppType", "miniAppDiamantAppName"),
    *("miniAppGroup", "locale", "note", "applicationTag", "setId", "setName"),
)


def run() -> None:
    """Print a line for each size and tool; fails at the first row that differs. Sizes may be given as ``ROWS=5000``."""
    sizes = [int(each) for each in os.environ.get("ROWS", "").split(",") if each] or ROWS
    for rows in sizes:
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
                formats=("parquet", "csv", "xlsx"),
                expected_rows=rows,
            ).run()
            print(f"{rows:,} numbers exported from the sandbox in {time.perf_counter() - started:.0f} s")
            truth: list[Row] = [tuple(each[name] for name in FIELDS) for each in sandbox.numbers()]
            for way in WAYS:
                began = time.perf_counter()
                for place, (theirs, ours) in enumerate(zip_longest(expected(way, truth), way(snapshot)), start=1):
                    if theirs != ours:
                        raise RuntimeError(f"{way.__name__}, row {place}: {ours} instead of {theirs}")
                print(f"  {way.__name__:<18} {rows:,} rows as they are, {time.perf_counter() - began:.0f} s")
