"""How hard one client may push: so many requests at once, so many in a second."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ocp_numbers.client.clock import Clock


class Limits:
    """A turnstile that every request of a client passes.

    :param at_once: how many requests may be under way at the same time.
    :param per_second: how many may start in a second, evenly spread; ``None`` for no limit.
    """

    def __init__(self, *, at_once: int, per_second: float | None, clock: Clock) -> None:
        self._slots = threading.BoundedSemaphore(at_once)
        self._spacing = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._next_start = clock.monotonic()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a free place and for this request's moment, and hold the place meanwhile."""
        with self._slots:
            wait = self._claim()
            if wait > 0:
                self._clock.pause(wait)
            yield

    def hold(self, seconds: float) -> None:
        """Let nobody start within ``seconds``: the server asked this client to slow down."""
        with self._lock:
            self._next_start = max(self._next_start, self._clock.monotonic() + seconds)

    def _claim(self) -> float:
        with self._lock:
            now = self._clock.monotonic()
            start = max(now, self._next_start)
            self._next_start = start + self._spacing
            return start - now
