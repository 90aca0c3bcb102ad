"""One-time codes (RFC 6238), each used once."""

from __future__ import annotations

import pyotp

from ocp_numbers.client.clock import Clock
from ocp_numbers.errors import Interrupted


class OneTimeCodes:
    """The codes that an authenticator app would show for ``secret``.

    The platform takes a code only once, so the next is waited for (at most 30 s) rather than the same given twice.
    """

    def __init__(self, secret: str, clock: Clock) -> None:
        self._totp = pyotp.TOTP(secret)
        self._clock = clock
        self._last = -1

    def next(self) -> str:
        """The current code, once it is one that was not given before.

        :raises Interrupted: the client was closed while waiting.
        """
        while (period := int(self._clock.wall() // self._totp.interval)) <= self._last:
            if self._clock.stopped:
                raise Interrupted("login: the client was closed while waiting for a new one-time code")
            self._clock.sleep((self._last + 1) * self._totp.interval - self._clock.wall())
        self._last = period
        return self._totp.at(period * self._totp.interval)
