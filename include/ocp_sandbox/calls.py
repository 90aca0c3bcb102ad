"""The log of what was asked and how it was answered."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

_KEPT = 200_000


@dataclass
class Record:
    """One call. ``status`` is ``None`` and ``dropped`` true when no answer went out; ``in_flight`` counts this call."""

    seq: int
    time: float
    method: str
    path: str
    query: str
    in_flight: int
    login: str | None = None
    status: int | None = None
    dropped: bool = False
    fault: str | None = None


class Calls:
    """The last calls, and how many were under way at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[Record] = deque(maxlen=_KEPT)
        self._seq = 0
        self._under_way = 0

    def begin(self, time: float, method: str, path: str, query: str) -> Record:
        """Log a call that came in."""
        with self._lock:
            self._seq += 1
            self._under_way += 1
            record = Record(self._seq, time, method, path, query, self._under_way)
            self._records.append(record)
            return record

    def end(self) -> None:
        """Count one call as over."""
        with self._lock:
            self._under_way -= 1

    def listed(self) -> list[dict[str, Any]]:
        """The calls in the order in which they came in."""
        with self._lock:
            return [asdict(record) for record in self._records]

    def most_in_flight(self) -> int:
        """The largest number of calls that were under way at once."""
        with self._lock:
            return max((record.in_flight for record in self._records), default=0)

    def clear(self) -> None:
        """Forget the calls so far; the numbering goes on."""
        with self._lock:
            self._records.clear()
