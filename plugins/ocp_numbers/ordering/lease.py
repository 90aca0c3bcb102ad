"""The lease: at most one writer of an order at a time, also across machines, also after a crash.

A lease is a row of terms, each a document created exclusively under the next number. The highest is in force. Renewing
it and taking it over are the same act - creating the next term - so that of all who try only one succeeds, and a holder
that slept through its end finds out before it writes. A holder asks before each call and each save.

A crashed holder's term has to run out before another takes over, unless the holder is a process of this machine that
has certainly ended. That the same task asks again proves nothing: the scheduler may have given up on an attempt that is
still alive.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OcpError, OrderCorrupt, OrderHeld
from ocp_numbers.ordering.holder import Holder

CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far the clocks of two machines may differ."""


class Term(BaseModel):
    """One term: who holds it, by which token, until when; a released one binds nobody."""

    model_config = ConfigDict(frozen=True)

    token: str
    holder: Holder
    until: datetime
    released: bool = False


class Lease:
    """The right to write an order, held until released or lost.

    :param folder: key in the data root under which the terms are kept.
    :param length: of a term. Longer than a call to OCP can last, so that none outlives its term.
    """

    def __init__(
        self,
        data_root: DataRoot,
        folder: str,
        *,
        clock: Callable[[], datetime],
        length: timedelta = timedelta(seconds=120),
    ) -> None:
        self._root = data_root
        self._folder = folder
        self._clock = clock
        self._length = length
        self._token = uuid.uuid4().hex
        self._holder = Holder.this_process()
        self._number = 0

    def acquire(self) -> None:
        """Begin to hold the lease.

        :raises OrderHeld: when another holds it; ``retry_after`` says how long at least.
        """
        number, term = self._latest()
        if term and not term.released:
            left = (term.until + CLOCK_TOLERANCE - self._clock()).total_seconds()
            if left > 0 and not term.holder.certainly_dead():
                raise OrderHeld(
                    f"{self._folder}: process {term.holder.pid} works on this order or died a moment ago. Nothing was "
                    f"done. The lease ends in {left:.0f} s unless it is renewed; then the task can go on.",
                    retry_after=left,
                )
        self._take(number + 1)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lease for a while, and release it however that ends.

        :raises OrderHeld: when another holds it.
        """
        self.acquire()
        try:
            yield
        finally:
            # Failing to release must not hide why the work ended: the term runs out by itself.
            with suppress(OSError, OcpError):
                self._release()

    def keep(self) -> None:
        """Prove that the lease is still held, and prolong it when half of its term is over.

        :raises OrderHeld: when it is not: then nothing more may be written.
        """
        number, term = self._latest()
        if term is None or number != self._number or term.token != self._token:
            raise self._taken()
        if term.until - self._clock() < self._length / 2:
            self._take(number + 1)

    def end(self) -> None:
        """Remove all terms, where the order will never be written again."""
        self.keep()
        self._forget(before=self._number + 1)

    def _release(self) -> None:
        number, term = self._latest()
        if term is not None and term.token == self._token:
            self._root.create(self._key(number + 1), _content(term.model_copy(update={"released": True})))
            self._forget(before=number + 1)

    def _take(self, number: int) -> None:
        term = Term(token=self._token, holder=self._holder, until=self._clock() + self._length)
        if not self._root.create(self._key(number), _content(term)):
            raise self._taken()
        # Who listed the terms long ago may have created one below those that exist by now.
        if self._numbers()[-1:] != [number]:
            self._root.delete(self._key(number))
            raise self._taken()
        self._number = number
        self._forget(before=number - 1)

    def _latest(self) -> tuple[int, Term | None]:
        numbers = self._numbers()
        if not numbers:
            return 0, None
        content = self._root.read(self._key(numbers[-1]))
        if content is None:
            return numbers[-1], None
        try:
            return numbers[-1], Term.model_validate_json(content)
        except ValidationError:
            raise OrderCorrupt(
                f"{self._key(numbers[-1])} is not a lease. Nothing was done. Make sure that no task works on this "
                f"order, then remove the file."
            ) from None

    def _numbers(self) -> list[int]:
        names = (key.rpartition("/")[2] for key in self._root.keys(self._folder))
        return sorted(int(name) for name in names if name.isascii() and name.isdigit())

    def _forget(self, *, before: int) -> None:
        for number in self._numbers():
            if number < before:
                self._root.delete(self._key(number))

    def _key(self, number: int) -> str:
        return f"{self._folder}/{number:08d}"

    def _taken(self) -> OrderHeld:
        return OrderHeld(
            f"{self._folder}: the lease of this order went to another process, or the data root was replaced. "
            f"This one stopped before it wrote anything more; what it sent before is found by the next run.",
            retry_after=self._length.total_seconds(),
        )


def _content(term: Term) -> bytes:
    return term.model_dump_json(indent=2).encode()
