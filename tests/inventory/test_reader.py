"""What was read and confirmed is one state of the inventory, page by page, in as few calls as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.estate import Estate, Row, as_tuples, estate_of, row
from inventory.test_export import change
from ocp_numbers.errors import AnswerLost, BadRequest, NotFound, OcpError, ServerFault
from ocp_numbers.inventory import reader
from ocp_numbers.inventory.reader import WINDOW, Moved, Numbers, Reading, TooLarge
from ocp_numbers.inventory.schema import NotAPage

CALL: dict[str, Any] = {"operation": "numbers.list", "call": "GET /api/numbers"}
LOST = AnswerLost(**CALL, reason="no answer in time")


class Eager(ThreadPoolExecutor):
    """Does everything at once, so that what is asked for ahead can be counted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass
class Read:
    """A reading, and what it told on the way."""

    reading: Reading
    told: list[tuple[int, int, int]] = field(default_factory=list)

    def pages(self) -> list[tuple[Any, ...]]:
        """The rows of all pages, as the estate states them."""
        return list(self.rows())

    def rows(self) -> Iterator[tuple[Any, ...]]:
        for page in self.reading.pages(self._tell):
            yield from zip(*(column.to_pylist() for column in page.batch.columns), strict=True)

    def confirm(self) -> None:
        self.reading.confirm(self._tell)

    def _tell(self, *progress: int) -> None:
        self.told.append((progress[0], progress[1], progress[2]))


@contextmanager
def read(
    source: Estate, *, page_size: int = 10, concurrency: int = 3, pool: type[ThreadPoolExecutor] = Eager, **given: Any
) -> Iterator[Read]:
    with pool(concurrency) as executor:
        yield Read(Reading(source, page_size=page_size, executor=executor, concurrency=concurrency, **given))


