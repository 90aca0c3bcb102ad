"""Reading the whole inventory, page by page, and proving that what was read is one state of it.

The API pages by offset and offers no snapshot: a number added or gone while the pages are being read shifts all rows
behind it, and totals alone can hide that. So the pages are read twice. If the second reading shows exactly what the
first one did, that is what the inventory was at the moment between the two.

Where they differ, all is read anew, not only what differs. A number that comes or goes shifts half of all pages on the
average; files that are streamed and compressed cannot be mended within; and to agree, a third look at every page would
be needed in any case: three readings, instead of the three and a half that it takes when the second one ends at the
first difference.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from ocp_numbers.errors import ApiError, BadRequest, NoAnswer, NotFound, shown
from ocp_numbers.inventory.envelope import parts_of
from ocp_numbers.inventory.marks import Marks
from ocp_numbers.inventory.schema import DecodedPage, NotAPage, ascends, decode, digits

Progress = Callable[[int, int, int], None]
"""Called with pages done, pages in all, and rows so far."""

WINDOW = 1.5
"""Pages in flight or waiting per connection."""
LARGEST_PAGE, LARGEST_BODY = 10_000, 2**20
"""Numbers and bytes up to which a page is made larger than it was asked for at first."""

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


class TooLarge(Moved):
    """A page that was made larger did not come, so that nothing is known; in its own size it may."""


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


@dataclass(frozen=True)
class _Look:
    """A page as it came, and what it will be known by."""

    raw: bytes
    mark: bytes


class Reading:
    """One reading of all pages, in order, and its confirmation by a second one.

    :param executor: its threads fetch; ``concurrency`` of them at a time.
    :param by_content: compare what the pages say instead of how they say it.
    :param enlarge: ask for several times ``page_size`` at once, where the server gives that and it stays within
        :data:`LARGEST_PAGE` and :data:`LARGEST_BODY`: what each call costs by itself is paid less often.
    """

    def __init__(
        self,
        source: PageSource,
        *,
        page_size: int,
        executor: ThreadPoolExecutor,
        concurrency: int,
        by_content: bool = False,
        enlarge: bool = True,
    ) -> None:
        self.source = source
        self.page_size = self._asked = page_size
        self.shape = Shape(0, page_size)
        self._executor = executor
        self._concurrency = concurrency
        self._enlarge = enlarge
        self._marks = Marks(by_content=by_content)
        self._numbers = Numbers()

    def pages(self, progress: Progress) -> Iterator[DecodedPage]:
        """All pages in order; exhausted only once they are proven to fit together.

        :raises Moved: when they do not.
        :raises ApiError, NoAnswer: when a page does not come.
        """
        first = self._first()
        end = self._executor.submit(self._check_end)
        rows = 0
        looks = chain([first], self._in_order(self._look, range(2, self.shape.pages + 1)))
        for number, look in enumerate(looks, start=1):
            page, mark = self._decoded(look, number)
            self._check(page, number)
            self._marks.add(mark)
            self._numbers.add(page.batch["number"])
            rows += page.count
            progress(number, self.shape.pages, rows)
            yield page
        end.result()
        self._numbers.prove_distinct()

    def confirm(self, progress: Progress) -> None:
        """Read everything again and compare.

        No page is looked at again before all were seen: what stood at its place in both looks stood there at the moment
        between the two readings, and so did all the others.

        :raises Moved: at the first page that is not what it was.
        :raises ApiError, NoAnswer: when a page does not come.
        """
        shape = self.shape
        end = self._executor.submit(self._check_end)
        for page in self._in_order(self._look_again, range(1, shape.pages + 1)):
            progress(page, shape.pages, min(page * shape.page_size, shape.total))
        end.result()

    def _first(self) -> _Look:
        """The first page, in the size in which all of them will be read."""
        look, page = self._counted()
        if 0 < page.count < min(page.all_numbers, self.page_size):
            # The server gives less than was asked, whether or not it says so: ask for what it gives from here on.
            self.page_size = page.count
            look, page = self._counted()
        self.shape = Shape(page.all_numbers, self.page_size)
        return (self._enlarge and self._larger(len(look.raw))) or look

    def _larger(self, length: int) -> _Look | None:
        """The first page, now ``length`` bytes long, in the size to which it can grow, if the server gives that."""
        shape = self.shape
        times = min(LARGEST_PAGE // shape.page_size, LARGEST_BODY // length, shape.pages // self._concurrency)
        if shape.page_size < self._asked or times < 2:
            return None
        self.page_size *= times
        self.shape = Shape(shape.total, self.page_size)
        with suppress(ApiError, NoAnswer, Moved):
            look, page = self._counted()
            self._check(page, 1)
            return look
        self.page_size, self.shape = shape.page_size, shape
        return None

    def _counted(self) -> tuple[_Look, DecodedPage]:
        """The first page as it came, and what it holds."""
        look = self._fetch(1, self._taken)
        page, mark = self._decoded(look, 1)
        return _Look(look.raw, mark), page

    def _in_order(self, fetch: Callable[[PlaceT], ResultT], places: Iterable[PlaceT]) -> Iterator[ResultT]:
        pending: deque[Future[ResultT]] = deque()
        try:
            for place in places:
                pending.append(self._executor.submit(fetch, place))
                if len(pending) >= self._concurrency * WINDOW:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def _fetch(self, page: int, read: Callable[[bytes], ResultT]) -> ResultT:
        return self.source.fetch(page, self.page_size, read)

    def _look(self, page: int) -> _Look:
        with self._coming(page):
            return self._fetch(page, self._taken)

    def _taken(self, raw: bytes) -> _Look:
        """``raw``, which looks like a page from both ends; what is within is seen later, in the order of the pages.

        Decoding takes Python objects by the thousand: threads that do it at the same time slow each other down.
        """
        if parts_of(raw) is None:
            decode(raw)
        return _Look(raw, self._marks.of(raw))

    def _decoded(self, look: _Look, number: int) -> tuple[DecodedPage, bytes]:
        """Page ``number`` as ``look`` shows it, or, where that is no page after all, as it comes another time."""
        with suppress(NotAPage):
            return decode(look.raw), look.mark
        with self._coming(number):
            return self._fetch(number, lambda raw: (decode(raw), self._marks.of(raw)))

    def _look_again(self, page: int) -> int:
        """``page``, once it is seen to be what it was.

        :raises Moved: when it is not.
        """
        with self._coming(page):
            shown = self._fetch(page, lambda raw: self._marks.shown(raw, page))
        if not shown:
            raise Moved(f"page {page} of {self.shape.pages} changed between two readings")
        return page

    @contextmanager
    def _coming(self, page: int) -> Iterator[None]:
        """What fails here may be because ``page`` was made larger.

        :raises TooLarge: then.
        """
        try:
            yield
        except (ApiError, NoAnswer) as error:
            if self.page_size <= self._asked:
                raise
            where = f"page {page} of {self.shape.pages}, made larger to hold {self.page_size} numbers"
            raise TooLarge(f"{where}, did not come: {error}") from error

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
        if not self.shape.ends_full:
            return
        beyond = self.shape.pages + 1
        try:
            held = self._fetch(beyond, decode).count
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
