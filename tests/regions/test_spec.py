"""A region's specification: one model, every fault named at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ocp_numbers.errors import InvalidInput
from ocp_numbers.regions.spec import MOST_NUMBERS, RegionSpec
from regions.examples import PARAMETERS

DECLARED = Path(__file__).resolve().parents[2] / "include" / "regions"


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
        ("set_name", "front\x00desk", "remove them"),
        ("set_name", "x" * 201, "at most 200"),
        ("mini_app_id", "", "give a value"),
        ("note", "desk [Order 0123]", "without '[order'"),
        ("max_unit_price", -1, "greater than or equal to 0"),
        ("max_total_price", float("nan"), "finite"),
        ("max_total_price", 10**7, "less than or equal to"),
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


def test_the_declared_regions_are_valid_and_named_after_their_sets() -> None:
    files = sorted(DECLARED.glob("*.yaml"))
    assert files
    for file in files:
        assert RegionSpec.from_yaml(file).set_name == file.stem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("- a\n- b\n", "holds list"),
        ("group: [", "not readable as YAML"),
        ("group: retail-us\n", "provider: missing"),
        ("", "holds NoneType"),
    ],
)
def test_a_file_that_is_no_region_is_refused_by_name(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "boston.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        RegionSpec.from_yaml(file)
    assert all(said.startswith("boston.yaml: ") for said in refused.value.problems)
    assert problem in str(refused.value)