@given(
    st.integers(0, 60),
    st.integers(1, 12),
    st.integers(1, 4),
    st.sampled_from([1, 2, 7, 10_000]),
    st.booleans(),
    st.booleans(),
)
def test_all_rows_come_once_and_in_order_whatever_the_sizes_of_pages_are(
    count: int, page_size: int, concurrency: int, cap: int, says_cap: bool, enlarge: bool
) -> None:
    estate = estate_of(count, cap=cap, says_cap=says_cap)
    with read(estate, page_size=page_size, concurrency=concurrency, enlarge=enlarge) as whole:
        assert whole.pages() == estate.state()
        whole.confirm()
        shape = whole.reading.shape
    assert (shape.total, shape.pages) == (count, max(1, -(-count // shape.page_size)))
    progress = [(page, shape.pages, min(page * shape.page_size, count)) for page in range(1, shape.pages + 1)]
    assert whole.told == progress * 2
    asked_anew = min(page_size, cap) < min(page_size, count)
    needed = 2 * (shape.pages + shape.ends_full) + asked_anew
    if enlarge:
        assert estate.calls - needed in ((1,) if shape.page_size > page_size else (0, 1))
    else:
        assert (estate.calls, shape.page_size) == (needed, min(page_size, cap) if asked_anew else page_size)


def test_as_many_pages_are_asked_for_ahead_as_keep_every_connection_busy_and_no_more() -> None:
    estate = estate_of(200)
    with read(estate, concurrency=3, enlarge=False) as whole:
        rows = whole.rows()
        first = [next(rows) for _ in range(11)]
        assert first == estate.state()[:11]
        beyond_the_end = 1
        assert estate.calls == 1 + ceil(3 * WINDOW) + beyond_the_end
        assert list(rows) == estate.state()[11:]


KINDS = ["add", "delete", "swap", "renumber", "note", "undo"]


@given(
    st.integers(0, 45) | st.integers(60, 90),
    st.lists(st.tuples(st.integers(1, 20), st.sampled_from(KINDS)), max_size=5),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_what_is_confirmed_is_a_state_that_existed(
    count: int, events: list[tuple[int, str]], by_content: bool, chance: Any
) -> None:
    estate = estate_of(count)
    past = [list(estate.rows)]

    def happen(call: int) -> None:
        for _, kind in (event for event in events if event[0] == call):
            if kind == "undo":
                estate.rows[:] = past[-2] if len(past) > 1 else past[-1]
            else:
                change(estate.rows, kind, 1_000 + len(past), chance)
            past.append(list(estate.rows))

    estate.before = happen
    with read(estate, by_content=by_content) as whole:
        try:
            rows = whole.pages()
            whole.confirm()
        except Moved:
            assert events
        else:
            assert rows in [as_tuples(sorted(each, key=estate.key)) for each in past]


def test_the_connections_fetch_at_the_same_time_and_the_pages_stay_in_order() -> None:
    estate = estate_of(95)
    with read(estate, page_size=5, concurrency=4, pool=ThreadPoolExecutor) as whole:
        assert whole.pages() == estate.state()
        whole.confirm()


@pytest.mark.parametrize(("by_content", "same"), [(None, False), (False, False), (True, True)])
def test_how_a_page_says_what_it_says_counts_unless_the_content_is_to(by_content: bool | None, same: bool) -> None:
    estate = estate_of(35)
    estate.spoil = lambda page, answer: answer | {"answeredAt": f"call {estate.calls}"}
    given: dict[str, Any] = {} if by_content is None else {"by_content": by_content}
    with read(estate, **given) as whole:
        assert whole.pages() == estate.state()
        if same:
            whole.confirm()
        else:
            with pytest.raises(Moved, match="page 1 of 4 changed between two readings"):
                whole.confirm()


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("by_content", [True, False])
@pytest.mark.parametrize("place", [0, 9, 10, 34])
def test_a_change_between_the_readings_is_seen_on_its_page(concurrency: int, by_content: bool, place: int) -> None:
    estate = estate_of(35)
    with read(estate, concurrency=concurrency, by_content=by_content, enlarge=False) as whole:
        whole.pages()
        estate.rows[place]["note"] = "changed"
        with pytest.raises(Moved, match=f"page {place // 10 + 1} of 4 changed between two readings"):
            whole.confirm()


GROWN = [
    # numbers, connections, most numbers a page, most bytes in pages of ten, pages of so many numbers
    (123, 3, 10_000, 100, 40),
    (123, 3, 39, 100, 30),
    (123, 3, 40, 100, 40),
    (123, 3, 10_000, 2.5, 20),
    (123, 4, 10_000, 100, 30),
    (60, 3, 10_000, 100, 20),
    (59, 3, 10_000, 100, 20),
    (50, 3, 10_000, 100, 10),
    (123, 3, 19, 100, 10),
    (123, 3, 10_000, 1.5, 10),
]


@pytest.mark.parametrize(("count", "concurrency", "numbers", "bodies", "size"), GROWN)
def test_pages_grow_as_far_as_every_limit_allows(
    monkeypatch: pytest.MonkeyPatch, count: int, concurrency: int, numbers: int, bodies: float, size: int
) -> None:
    estate = estate_of(count)
    monkeypatch.setattr(reader, "LARGEST_PAGE", numbers)
    monkeypatch.setattr(reader, "LARGEST_BODY", int(bodies * estate.fetch(1, 10, len)))
    estate.calls = 0
    with read(estate, concurrency=concurrency) as whole:
        assert whole.pages() == estate.state()
        assert whole.reading.shape.page_size == size
    asked_for_larger_ones = size > 10
    assert estate.calls == -(-count // size) + (count % size == 0) + asked_for_larger_ones


@pytest.fixture
def fussy() -> Callable[..., Estate]:
    """Makes an estate of thirteen pages that does something else than to answer, for some pages and sizes."""

    def make(otherwise: Callable[[int, int, Callable[[bytes], Any]], Any], count: int = 123) -> Estate:
        estate = estate_of(count)
        fetch = estate.fetch
        estate.fetch = lambda page, size, read: (  # type: ignore[assignment, method-assign]
            otherwise(page, size, read) or fetch(page, size, read)
        )
        return estate

    return make


Fussy = Callable[..., Estate]


def raising(error: Exception, when: Callable[[int, int], bool]) -> Callable[[int, int, Any], None]:
    """Raises ``error`` for the pages, of the sizes, for which ``when`` holds."""

    def answer(page: int, size: int, _: Any) -> None:
        if when(page, size):
            raise error

    return answer


REFUSALS: list[OcpError] = [
    BadRequest(**CALL, status=400, message="too many"),
    ServerFault(**CALL, status=500, message="too many"),
    LOST,
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
def test_a_platform_that_refuses_larger_pages_is_read_in_its_own(fussy: Fussy, refusal: OcpError) -> None:
    estate = fussy(raising(refusal, lambda page, size: size > 10))
    with read(estate) as whole:
        assert whole.pages() == estate.state()
        whole.confirm()
    assert whole.reading.shape.page_size == 10
    assert estate.calls == 13 + 13


def test_a_platform_that_counts_larger_pages_as_small_ones_is_read_in_its_own() -> None:
    estate = estate_of(123, spoil=lambda page, answer: answer | {"numberOfPages": 13})
    with read(estate) as whole:
        assert whole.pages() == estate.state()
    assert whole.reading.shape.page_size == 10


@pytest.mark.parametrize("at_once", [True, False])
def test_a_page_that_does_not_come_since_it_was_made_larger_is_told_from_one_that_does_not_come(
    fussy: Fussy, at_once: bool
) -> None:
    def breaking(page: int, size: int, read: Callable[[bytes], Any]) -> Any:
        """The third page comes broken within, or not at all, and not when it is asked for again."""
        if page != 3:
            return None
        if at_once or broken:
            raise LOST
        broken.append(page)
        return read(b'{"page": 3, "numberOfPages": 4, "allNumbers": 123, "numbers": [{"number": }]}')

    for enlarge in (True, False):
        broken: list[int] = []
        with read(fussy(breaking), enlarge=enlarge) as whole, pytest.raises((TooLarge, AnswerLost)) as missing:
            whole.pages()
        large = "page 3 of 4, made larger to hold 40 numbers, did not come: .*no answer in time"
        assert missing.type is (TooLarge if enlarge else AnswerLost)
        missing.match(large if enlarge else "no answer in time")


def test_a_larger_page_that_does_not_come_a_second_time_is_named(fussy: Fussy) -> None:
    seen: list[int] = []

    def once(page: int, size: int, read: Callable[[bytes], Any]) -> None:
        seen.append(page)
        if seen.count(2) > 1:
            raise LOST

    with read(fussy(once)) as whole:
        whole.pages()
        with pytest.raises(TooLarge, match="page 2 of 4, made larger to hold 40 numbers, did not come"):
            whole.confirm()


def test_what_is_no_page_at_all_is_a_fault_of_the_call_that_brought_it(fussy: Fussy) -> None:
    """So that whoever repeats calls repeats this one."""
    faults: list[int] = []

    def html(page: int, size: int, read: Callable[[bytes], Any]) -> None:
        if page == 2 and not faults:
            with pytest.raises(NotAPage, match="the body is not JSON"):
                read(b"<html>one moment</html>")
            faults.append(page)

    estate = fussy(html, 35)
    with read(estate, enlarge=False) as whole:
        assert whole.pages() == estate.state()
        whole.confirm()
    assert (faults, estate.calls) == ([2], 4 + 4)


@pytest.mark.parametrize("broken_page", [1, 2])
def test_a_page_broken_within_is_asked_for_again(fussy: Fussy, broken_page: int) -> None:
    broken: list[int] = []

    def breaking(page: int, size: int, read: Callable[[bytes], Any]) -> Any:
        if page != broken_page or broken:
            return None
        broken.append(page)
        return read(b'{"page": %d, "numberOfPages": 2, "allNumbers": 15, "numbers": [{"number": }]}' % page)

    estate = fussy(breaking, 15)
    with read(estate, enlarge=False) as whole:
        assert whole.pages() == estate.state()
        whole.confirm()
    assert broken
    assert whole.reading.shape.page_size == 10
    assert estate.calls <= 2 + 2 + 1


@pytest.mark.parametrize(
    ("error", "ends"), [(BadRequest, True), (NotFound, True), (ServerFault, False)], ids=lambda value: str(value)
)
def test_a_platform_may_refuse_the_page_after_the_last(fussy: Fussy, error: type[Any], ends: bool) -> None:
    refused = error(**CALL, status=400, message="no such page")
    with read(fussy(raising(refused, lambda page, size: page == 5), 40), enlarge=False) as whole:
        if ends:
            whole.pages()
            whole.confirm()
        else:
            with pytest.raises(ServerFault):
                whole.pages()


@pytest.mark.parametrize(("count", "announced"), [(35, 30), (31, 20), (11, 10)])
def test_numbers_behind_the_last_page_are_found_out(count: int, announced: int) -> None:
    pages = announced // 10
    estate = estate_of(
        count, spoil=lambda page, answer: answer | {"allNumbers": announced, "numberOfPages": announced // 10}
    )
    held = min(10, count - announced)
    with (
        read(estate) as whole,
        pytest.raises(Moved, match=f"should be {pages} pages, but page {pages + 1} holds {held} n"),
    ):
        whole.pages()


def test_numbers_that_come_behind_the_last_page_between_the_readings_are_found_out() -> None:
    estate = estate_of(30)
    with read(estate, enlarge=False) as whole:
        whole.pages()
        estate.spoil = lambda page, answer: answer | {"allNumbers": 30, "numberOfPages": 3}
        estate.rows.append(row(99))
        with pytest.raises(Moved, match="should be 3 pages, but page 4 holds 1 numbers"):
            whole.confirm()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ({"allNumbers": 36}, r"the total went from 35 to 36 by page 2 of 4"),
        ({"page": 3}, r"page 2 was asked for, and the answer says that it is page 3"),
        ({"numbers": [row(1)]}, r"page 2 of 4 holds 1 numbers; with 35 in all it should hold 10"),
        ({"numberOfPages": 5}, r"35 numbers, 10 a page, make 4 pages; the answer says 5"),
    ],
)
def test_a_page_that_does_not_fit_the_first_one_is_named(spoil: Row, says: str) -> None:
    estate = estate_of(35, spoil=lambda page, answer: answer | (spoil if page == 2 else {}))
    with read(estate, enlarge=False) as whole, pytest.raises(Moved, match=says):
        whole.pages()


def test_a_first_page_without_a_row_says_nothing_about_the_size_of_pages() -> None:
    estate = estate_of(35, spoil=lambda page, answer: answer | {"numbers": []})
    with read(estate) as whole, pytest.raises(Moved, match="page 1 of 4 holds 0 numbers; with 35 in all it should "):
        whole.pages()


@given(st.lists(st.lists(st.integers(1, 30), max_size=4), max_size=5), st.booleans())
def test_numbers_that_came_twice_are_found_in_whatever_order_they_came(chunks: list[list[int]], in_order: bool) -> None:
    if in_order:
        chunks = [sorted(chunk) for chunk in sorted(chunks)]
    numbers = Numbers()
    for chunk in chunks:
        numbers.add(pa.array([f"+1212555{place:04}" for place in chunk], pa.string()))
    flat = sorted(place for chunk in chunks for place in chunk)
    twice = sorted({one for one, other in pairwise(flat) if one == other})
    if not twice:
        numbers.prove_distinct()
        return
    with pytest.raises(Moved, match=r"^numbers that came twice: ") as found:
        numbers.prove_distinct()
    assert sorted(str(found.value).partition(": ")[2].split(", ")) == [f"+1212555{place:04}" for place in twice][:20]
