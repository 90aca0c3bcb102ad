"""The log tells how far the reading is, at a pace for people."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from inventory.estate import NOON
from ocp_numbers.inventory.progress import Progress


def test_a_line_every_ten_seconds_with_what_is_done_and_left(caplog: pytest.LogCaptureFixture) -> None:
    now, beats = [NOON], []
    progress = Progress("Read", lambda: now[0], lambda: beats.append(now[0]))
    with caplog.at_level(logging.INFO):
        for page in range(1, 101):
            now[0] += timedelta(seconds=0.25)
            progress(page, 200, page * 500)
    assert caplog.messages == [
        "Read 40 of 200 pages, 20,000 numbers, 2000 a second, about 40 s left",
        "Read 80 of 200 pages, 40,000 numbers, 2000 a second, about 30 s left",
    ]
    assert beats == [NOON + timedelta(seconds=10), NOON + timedelta(seconds=20)]


def test_a_short_reading_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    progress = Progress("Read", lambda: NOON, lambda: pytest.fail("no beat is due"))
    with caplog.at_level(logging.INFO):
        progress(1, 1, 0)
    assert caplog.messages == []
