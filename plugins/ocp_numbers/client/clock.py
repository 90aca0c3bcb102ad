"""Time as the client sees it: replaceable in tests, and ended by closing the client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_pauses = threading.Event()
_pauses.set()


@contextmanager
def without_waiting() -> Iterator[None]:
    """Switch off every pause between attempts, in the whole process, while the context lasts.

    For tests. What is retried, how often, and which wait would be too long stay as they are; only no time is spent.
    """
    _pauses.clear()
    try:
        yield
    finally:
        _pauses.set()


class Clock:
    """The real time. Subclass it to freeze or advance time in a test."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def monotonic(self) -> float:
        """Seconds that only go forward, for durations."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, for one-time codes."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, or less when the client is closed meanwhile."""
        self._stopped.wait(seconds)

    def pause(self, seconds: float) -> None:
        """Let ``seconds`` pass out of courtesy: skipped within :func:`without_waiting`."""
        if _pauses.is_set():
            self.sleep(seconds)

    def stop(self) -> None:
        """Wake everybody who waits; from now on nobody waits."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped.is_set()
