"""What a client has sent, counted where everything passes."""

from __future__ import annotations

import threading

TOO_MANY_REQUESTS = 429


class Tally:
    """How many requests were sent, logins and repeats included, and how many of them were throttled."""

    def __init__(self) -> None:
        self.calls = 0
        self.throttled = 0
        self._lock = threading.Lock()

    def sent(self) -> None:
        """One more request goes out."""
        with self._lock:
            self.calls += 1

    def answered(self, status: int) -> None:
        """One of them was answered."""
        if status == TOO_MANY_REQUESTS:
            with self._lock:
                self.throttled += 1
