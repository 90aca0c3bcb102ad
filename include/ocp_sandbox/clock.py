"""The sandbox's clock: the machine's, moved forward on request."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, plus what was advanced. Tokens, visibility and rate limits go by it."""

    def __init__(self, offset: float, keep: Callable[[float], None]) -> None:
        self.offset = offset
        self._keep = keep

    def now(self) -> float:
        """The sandbox's time in seconds since the epoch."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the time forward by ``seconds``, for good: a reopened state goes on from there.

        :raises ValueError: for a negative number; time does not run backwards here.
        """
        if not seconds >= 0 or seconds == float("inf"):
            raise ValueError(f"seconds: {seconds} cannot be advanced by; give a number of seconds, 0 or more")
        self._keep(self.offset + seconds)
        self.offset += seconds
