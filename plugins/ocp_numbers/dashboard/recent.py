"""Remembering answers for a short time: a page asks the same of the data root several times, and people click on."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar, cast

ValueT = TypeVar("ValueT")


class Recent(Generic[ValueT]):
    """Answers by key, each for ``seconds`` and only the last ``most``.

    :param clock: monotonic seconds.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float], most: int = 64) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._answers: dict[Hashable, tuple[float, Any]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, ask: Callable[[], ValueT]) -> ValueT:
        """The answer to ``key``; asked for where it is not known, or no longer."""
        with self._lock:
            asked, answer = self._answers.get(key, (None, None))
        if asked is not None and self._clock() - asked < self._seconds:
            return cast(ValueT, answer)
        answer = ask()
        with self._lock:
            self._answers.pop(key, None)
            self._answers[key] = self._clock(), answer
            while len(self._answers) > self._most:
                self._answers.pop(next(iter(self._answers)))
        return answer
