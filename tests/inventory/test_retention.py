"""Old snapshots go, the last ones never, and a crash in between leaves no half snapshot to readers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from inventory.estate import DAY, NOON, content, estate_of
from inventory.mortal import Killed, MortalRoot
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import PartitionBusy
from ocp_numbers.inventory import Scope, as_of, dates, partition_of
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.publish import lease_of
from ocp_numbers.inventory.retention import KEEP_AT_LEAST, expire

ExportOf = Callable[..., Export]
SCOPE = Scope(environment="ocp_default")
NIGHTS = 12


@pytest.fixture(scope="module")
def twelve_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nights")
    for ago in range(NIGHTS):
        Export(
            source=estate_of(5), root=DataRoot(folder), scope=SCOPE, day=DAY - timedelta(ago), holder="h", page_size=5
        ).run()
    return folder


@pytest.fixture
def nights(twelve_nights: Path, root: DataRoot) -> DataRoot:
    """A data root with the snapshots of twelve nights, the last one of ``DAY``."""
    shutil.copytree(twelve_nights, root.uri)
    return root


def test_what_is_older_than_asked_goes(nights: DataRoot) -> None:
    gone = expire(nights, SCOPE, today=DAY, keep_days=9)
    assert gone == [DAY - timedelta(11), DAY - timedelta(10)]
    assert dates(nights, "ocp_default") == [DAY - timedelta(ago) for ago in range(9, -1, -1)]
    assert expire(nights, SCOPE, today=DAY, keep_days=9) == []


def test_the_last_ones_stay_however_old_they_are(nights: DataRoot) -> None:
    expire(nights, SCOPE, today=DAY + timedelta(1_000), keep_days=1)
    assert dates(nights, "ocp_default") == [DAY - timedelta(ago) for ago in range(KEEP_AT_LEAST - 1, -1, -1)]


def test_other_scopes_are_left_alone(nights: DataRoot, export_of: ExportOf) -> None:
    part = Scope(environment="ocp_default", groups=("group-0",))
    long_ago = DAY - timedelta(500)
    export_of(estate_of(1), scope=part, day=long_ago).run()
    expire(nights, SCOPE, today=DAY, keep_days=1)
    assert dates(nights, "ocp_default", ["group-0"]) == [long_ago]


def test_a_date_that_is_being_exported_again_is_left_for_the_next_call(nights: DataRoot) -> None:
    oldest, next_to = DAY - timedelta(11), DAY - timedelta(10)
    with lease_of(nights, partition_of("ocp_default", oldest), clock=lambda: NOON, by="again").held():
        assert expire(nights, SCOPE, today=DAY, keep_days=9, clock=lambda: NOON) == [next_to]
    assert expire(nights, SCOPE, today=DAY, keep_days=9, clock=lambda: NOON) == [oldest]


def test_who_wants_to_export_a_date_that_is_being_deleted_is_told_by_whom(
    nights: DataRoot, export_of: ExportOf
) -> None:
    refused = []

    class Watched(DataRoot):
        def delete_folder(self, key: str) -> None:
            with pytest.raises(PartitionBusy) as busy:
                export_of(estate_of(5), day=DAY - timedelta(11)).run()
            refused.append(str(busy.value))
            super().delete_folder(key)

    assert expire(Watched(nights.uri), SCOPE, today=DAY, keep_days=10) == [DAY - timedelta(11)]
    assert ["date=2026-02-18: retention is at work" in each for each in refused] == [True]


def test_what_a_person_put_beside_the_snapshots_is_neither_one_nor_deleted(nights: DataRoot) -> None:
    stray = "inventory/environment=ocp_default/date=2025-01-01 (copy)/manifest.json"
    nights.write(stray, b"{}")
    assert len(dates(nights, "ocp_default")) == NIGHTS
    expire(nights, SCOPE, today=DAY, keep_days=1)
    assert nights.read(stray) == b"{}"


@pytest.mark.parametrize("last", range(1, 12))
@pytest.mark.parametrize("after", [True, False])
def test_killed_at_any_moment_only_whole_snapshots_are_seen_and_the_next_call_finishes(
    nights: DataRoot, last: int, after: bool
) -> None:
    with pytest.raises(Killed):
        expire(MortalRoot(nights.uri, last, after=after), SCOPE, today=DAY, keep_days=5)
    for day in dates(nights, "ocp_default"):
        snapshot = as_of(nights, "ocp_default", day)
        assert snapshot is not None
        assert content(snapshot) == estate_of(5).state()
    expire(nights, SCOPE, today=DAY, keep_days=5, clock=lambda: datetime.now(timezone.utc) + timedelta(hours=1))
    oldest = min(KEEP_AT_LEAST - 1, NIGHTS - 1)
    assert {key.split("/")[2] for key in nights.keys("inventory/environment=ocp_default") if "/date=" in key} - {
        ".lease"
    } == {f"date={DAY - timedelta(ago)}" for ago in range(oldest + 1)}
