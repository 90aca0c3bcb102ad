"""A region's specification: one model, every fault named at once."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.errors import InvalidInput
from ocp_numbers.regions.spec import MOST_MONEY, MOST_NUMBERS, RegionSpec
from regions.examples import PARAMETERS


def parse(**changes: Any) -> RegionSpec:
    return RegionSpec.parse({**PARAMETERS, **changes})


def test_prices_are_decimals_however_the_form_sends_them() -> None:
    assert parse(max_unit_price=10.1).max_unit_price == Decimal("10.1")
    assert parse(max_unit_price="10.10").max_unit_price == Decimal("10.1")


@pytest.mark.parametrize(("written", "meant"), [("1212", "+1212"), ("+1212", "+1212"), ("", ""), ("+", "")])
def test_a_prefix_means_the_same_with_and_without_its_plus(written: str, meant: str) -> None:
    assert parse(prefix=written).prefix == meant


@pytest.mark.parametrize("field", ["application_tag", "note"])
def test_an_empty_field_of_the_form_is_no_value(field: str) -> None:
    assert getattr(parse(**{field: ""}), field) is None


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("quantity", 0, "greater than or equal to 1"),
        ("quantity", MOST_NUMBERS + 1, f"less than or equal to {MOST_NUMBERS}"),
        ("quantity", True, "integer"),
        ("quantity", "5", "integer"),
        ("prefix", "+12a", "write an optional + and digits"),
        ("prefix", 1212, "in quotes where it stands in a file"),
        ("country_code", "us", "two capital letters"),
        ("country_code", False, "in quotes where it stands in a file"),
        ("locale", "english", "en-US"),
        ("group", "", "give a value"),
        ("group", " retail-us", "remove them"),
        ("set_name", "front\x00desk", "remove it"),
        ("set_name", "x" * 201, "at most 200"),
        ("mini_app_id", "", "give a value"),
        ("note", "desk [Order 0123]", "without '[order'"),
        ("max_unit_price", -1, "greater than or equal to 0"),
        ("max_total_price", float("nan"), "finite"),
        ("max_total_price", 10**7, "less than or equal to"),
        ("max_total_price", "0.0000001", "6 decimal places"),
        ("allow_reassign", ["+12"], "E.164"),
        ("allow_reassign", [" "], "remove or correct"),
        ("dry_run", "perhaps", "boolean"),
        ("quantitiy", 5, "not a field of a region"),
    ],
)
def test_a_wrong_field_is_named_with_value_and_fix(field: str, value: object, fix: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(**{field: value})
    (problem,) = refused.value.problems
    assert problem.startswith(f"{field}")
    assert fix in problem


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        RegionSpec.parse({"quantity": 0, "locale": "x", "prefix": "p", "colour": "red"})
    fields = {problem.partition(":")[0] for problem in refused.value.problems}
    assert {"quantity", "locale", "prefix", "colour", "group", "set_name", "max_total_price"} <= fields


def test_a_dry_run_and_a_real_one_wish_the_same() -> None:
    assert parse(dry_run=True, require_approval=False).region == parse().region


def test_the_form_has_a_section_a_title_and_a_sentence_for_each_field() -> None:
    form = RegionSpec.form()
    assert list(form) == list(RegionSpec.model_fields)
    for name, schema in form.items():
        assert schema["title"], name
        assert schema["section"], name
        assert schema["description"].endswith("."), name


prices = st.decimals(min_value=0, max_value=MOST_MONEY, places=6)


@given(each=prices, in_all=prices, numbers=st.lists(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True)))
def test_the_parameters_of_a_run_say_the_same_as_the_specification(
    each: Decimal, in_all: Decimal, numbers: list[str]
) -> None:
    spec = parse(max_unit_price=each, max_total_price=in_all, allow_reassign=numbers, require_approval=False)
    assert RegionSpec.parse(json.loads(json.dumps(spec.parameters))) == spec
