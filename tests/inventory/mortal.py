"""A process that dies at a chosen moment, seen from the data root it writes to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from upath import UPath

from ocp_numbers.data_root import DataRoot

ResultT = TypeVar("ResultT")


class Killed(BaseException):
    """The process is gone."""


class MortalRoot(DataRoot):
    """A data root of a process that is killed at its ``last`` operation, before or after carrying it out."""

    def __init__(self, uri: Path | str, last: int, *, after: bool) -> None:
        super().__init__(uri)
        self.last = last
        self.after = after
        self.done = 0

    def _live(self, operation: Callable[..., ResultT], *args: str | bytes) -> ResultT:
        self.done += 1
        if self.done > self.last or (self.done == self.last and not self.after):
            raise Killed
        result = operation(*args)
        if self.done == self.last:
            raise Killed
        return result

    def path(self, key: str) -> UPath:
        return self._live(super().path, key)

    def write(self, key: str, content: bytes) -> None:
        self._live(super().write, key, content)

    def create(self, key: str, content: bytes) -> bool:
        return self._live(super().create, key, content)

    def delete(self, key: str) -> None:
        self._live(super().delete, key)

    def move(self, source: str, target: str) -> None:
        self._live(super().move, source, target)

    def copy(self, source: str, target: str) -> None:
        self._live(super().copy, source, target)

    def make_folder(self, key: str) -> None:
        self._live(super().make_folder, key)

    def delete_folder(self, key: str) -> None:
        self._live(super().delete_folder, key)
