"""The books of a night are closed on the snapshot that its changes are measured against, or opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from inventory.estate import DAY, NOON, Estate, estate_of, row
from ocp_numbers.balance import Balance
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Manifest, Scope
from ocp_numbers.inventory.closing import close_books
from ocp_numbers.inventory.export import Export

ExportOf = Callable[..., Export]
TOMORROW = DAY + timedelta(1)


@pytest.fixture
def snapshot(export_of: ExportOf) -> CompleteSnapshot:
    """A second night, with two numbers that nobody of ours brought."""
    export_of(estate_of(5)).run()
    return export_of(estate_of(7), day=TOMORROW, clock=lambda: NOON + timedelta(days=1)).run()


def closed(root: DataRoot, snapshot: CompleteSnapshot, **changes: Any) -> tuple[Manifest, Balance]:
    """The books of what lies in the snapshot's folder, closed once more, its manifest being as ``changes`` say."""
    published = snapshot.manifest
    bare = published.model_copy(update={"files": {"numbers.parquet": published.files["numbers.parquet"]}} | changes)
    manifest, balance = close_books(root, snapshot.folder, bare)
    assert balance is not None
    assert manifest.model_copy(update={"files": bare.files, "balance": bare.balance}) == bare
    assert manifest.balance == balance.verdict
    return manifest, balance


def test_a_night_is_closed_on_the_one_that_its_changes_are_measured_against(
    root: DataRoot, snapshot: CompleteSnapshot
) -> None:
    manifest, balance = closed(root, snapshot)
    assert (balance.environment, balance.until, balance.since) == ("ocp_default", TOMORROW, DAY)
    assert (balance.before, balance.arrived, balance.rows) == (5, 2, 7)
    assert (balance.verdict, balance.orphans) == ("unbalanced", 2)
    assert list(manifest.files) == ["numbers.parquet", "balance.json", "findings.csv"]


def test_the_manifest_names_the_account_and_its_table_as_they_were_written(
    root: DataRoot, snapshot: CompleteSnapshot
) -> None:
    manifest, balance = closed(root, snapshot)
    for name in ("balance.json", "findings.csv"):
        file = manifest.files[name]
        content = root.read(f"{snapshot.folder}/{file.path}") or b""
        assert (file.path, file.bytes, file.sha256) == (name, len(content), hashlib.sha256(content).hexdigest())
    assert json.loads(root.read(f"{snapshot.folder}/balance.json") or b"")["rows"] == balance.rows


def test_a_night_on_which_nothing_came_or_went_has_no_table_of_findings(root: DataRoot, export_of: ExportOf) -> None:
    export_of(estate_of(5)).run()
    quiet = export_of(estate_of(5), day=TOMORROW, clock=lambda: NOON + timedelta(days=1)).run()
    manifest, balance = closed(root, quiet)
    assert (balance.verdict, list(manifest.files)) == ("balanced", ["numbers.parquet", "balance.json"])


def opened(root: DataRoot, snapshot: CompleteSnapshot, **changes: Any) -> date | None:
    """The date that the books are closed on; ``None`` where they are opened."""
    manifest, balance = closed(root, snapshot, **changes)
    assert (balance.verdict == "opening") == (balance.since is None)
    assert ("findings.csv" in manifest.files) == bool(balance.findings)
    return balance.since


def test_a_night_that_was_not_compared_opens_the_books(root: DataRoot, snapshot: CompleteSnapshot) -> None:
    assert opened(root, snapshot, changes=None) is None


def test_a_night_whose_last_snapshot_was_replaced_since_opens_the_books(
    root: DataRoot, snapshot: CompleteSnapshot, export_of: ExportOf
) -> None:
    export_of(estate_of(6)).run()
    assert opened(root, snapshot) is None


def test_a_night_whose_last_snapshot_was_let_go_since_opens_the_books(
    root: DataRoot, snapshot: CompleteSnapshot
) -> None:
    root.delete(f"inventory/environment=ocp_default/date={DAY}/manifest.json")
    assert opened(root, snapshot) is None


@pytest.mark.parametrize(("later", "closes_on"), [(-1, None), (0, None), (1, DAY)])
def test_books_are_not_closed_on_a_reading_that_did_not_begin_before(
    root: DataRoot, snapshot: CompleteSnapshot, later: int, closes_on: date | None
) -> None:
    """The clock was set back, or stood still: what is on record cannot be told to lie between the two readings."""
    began = snapshot.manifest.proof.model_copy(update={"started": NOON + timedelta(seconds=later)})
    assert opened(root, snapshot, proof=began) == closes_on


def test_numbers_whose_rows_are_wrong_are_not_held_against_the_records(root: DataRoot, export_of: ExportOf) -> None:
    export_of(estate_of(5)).run()
    wrong = Estate([*estate_of(7).rows, row(8, note=["a list"])])
    later = {"day": TOMORROW, "clock": lambda: NOON + timedelta(days=1), "max_reject_percent": 50}
    snapshot = export_of(wrong, **later).run()
    doubted = json.dumps({"page": 1, "row": 1, "reason": "", "value": {"number": row(6)["number"]}}).encode()
    root.write(f"{snapshot.folder}/rejects.jsonl", doubted + b"\n")
    _, balance = closed(root, snapshot)
    assert [each.number for each in balance.first] == [row(5)["number"]]


def test_some_numbers_alone_have_no_books(root: DataRoot, export_of: ExportOf) -> None:
    part = export_of(Estate([row(0)]), scope=Scope(environment="ocp_default", groups=("group-0",))).run()
    assert close_books(root, part.folder, part.manifest) == (part.manifest, None)
