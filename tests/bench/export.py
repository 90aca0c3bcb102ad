"""What an export costs: this project's, beside what a user would take instead and the bare download of the pages.

``make bench ONLY=export`` takes some ten minutes; ``make bench ONLY="export --full"`` adds a million numbers for all of
them. The ways are run in turn. Those that need Airflow begin to cost once its SDK is imported, the others from nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from statistics import fmean

from bench.export_server import PAGE_SIZE
from bench.measure import BASE, PROJECT, Figures, alternate
from bench.peers import BY_PAGE, BY_ROW, DLT, DUCKDB, FLOOR, HTTP_OPERATOR, THIS, Task, Way, prepare

EVERYBODY = (FLOOR, DUCKDB, HTTP_OPERATOR, DLT, BY_ROW, BY_PAGE, THIS)
QUICK = (FLOOR, DUCKDB, BY_PAGE, THIS)
SIZES = {10_000: EVERYBODY, 100_000: (THIS,), 200_000: EVERYBODY, 1_000_000: QUICK}
LATENCIES = (0.05, 0.2)
LATENT_ROWS = 200_000
CONNECTIONS = 16
RUNS = 3
PEERS_PAGE_SIZE = 2_500
"""Numbers a page for all others: as many as this export, which begins with pages of 500, comes to ask for here."""
SMALL_PAGES = (DUCKDB, BY_PAGE)
"""The best of those that do not validate and of those that do: measured with the page size of a beginning, too."""
LARGEST_PAGE = 10_000

Entry = tuple[Way, int]
"""A way, and the numbers a page that it asks for; this export finds out by itself."""


def run(*, full: bool = False) -> None:
    """Print tables of wall time, CPU time and peak memory, and what follows from them.

    :param full: a million numbers for every way.
    """
    prepare()
    ours: dict[int, Figures] = {}
    for rows, chosen in SIZES.items():
        ways = EVERYBODY if full else chosen
        entries = [(way, PEERS_PAGE_SIZE) for way in ways] + [(way, PAGE_SIZE) for way in SMALL_PAGES if way in ways]
        figures = measured(rows, entries)
        this = ours[rows] = figures[THIS, PEERS_PAGE_SIZE]
        print(f"Export of {rows:,} numbers, {CONNECTIONS} connections; medians of {RUNS}; over import {BASE}")
        for (way, size), figure in figures.items():
            pages = "its own" if way is THIS else f"{size:,}"
            ratio = f"   cpu x {this.cpu / figure.cpu:4.2f}" if way is not THIS else ""
            print(f"  {way.name:<26} {pages:>7} a page  {way.does:<38} {figure}{ratio}")
        print("  (cpu x: this export against that way)")
        for size in (PEERS_PAGE_SIZE, PAGE_SIZE):
            judge(this, {way: figure for (way, asked), figure in figures.items() if asked == size}, size)
    print(fit(ours))
    print(f"Peak at {max(ours):,} against {100_000:,} numbers: x {ours[max(ours)].peak / ours[100_000].peak:.2f}")
    for latency in LATENCIES:
        for largest in (LARGEST_PAGE, PAGE_SIZE):
            print(latent(latency, largest))


def judge(this: Figures, others: dict[Way, Figures], size: int) -> None:
    """Print the costs of this export beside those of the best that validates and of the limit without validation."""
    peers = [way for way in others if way.validates and way is not THIS]
    if peers:
        best = min(peers, key=lambda way: others[way].cpu)
        share = this.cpu / others[best].cpu
        print(f"  of the best that validates, {best.name} with {size:,} a page: x {share:.2f} in cpu")
    if DUCKDB in others:
        cpu, wall = (getattr(this, name) / getattr(others[DUCKDB], name) for name in ("cpu", "wall"))
        print(f"  of DuckDB with {size:,} a page, which does not: x {cpu:.2f} in cpu, x {wall:.2f} in wall time")


def latent(latency: float, largest: int) -> str:
    """How long an export takes when each answer does, beside the least that one reading of pages of 500 can take."""
    entry = THIS, PAGE_SIZE
    figure = measured(LATENT_ROWS, [entry], latency=latency, largest=largest)[entry]
    floor = ceil(LATENT_ROWS / PAGE_SIZE / CONNECTIONS) * latency
    bound = max(floor, figure.cpu)
    return (
        f"{LATENT_ROWS:,} numbers, {latency * 1000:3.0f} ms latency, pages of up to {largest:>6,}: "
        f"wall {figure.wall:5.2f} s, cpu {figure.cpu:5.2f} s, one reading in pages of {PAGE_SIZE} {floor:5.2f} s: "
        f"x {figure.wall / bound:.2f} of the larger"
    )


def measured(
    rows: int, entries: Sequence[Entry], *, latency: float = 0.0, largest: int = LARGEST_PAGE
) -> dict[Entry, Figures]:
    """The figures of ``entries``, measured in turn."""
    with server(rows, latency, largest) as host:
        tasks = {entry: Task(host, rows, page_size=entry[1], connections=CONNECTIONS) for entry in entries}
        return alternate({entry: entry[0].command(task) for entry, task in tasks.items()}, runs=RUNS)


def fit(ours: dict[int, Figures]) -> str:
    """The straight line through the costs of all sizes, and how far the costs are from it."""
    sizes, costs = list(ours), [figures.cpu for figures in ours.values()]
    middle, mean = fmean(sizes), fmean(costs)
    slope = sum((size - middle) * (cost - mean) for size, cost in zip(sizes, costs, strict=True)) / sum(
        (size - middle) ** 2 for size in sizes
    )
    start = mean - slope * middle
    off = max(abs(cost / (start + slope * size) - 1) for size, cost in zip(sizes, costs, strict=True))
    return (
        f"Linear from {min(sizes):,} to {max(sizes):,} numbers: {start:.2f} s + {slope * 1e6:.2f} s a million numbers; "
        f"no size is more than {off:.0%} off"
    )


@contextmanager
def server(rows: int, latency: float, largest: int) -> Iterator[str]:
    """The page server as a process of its own; its address."""
    program = str(PROJECT / "tests" / "bench" / "export_server.py")
    command = [sys.executable, program, str(rows), str(latency), str(largest)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
