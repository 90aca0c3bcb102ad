"""Time for tests."""

from __future__ import annotations

from ocp_numbers.client import Clock


class FakeClock(Clock):
    """Time that stands still but for sleeping; ``slept`` lists the pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_700_000_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
