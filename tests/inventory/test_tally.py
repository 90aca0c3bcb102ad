"""What is counted while pages are written is what a count of all rows gives, however they came."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.inventory.derived import EXPORTED
from ocp_numbers.inventory.manifest import Counts
from ocp_numbers.inventory.tally import Tally

Row = dict[str, Any]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.just("+12125550123"),
            "group_id": st.sampled_from([None, "", "a", "b"]),
            "country": st.sampled_from([None, "", "US", "us", "CA", "USA", "1"]),
            "mini_app_id": st.sampled_from([None, "id-1", "id-2"]),
            "mini_app_name": st.sampled_from([None, "menu", "desk"]),
            "derived_country": st.sampled_from([None, "US", "CA"]),
            "valid": st.booleans(),
            "number_type": st.sampled_from([None, "mobile"]),
        }
    ),
    max_size=5,
)


def tallied(*pieces: list[Row]) -> Tally:
    tally = Tally()
    for rows in pieces:
        tally.add(pa.Table.from_pylist(rows, schema=EXPORTED))
    return tally


@given(st.lists(ROWS, max_size=4))
def test_pieces_add_up_to_what_all_rows_come_to(pieces: list[list[Row]]) -> None:
    tally = tallied(*pieces)
    rows = [row for piece in pieces for row in piece]
    attached = sum(row["mini_app_id"] is not None for row in rows)
    assert tally.rows == len(rows)
    assert tally.counts.model_copy(update={"country_mismatches": 0}) == Counts(
        by_group=Counter(row["group_id"] or "" for row in rows),
        by_country=Counter(row["country"] or "" for row in rows),
        by_mini_app=Counter(row["mini_app_name"] or row["mini_app_id"] or "" for row in rows),
        by_type=Counter(row["number_type"] or "" for row in rows),
        attached=attached,
        unattached=len(rows) - attached,
        invalid=sum(not row["valid"] for row in rows),
    )


@pytest.mark.parametrize(
    ("country", "derived", "mismatch"),
    [
        ("US", "US", False),
        ("us", "US", False),
        ("CA", "US", True),
        ("ca", "US", True),
        (None, "US", False),
        ("CA", None, False),
        ("USA", "US", False),
        ("1", "US", False),
        ("", "US", False),
    ],
)
def test_a_country_contradicts_the_number_where_both_are_named_by_two_letters(
    country: str | None, derived: str | None, mismatch: bool
) -> None:
    row = {"number": "+12125550123", "valid": True, "country": country, "derived_country": derived}
    assert tallied([row], [row]).counts.country_mismatches == 2 * mismatch


def test_counts_are_listed_by_name() -> None:
    rows = [{"number": "+12125550123", "valid": True, "group_id": name} for name in ("b", "a", "c")]
    assert list(tallied(rows).counts.by_group) == ["a", "b", "c"]
