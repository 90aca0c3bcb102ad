"""Repeating: what, how long, how many."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.client import Backoff, Effect, Retry
from ocp_numbers.client.retry import may_repeat, retry_after
from ocp_numbers.errors import (
    AnswerLost,
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NoAnswer,
    NotAuthenticated,
    NotConnected,
    NotFound,
    PaymentRefused,
    Redirected,
    Refused,
    ServerFault,
    TooManyRequests,
    UnexpectedAnswer,
)

READ, WRITE, PAID, DESTRUCTIVE = Effect


def api(kind: type[ApiError], retry_after: float | None = None) -> ApiError:
    return kind(operation="x.y", call="PUT /x", status=500, message="m", retry_after=retry_after)


def lost(kind: type[NoAnswer]) -> NoAnswer:
    return kind(operation="x.y", call="PUT /x", reason="r")


@pytest.mark.parametrize(
    ("error", "repeated_by"),
    [
        (lost(NotConnected), {READ, WRITE, PAID, DESTRUCTIVE}),
        (api(TooManyRequests), {READ, WRITE}),
        (lost(AnswerLost), {READ}),
        (api(ServerFault), {READ}),
        *(
            (api(kind), set[Effect]())
            for kind in (
                BadRequest,
                NotAuthenticated,
                PaymentRefused,
                Forbidden,
                NotFound,
                Conflict,
                Refused,
                Redirected,
                UnexpectedAnswer,
            )
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_may_be_repeated_follows_from_the_effect(error: ApiError | NoAnswer, repeated_by: set[Effect]) -> None:
    assert {effect for effect in Effect if may_repeat(effect, error)} == repeated_by


def test_a_broken_body_is_read_again_but_never_written_again() -> None:
    broken = api(UnexpectedAnswer)
    broken.transient = True
    assert {effect for effect in Effect if may_repeat(effect, broken)} == {READ}


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first=1, longest=10, draw=lambda: 1.0)
    assert [backoff.seconds(attempt, lost(AnswerLost)) for attempt in (1, 2, 3, 4, 5, 6)] == [1, 2, 4, 8, 10, 10]


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_a_drawn_pause_lies_in_the_upper_half(attempt: int, draw: float) -> None:
    full = Backoff(draw=lambda: 1.0).seconds(attempt, lost(AnswerLost))
    assert full / 2 <= Backoff(draw=lambda: draw).seconds(attempt, lost(AnswerLost)) <= full


def test_the_time_that_the_server_names_is_obeyed() -> None:
    assert Backoff().seconds(1, api(TooManyRequests, retry_after=17)) == 17


def test_there_is_no_attempt_after_the_last() -> None:
    retry = Retry(attempts=3)
    pauses = [retry.pause(READ, lost(AnswerLost), attempt=attempt, left=1e9) is not None for attempt in (1, 2, 3)]
    assert pauses == [True, True, False]


def test_a_pause_that_would_outlast_the_call_is_not_begun() -> None:
    asked = api(ServerFault, retry_after=3600)
    assert Retry().pause(READ, asked, attempt=1, left=300) is None
    assert Retry().pause(READ, asked, attempt=1, left=3601) == 3600


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("", None), ("soon", None), ("-5", None), ("7", 7), (" 120 ", 120), ("9" * 400, 999_999_999)],
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize("year", ["99999", "9" * 30])
def test_a_date_of_no_calendar_asks_for_nothing(year: str) -> None:
    date = f"Mon, 23 Nov {year} 12:00:00 GMT"
    assert retry_after(date) is None
    assert retry_after("7", date) == 7


def test_retry_after_as_a_date_counts_from_the_answers_own_date() -> None:
    then = formatdate(1_700_000_090, usegmt=True)
    assert retry_after(then, formatdate(1_700_000_000, usegmt=True)) == 90
    assert retry_after(then, formatdate(1_700_000_100, usegmt=True)) == 0
    assert retry_after(then) == 0


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_breaks_the_reading_of_it(header: str, date: str) -> None:
    seconds = retry_after(header, date)
    assert seconds is None or seconds >= 0
