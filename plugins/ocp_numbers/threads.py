"""Threads that know on whose behalf they work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

ArgumentsT = ParamSpec("ArgumentsT")
ResultT = TypeVar("ResultT")


class Threads(ThreadPoolExecutor):
    """A pool whose work sees the context variables of whoever submits it.

    Among them are the ids that the lines of a task's log bear, and who listens to its progress.
    """

    def submit(
        self, fn: Callable[ArgumentsT, ResultT], /, *args: ArgumentsT.args, **kwargs: ArgumentsT.kwargs
    ) -> Future[ResultT]:
        """As the pool's own, in a copy of the caller's context."""
        return super().submit(copy_context().run, partial(fn, *args, **kwargs))
