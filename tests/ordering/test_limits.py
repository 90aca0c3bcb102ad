"""Exactly at a limit is within it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ocp_numbers.errors import InvalidInput, OverBudget
from ocp_numbers.ordering import Wishes


def wishes(**given: object) -> Wishes:
    return Wishes.model_validate({"provider": "telnova", "group": "us", "country_code": "US", **given})


def test_a_price_at_the_limit_is_not_too_dear() -> None:
    within = wishes(quantity=1, max_unit_price=Decimal("2.50"))
    assert not within.is_too_dear(Decimal("2.50"))
    assert within.is_too_dear(Decimal("2.51"))
    assert not wishes(quantity=1).is_too_dear(Decimal(1000))


def test_one_number_may_be_wished_for_and_none_may_not() -> None:
    wishes(quantity=1).check()
    with pytest.raises(InvalidInput, match="quantity"):
        wishes(quantity=0).check()


def test_offers_may_cost_exactly_the_whole_budget_and_not_a_cent_more() -> None:
    offers = ({"number": "+12125550001", "price": "1.50"},)
    wishes(offers=offers, max_total_price=Decimal("1.50")).check()
    wishes(offers=offers).check()
    with pytest.raises(OverBudget, match=r"1\.49"):
        wishes(offers=offers, max_total_price=Decimal("1.49")).check()


def test_numbers_outside_the_prefix_are_faults_of_their_field() -> None:
    with pytest.raises(InvalidInput) as caught:
        wishes(numbers=("+13125550001",), prefix="+1212").check()
    assert any(problem.startswith("numbers: ") for problem in caught.value.problems)
