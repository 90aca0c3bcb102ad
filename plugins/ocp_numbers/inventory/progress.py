"""Progress for the person who watches the log: a line now and then, not one for each page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from ocp_numbers.progress import duration, tell

PACE = timedelta(seconds=10)


class Progress:
    """Called after each page; logs at a human pace.

    :param deed: what is done to the pages, such as ``Read``.
    :param beat: called at the same pace, for what must happen regularly.
    """

    def __init__(self, deed: str, clock: Callable[[], datetime], beat: Callable[[], None]) -> None:
        self._deed = deed
        self._clock = clock
        self._beat = beat
        self._began = self._spoke = clock()

    def __call__(self, done: int, pages: int, rows: int) -> None:
        """Take notice that ``done`` of ``pages`` pages, and with them ``rows`` numbers, are behind us."""
        now = self._clock()
        if now - self._spoke < PACE:
            return
        self._spoke = now
        self._beat()
        seconds = (now - self._began).total_seconds()
        left = seconds / done * (pages - done)
        tell(
            f"{self._deed} {done:,} of {pages:,} pages, {rows:,} numbers, {rows / seconds:.0f} a second, "
            f"about {duration(left)} left"
        )
