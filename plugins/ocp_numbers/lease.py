"""The lease: at most one writer of an order, a snapshot or a cleanup at a time, also across machines, also after a
crash.

A lease is a row of terms, each a document created exclusively under the next number. The highest is in force. Renewing
it and taking it over are the same act - creating the next term - so that of all who try only one succeeds, and a holder
that slept through its end finds out before it writes. A holder asks before each call and each save.

A crashed holder's term has to run out before another takes over, unless the holder is a process of this machine that
has certainly ended. That the same task asks again proves nothing: the scheduler may have given up on an attempt that is
still alive.

Asking is not enough for a save: a holder may fall asleep right behind it. So a document is written as a draft in the
lease's folder and then moved into its place; who takes over removes the drafts of others before reading anything, and a
sleeper that wakes up finds nothing to move.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Held, OcpError
from ocp_numbers.holder import Holder

_DRAFT = "draft-"
CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far the clocks of two machines may differ."""


class Term(BaseModel):
    """One term: who holds it and on whose behalf, by which token, until when; a released one binds nobody."""

    model_config = ConfigDict(frozen=True)

    token: str
    holder: Holder
    by: str = ""
    until: AwareDatetime
    released: bool = False


class Lease:
    """The right to write something, held until released or lost.

    :param folder: key in the data root under which the terms are kept.
    :param length: of a term. Longer than a call to OCP can last where such a call must not outlive its term.
    :param by: on whose behalf, for the message to others, such as a DAG run's id.
    :param held: what to raise when another one holds it.
    """

    def __init__(
        self,
        data_root: DataRoot,
        folder: str,
        *,
        clock: Callable[[], datetime],
        length: timedelta = timedelta(seconds=120),
        by: str = "",
        held: type[Held] = Held,
    ) -> None:
        self._root = data_root
        self._folder = folder
        self._clock = clock
        self._length = length
        self._by = by
        self._held = held
        self._token = uuid.uuid4().hex
        self._holder = Holder.this_process()
        self._number = 0
        self._until = clock()

    def acquire(self) -> None:
        """Begin to hold the lease.

        :raises Held: when another holds it; ``retry_after`` says how long at least.
        """
        number, term = self._latest()
        if term and not term.released:
            left = (term.until + CLOCK_TOLERANCE - self._clock()).total_seconds()
            if left > 0 and not term.holder.certainly_dead():
                by = term.by or f"process {term.holder.pid}"
                raise self._held(
                    f"{self._folder}: {by} is at work on it, or died a moment ago. Nothing was done. The lease "
                    f"ends in {left:.0f} s unless it is renewed; then the task can go on.",
                    retry_after=left,
                )
        self._take(number + 1)
        for key in self._root.keys(self._folder):
            if key.startswith(f"{self._folder}/{_DRAFT}"):
                self._root.delete(key)

    @contextmanager
    def held(self) -> Iterator[Lease]:
        """Hold the lease for a while, and release it however that ends.

        :raises Held: when another holds it.
        """
        self.acquire()
        try:
            yield self
        finally:
            # Failing to release must not hide why the work ended: the term runs out by itself.
            with suppress(OSError, OcpError):
                self._release()

    def keep(self) -> None:
        """Prove that the lease is still held, and prolong it when half of its term is over.

        :raises Held: when it is not: then nothing more may be written.
        """
        number, term = self._latest()
        if term is None or number != self._number or term.token != self._token:
            raise self._taken()
        if term.until - self._clock() < self._length / 2:
            self._take(number + 1)

    def renew(self) -> None:
        """As :meth:`keep`, for those who come often: looks only when half of the term is over.

        :raises Held: when the lease was lost.
        """
        if self._until - self._clock() < self._length / 2:
            self.keep()

    def write(self, key: str, content: bytes) -> None:
        """Replace the document, unless the lease was lost: then it stays as it is, however late this process finds out.

        :raises Held: when the lease was lost.
        """
        draft = self._draft()
        self._root.write(draft, content)
        self._put(draft, key)

    def copy(self, source: str, key: str) -> None:
        """As :meth:`write`, with the content of the document ``source``.

        :raises Held: when the lease was lost; then ``source`` may be gone, too.
        """
        draft = self._draft()
        try:
            self._root.copy(source, draft)
        except FileNotFoundError:
            self.keep()
            raise
        self._put(draft, key)

    def _draft(self) -> str:
        return f"{self._folder}/{_DRAFT}{self._token}"

    def _put(self, draft: str, key: str) -> None:
        try:
            self.keep()
            self._root.move(draft, key)
        except FileNotFoundError:
            raise self._taken() from None
        except Held:
            self._root.delete(draft)
            raise

    def end(self) -> None:
        """Remove all terms, where nobody will ever ask for the lease again."""
        self.keep()
        self._forget(before=self._number + 1)

    def _release(self) -> None:
        number, term = self._latest()
        if term is not None and term.token == self._token:
            self._root.create(self._key(number + 1), _content(term.model_copy(update={"released": True})))
            self._forget(before=number + 1)

    def _take(self, number: int) -> None:
        term = Term(token=self._token, holder=self._holder, by=self._by, until=self._clock() + self._length)
        if not self._root.create(self._key(number), _content(term)):
            raise self._taken()
        # Who listed the terms long ago may have created one below those that exist by now.
        if self._numbers()[-1:] != [number]:
            self._root.delete(self._key(number))
            raise self._taken()
        self._number, self._until = number, term.until
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
            raise self._held(
                f"{self._key(numbers[-1])} is not a lease. Nothing was done. Make sure that no task is at work there, "
                f"then remove the file.",
                retry_after=self._length.total_seconds(),
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

    def _taken(self) -> Held:
        return self._held(
            f"{self._folder}: the lease went to another process, or the data root was replaced. This one stopped "
            f"before it wrote anything more; what it sent before is found by the next run.",
            retry_after=self._length.total_seconds(),
        )


def _content(term: Term) -> bytes:
    return term.model_dump_json(indent=2).encode()
