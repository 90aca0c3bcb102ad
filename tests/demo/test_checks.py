"""Each comparison of the demo holds when report and sandbox agree, and fails when they do not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from ocp_demo.checks import (
    Truth,
    check_cleanup,
    check_no_op,
    check_purchase,
    check_region,
    check_snapshot,
)
from ocp_sandbox import Sandbox, Settings

REGION = {
    "max_total_price": 10,
    "set_name": "desk",
    "group": "g",
    "quantity": 2,
    "mini_app_id": "id.App.x",
    "locale": "en-US",
}


def number(name: str, set_id: str | None = None, mini_app: str | None = None, **more: Any) -> dict[str, Any]:
    set_name = "desk" if set_id else None
    locale = "en-US" if mini_app else None
    return {"number": name, "setId": set_id, "setName": set_name, "miniAppId": mini_app, "locale": locale} | more


def truth(bought: dict[str, int], *rows: dict[str, Any], released: int = 0) -> Truth:
    entries = [{"kind": "bought", "number": name, "price": price} for name, price in bought.items()]
    entries += [{"kind": "released", "number": f"r{index}"} for index in range(released)]
    return Truth(
        {"entries": [{"seq": seq, **entry} for seq, entry in enumerate(entries)]},
        {row["number"]: row for row in rows},
        [{"id": "s1", "name": "desk", "groupId": "g"}],
    )


def test_what_was_bought_before_does_not_count() -> None:
    before, after = truth({"+1": 2}), truth({"+1": 2, "+2": 3})
    assert after.since(before).spent == 3
    assert [entry["number"] for entry in after.since(before).entries("bought")] == ["+2"]


@pytest.mark.parametrize(
    ("reported", "ledger", "holds"),
    [
        ({"numbers": ["+1", "+2"], "spent": "4"}, {"+1": 2, "+2": 2}, [True, True]),
        ({"numbers": ["+1"], "spent": "4"}, {"+1": 2, "+2": 2}, [False, True]),
        ({"numbers": ["+1", "+2"], "spent": "3"}, {"+1": 2, "+2": 2}, [False, True]),
        ({"numbers": [], "spent": "0"}, {}, [False, True]),
        ({"numbers": ["+1"], "spent": "11"}, {"+1": 11}, [True, False]),
    ],
    ids=["agrees", "a number more", "another sum", "nothing bought", "over budget"],
)
def test_a_purchase_is_what_the_ledger_says(
    reported: dict[str, Any], ledger: dict[str, int], holds: list[bool]
) -> None:
    assert [check.holds for check in check_purchase(reported, REGION, truth(ledger))] == holds


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([number("+1", "s1", "id.App.x"), number("+2", "s1", "id.App.x"), number("+3")], True),
        ([number("+1", "s1", "id.App.x")], False),
        ([number("+1", "s1", "id.App.x"), number("+2", "s1", "id.Other.x")], False),
        ([number("+1", "s1", "id.App.x"), number("+2", "s1", "id.App.x", locale="de-DE")], False),
        ([number(f"+{index}", "s1", "id.App.x") for index in range(3)], False),
    ],
    ids=["as wanted", "one missing", "another miniApp", "another locale", "one too many"],
)
def test_a_region_is_as_wanted(rows: list[dict[str, Any]], holds: bool) -> None:
    assert check_region(REGION, truth({}, *rows)).holds is holds


def test_a_second_run_that_buys_is_noticed() -> None:
    assert check_no_op({"numbers": []}).holds
    assert not check_no_op({"numbers": ["+1"]}).holds


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    parquet.write_table(pa.table({"number": ["+1", "+2"]}), tmp_path / "numbers.parquet")
    content = (tmp_path / "numbers.parquet").read_bytes()
    entry = {"path": "numbers.parquet", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"numbers.parquet": entry}}))
    return tmp_path


def test_a_snapshot_holds_what_was_there_before_the_purchase(exported: Path) -> None:
    report = {"path": str(exported)}
    right = truth({"+3": 1}, number("+1"), number("+2"), number("+3"))
    wrong = truth({}, number("+1"), number("+2"), number("+3"))
    assert [check.holds for check in check_snapshot(report, right)] == [True, True]
    assert [check.holds for check in check_snapshot(report, wrong)] == [False, True]


def test_a_file_that_is_not_as_its_manifest_says_is_noticed(exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    manifest["files"]["numbers.parquet"]["sha256"] = "0" * 64
    (exported / "manifest.json").write_text(json.dumps(manifest))
    checks = check_snapshot({"path": str(exported)}, truth({}, number("+1"), number("+2")))
    assert [check.holds for check in checks] == [True, False]


def test_a_dry_run_counts_the_unused_and_gives_up_nothing() -> None:
    rows = [number("+1"), number("+2", "s1", "id.App.x"), number("+3", None, "id.App.x"), number("+4")]
    report = {"counts": {"mark": 2, "leave": 1}}
    assert [check.holds for check in check_cleanup(report, "desk", truth({"+9": 1}, *rows, number("+9")))] == [
        True,
        True,
    ]
    assert [check.holds for check in check_cleanup(report, "other", truth({}, *rows))] == [False, True]
    assert [check.holds for check in check_cleanup(report, "desk", truth({}, *rows, released=1))] == [True, False]


def test_the_truth_is_read_from_the_sandboxs_own_pages() -> None:
    with Sandbox(Settings(numbers=20)) as sandbox:
        read = Truth.of(sandbox.url)
        assert sorted(read.numbers) == [row["number"] for row in sandbox.numbers()]
        assert read.ledger == sandbox.ledger()
        assert read.sets == sandbox.sets()
