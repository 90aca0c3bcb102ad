"""What looking back costs: thirty nights of two hundred thousand numbers, one night looked up, one number followed."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from bench.export_server import PAGE_SIZE, Listing, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Scope, as_of, dates, history, latest, partition_of
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.report import render

ROWS, NIGHTS = 200_000, 30
LIMIT = 2.0
"""Seconds that each of these may take."""

FIRST = date(2026, 1, 1)
ENVIRONMENT = "bench"

ResultT = TypeVar("ResultT")


class Memory:
    """A page source without a network."""

    def __init__(self, rows: int) -> None:
        self.calls = self.retries = 0
        self._listing = Listing(rows, largest=PAGE_SIZE)

    def fetch(self, page: int, page_size: int, read: Callable[[bytes], ResultT]) -> ResultT:
        """What ``read`` makes of page ``page``."""
        self.calls += 1
        return read(self._listing.read(self._listing.page(page, page_size)).partition(b"\r\n\r\n")[2])

    def csv(self) -> str:
        """Not asked for."""
        raise NotImplementedError


def run() -> None:
    """Print how long each takes; fails where one takes longer than it may."""
    with tempfile.TemporaryDirectory() as folder:
        root = DataRoot(folder)
        last = _nights(root, Path(folder))
        number = str(row(ROWS // 3)["number"])
        print(f"{NIGHTS} nights of {ROWS:,} numbers")
        night = _timed("the night as of a date", lambda: as_of(root, ENVIRONMENT, FIRST + timedelta(10)))
        periods = _timed("the history of a number", lambda: history(root, ENVIRONMENT, number))
        report = _timed("the report of a night", lambda: render(last.manifest, [last.manifest] * (NIGHTS - 1)))
    assert night is not None
    assert night.rows == ROWS
    assert [(each.since, each.until) for each in periods] == [(FIRST, FIRST + timedelta(NIGHTS - 1))]
    assert report.startswith(b"<!DOCTYPE html>")


def _nights(root: DataRoot, folder: Path) -> CompleteSnapshot:
    """One night exported, and published again under every other date."""
    scope = Scope(environment=ENVIRONMENT)
    first = Export(source=Memory(ROWS), root=root, scope=scope, day=FIRST, holder="bench", page_size=PAGE_SIZE).run()
    for ago in range(1, NIGHTS):
        day = FIRST + timedelta(ago)
        target = folder / partition_of(ENVIRONMENT, day)
        shutil.copytree(folder / first.folder, target)
        (target / "manifest.json").write_bytes(first.manifest.model_copy(update={"date": day}).document())
    assert len(dates(root, ENVIRONMENT)) == NIGHTS
    last = latest(root, ENVIRONMENT)
    assert last is not None
    return last


def _timed(what: str, call: Callable[[], ResultT]) -> ResultT:
    started, worked = time.perf_counter(), time.process_time()
    result = call()
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    print(f"  {what:<26} {seconds:6.2f} s, {cpu:.2f} s of them at work")
    # Where others use the machine as well, the clock on the wall says more about them.
    if min(seconds, cpu) > LIMIT:
        raise RuntimeError(f"{what}: {cpu:.2f} s, more than {LIMIT:.0f} s")
    return result
