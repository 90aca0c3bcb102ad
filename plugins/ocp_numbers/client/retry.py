"""Repeating a call that failed: what may be repeated, how long to wait, how many times."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime

from ocp_numbers.client.operations import Effect
from ocp_numbers.errors import ApiError, NoAnswer, NotConnected


def may_repeat(effect: Effect, error: ApiError | NoAnswer) -> bool:
    """**What**: whether a call of this effect may be sent again after ``error``.

    Reading is harmless. A write may be repeated once it is proven that the last attempt did nothing. What costs money
    or cannot be undone is repeated only when no connection was made at all. (A 401 is not a case of repeating: the
    transport renews the token and sends the request that it could not send before.)
    """
    if not error.transient:
        return False
    if effect is Effect.READ:
        return True
    if effect is Effect.WRITE:
        return error.settled
    return isinstance(error, NotConnected)


@dataclass(frozen=True)
class Backoff:
    """**How long**: pauses in seconds that double from ``first`` to ``longest``, each drawn from its upper half.

    A server that names a time itself is obeyed instead; one that says "at once" is not taken at its word.
    """

    first: float = 0.5
    longest: float = 30.0
    draw: Callable[[], float] = random.random

    def seconds(self, attempt: int, error: ApiError | NoAnswer) -> float:
        """The pause after the failed ``attempt``, counted from 1."""
        if isinstance(error, ApiError) and error.retry_after:
            return error.retry_after
        full = min(self.longest, self.first * 2.0 ** (attempt - 1))
        return full * (0.5 + self.draw() / 2)


@dataclass(frozen=True)
class Retry:
    """**How many**: at most ``attempts``, and none whose pause would outlast the time that is left."""

    attempts: int = 8
    backoff: Backoff = Backoff()

    def pause(self, effect: Effect, error: ApiError | NoAnswer, *, attempt: int, left: float) -> float | None:
        """Seconds to wait before the next attempt, or ``None`` when ``error`` is to be raised.

        :param attempt: how many attempts were made.
        :param left: seconds of the call's total time that are left.
        """
        if attempt >= self.attempts or not may_repeat(effect, error):
            return None
        seconds = self.backoff.seconds(attempt, error)
        return seconds if seconds < left else None


def retry_after(header: str | None, date: str | None = None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, given as seconds or as an HTTP date; ``None`` if it says nothing.

    :param date: the answer's own ``Date`` header, so that a difference between the two clocks does not count.
    """
    if not header:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header[:9])
    until = _instant(header)
    if until is None:
        return None
    now = _instant(date) if date else None
    return max(0.0, until - (time.time() if now is None else now))


def _instant(http_date: str) -> float | None:
    try:
        at = parsedate_to_datetime(http_date)
    except (TypeError, ValueError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()
