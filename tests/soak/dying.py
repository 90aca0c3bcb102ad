"""Processes that die between two steps: before or after a call to the platform, before or after a change on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from ocp_numbers.client.transport import Transport
from ocp_numbers.data_root import DataRoot

_STEPS = ((Transport, "fetch"), *((DataRoot, name) for name in ("write", "create", "delete", "move", "copy")))


class Killed(BaseException):
    """The process died here; nothing may catch it."""


class Death:
    """Comes to about ``share`` of all steps. Who is dead does not take another one, not even to clean up."""

    def __init__(self, share: float, seed: int = 1) -> None:
        self.count = 0
        self._share = share
        self._random = Random(seed)
        self._dead = False
        self._abroad = False
        for kind, name in _STEPS:
            setattr(kind, name, self._mortal(getattr(kind, name)))

    @contextmanager
    def abroad(self) -> Iterator[None]:
        """It may come while this lasts; whoever begins it anew is another process, and alive."""
        self._dead, self._abroad = False, True
        try:
            yield
        finally:
            self._dead = self._abroad = False

    def _mortal(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def taken(*args: Any, **kwargs: Any) -> Any:
            self._meet()
            done = step(*args, **kwargs)
            self._meet()
            return done

        return taken

    def _meet(self) -> None:
        if not self._abroad:
            return
        if not self._dead and self._random.random() < self._share / 2:
            self._dead = True
            self.count += 1
        if self._dead:
            raise Killed
