"""A crash at any moment leaves readers the old snapshot or the new one, whole, and the next run finishes the work."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from inventory.estate import DAY, NOON, Estate, content, estate_of
from inventory.mortal import Killed, MortalRoot
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot, PartitionBusy
from ocp_numbers.inventory import latest, load
from ocp_numbers.inventory.export import Export

ExportOf = Callable[..., Export]
OLD, NEW = 25, 31


def deaths(tmp_path: Path, prepare: Callable[[DataRoot], None], export_of: ExportOf) -> Iterator[DataRoot]:
    """The data root after an export was killed, once for each moment at which it can be."""
    for after in (False, True):
        for last in range(1, 200):
            folder = tmp_path / f"{after}-{last}"
            root = DataRoot(folder)
            prepare(root)
            try:
                export_of(estate_of(NEW), root=MortalRoot(folder, last, after=after)).run()
            except Killed:
                yield root
            else:
                assert last > 10, "the export did hardly anything to the data root"
                break
        else:
            raise AssertionError("the export never ended by itself")


def old_of(when: str, export_of: ExportOf) -> Callable[[DataRoot], None]:
    """What the data root holds before: nothing, yesterday's snapshot, or one of the same date."""

    def prepare(root: DataRoot) -> None:
        if when != "nothing":
            day = DAY - timedelta(1) if when == "yesterday" else DAY
            export_of(estate_of(OLD), root=root, day=day, formats=("parquet", "csv")).run()

    return prepare


@pytest.mark.parametrize("when", ["nothing", "yesterday", "same date"])
def test_killed_at_any_moment_readers_see_old_or_new_whole_and_the_next_run_finishes(
    tmp_path: Path, export_of: ExportOf, when: str
) -> None:
    seen = set()
    for root in deaths(tmp_path, old_of(when, export_of), export_of):
        snapshot = latest(root, "ocp_default")
        seen.add(snapshot and snapshot.rows)
        if snapshot:
            assert content(snapshot) == estate_of(snapshot.rows).state()
            with snapshot.open("numbers.csv.gz") as stream:
                assert gzip.decompress(stream.read()).count(b"\n") == snapshot.rows + 1
        finished = export_of(estate_of(NEW), root=root, clock=lambda: NOON + timedelta(hours=1)).run()
        assert content(finished) == estate_of(NEW).state()
        assert latest(root, "ocp_default") == finished
        assert left_over(root, finished.folder) == []
    assert seen == {None if when == "nothing" else OLD, NEW}


def left_over(root: DataRoot, folder: str) -> list[str]:
    """What lies in the partition beside the snapshot."""
    snapshot = load(root, folder)
    assert snapshot is not None
    known = {"manifest.json", *snapshot.manifest.files}
    return [path.name for path in root.path(folder).iterdir() if path.name not in known]


def test_another_run_may_go_on_where_one_was_killed_once_its_lease_ran_out(tmp_path: Path, export_of: ExportOf) -> None:
    root = MortalRoot(tmp_path, 12, after=False)
    with pytest.raises(Killed):
        export_of(estate_of(NEW), root=root).run()
    later = export_of(estate_of(NEW), root=DataRoot(tmp_path), holder="run-2")
    hour = later.clock() + timedelta(hours=1)
    assert export_of(estate_of(NEW), root=DataRoot(tmp_path), holder="run-2", clock=lambda: hour).run().rows == NEW


def test_who_reads_while_the_date_is_replaced_reads_on_in_the_old_file(export_of: ExportOf, root: DataRoot) -> None:
    old = export_of(estate_of(OLD)).run()
    with old.open("numbers.parquet") as stream:
        before = stream.read(100)
        export_of(estate_of(NEW)).run()
        rest = stream.read()
    assert len(before + rest) == old.manifest.files["numbers.parquet"].bytes


def test_a_snapshot_loaded_before_it_was_replaced_refuses_to_be_a_mixture(export_of: ExportOf) -> None:
    old = export_of(estate_of(OLD)).run()
    export_of(estate_of(NEW)).run()
    with pytest.raises(IncompleteSnapshot, match="replaced or damaged since it was loaded"):
        content(old)


