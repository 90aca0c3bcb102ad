"""Reading the whole inventory, page by page, and proving that what was read is one state of it.

The API pages by offset and offers no snapshot: a number added or gone while the pages are being read shifts all rows
behind it, and totals alone can hide that. So the pages are read twice. If the second reading shows exactly what the
first one did, that is what the inventory was at the moment between the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from ocp_numbers.errors import ApiError, BadRequest, NoAnswer, NotFound, shown
from ocp_numbers.inventory.marks import Mark, Marks
from ocp_numbers.inventory.schema import DecodedPage, ascends, decode, digits

Progress = Callable[[int, int, int], None]
"""Called with pages done, pages in all, and rows so far."""

WINDOW = 2
"""Pages in flight or waiting per connection."""
LARGEST_PAGE, LARGEST_BODY = 10_000, 2 * 2**20
"""Numbers and bytes of a page of the second reading, at most."""

PlaceT = TypeVar("PlaceT")
ResultT = TypeVar("ResultT")


class PageSource(Protocol):
    """Where pages come from; errors are translated there, and what fails for the moment is repeated there.

    ``calls`` counts the pages asked for, ``retries`` those that had to be asked for again.
    """

    @property
    def calls(self) -> int: ...  # noqa: D102

    @property
    def retries(self) -> int: ...  # noqa: D102

    def fetch(self, page: int, page_size: int, read: Callable[[bytes], ResultT]) -> ResultT:
        """What ``read`` makes of the body of page ``page``, counted from 1. A :class:`.NotAPage` of it is a fault."""
        ...

    def csv(self) -> str:
        """The same numbers in the same order as the platform's own CSV."""
        ...


class Moved(Exception):
    """The inventory was not the same at the beginning and at the end of the reading; the message says what differed."""


