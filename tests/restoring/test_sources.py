"""What is known of the past is given once for each number, however often the listing shows it."""

from __future__ import annotations

from ocp_numbers.models import PhoneNumber
from ocp_numbers.restoring.sources import Past

ROWS = [PhoneNumber(number=f"+1212555010{place}", note="now") for place in range(4)]


def test_a_number_that_moves_to_the_next_page_while_they_are_read_is_taken_once() -> None:
    with Past.open() as past:
        past.remember([row.model_copy(update={"note": "then"}) for row in ROWS[:3]])

        first, second = list(past.take(ROWS[:2])), list(past.take(ROWS[1:]))

        assert [row.number for row, _ in first + second] == [row.number for row in ROWS]
        assert [known is not None for _, known in first + second] == [True, True, True, False]
        assert list(past.left()) == []


def test_what_nobody_took_is_left_over_in_order() -> None:
    with Past.open() as past:
        past.remember(ROWS)
        list(past.take(ROWS[1:2]))

        assert list(past.left()) == [[ROWS[place].number for place in (0, 2, 3)]]
