"""The reference's tables hold everything that they are made from."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ocp_numbers import operators, sensors
from ocp_numbers.client.operations import OPERATIONS
from ocp_numbers.contract.document import FAILURES

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted((PROJECT / "docs").rglob("*.md"))


@pytest.fixture(scope="module")
def generated() -> Iterator[ModuleType]:
    """The hook as MkDocs loads it: with its folder on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PROJECT / "docs" / "scripts")
        yield load()


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated", PROJECT / "docs" / "scripts" / "generated.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_operation_is_in_the_table_with_its_effect(generated: ModuleType) -> None:
    rows = generated.operations().splitlines()[2:]
    assert len(rows) == len(OPERATIONS) == 24
    for row, operation in zip(rows, OPERATIONS.values(), strict=True):
        assert f"`{operation.name}`" in row
        assert f"| {operation.effect.name} |" in row
        assert f"`{operation.method} {operation.path}`" in row


def test_every_failure_that_the_contract_lists_is_in_the_table_with_its_error(generated: ModuleType) -> None:
    rows = generated.failures().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [str(status) for status in FAILURES]


def test_every_dag_is_there_with_its_runbook_and_each_parameter(generated: ModuleType) -> None:
    text = generated.dags()
    files = sorted((PROJECT / "dags").glob("*.py"))
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == [file.stem for file in files]
    assert text.count("| when it fails |") == len(files)
    for parameter in ("`ocp_conn_ids`", "`max_total_price`", "`grace_days`"):
        assert parameter in text


def test_every_operator_and_sensor_is_documented(generated: ModuleType) -> None:
    documented = re.findall(r"^::: .*\.(\w+)$", generated.operators(), re.MULTILINE)
    assert sorted([*documented, "OcpOperator"]) == sorted([*operators.__all__, *sensors.__all__])


def test_the_picture_shows_every_room_above_all_that_it_imports(generated: ModuleType) -> None:
    page = generated.architecture()
    package = PROJECT / "plugins" / "ocp_numbers"
    names = {file.stem for file in package.glob("[!_]*.py")} | {
        file.parent.name for file in package.glob("*/__init__.py")
    }
    places = re.findall(r'<text x="\d+" y="([\d.]+)">(\w+)</text>', page)
    heights = {name: float(y) for y, name in places}
    assert set(heights) == names == set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    for name, room in importlib.import_module("rooms").rooms().items():
        assert all(heights[name] < heights[lower] for lower in room.imports), name


def test_what_pages_ask_for_is_made_and_what_is_made_is_asked_for(generated: ModuleType) -> None:
    asked = {name for page in PAGES for name in generated.PLACEHOLDER.findall(page.read_text())}
    assert asked == set(generated.GENERATORS)


def test_a_page_holds_the_table_in_place_of_the_placeholder(generated: ModuleType) -> None:
    page = generated.on_page_markdown("before\n<!-- generated: connection -->\nafter")
    assert page.startswith("before\n| key in extra |")
    assert page.endswith("\nafter")
    assert "`totp_secret`" in page
