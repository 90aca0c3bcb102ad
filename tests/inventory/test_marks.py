"""A look at one page or at many shows what was seen, or it does not; what cannot be told for certain does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.estate import row
from ocp_numbers.inventory.marks import Marks, rows_text

ROWS = [row(place, note=note) for place, note in enumerate(["a", "]", "},{", '"', "é😀", "", None, "{}", "[1]", "x"])]


def body(rows: list[Any], total: int, *, indent: int | None = None, **more: Any) -> bytes:
    return json.dumps({"numbers": rows, "page": 1, "allNumbers": total} | more, indent=indent).encode()


def marks_of(pages: list[bytes], total: int, *, by_content: bool = False) -> Marks:
    marks = Marks(by_content=by_content)
    for page in pages:
        marks.add(marks.of(page), total)
    return marks


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(1, 4), st.sampled_from([None, 2]))
@settings(deadline=None)
def test_many_pages_in_one_are_known_by_their_rows(places: list[int], size: int, indent: int | None) -> None:
    rows = [ROWS[place] for place in places]
    pages = [rows[start : start + size] for start in range(0, len(rows), size)]
    marks = marks_of([body(page, len(rows), indent=indent) for page in pages], len(rows))
    whole = range(1, len(pages) + 1)
    assert marks.shown(body(rows, len(rows), indent=indent, page=9), whole)
    assert all(
        marks.shown(body(page, len(rows), indent=indent), range(at, at + 1)) for at, page in enumerate(pages, start=1)
    )
    assert not marks.shown(body([*rows[:-1], row(99)], len(rows), indent=indent), whole)
    assert not marks.shown(body([*rows, row(99)], len(rows), indent=indent), whole)
    assert not marks.shown(body(rows[:-1], len(rows), indent=indent), whole)
    assert not marks.shown(body(rows, len(rows) + 1, indent=indent), whole)


@given(st.integers(0, 40), st.binary(max_size=3))
@settings(deadline=None)
def test_a_body_that_was_tampered_with_anywhere_among_its_rows_is_not_known(place: int, other: bytes) -> None:
    raw = body(ROWS[:2], 2)
    text, _ = rows_text(raw) or pytest.fail("the rows must be told")
    changed = raw.replace(bytes(text), bytes(text[:place]) + other + bytes(text[place + 1 :]))
    assert marks_of([raw], 2).shown(changed, range(1, 2)) == (rows_text(changed) == rows_text(raw))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"numbers": [], "page": 1}',
        b'{"numbers": [], "allNumbers": 1, "allNumbers": 2}',
        b'{"numbers": [], "allNumbers": 1, "sort": ["number"]}',
        b'{"numbers": [], "allNumbers": 1, "at": "noon"}',
        b'{"rows": [], "allNumbers": 1}',
        b'{"numbers": ], "allNumbers": 1}',
        b'{"allNumbers": 1}]',
    ],
)
def test_where_the_rows_cannot_be_told_for_certain_the_whole_body_counts(raw: bytes) -> None:
    assert rows_text(raw) is None
    marks = marks_of([raw], 1)
    assert marks.shown(raw, range(1, 2))
    assert not marks.shown(raw + b" ", range(1, 2))
    assert marks.fitting(1_000) == 0


def test_by_content_a_body_may_be_written_in_another_way() -> None:
    plain, spaced = body(ROWS, 10, numberOfPages=1), body(ROWS, 10, numberOfPages=1, indent=1, answeredAt="now")
    assert not marks_of([plain], 10).shown(spaced, range(1, 2))
    assert marks_of([plain], 10, by_content=True).shown(spaced, range(1, 2))
    assert not marks_of([plain], 10, by_content=True).shown(body(ROWS[1:], 10, numberOfPages=1), range(1, 2))


def test_so_many_pages_fit_as_their_rows_are_long() -> None:
    page = body(ROWS, 10)
    length = len(rows_text(page)[0])  # type: ignore[index]
    assert marks_of([page, page], 20).fitting(5 * length) == 5
    assert Marks(by_content=False).fitting(100) == 0
