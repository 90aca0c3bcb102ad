from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ocp_numbers.errors import InvalidInput, OverBudget
from ordering.examples import offer
from ordering.shop import wish

ONE, TWO = "+12125550001", "+12125550002"
OFFERS = [{"number": ONE, "price": "2"}, {"number": TWO, "price": "3.50"}]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"provider": " "}, "provider: ' ' is empty"),
        ({"group": ""}, "group: '' is empty"),
        ({"country_code": "us"}, "country_code: 'us'"),
        ({"prefix": "+1a"}, "prefix: '.1a' is not a number prefix"),
        ({"note": "[order 1]"}, "note: "),
        ({"quantity": 0}, "quantity: 0 is below 1"),
        ({"quantity": None}, "none of them given; give exactly one"),
        ({"quantity": 1, "spares": OFFERS}, "spares: they replace approved offers"),
        ({"numbers": [ONE, ONE]}, f"numbers: \\{ONE} is listed 2 times"),
        ({"numbers": ["12125550001"]}, "is not in E.164"),
        ({"numbers": ["+493012345678"]}, r"^numbers: \+493012345678: not with prefix \+1212"),
        ({"numbers": []}, "the list is empty"),
        ({"offers": OFFERS, "spares": OFFERS}, "is listed 2 times"),
        ({"offers": OFFERS, "prefix": "+1305"}, r"^offers and spares: .* not with prefix \+1305"),
        ({"offers": [{"number": ONE}]}, "no price stated"),
        ({"offers": [{"number": ONE}], "max_total_price": 9, "allow_unknown_price": True}, "max_total_price: cannot"),
    ],
)
def test_a_fault_is_named_with_field_value_and_fix(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        wish(**fields).check()


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        wish(0, provider="", country_code="USA", note="x" * 900).check()

    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "provider",
        "country_code",
        "note",
        "quantity",
    ]


def test_two_ways_to_say_what_is_wanted_contradict_each_other() -> None:
    with pytest.raises(InvalidInput, match="quantity and numbers given"):
        wish(numbers=[ONE]).model_copy(update={"quantity": 1}).check()


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({"max_unit_price": "3"}, rf"\{TWO} \(3.50\): dearer than max_unit_price 3"),
        ({"max_total_price": "5"}, "2 numbers cost 5.50 together, 0.50 more than max_total_price 5"),
    ],
)
def test_an_approved_list_has_to_fit_its_own_limits(limits: dict[str, Any], problem: str) -> None:
    with pytest.raises(OverBudget, match=problem):
        wish(offers=OFFERS, **limits).check()


@pytest.mark.parametrize("prefix", ["", "1212", "+1212"])
def test_a_prefix_means_the_same_with_and_without_its_plus(prefix: str) -> None:
    assert wish(1, prefix=prefix).includes(ONE)


class TestExactlyAtALimit:
    """Is within it."""

    def test_a_price_at_the_limit_is_not_too_dear(self) -> None:
        within = wish(1, max_unit_price="2.50")

        assert not within.is_too_dear(Decimal("2.50"))
        assert within.is_too_dear(Decimal("2.51"))
        assert not wish(1).is_too_dear(Decimal(1000))

    def test_one_number_may_be_wished_for(self) -> None:
        assert wish(1).check().wanted == 1

    @pytest.mark.parametrize("limits", [{}, {"max_unit_price": "3.50"}, {"max_total_price": "5.50"}])
    def test_offers_may_cost_all_that_is_allowed(self, limits: dict[str, Any]) -> None:
        assert wish(offers=OFFERS, **limits).check().wanted == 2

    def test_and_not_a_cent_more(self) -> None:
        with pytest.raises(OverBudget, match=r"0\.01 more than max_total_price 5\.49"):
            wish(offers=OFFERS, max_total_price="5.49").check()


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"quantity": 3}, "quantity 2; wanted now: quantity 3"),
        ({"prefix": "+1305", "note": "desk"}, "prefix +1212, note None; wanted now: prefix +1305, note desk"),
        (
            {"quantity": None, "numbers": (ONE, TWO)},
            f"quantity 2, numbers None; wanted now: quantity None, numbers [{ONE}, {TWO}]",
        ),
        ({"spares": (offer(ONE, 1),)}, f"spares []; wanted now: spares [{ONE}]"),
    ],
)
def test_where_wishes_differ_both_are_shown(other: dict[str, Any], difference: str) -> None:
    assert wish(2).difference(wish(2).model_copy(update=other)) == difference
