"""Finding snapshots, and trusting only those that are whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import date, timedelta
from itertools import islice

import pytest

from inventory.estate import DAY, content, estate_of
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory import Scope, as_of, dates, latest, partition_of, read_batches, read_rows
from ocp_numbers.inventory.derived import EXPORTED
from ocp_numbers.inventory.export import Export

ExportOf = Callable[..., Export]


def test_without_an_export_there_is_no_snapshot(root: DataRoot) -> None:
    assert latest(root, "ocp_default") is None
    assert as_of(root, "ocp_default", DAY) is None
    assert dates(root, "ocp_default") == []


def test_as_of_is_the_newest_snapshot_of_that_date_or_before(export_of: ExportOf, root: DataRoot) -> None:
    for count, days in enumerate([0, 1, 5], start=1):
        export_of(estate_of(count), day=DAY + timedelta(days)).run()

    def rows_on(day: date) -> int | None:
        snapshot = as_of(root, "ocp_default", day)
        return snapshot.rows if snapshot else None

    assert [rows_on(DAY + timedelta(days)) for days in range(-1, 7)] == [None, 1, 2, 2, 2, 2, 3, 3]


def test_partitions_are_named_for_tools_that_read_folders_as_columns() -> None:
    assert partition_of("ocp_default", DAY) == "inventory/environment=ocp_default/date=2026-03-01"
    assert partition_of("eu", DAY, ["b", "a", "b"]) == "inventory/environment=eu/groups=a%2Bb/date=2026-03-01"


@pytest.mark.parametrize("name", ["numbers.parquet", "numbers.csv.gz"])
@pytest.mark.parametrize("damage", [b"", b"other", None])
def test_a_file_that_is_not_the_published_one_is_not_read(
    export_of: ExportOf, root: DataRoot, name: str, damage: bytes | None
) -> None:
    snapshot = export_of(estate_of(5)).run()
    key = f"{snapshot.folder}/{name}"
    if damage is None:
        root.delete(key)
    else:
        root.write(key, damage)
    with pytest.raises(IncompleteSnapshot, match=name), snapshot.open(name):
        pass


def test_a_file_that_was_not_asked_for_is_missed_by_name(export_of: ExportOf) -> None:
    snapshot = export_of(estate_of(5), formats=("parquet",)).run()
    with (
        pytest.raises(IncompleteSnapshot, match=r"has no numbers\.csv\.gz, only numbers\.parquet"),
        snapshot.open("numbers.csv.gz"),
    ):
        pass


def test_some_columns_can_be_read_alone(export_of: ExportOf) -> None:
    snapshot = export_of(estate_of(5)).run()
    (batch,) = read_batches(snapshot, ["number", "group_id"])
    assert batch.schema.names == ["number", "group_id"]
    (batch,) = read_batches(snapshot)
    assert batch.schema == EXPORTED


def test_what_a_snapshot_says_of_itself(export_of: ExportOf) -> None:
    snapshot = export_of(estate_of(5), scope=Scope(environment="eu", login="ops")).run()
    assert (snapshot.environment, snapshot.date, snapshot.rows) == ("eu", DAY, 5)
    assert snapshot.taken == snapshot.manifest.proof.ended
    assert snapshot.manifest.scope.login == "ops"


def test_rows_are_read_without_holding_all_of_them(export_of: ExportOf) -> None:
    snapshot = export_of(estate_of(60_000), page_size=5_000).run()
    for _ in islice(read_rows(snapshot), 1):
        pass
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(snapshot)) == 60_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60_000 * 500


def test_the_same_inventory_makes_the_same_files(export_of: ExportOf) -> None:
    first = export_of(estate_of(50)).run()
    again = export_of(estate_of(50)).run()
    assert first.manifest.files == again.manifest.files
    assert content(first) == content(again)
