"""Ends what runs past its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ocp_numbers.client.connections import Exchange

_IDLE_AT_MOST = 60.0


class Watchdog:
    """Cuts exchanges short at their deadline, with one thread for all of them, which lives while there is work.

    A read timeout alone is not enough: it starts anew with every byte that arrives.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: dict[Exchange, float] = {}
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    @contextmanager
    def guard(self, exchange: Exchange, seconds: float) -> Iterator[None]:
        """Let ``exchange`` run for ``seconds`` at most while the context lasts."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._deadlines[exchange] = deadline
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="ocp-numbers-watchdog", daemon=True)
                self._thread.start()
            elif deadline < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._deadlines[exchange]

    def close(self) -> None:
        """Let the thread end at once if nothing is under way."""
        with self._changed:
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for exchange, deadline in self._deadlines.items():
                    if deadline <= now and not exchange.overdue:
                        exchange.end()
                pending = [deadline for exchange, deadline in self._deadlines.items() if not exchange.overdue]
                self._wakes_at = min(pending, default=now + _IDLE_AT_MOST)
                self._changed.wait(self._wakes_at - now)
                if not self._deadlines:
                    self._thread = None
                    return
