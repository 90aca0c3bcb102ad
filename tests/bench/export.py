"""What an export costs: this project's, beside what a user would take instead and the bare download of the pages.

``make bench ONLY=export`` takes some ten minutes; ``make bench ONLY="export --full"`` adds a million numbers for all of
them. Costs are of whole processes, taken in turn; of those that need Airflow, importing its SDK is taken off.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from statistics import fmean

from bench.export_server import PAGE_SIZE
from bench.measure import PROJECT, Figures, alternate, python
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
LARGEST_PAGE = 10_000
IDLE = "import airflow.sdk"


def run(*, full: bool = False) -> None:
    """Print tables of wall time, CPU time and peak memory, and what follows from them.

    :param full: a million numbers for every way.
    """
    prepare()
    ours: dict[int, Figures] = {}
    for rows, ways in SIZES.items():
        figures, idle = measured(rows, EVERYBODY if full else ways)
        print(f"Export of {rows:,} numbers, {PEERS_PAGE_SIZE:,} a page, {CONNECTIONS} connections; medians of {RUNS}")
        print(f"  {'import airflow.sdk, taken off below':<58} {idle}")
        over = {way: above(figure, idle if way.ours else None) for way, figure in figures.items()}
        for way, figure in over.items():
            ratio = f"   cpu x {over[THIS].cpu / figure.cpu:4.2f}" if way is not THIS else ""
            print(f"  {way.name:<27} {way.does:<38} {figure}{ratio}")
        print(f"  {'(cpu x: this export against that way)':<58}")
        ours[rows] = over[THIS]
        judge(over)
    print(fit(ours))
    print(f"Peak at {max(ours):,} against {100_000:,} numbers: x {ours[max(ours)].peak / ours[100_000].peak:.2f}")
    for latency in LATENCIES:
        for largest in (LARGEST_PAGE, PAGE_SIZE):
            print(latent(latency, largest))


def judge(over: dict[Way, Figures]) -> None:
    """Print this export's CPU time beside that of the best that validates and of the limit without validation."""
    peers = [way for way in over if way.validates and way is not THIS]
    if peers:
        best = min(peers, key=lambda way: over[way].cpu)
        print(f"  of the best that validates, {best.name}: x {over[THIS].cpu / over[best].cpu:.2f} in cpu")
    if DUCKDB in over:
        cpu, wall = (getattr(over[THIS], name) / getattr(over[DUCKDB], name) for name in ("cpu", "wall"))
        print(f"  of DuckDB, which does not: x {cpu:.2f} in cpu, x {wall:.2f} in wall time")


def latent(latency: float, largest: int) -> str:
    """How long an export takes when each answer does, beside the least that one reading of pages of 500 can take."""
    figures, idle = measured(LATENT_ROWS, (THIS,), latency=latency, largest=largest)
    figure = above(figures[THIS], idle)
    floor = ceil(LATENT_ROWS / PAGE_SIZE / CONNECTIONS) * latency
    bound = max(floor, figure.cpu)
    return (
        f"{LATENT_ROWS:,} numbers, {latency * 1000:3.0f} ms latency, pages of up to {largest:>6,}: "
        f"wall {figure.wall:5.2f} s, cpu {figure.cpu:5.2f} s, one reading in pages of {PAGE_SIZE} {floor:5.2f} s: "
        f"x {figure.wall / bound:.2f} of the larger"
    )


def measured(
    rows: int, ways: Sequence[Way], *, latency: float = 0.0, largest: int = LARGEST_PAGE
) -> tuple[dict[Way, Figures], Figures]:
    """The figures of ``ways``, and those of an interpreter that only imports Airflow's SDK."""
    with server(rows, latency, largest) as host:
        task = Task(host=host, rows=rows, page_size=PEERS_PAGE_SIZE, connections=CONNECTIONS)
        commands = {way.name: way.command(task) for way in ways}
        figures = alternate({IDLE: python(IDLE), **commands}, runs=RUNS)
    return {way: figures[way.name] for way in ways}, figures[IDLE]


def above(figure: Figures, idle: Figures | None) -> Figures:
    """``figure`` less what ``idle`` costs."""
    if idle is None:
        return figure
    return Figures(figure.wall - idle.wall, figure.cpu - idle.cpu, figure.peak - idle.peak)


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
