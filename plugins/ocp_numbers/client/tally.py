"""What a client has sent, counted where everything passes."""

from __future__ import annotations

import threading

import requests

from ocp_numbers.client.wire import Call, Reply, Wire

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


class CountingWire(Wire):
    """A wire that keeps a :class:`Tally`."""

    tally: Tally

    def exchange(self, call: Call, request: requests.PreparedRequest, *, within: float, largest: int) -> Reply:
        """As :meth:`.Wire.exchange`, counted."""
        self.tally.sent()
        reply = super().exchange(call, request, within=within, largest=largest)
        self.tally.answered(reply.status)
        return reply
