"""The turnstile: so many at once, so many a second."""

from __future__ import annotations

import threading

from client.fake_clock import FakeClock
from ocp_numbers.client.limits import Limits


def test_requests_are_spread_evenly_over_the_second(clock: FakeClock) -> None:
    limits = Limits(at_once=8, per_second=4, clock=clock)
    for _ in range(5):
        with limits.turn():
            pass
    assert clock.slept == [0.25] * 4


def test_time_that_passed_anyway_is_not_waited_for_again(clock: FakeClock) -> None:
    limits = Limits(at_once=8, per_second=4, clock=clock)
    for _ in range(3):
        with limits.turn():
            clock.now += 1
    assert clock.slept == []


def test_without_a_rate_nobody_waits(clock: FakeClock) -> None:
    limits = Limits(at_once=8, per_second=None, clock=clock)
    for _ in range(100):
        with limits.turn():
            pass
    assert clock.slept == []


def test_when_the_server_asks_to_slow_down_everybody_does(clock: FakeClock) -> None:
    limits = Limits(at_once=8, per_second=None, clock=clock)
    limits.hold(30)
    with limits.turn():
        pass
    assert clock.slept == [30]


def test_no_more_than_allowed_are_inside_at_once(clock: FakeClock) -> None:
    limits = Limits(at_once=3, per_second=None, clock=clock)
    inside, most, lock = [0], [0], threading.Lock()
    full = threading.Barrier(3, timeout=10)

    def visit() -> None:
        with limits.turn():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            full.wait()
            with lock:
                inside[0] -= 1

    visitors = [threading.Thread(target=visit) for _ in range(9)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(10)
    assert most == [3]
