"""Charts stay inside their frame and in proportion, whatever the numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.estate import DAY
from ocp_numbers.inventory.charts import BARS_SHOWN, GUTTER, HEIGHT, WIDTH, Bar, bars, columns, line, short

COUNTS = st.integers(0, 10**9)


def test_the_most_frequent_come_first_and_nothing_has_a_name() -> None:
    assert bars({"b": 1, "": 2, "a": 1}, none="no group") == [
        Bar("no group", 2, 100, 50),
        Bar("a", 1, 50, 25),
        Bar("b", 1, 50, 25),
    ]
    assert bars({}, none="") == []


@given(st.dictionaries(st.text(max_size=5), COUNTS, max_size=40))
@settings(deadline=None)
def test_bars_add_up_to_all_however_many_there_are(counts: dict[str, int]) -> None:
    drawn = bars(counts, none="none")
    assert sum(bar.count for bar in drawn) == sum(counts.values())
    assert len(drawn) <= BARS_SHOWN + 1
    assert all(0 <= bar.length <= 100 and 0 <= bar.share <= 100 for bar in drawn)


@given(st.lists(COUNTS, min_size=1, max_size=60))
@settings(deadline=None)
def test_a_line_goes_from_left_to_right_inside_its_frame_and_higher_is_more(rows: list[int]) -> None:
    drawn = line([(DAY + timedelta(place), count) for place, count in enumerate(rows)])
    places = [point.x for point in drawn.points]
    assert places == sorted(places)
    assert all(GUTTER < point.x < WIDTH and 0 < point.y < HEIGHT for point in drawn.points)
    assert drawn.points[rows.index(max(rows))].y == drawn.top <= drawn.bottom == drawn.points[rows.index(min(rows))].y


@given(st.lists(st.tuples(COUNTS, COUNTS), max_size=60))
@settings(deadline=None)
def test_columns_stay_inside_their_frame_on_one_scale_and_the_smallest_is_seen(nights: list[tuple[int, int]]) -> None:
    drawn = columns([(DAY + timedelta(place), *counts) for place, counts in enumerate(nights)])
    seen = {0: 0.0}
    for column, (added, gone) in zip(drawn.nights, nights, strict=True):
        assert GUTTER < column.x < column.x + column.width < WIDTH
        assert (column.up > 0, column.down > 0) == (added > 0, gone > 0)
        assert column.up < drawn.baseline < HEIGHT - column.down
        assert seen.setdefault(added, column.up) == column.up
        assert seen.setdefault(gone, column.down) == column.down


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.0k"),
        (1_249, "1.2k"),
        (9_949, "9.9k"),
        (9_950, "10k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (12_345_678, "12M"),
    ],
)
def test_a_figure_in_a_narrow_place_is_rounded(count: int, text: str) -> None:
    assert short(count) == text


@pytest.mark.parametrize("rows", [0, 7])
def test_nights_that_are_all_alike_make_a_level_line(rows: int) -> None:
    drawn = line([(DAY, rows), (DAY + timedelta(1), rows)])
    assert drawn.top == drawn.bottom == HEIGHT / 2
