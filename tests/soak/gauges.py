"""What must stay flat: memory, open files, sockets, threads, and what retention bounds on disk."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 2**20
WARM_UP = 0.4
"""The share of the nights after which everything is to be flat: regions come and go, retention has begun."""
BOUNDED = ("inventory", "journal", "reservations")
"""Folders of the data root whose size retention bounds; orders and approvals are kept for good."""


@dataclass(frozen=True)
class Reading:
    """The gauges after a night; memory and disk in bytes."""

    night: int
    memory: int
    files: int
    sockets: int
    threads: int
    disk: int
    kept: int


def read(night: int, data: Path) -> Reading:
    """Read all of them now."""
    gc.collect()
    targets = [_target(entry) for entry in Path("/proc/self/fd").iterdir()]
    sockets = sum(target.startswith("socket:") for target in targets)
    sizes = {folder.name: _size(folder) for folder in data.iterdir()}
    disk = sum(sizes.get(name, 0) for name in BOUNDED)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Reading(
        night=night,
        memory=pages * os.sysconf("SC_PAGE_SIZE"),
        files=len(targets) - sockets,
        sockets=sockets,
        threads=threading.active_count(),
        disk=disk,
        kept=sum(sizes.values()) - disk,
    )


def settled(readings: Sequence[Reading]) -> list[Reading]:
    """Those after the warm-up."""
    return [reading for reading in readings if reading.night >= WARM_UP * readings[-1].night]


def growth(readings: Sequence[Reading], gauge: str) -> float:
    """How much a gauge grows a night after the warm-up: the slope of the straight line through the readings."""
    points = [(reading.night, getattr(reading, gauge)) for reading in settled(readings)]
    middle = sum(night for night, _ in points) / len(points)
    spread = sum((night - middle) ** 2 for night, _ in points)
    return sum((night - middle) * value for night, value in points) / spread if spread else 0.0


def breaches(readings: Sequence[Reading]) -> list[str]:
    """Which gauges were not flat, in sentences with the figures."""
    late = settled(readings)
    nights = late[-1].night - late[0].night
    found = []
    for gauge, floor, share in (("memory", 16 * MEBIBYTE, 0.0), ("disk", 1 * MEBIBYTE, 0.25)):
        grown = growth(readings, gauge) * nights
        allowed = floor + share * getattr(late[0], gauge) + (nights * MEBIBYTE / 50 if gauge == "memory" else 0)
        if grown > allowed:
            figures = f"{grown / MEBIBYTE:.1f} MiB in {nights} nights, {allowed / MEBIBYTE:.1f} MiB are noise"
            found.append(f"{gauge}: grew by {figures}")
    for gauge in ("files", "sockets", "threads"):
        grown = growth(readings, gauge) * nights
        if grown > 3:
            found.append(f"{gauge}: {getattr(late[0], gauge)} became {getattr(late[-1], gauge)} in {nights} nights")
    return found


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:  # the listing's own
        return ""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
