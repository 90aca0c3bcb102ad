from __future__ import annotations

from typing import Any, get_args
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.dashboard.question import COLUMNS, Attached, Column, Order, Question

TEXT = st.text(max_size=30)
QUESTIONS = st.builds(
    Question,
    q=TEXT,
    country=TEXT,
    group=TEXT,
    set=TEXT,
    mini_app=TEXT,
    attached=st.sampled_from(get_args(Attached)),
    sort=st.sampled_from(get_args(Column)),
    order=st.sampled_from(get_args(Order)),
    page=st.integers(1, 10**6),
)


@given(QUESTIONS)
def test_nothing_that_a_person_writes_becomes_part_of_the_condition(asked: Question) -> None:
    """Its text is the same for any words; there is one parameter for each place in it."""
    condition, values = asked.condition()
    blank = Question(**{name: "1234" if name != "attached" else value for name, value in asked.filters.items()})  # type: ignore[arg-type]
    assert condition == blank.condition()[0]
    assert condition.count("?") == len(values)


@given(QUESTIONS)
def test_an_address_holds_the_whole_question(asked: Question) -> None:
    found: dict[str, Any] = dict(parse_qsl(asked.query.removeprefix("?"), keep_blank_values=True))
    if "page" in found:
        found["page"] = int(found["page"])
    assert Question(**found) == asked


def test_the_usual_question_needs_no_query() -> None:
    assert Question().query == ""
    assert Question(page=2).query == "?page=2"


def test_another_filter_or_order_starts_at_the_first_page() -> None:
    asked = Question(q="desk", page=7)
    assert asked.sorted_by("note") == Question(q="desk", sort="note")
    assert asked.sorted_by("number") == Question(q="desk", order="desc")
    assert asked.but(page=8).page == 8


def test_each_column_that_can_be_sorted_by_has_its_place_in_the_inventory() -> None:
    assert set(COLUMNS) == set(get_args(Column))
