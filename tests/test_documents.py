"""The same content has the same digest, other content another; what has no one text is refused."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.documents import canonical, digest
from ocp_numbers.models import AvailableNumber

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=6))
def test_the_order_of_fields_does_not_matter(document: dict[str, object]) -> None:
    assert digest(document) == digest(dict(reversed(list(document.items()))))


def test_canonical_form_says_decimals_and_dates_in_one_way() -> None:
    document = {"b": Decimal("1.50"), "a": Decimal("1E+2"), "at": datetime(2026, 1, 2, tzinfo=timezone.utc)}
    assert canonical(document) == b'{"a":"100","at":"2026-01-02T00:00:00+00:00","b":"1.5"}'
    assert canonical({"on": date(2026, 1, 2), "set": {"b", "a"}}) == b'{"on":"2026-01-02","set":["a","b"]}'


def test_models_and_mappings_of_the_same_content_agree() -> None:
    offer = AvailableNumber(number="+12125550123", price=Decimal("5.00"))
    assert digest(offer) == digest(
        {"number": "+12125550123", "country": None, "locality": None, "region": None, "price": Decimal(5)}
    )


@pytest.mark.parametrize("changed", [{"n": 6}, {"n": "5"}, {"n": 5, "x": None}, {"n": None}])
def test_other_content_has_another_digest(changed: dict[str, object]) -> None:
    assert digest(changed) != digest({"n": 5})


@pytest.mark.parametrize("value", [1.5, b"bytes", object()])
def test_what_has_no_one_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="canonical document"):
        digest({"value": value})


class Colour(Enum):
    RED = 1


class Mood(str, Enum):
    GOOD = "good"


def test_a_choice_is_told_by_its_value() -> None:
    assert canonical({"colour": Colour.RED, "mood": Mood.GOOD}) == b'{"colour":1,"mood":"good"}'
