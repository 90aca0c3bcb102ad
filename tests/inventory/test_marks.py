"""A look at a page shows what was seen, or it does not; what cannot be told for certain does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.estate import row
from ocp_numbers.inventory.envelope import parts_of
from ocp_numbers.inventory.marks import Marks

ROWS = [row(place, note=note) for place, note in enumerate(["a", "]", "},{", '"', "é😀", "", None, "{}", "[1]", "x"])]


def body(rows: list[Any], total: int, *, indent: int | None = None, **more: Any) -> bytes:
    return json.dumps({"numbers": rows, "page": 1, "allNumbers": total} | more, indent=indent).encode()


def shows(raw: bytes, seen: bytes, *, by_content: bool = False) -> bool:
    marks = Marks(by_content=by_content)
    marks.add(marks.of(seen))
    return marks.shown(raw, 1)


@given(st.lists(st.integers(0, 9), max_size=12), st.lists(st.integers(0, 9), max_size=12), st.booleans())
@settings(deadline=None)
def test_a_page_is_known_by_its_rows_and_the_total(seen: list[int], shown: list[int], counted: bool) -> None:
    one, other = [ROWS[place] for place in seen], [ROWS[place] for place in shown]
    assert shows(body(other, 7 + counted, page=2, answeredAt=3), body(one, 7, page=1)) == (one == other and not counted)


def test_each_page_is_compared_with_itself() -> None:
    marks = Marks(by_content=False)
    for page in (body(ROWS[:2], 4), body(ROWS[2:4], 4)):
        marks.add(marks.of(page))
    assert marks.shown(body(ROWS[2:4], 4), 2)
    assert not marks.shown(body(ROWS[2:4], 4), 1)


@given(st.integers(0, 40), st.binary(max_size=3))
@settings(deadline=None)
def test_a_body_that_was_tampered_with_anywhere_among_its_rows_is_not_known(place: int, other: bytes) -> None:
    raw = body(ROWS[:2], 2)
    text, *_ = parts_of(raw) or pytest.fail("the rows must be told")
    changed = raw.replace(bytes(text), bytes(text[:place]) + other + bytes(text[place + 1 :]))
    assert shows(changed, raw) == (parts_of(changed) == parts_of(raw))


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
    assert parts_of(raw) is None
    assert shows(raw, raw)
    assert not shows(raw + b" ", raw)


def test_by_content_a_body_may_be_written_in_another_way() -> None:
    plain, spaced = body(ROWS, 10, numberOfPages=1), body(ROWS, 10, numberOfPages=1, indent=1, answeredAt="now")
    assert not shows(spaced, plain)
    assert shows(spaced, plain, by_content=True)
    assert not shows(body(ROWS[1:], 10, numberOfPages=1), plain, by_content=True)
