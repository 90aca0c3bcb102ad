"""How far a long work has come, told at a human pace: to the log, and to whoever listens.

Whoever does the work says so page by page or batch by batch; a line comes out now and then. Who carries the work out -
a task, a command - listens, and shows the newest line where people look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ocp_numbers.errors import on_one_line

log = logging.getLogger(__name__)

PACE = 10.0
"""Seconds between two lines."""

Listener = Callable[[str], None]

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Hand every line to ``listener`` as well, as long as this lasts."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(line: str) -> None:
    """Write ``line`` to the log, and hand it to whoever listens."""
    line = on_one_line(line)
    log.info("%s", line)
    listener = _listener.get()
    if listener is not None:
        listener(line)


class Progress:
    """Called with how many are done; says so at a human pace: done, total, rate, and what remains.

    :param doing: what is done, such as ``attach to miniApp X``.
    :param total: how many there are.
    :param unit: what is counted, in the plural.
    :param clock: monotonic seconds.
    """

    def __init__(
        self, doing: str, total: int, *, unit: str = "numbers", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._doing = doing
        self._total = total
        self._unit = unit
        self._clock = clock
        self._began = self._spoke = clock()

    def __call__(self, done: int) -> None:
        """Take notice that ``done`` of them are behind us."""
        now = self._clock()
        if now - self._spoke < PACE:
            return
        self._spoke = now
        tell(f"{self._doing}: {standing(done, self._total, now - self._began, unit=self._unit)}")


def standing(done: int, total: int, seconds: float, *, unit: str) -> str:
    """``1,200 of 5,000 numbers, 40 a second, about 2 min left``."""
    if not done or seconds <= 0:
        return f"{done:,} of {total:,} {unit}"
    rate = done / seconds
    pace = f"{rate:,.0f} a second" if rate >= 1 else f"{rate * 60:,.0f} a minute"
    return f"{done:,} of {total:,} {unit}, {pace}, about {duration(max(total - done, 0) / rate)} left"


def duration(seconds: float) -> str:
    """A span of time as people say it: ``45 s``, ``12 min``, ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h" + (f" {minutes % 60:02} min" if minutes % 60 else "")
