"""Declared regions: read whole, or every fault of every file is named at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ocp_numbers.errors import InvalidInput
from ocp_numbers.regions.declared import DeclaredRegion, read_declared, read_region
from regions.examples import PARAMETERS

SHIPPED = Path(__file__).resolve().parents[2] / "include" / "regions"


def declare(folder: Path, name: str, **fields: Any) -> None:
    content = {**PARAMETERS, "set_name": name, **fields}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def problems(folder: Path) -> tuple[str, ...]:
    with pytest.raises(InvalidInput) as refused:
        read_declared(folder)
    return refused.value.problems


def test_every_file_is_a_region_named_after_it(tmp_path: Path) -> None:
    declare(tmp_path, "salem", apply="on_approval")
    declare(tmp_path, "boston")
    (tmp_path / ".boston.yaml").write_text("an editor's leftover", encoding="utf-8")
    (tmp_path / "boston.yaml.example").write_text("not declared", encoding="utf-8")
    regions = read_declared(tmp_path)
    assert [(region.name, region.apply) for region in regions] == [("boston", "when_asked"), ("salem", "on_approval")]


def test_a_declared_region_survives_the_way_through_json(tmp_path: Path) -> None:
    declare(tmp_path, "boston", max_unit_price=9.95, allow_reassign=["+12125550100"], note="front desk")
    (region,) = read_declared(tmp_path)
    assert DeclaredRegion.parse(region.model_dump(mode="json")) == region


def test_an_empty_folder_declares_nothing_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    assert read_declared(tmp_path) == ()
    (problem,) = problems(tmp_path / "gone")
    assert "is not a folder" in problem


def test_the_faults_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    declare(tmp_path, "boston", quantity=0, locale="english")
    declare(tmp_path, "salem", prefix="+1a")
    declare(tmp_path, "sound")
    (tmp_path / "quincy.yml").write_text("", encoding="utf-8")
    found = problems(tmp_path)
    assert [problem.split(": ")[:2] for problem in found] == [
        ["quincy.yml", "would not be read; let its name end in .yaml"],
        ["boston.yaml", "quantity"],
        ["boston.yaml", "locale"],
        ["salem.yaml", "prefix"],
    ]


def test_a_region_that_two_files_declare_is_a_fault(tmp_path: Path) -> None:
    declare(tmp_path, "boston")
    declare(tmp_path, "salem", set_name="boston", quantity=7)
    declare(tmp_path, "elsewhere", set_name="boston", group="another-group")
    (problem,) = problems(tmp_path)
    assert problem.startswith("boston.yaml, salem.yaml: set_name: 'boston' of group")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("- a\n- b\n", "holds list"),
        ("group: [", "not readable as YAML"),
        ("group: retail-us\n", "provider: missing"),
        ("", "holds NoneType"),
        ("quantity: 5\ngroup: retail-us\nquantity: 50\n", "quantity: given more than once"),
        ("name: boston\n", "name: not a field of a region"),
    ],
)
def test_a_file_that_is_no_region_is_refused_by_name(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "boston.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        read_region(file)
    assert all(said.startswith("boston.yaml: ") for said in refused.value.problems)
    assert problem in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "boston.yaml").mkdir()
    (tmp_path / "salem.yaml").write_bytes(b"note: \xff\n")
    boston, salem = problems(tmp_path)
    assert boston.startswith("boston.yaml: not readable: ")
    assert salem.startswith("salem.yaml: not readable as YAML: ")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"apply": "always"}, "apply: 'always' will not do"),
        ({"apply": "on_approval", "require_approval": False}, "require_approval: false switches off"),
    ],
)
def test_nothing_is_provisioned_without_a_person(tmp_path: Path, fields: dict[str, Any], problem: str) -> None:
    declare(tmp_path, "boston", **fields)
    (said,) = problems(tmp_path)
    assert said.startswith("boston.yaml: apply: ")
    assert problem in said


def test_the_example_is_valid_and_nothing_is_declared_before_it_is_copied(tmp_path: Path) -> None:
    assert read_declared(SHIPPED) == ()
    (example,) = SHIPPED.glob("*.example")
    copy = tmp_path / example.stem
    copy.write_bytes(example.read_bytes())
    assert [region.set_name for region in read_declared(tmp_path)] == [copy.stem]
