"""Many environments in one night, and many provisionings at once over several schedulers and workers."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy
import psutil
import pytest

from cluster.stage import DEAR, EXPORT, PROVISION, Purchases, Stage, exported, figure, in_set
from ocp_cluster.cluster import Cluster
from ocp_cluster.packages import ensure

NUMBERS = 50_000
ENVIRONMENTS = (1, 5, 10, 20)
REGIONS = 30
SCHEDULERS, WORKERS = 2, 3


def test_twenty_environments_are_exported_in_one_night() -> None:
    """20 environments of 50,000 numbers over two workers: all complete, at a cost that grows as their count."""
    ensure()
    with Cluster(workers=2, numbers=NUMBERS) as cluster:
        cluster.wait_until_healthy(print)
        stage = Stage(cluster)
        environments = [f"ocp_{number:02}" for number in range(1, max(ENVIRONMENTS) + 1)]
        for environment in environments:
            stage.connect(environment)
        owned = sorted(stage.truth().numbers)
        costs = []
        for count in ENVIRONMENTS:
            with watching(stage) as usage:
                run = stage.trigger(EXPORT, {"ocp_conn_ids": environments[:count]})
                seconds = stage.finish(run)
            for index in range(count):
                assert exported(stage.result(run, "export", index)["path"]) == owned
            costs.append(usage.worker_cpu)
            figure(
                f"{count} environments x {NUMBERS:,}",
                wall=f"{seconds:.0f} s",
                worker_cpu=f"{usage.worker_cpu:.0f} s",
                peak_per_worker=f"{max(usage.peaks.values()) / 2**20:.0f} MiB",
                transactions=usage.transactions,
                postgres_cpu=f"{usage.database_cpu:.0f} s",
            )
        slope, start = numpy.polyfit(ENVIRONMENTS, costs, 1)
        worst = max(abs(slope * count + start - cost) / cost for count, cost in zip(ENVIRONMENTS, costs, strict=True))
        figure("fit", worker_cpu=f"{start:.1f} s + {slope:.2f} s per environment", worst_deviation=f"{worst:.0%}")


@pytest.mark.parametrize("areas", [REGIONS, 1])
def test_thirty_regions_are_provisioned_at_once(areas: int) -> None:
    """Different regions at the same time, in areas of their own or all in one: each gets what it wants, exactly."""
    ensure()
    with Cluster(workers=WORKERS, schedulers=SCHEDULERS) as cluster:
        cluster.wait_until_healthy(print)
        stage = Stage(cluster)
        before = stage.truth()
        regions = [
            stage.region(f"region-{index}", country_code=country, prefix=prefix, quantity=5, **DEAR)
            for index, (country, prefix) in zip(range(REGIONS), itertools.cycle(_areas(stage, areas)))
        ]
        started = time.monotonic()
        runs = [stage.trigger(PROVISION, region) for region in regions]
        for run in runs:
            stage.finish(run)
        seconds = time.monotonic() - started
        after = stage.truth()
        reported = [stage.result(run, "buy") for run in runs]
        bought = Purchases.between(before, after)
        assert sorted(bought.numbers) == sorted(number for each in reported for number in each["numbers"])
        assert len(set(bought.numbers)) == len(bought.numbers)
        assert [in_set(after, region) for region in regions] == [region["quantity"] for region in regions]
        figure(
            f"{REGIONS} regions in {areas} areas, {SCHEDULERS} schedulers, {WORKERS} workers",
            wall=f"{seconds:.0f} s",
            bought=len(bought.numbers),
            spent=bought.spent,
            tries_more=sum(map(stage.tries, runs)),
        )


def _areas(stage: Stage, count: int) -> list[tuple[str, str]]:
    return stage.areas()[:count] if count > 1 else [("US", "+1")]


@dataclass
class Usage:
    """What a run took: seconds of CPU, the most memory of each worker in bytes, transactions of the database."""

    peaks: dict[str, int]
    worker_cpu: float = 0.0
    database_cpu: float = 0.0
    transactions: int = 0


@contextmanager
def watching(stage: Stage) -> Iterator[Usage]:
    """Measure while the block runs. Memory is what a worker's processes share counted once (PSS)."""
    usage = Usage(dict.fromkeys(stage.cluster.workers, 0))
    over = threading.Event()
    spent: dict[tuple[int, float], float] = {}

    def look() -> None:
        for worker in usage.peaks:
            total = 0
            for process in stage.cluster.processes(worker):
                with suppress(psutil.Error):  # it ended since it was listed
                    total += process.memory_full_info().pss
                    spent[process.pid, process.create_time()] = sum(process.cpu_times()[:2])
            usage.peaks[worker] = max(usage.peaks[worker], total)

    def keep_looking() -> None:
        while not over.wait(0.5):
            look()

    watcher = threading.Thread(target=keep_looking)
    before = (stage.cluster.transactions(), _cpu(stage, "postgres"))
    look()
    at_first = dict(spent)
    watcher.start()
    try:
        yield usage
    finally:
        over.set()
        watcher.join()
        usage.worker_cpu = sum(seconds - at_first.get(key, 0.0) for key, seconds in spent.items())
        usage.transactions = stage.cluster.transactions() - before[0]
        usage.database_cpu = _cpu(stage, "postgres") - before[1]


def _cpu(stage: Stage, component: str) -> float:
    seconds = 0.0
    for process in stage.cluster.processes(component):
        with suppress(psutil.NoSuchProcess):  # sessions that ended are counted by their parent
            seconds += sum(process.cpu_times()[:4])
    return seconds