def test_the_snapshot_can_be_read_at_every_step_of_being_replaced(
    tmp_path: Path, export_of: ExportOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that looks between any two operations finds a whole snapshot each time."""
    root = DataRoot(tmp_path)
    export_of(estate_of(OLD), root=root).run()
    seen = []

    class Watched(DataRoot):
        def move(self, source: str, target: str) -> None:
            super().move(source, target)
            look()

        def write(self, key: str, content: bytes) -> None:
            super().write(key, content)
            look()

        def delete(self, key: str) -> None:
            super().delete(key)
            look()

    def look() -> None:
        snapshot = latest(root, "ocp_default")
        assert snapshot is not None
        assert content(snapshot) == estate_of(snapshot.rows).state()
        seen.append(snapshot.rows)

    export_of(estate_of(NEW), root=Watched(tmp_path)).run()
    assert seen == sorted(seen)
    assert set(seen) == {OLD, NEW}


def test_latest_json_names_the_newest_date_also_after_an_older_one_was_exported_again(
    export_of: ExportOf, root: DataRoot
) -> None:
    newest = export_of(estate_of(5)).run()
    export_of(estate_of(4), day=DAY - timedelta(1)).run()
    pointer = root.read("inventory/environment=ocp_default/latest.json")
    assert pointer is not None
    assert newest.digest.encode() in pointer


def test_latest_json_names_the_newest_date_also_where_two_dates_are_exported_at_once(
    export_of: ExportOf, root: DataRoot
) -> None:
    """The older date's run has found itself to be the newest, and goes on when the newer one is published."""

    class Slow(DataRoot):
        overtaken = False

        def move(self, source: str, target: str) -> None:
            if target.endswith("latest.json") and not self.overtaken:
                self.overtaken = True
                export_of(estate_of(7), root=root).run()
            super().move(source, target)

    export_of(estate_of(5), root=Slow(root.uri), day=DAY - timedelta(1)).run()
    newest = latest(root, "ocp_default")
    assert newest is not None
    assert newest.rows == 7
    assert newest.digest.encode() in (root.read("inventory/environment=ocp_default/latest.json") or b"")


def test_who_wakes_up_after_another_took_over_changes_nothing_that_readers_see(
    tmp_path: Path, export_of: ExportOf
) -> None:
    """Asleep at each write in turn, for longer than its lease, while another run publishes the same date."""
    places = 0
    for last in range(1, 60):
        root = DataRoot(tmp_path / str(last))
        export_of(estate_of(OLD), root=root).run()
        sleeper = Sleeper(root.uri, last, partial(overtake, export_of, root))
        with suppress(PartitionBusy, IncompleteSnapshot):
            export_of(estate_of(OLD + 1), root=sleeper, holder="sleeper").run()
        if not sleeper.slept:
            break
        places += 1
        snapshot = latest(root, "ocp_default")
        assert snapshot is not None
        assert content(snapshot) == estate_of(NEW).state(), f"asleep at operation {last}: {sleeper.at}"
        assert snapshot.digest.encode() in (root.read("inventory/environment=ocp_default/latest.json") or b"")
    assert places > 15


def overtake(export_of: ExportOf, root: DataRoot) -> None:
    export_of(estate_of(NEW), root=root, holder="other", clock=lambda: NOON + timedelta(hours=1)).run()


class Sleeper(DataRoot):
    """The data root of a process that falls asleep before one of its writes; ``meanwhile`` is what others do then."""

    def __init__(self, uri: str, last: int, meanwhile: Callable[[], None]) -> None:
        super().__init__(uri)
        self.left = last
        self.meanwhile = meanwhile
        self.slept = False
        self.at = ""

    def _nap(self, at: str) -> None:
        self.left -= 1
        if not self.left:
            self.slept, self.at = True, at
            self.meanwhile()

    def write(self, key: str, content: bytes) -> None:
        self._nap(f"write {key}")
        super().write(key, content)

    def move(self, source: str, target: str) -> None:
        self._nap(f"move {target}")
        super().move(source, target)

    def copy(self, source: str, target: str) -> None:
        self._nap(f"copy {source}")
        super().copy(source, target)

    def make_folder(self, key: str) -> None:
        self._nap(f"make {key}")
        super().make_folder(key)


def test_in_an_object_store_it_is_the_same(export_of: ExportOf) -> None:
    root = DataRoot("memory://numbers-bucket")
    for estate in (estate_of(OLD), estate_of(NEW), Estate()):
        snapshot = export_of(estate, root=root).run()
        assert content(snapshot) == estate.state()
        assert latest(root, "ocp_default") == snapshot
        assert load(root, snapshot.folder) == snapshot
    assert [key.rpartition("/")[2] for key in root.keys(snapshot.folder)] == [
        "balance.json",
        "manifest.json",
        "numbers.csv.gz",
        "numbers.parquet",
        "rejects.jsonl",
        "report.html",
    ]
