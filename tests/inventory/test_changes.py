"""Changes tell of every difference between two snapshots, once, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from inventory.estate import DAY, Estate, estate_of, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Scope, load
from ocp_numbers.inventory import changes as walking
from ocp_numbers.inventory.attribution import Deeds
from ocp_numbers.inventory.changes import KINDS, compare, numbers_in
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.schema import SCHEMA, Reject

ExportOf = Callable[..., Export]
Change = tuple[str, str, str, str | None, str | None, str]
TOMORROW = DAY + timedelta(1)


def changes_in(snapshot: CompleteSnapshot) -> list[Change]:
    with snapshot.open("changes.parquet") as stream:
        return [tuple(each.values()) for each in pq.read_table(stream).to_pylist()]


def second_night(export_of: ExportOf, first: Estate, second: Estate, **given: Any) -> CompleteSnapshot:
    export_of(first, **given).run()
    return export_of(second, day=TOMORROW, **given).run()


def test_each_kind_of_change_is_told_with_before_and_after(export_of: ExportOf) -> None:
    before = [row(place) for place in range(10)]
    after = [dict(each) for each in before[1:]]
    after[0]["groupId"] = "other"
    after[1]["miniAppId"] = None
    after[2]["miniAppId"] = "app-new"
    after[3] |= {"note": "new note", "locale": None}
    after[6]["phoneNumbersSetId"] = "set-1"
    after.append(row(20, note="Front desk [order 7f3a9c2e1b40]"))
    snapshot = second_night(export_of, Estate(before), Estate(after))
    numbers = [each["number"] for each in before]
    assert sorted(changes_in(snapshot)) == sorted(
        [
            ("+12120000020", "added", "group_id", None, "group-2", "outside"),
            (numbers[0], "gone", "group_id", "group-0", None, "outside"),
            (numbers[1], "moved", "group_id", "group-1", "other", "outside"),
            (numbers[2], "detached", "mini_app_id", "app-2", None, "outside"),
            (numbers[3], "reattached", "mini_app_id", "app-3", "app-new", "outside"),
            (numbers[4], "changed", "note", "line 4", "new note", "outside"),
            (numbers[4], "changed", "locale", "en-US", None, "outside"),
            (numbers[7], "changed", "set_id", None, "set-1", "outside"),
        ]
    )
    assert snapshot.manifest.changes is not None
    assert snapshot.manifest.changes.date == DAY
    assert snapshot.manifest.changes.counts == {
        "added": 1, "changed": 3, "detached": 1, "gone": 1, "moved": 1, "reattached": 1
    }  # fmt: skip
    with snapshot.open("changes.parquet") as stream:
        assert pq.read_metadata(stream).row_group(0).column(0).compression == "ZSTD"


def test_an_attached_number_is_told_as_attached(export_of: ExportOf) -> None:
    snapshot = second_night(export_of, Estate([row(0)]), Estate([row(0, miniAppId="app-1")]))
    assert changes_in(snapshot) == [("+12120000000", "attached", "mini_app_id", None, "app-1", "outside")]


def test_without_a_snapshot_before_there_is_nothing_to_compare_with(export_of: ExportOf) -> None:
    snapshot = export_of(estate_of(5)).run()
    assert snapshot.manifest.changes is None
    assert "changes.parquet" not in snapshot.manifest.files


def test_an_export_repeated_on_the_same_date_compares_with_the_night_before(export_of: ExportOf) -> None:
    second_night(export_of, estate_of(5), estate_of(6))
    again = export_of(estate_of(7), day=TOMORROW).run()
    assert [change[0] for change in changes_in(again)] == ["+12120000005", "+12120000006"]


def test_nights_without_changes_say_so(export_of: ExportOf) -> None:
    snapshot = second_night(export_of, estate_of(25), estate_of(25))
    assert changes_in(snapshot) == []
    assert snapshot.manifest.changes is not None
    assert snapshot.manifest.changes.counts == {}


def test_a_number_that_was_rejected_is_not_taken_for_gone_or_added(export_of: ExportOf) -> None:
    good, bad = Estate([row(0), row(1)]), Estate([row(0), row(1, note=["a list"])])
    assert changes_in(second_night(export_of, good, bad, max_reject_percent=50)) == []
    third = export_of(good, day=TOMORROW + timedelta(1), max_reject_percent=50).run()
    assert changes_in(third) == []


def test_a_damaged_last_snapshot_is_not_compared_with(export_of: ExportOf, root: DataRoot) -> None:
    last = export_of(estate_of(5)).run()
    root.write(f"{last.folder}/numbers.parquet", b"garbage")
    snapshot = export_of(estate_of(6), day=TOMORROW).run()
    assert snapshot.manifest.changes is None
    assert load(root, snapshot.folder) == snapshot


FIELDS = ["number", *KINDS]
ROWS = st.dictionaries(
    st.integers(0, 40).map("+1212555{:04}".format),
    st.fixed_dictionaries(dict.fromkeys(KINDS, st.sampled_from([None, "", "a", "b"]))),
)


def as_file(path: Path, rows: dict[str, dict[str, str | None]], numbers: list[str], group_rows: int) -> Path:
    records = [{"number": number, **rows[number]} for number in numbers]
    pq.write_table(pa.Table.from_pylist(records, schema=SCHEMA), path, row_group_size=group_rows)
    return path


@pytest.mark.parametrize("rows_at_once", [5, 65_536])
@given(ROWS, ROWS, st.randoms(use_true_random=False), st.integers(1, 8), st.booleans())
@settings(deadline=None)
def test_applying_the_changes_to_the_old_rows_gives_the_new_ones(
    tmp_path_factory: pytest.TempPathFactory,
    rows_at_once: int,
    old: dict[str, dict[str, str | None]],
    new: dict[str, dict[str, str | None]],
    chance: Any,
    group_rows: int,
    in_order: bool,
) -> None:
    folder = tmp_path_factory.mktemp("changes")
    orders = [sorted(old), sorted(new)]
    if not in_order:
        for order in orders:
            chance.shuffle(order)
    before = as_file(folder / "before", old, orders[0], group_rows)
    after = as_file(folder / "after", new, orders[1], group_rows)
    target = folder / "changes"
    with before.open("rb") as left, after.open("rb") as right, pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "_ROWS_AT_ONCE", rows_at_once)
        file, counts, authors = compare(left, right, UPath(target), deeds=Deeds())
    told = pq.read_table(target).to_pylist()
    assert file.bytes == target.stat().st_size
    assert sum(counts.values()) == sum(authors.values()) == len(told)

    seen = {number: dict(fields) for number, fields in old.items()}
    for change in told:
        if change["change"] == "gone":
            del seen[change["number"]]
        elif change["change"] == "added":
            seen[change["number"]] = dict(new[change["number"]])
        else:
            assert seen[change["number"]][change["field"]] == change["before"] != change["after"]
            seen[change["number"]][change["field"]] = change["after"]
    assert seen == new


@pytest.mark.parametrize("order", ["456123", "142536", "654321", "123456"])
@pytest.mark.parametrize("other", ["456123", "142536", "123456"])
@pytest.mark.parametrize("group_rows", [2, 3])
def test_row_groups_that_overlap_or_come_in_another_order_tell_of_no_change(
    tmp_path: Path, order: str, other: str, group_rows: int
) -> None:
    rows: dict[str, dict[str, str | None]] = {number: dict.fromkeys(KINDS, "a") for number in "123456"}
    before = as_file(tmp_path / "before", rows, list(order), group_rows)
    after = as_file(tmp_path / "after", rows, list(other), group_rows)
    with before.open("rb") as left, after.open("rb") as right:
        _, counts, _ = compare(left, right, UPath(tmp_path / "changes"), deeds=Deeds())
    assert counts == {}


def test_memory_holds_pieces_of_two_snapshots_in_order_and_never_all_of_them(tmp_path: Path) -> None:
    numbers = [f"+1212{place:07}" for place in range(4_000)]
    before, after = (
        as_file(tmp_path / text, {number: dict.fromkeys(KINDS, text * 1_000) for number in numbers}, numbers, 200)
        for text in "ab"
    )
    used: list[int] = []

    class Watching(Deeds):
        def authors(self, changes: pa.Table, notes: pa.ChunkedArray) -> pa.ChunkedArray:
            used.append(pa.total_allocated_bytes())
            return super().authors(changes, notes)

    already = pa.total_allocated_bytes()
    with before.open("rb") as left, after.open("rb") as right:
        _, counts, _ = compare(left, right, UPath(tmp_path / "changes"), deeds=Watching())
    assert sum(counts.values()) == len(numbers) * len(KINDS)
    assert max(used) - already < len(numbers) * len(KINDS) * 1_000 / 2


def test_rejected_rows_name_numbers_as_far_as_they_are_texts() -> None:
    values = [{"number": "+1"}, {"number": 5}, {"number": None}, {}, None, "+2", ["+3"], {"number": "6", "note": 1}]
    assert list(numbers_in(Reject(1, place, "", value).line() for place, value in enumerate(values))) == ["+1", "6"]


@pytest.mark.parametrize("document", [b"", b"{", b'{"schema_version": 2}', b"\xff\xfe", b"[]"])
def test_a_night_whose_manifest_cannot_be_read_is_passed_over_for_the_one_before(
    export_of: ExportOf, root: DataRoot, document: bytes
) -> None:
    first = export_of(estate_of(5)).run()
    damaged = export_of(estate_of(6), day=DAY + timedelta(1)).run()
    root.write(f"{damaged.folder}/manifest.json", document)
    third = export_of(estate_of(7), day=DAY + timedelta(2)).run()
    assert third.manifest.changes is not None
    assert (third.manifest.changes.date, third.manifest.changes.digest) == (DAY, first.digest)
    assert third.manifest.changes.counts == {"added": 2}


def test_an_older_date_exported_after_newer_ones_is_compared_with_what_was_before_it(export_of: ExportOf) -> None:
    """The clock went back, or somebody cleared an old run."""
    export_of(estate_of(5)).run()
    export_of(estate_of(9), day=DAY + timedelta(9)).run()
    between = export_of(estate_of(6), day=DAY + timedelta(3)).run()
    assert between.manifest.changes is not None
    assert (between.manifest.changes.date, between.manifest.changes.counts) == (DAY, {"added": 1})


def test_some_groups_are_compared_with_the_same_groups_only(export_of: ExportOf) -> None:
    scope = Scope(environment="ocp_default", groups=("group-2", "group-0", "group-1"))
    export_of(estate_of(50)).run()
    assert export_of(estate_of(5), scope=scope, day=DAY + timedelta(1)).run().manifest.changes is None
    again = Scope(environment="ocp_default", groups=("group-0", "group-1", "group-2"))
    later = export_of(estate_of(6), scope=again, day=DAY + timedelta(2)).run()
    assert later.manifest.changes is not None
    assert later.manifest.changes.counts == {"added": 1}