@dataclass(frozen=True)
class Shape:
    """What page 1 says of the listing. ``page_size`` is what the server really gives, whatever was asked for."""

    total: int
    page_size: int

    @property
    def pages(self) -> int:
        """Pages that hold the total; an empty inventory has one, empty."""
        return max(1, -(-self.total // self.page_size))

    @property
    def ends_full(self) -> bool:
        """Whether the last page is full, so that only the page after it can tell that nothing follows."""
        return self.total > 0 and self.total % self.page_size == 0

    def rows_on(self, page: int) -> int:
        """How many rows page ``page`` must hold."""
        return min(self.page_size, self.total - (page - 1) * self.page_size)


class Reading:
    """One reading of all pages, in order, and its confirmation by a second one.

    :param executor: its threads fetch; ``concurrency`` of them at a time.
    :param by_content: compare what the pages say instead of how they say it.
    """

    def __init__(
        self,
        source: PageSource,
        *,
        page_size: int,
        executor: ThreadPoolExecutor,
        concurrency: int,
        by_content: bool = False,
    ) -> None:
        self.source = source
        self.page_size = page_size
        self.shape = Shape(0, page_size)
        self._executor = executor
        self._window = concurrency * WINDOW
        self._marks = Marks(by_content=by_content)
        self._numbers = Numbers()

    def pages(self, progress: Progress) -> Iterator[DecodedPage]:
        """All pages in order; exhausted only once they are proven to fit together.

        :raises Moved: when they do not.
        :raises ApiError, NoAnswer: when a page does not come.
        """
        rows = 0
        for number, (page, mark) in enumerate(self._all(), start=1):
            self._check(page, number)
            self._marks.add(mark, page.all_numbers)
            self._numbers.add(page.batch["number"])
            rows += page.count
            progress(number, self.shape.pages, rows)
            yield page
        if self.shape.ends_full:
            self._check_end()
        self._numbers.prove_distinct()

    def confirm(self, progress: Progress) -> None:
        """Read everything again and compare, many pages in one where the server gives such and the bodies allow it.

        How the second reading is cut makes no difference to what it proves: each row that stood at its place before the
        end of the first reading, and stands there after it, stood there at that moment.

        :raises Moved: at the first page that is not what it was.
        :raises ApiError, NoAnswer: when a page does not come.
        """
        shape = self.shape
        at_once = self._at_once()
        parts = [range(first, min(first + at_once, shape.pages + 1)) for first in range(1, shape.pages + 1, at_once)]
        if at_once > 1 and self._shown(parts[0], at_once):
            parts = parts[1:]
        elif at_once > 1:
            at_once, parts = 1, [range(page, page + 1) for page in range(1, shape.pages + 1)]
        for part in self._in_order(lambda pages: self._look_again(pages, at_once), parts):
            done = part[-1]
            progress(done, shape.pages, min(done * shape.page_size, shape.total))
        if shape.ends_full:
            self._check_end()

    def _at_once(self) -> int:
        """How many pages to ask for as one in the second reading."""
        if self.shape.pages <= self._window:
            return 1
        return max(1, min(LARGEST_PAGE // self.shape.page_size, self._marks.fitting(LARGEST_BODY)))

    def _look_again(self, pages: range, at_once: int) -> range:
        """``pages``, once they are seen to be what they were.

        :raises Moved: at the first that is not.
        """
        if at_once == 1 or not self._shown(pages, at_once):
            for page in pages:
                if not self._shown(range(page, page + 1)):
                    raise Moved(f"page {page} of {self.shape.pages} changed between two readings")
        return pages

    def _shown(self, pages: range, at_once: int = 1) -> bool:
        """Whether ``pages``, asked for as one, show what they did; of several at once, a refusal is taken for a no."""
        page, size = (pages[0] - 1) // at_once + 1, self.page_size * at_once
        try:
            return self.source.fetch(page, size, lambda raw: self._marks.shown(raw, pages))
        except (ApiError, NoAnswer):
            if at_once == 1:
                raise
            return False

    def _all(self) -> Iterator[tuple[DecodedPage, Mark]]:
        first = self._fetch(1)
        held = first[0].count
        if 0 < held < min(first[0].all_numbers, self.page_size):
            # The server gives less than was asked, whether or not it says so: ask for what it gives from here on.
            self.page_size = held
            first = self._fetch(1)
        self.shape = Shape(first[0].all_numbers, self.page_size)
        yield first
        yield from self._in_order(self._fetch, range(2, self.shape.pages + 1))

    def _in_order(self, fetch: Callable[[PlaceT], ResultT], places: Iterable[PlaceT]) -> Iterator[ResultT]:
        pending: deque[Future[ResultT]] = deque()
        try:
            for place in places:
                pending.append(self._executor.submit(fetch, place))
                if len(pending) >= self._window:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def _fetch(self, page: int) -> tuple[DecodedPage, Mark]:
        return self.source.fetch(page, self.page_size, lambda raw: (decode(raw), self._marks.of(raw)))

    def _check(self, page: DecodedPage, number: int) -> None:
        shape = self.shape
        if page.all_numbers != shape.total:
            raise Moved(f"the total went from {shape.total} to {page.all_numbers} by page {number} of {shape.pages}")
        if page.page != number:
            raise Moved(f"page {number} was asked for, and the answer says that it is page {page.page}")
        if page.count != shape.rows_on(number):
            raise Moved(
                f"page {number} of {shape.pages} holds {page.count} numbers; with {shape.total} in all it should "
                f"hold {shape.rows_on(number)}"
            )
        if shape.total and page.number_of_pages != shape.pages:
            raise Moved(
                f"{shape.total} numbers, {shape.page_size} a page, make {shape.pages} pages; the answer says "
                f"{page.number_of_pages}"
            )

    def _check_end(self) -> None:
        """A last page that is full cannot tell that nothing follows; the page after it can."""
        beyond = self.shape.pages + 1
        try:
            held = self.source.fetch(beyond, self.page_size, decode).count
        except (BadRequest, NotFound):
            return
        if held:
            raise Moved(f"there should be {self.shape.pages} pages, but page {beyond} holds {held} numbers")


class Numbers:
    """Whether any number came twice.

    Pages in ascending order prove by themselves that none did. A platform that sorts in another way costs a look at
    all numbers, kept as eight bytes each.
    """

    def __init__(self) -> None:
        self._chunks: list[pa.Array] = []
        self._last = ""
        self._ascending = True

    def add(self, numbers: pa.Array) -> None:
        """Take ``numbers``, which come after those before."""
        if not len(numbers):
            return
        self._ascending = self._ascending and self._last < numbers[0].as_py() and ascends(numbers)
        self._last = numbers[-1].as_py()
        self._chunks.append(digits(numbers))

    def prove_distinct(self) -> None:
        """Make sure that all of them differ.

        :raises Moved: naming those that came twice.
        """
        if self._ascending:
            return
        counted = pc.value_counts(pa.chunked_array(self._chunks, pa.int64()))
        twice = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
        if len(twice):
            raise Moved(f"numbers that came twice: {shown(f'+{number}' for number in twice.to_pylist())}")
