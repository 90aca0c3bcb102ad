"""Several runs of the program as one thread of events: between any two calls another run may come, or one may die."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from ocp_numbers.client import Clock
from ocp_numbers.data_root import DataRoot

START = 1_800_000_000.0


class Killed(BaseException):
    """The process died here; nothing may catch it."""


class Turns:
    """Lets jobs take turns, one call each; who is next, and whether they die before their call, is drawn.

    :param deadly: the share of calls that kill whoever makes them. A job that died is begun again, once.
    """

    def __init__(self, random: Random, *, deadly: float = 0.0) -> None:
        self.now = START
        self.deaths = 0
        self._random = random
        self._deadly = deadly
        self._turn = threading.Condition()
        self._waiting: set[int] = set()
        self._chosen: int | None = None
        self._mortal: dict[int, bool] = {}
        self._failures: list[BaseException] = []

    def play(self, *jobs: Callable[[], object]) -> None:
        """Carry all of them out to their ends.

        :raises BaseException: the first that one of them failed with.
        """
        threads = [threading.Thread(target=self._live, args=(job,), daemon=True) for job in jobs]
        self._left = len(threads)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def take(self) -> None:
        """Let others come before this call, and perhaps die."""
        me = threading.get_ident()
        with self._turn:
            self._waiting.add(me)
            self._pass_on()
            self._turn.wait_for(lambda: self._chosen == me)
            self._chosen = None
            self._waiting.discard(me)
            if self._mortal[me] and self._random.random() < self._deadly:
                self.deaths += 1
                raise Killed

    def _pass_on(self) -> None:
        if self._chosen is None and self._waiting and len(self._waiting) == self._left:
            self._chosen = self._random.choice(sorted(self._waiting))
            self._turn.notify_all()

    def _live(self, job: Callable[[], object]) -> None:
        me = threading.get_ident()
        try:
            for self._mortal[me] in (True, False):
                try:
                    job()
                    break
                except Killed:
                    continue
        except BaseException as failure:  # handed to who plays
            self._failures.append(failure)
        finally:
            with self._turn:
                self._left -= 1
                self._pass_on()


class TurningClock(Clock):
    """The time that all runs share; it passes while they sleep."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def wall(self) -> float:
        return self._turns.now

    def monotonic(self) -> float:
        return self._turns.now

    def sleep(self, seconds: float) -> None:
        self._turns.now += seconds
        self._turns.take()


class TurningRoot(DataRoot):
    """A data root each of whose calls is somebody's turn."""

    def __init__(self, uri: Path, turns: Turns) -> None:
        super().__init__(uri)
        self._turns = turns

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("read", "write", "create", "delete", "move", "keys"):
            return found

        def in_turn(*args: Any, **kwargs: Any) -> Any:
            self._turns.take()
            return found(*args, **kwargs)

        return in_turn
