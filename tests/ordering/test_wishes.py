from __future__ import annotations

from typing import Any

import pytest

from ocp_numbers.errors import InvalidInput, OverBudget
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
        ({"numbers": ["+493012345678"]}, r"not with prefix \+1212"),
        ({"numbers": []}, "the list is empty"),
        ({"offers": OFFERS, "spares": OFFERS}, "is listed 2 times"),
        ({"offers": OFFERS, "prefix": "+1305"}, r"not with prefix \+1305"),
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
