from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ocp_numbers.dashboard import look


@pytest.mark.parametrize(
    ("amount", "written"),
    [("5", "5"), ("5.00", "5"), ("1250.5", "1,250.50"), ("0.01", "0.01"), ("0", "0"), ("1234567", "1,234,567")],
)
def test_money_is_written_without_a_currency(amount: str, written: str) -> None:
    assert look.money(Decimal(amount)) == written


@pytest.mark.parametrize(
    ("minutes", "written"),
    [(0, "0 min"), (-5, "0 min"), (89, "89 min"), (120, "2 h"), (47 * 60, "47 h"), (4320, "3 days")],
)
def test_an_age_is_told_in_the_coarsest_unit_that_says_something(minutes: int, written: str) -> None:
    assert look.age(timedelta(minutes=minutes)) == written


def test_dates_are_unmistakable_and_in_utc() -> None:
    assert look.day(date(2026, 3, 4)) == "4 Mar 2026"
    east = timezone(timedelta(hours=3))
    assert look.moment(datetime(2026, 3, 4, 1, 30, tzinfo=east)) == "3 Mar 2026, 22:30 UTC"


def test_what_cannot_be_seen_is_shown_as_a_dot_and_the_end_as_cut() -> None:
    assert look.seen("a\u202eb\x00c") == "a·b·c"
    assert look.seen("x" * 200, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("order e/g/s/1", ("order", "e/g/s/1")),
        ("run dag/run 1", ("run", "dag/run 1")),
        ("outside", ("outside", "outside")),
        ("something else", ("outside", "something else")),
    ],
)
def test_the_author_of_a_change_is_an_order_a_run_or_outside(by: str, told: tuple[str, str]) -> None:
    assert look.author(by) == told
