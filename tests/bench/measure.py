"""What processes cost, or the part of one that does the work: wall time, CPU time and peak memory, by the kernel.

Where a large module is imported first, the process itself tells what it cost from there on: the difference of two
processes, one of which only imports, would be mostly noise.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

PROJECT = Path(__file__).resolve().parents[2]

BASE = "airflow.sdk"
"""What is imported in any process of Airflow's anyway, and not counted."""

NameT = TypeVar("NameT", bound=Hashable)

_PART = """
import {module}
def _used():
    import resource, time
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss
def _tell(before):
    import json, os
    with os.fdopen(int(os.environ["BENCH_TELL"]), "w") as pipe:
        json.dump([now - then for then, now in zip(before, _used())], pipe)
_before = _used()
{code}
_tell(_before)
"""


@dataclass(frozen=True)
class Cost:
    """What one process cost: seconds, seconds and bytes."""

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True)
class Figures:
    """Medians over the runs of one command."""

    wall: float
    cpu: float
    peak: int

    def __str__(self) -> str:
        return f"wall {self.wall:7.2f} s   cpu {self.cpu:7.2f} s   peak {self.peak / 2**20:7.0f} MiB"


def environment() -> dict[str, str]:
    """This process's environment, with the project's own packages on the path and compiled modules kept as usual."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "PYTHONPATH": os.pathsep.join(str(PROJECT / room) for room in ("include", "plugins")),
        "PYTHONPYCACHEPREFIX": str(PROJECT / ".bench" / "compiled"),
    }


def python(code: str, *, after: str) -> list[str]:
    """A command line that runs ``code`` in this interpreter, and costs what it does once ``after`` is imported."""
    return [sys.executable, "-c", _PART.format(module=after, code=code)]


def alternate(commands: Mapping[NameT, Sequence[str]], runs: int, warmups: int = 1) -> dict[NameT, Figures]:
    """Run the commands in turn, so that a slow minute of the machine meets all of them; medians by name.

    :raises RuntimeError: if a command fails: a failed run has no meaning as a figure.
    """
    costs: dict[NameT, list[Cost]] = {name: [] for name in commands}
    for turn in range(warmups + runs):
        for name, command in commands.items():
            cost = once(command)
            if turn >= warmups:
                costs[name].append(cost)
    return {name: median(measured) for name, measured in costs.items()}


def median(costs: Sequence[Cost]) -> Figures:
    """Medians of each figure."""
    return Figures(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        peak=int(statistics.median(cost.peak for cost in costs)),
    )


def once(command: Sequence[str]) -> Cost:
    """Run one command to its end.

    :raises RuntimeError: if it fails, with what it printed.
    """
    told, tell = os.pipe()
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        env=environment() | {"BENCH_TELL": str(tell)},
        pass_fds=(tell,),
        text=True,
    )
    os.close(tell)
    assert process.stderr is not None
    errors = process.stderr.read()
    # wait4 instead of wait: the kernel's own account of this child alone.
    _, status, usage = os.wait4(process.pid, 0)
    whole = [time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]
    process.returncode = os.waitstatus_to_exitcode(status)
    with os.fdopen(told) as pipe:
        wall, cpu, peak = json.loads(pipe.read() or json.dumps(whole))
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} failed with {process.returncode}:\n{errors[-2000:]}")
    return Cost(wall, cpu, peak * (1 if sys.platform == "darwin" else 1024))
