from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ocp_numbers.cleanup.marks import kept, marked_since, with_mark, without_mark

DAY = date(2026, 11, 23)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
pieces = st.lists(
    st.sampled_from(["[unused since ", "2026-11-23", "]", " ", "[", "front desk", "[order 7f3a]", "keep", "\n", "é"])
)
texts = st.one_of(st.text(), pieces.map("".join))


@pytest.mark.parametrize(
    ("note", "marked"),
    [
        (None, "[unused since 2026-11-23]"),
        ("", "[unused since 2026-11-23]"),
        ("front desk", "front desk [unused since 2026-11-23]"),
        ("desk [order 7f3a9c2e1b40]", "desk [order 7f3a9c2e1b40] [unused since 2026-11-23]"),
        ("desk [unused since 2026-02-31]", "desk [unused since 2026-02-31] [unused since 2026-11-23]"),
    ],
)
def test_the_marker_stands_behind_the_persons_text(note, marked):
    assert with_mark(note, DAY) == marked


@given(texts, days, days)
def test_marking_again_never_moves_the_date(note, first, second):
    once = with_mark(note, first)
    assert with_mark(once, second) == once
    assert marked_since(once) is not None


@given(texts.filter(lambda note: without_mark(note) == note), days)
def test_taking_the_mark_out_gives_the_persons_text_back_exactly(note, day):
    assert marked_since(with_mark(note, day)) == day
    assert without_mark(with_mark(note, day)) == note


@given(texts)
@example("[unused since  [unused since 2026-01-01]2026-01-01]")
def test_no_mark_survives_its_removal(note):
    assert marked_since(without_mark(note)) is None


@given(st.text(alphabet="ab [", max_size=20), st.text(alphabet="ab ]", max_size=20), days)
def test_the_mark_survives_edits_around_it(before, after, day):
    edited = before + with_mark("desk", day) + after
    assert marked_since(edited) == day
    assert without_mark(edited) == before + "desk" + after


@pytest.mark.parametrize(
    ("note", "since"),
    [
        ("[unused since 2026-01-01] [unused since 2026-03-01]", date(2026, 3, 1)),
        ("[Unused Since 2026-01-01]", date(2026, 1, 1)),
        ("[unused since 2026-13-01]", None),
        ("[unused since yesterday]", None),
        ("unused since 2026-01-01", None),
        ("[unused since \u0662\u0660\u0662\u0666-\u0660\u0661-\u0660\u0661]", None),
        (None, None),
    ],
)
def test_what_counts_as_a_mark(note, since):
    assert marked_since(note) == since


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("[keep]", True),
        ("Keep for the spring campaign", True),
        ("please KEEP", True),
        ("housekeeping", False),
        ("keeper's line", False),
        ("front desk", False),
        (None, False),
    ],
)
def test_the_word_keep_keeps_a_number(note, expected):
    assert kept(note) is expected


def test_a_date_that_does_not_exist_hides_no_mark_after_it() -> None:
    assert marked_since("[unused since 2026-13-40] [unused since 2026-01-02]") == date(2026, 1, 2)
