from __future__ import annotations

import pytest

from ocp_numbers.progress import PACE, Progress, duration, heard_by, standing, tell


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_line_comes_out_at_a_human_pace_with_done_total_rate_and_remaining() -> None:
    clock, lines = Clock(), list[str]()
    with heard_by(lines.append):
        progress = Progress("attach", 10_000, clock=clock)
        for done in range(100, 2_100, 100):
            clock.now += 1
            progress(done)

    assert len(lines) == 20 / PACE
    assert lines[0] == "attach: 1,000 of 10,000 numbers, 100 a second, about 90 s left"


def test_nothing_is_said_about_work_that_is_done_at_once() -> None:
    lines: list[str] = []
    with heard_by(lines.append):
        Progress("attach", 5, clock=Clock())(5)

    assert lines == []


def test_who_listens_no_longer_hears_nothing() -> None:
    heard: list[str] = []
    with heard_by(heard.append):
        tell("one")
    tell("two")

    assert heard == ["one"]


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [
        (0, 0, "0 of 100 rows"),
        (0, 5, "0 of 100 rows"),
        (50, 10, "50 of 100 rows, 5 a second, about 10 s left"),
        (10, 600, "10 of 100 rows, 1 a minute, about 90 min left"),
        (120, 10, "120 of 100 rows, 12 a second, about 0 s left"),
    ],
)
def test_the_standing_is_said_without_nonsense_figures(done: int, seconds: float, said: str) -> None:
    assert standing(done, 100, seconds, unit="rows") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (99, "99 s"), (120, "2 min"), (5940, "99 min"), (7500, "2 h 05 min"), (86_400, "24 h")],
)
def test_spans_of_time_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said
