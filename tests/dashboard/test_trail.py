from __future__ import annotations

from datetime import timedelta

from dashboard.records import ENVIRONMENT, TODAY, export
from inventory.estate import row
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.trail import Trail
from ocp_numbers.data_root import DataRoot

NUMBER = "+12120000001"


def night(ago: int) -> object:
    return TODAY - timedelta(days=ago)


def test_a_numbers_changes_are_told_the_newest_first(root: DataRoot, estate: Estate) -> None:
    for ago, rows in (
        (4, [row(2)]),
        (3, [row(2), row(1, note="a", miniAppId=None)]),
        (2, [row(2), row(1, note="b", miniAppId="app-9")]),
        (1, [row(2)]),
    ):
        export(root, rows, TODAY - timedelta(days=ago))
    trail = Trail(estate)
    told = [(change.night, change.kind, change.before, change.after) for change in trail.changes(ENVIRONMENT, NUMBER)]
    assert told == [
        (night(1), "gone", "group-1", None),
        (night(2), "changed", "a", "b"),
        (night(2), "attached", None, "app-9"),
        (night(3), "added", None, "group-1"),
    ]
    assert {change.by for change in trail.changes(ENVIRONMENT, NUMBER)} == {"outside"}


def test_a_new_night_and_a_night_exported_anew_are_told_of(root: DataRoot, estate: Estate) -> None:
    trail = Trail(estate)
    export(root, [row(1, note="a"), row(2)], TODAY - timedelta(days=1))
    assert trail.changes(ENVIRONMENT, NUMBER) == []
    export(root, [row(1, note="b"), row(2)])
    assert [change.after for change in trail.changes(ENVIRONMENT, NUMBER)] == ["b"]
    export(root, [row(1, note="c"), row(2)])
    assert [change.after for change in trail.changes(ENVIRONMENT, NUMBER)] == ["c"]


def test_a_damaged_night_tells_nothing_and_hides_no_other(root: DataRoot, estate: Estate) -> None:
    for ago, note in ((3, "a"), (2, "b"), (1, "c")):
        export(root, [row(1, note=note), row(2)], TODAY - timedelta(days=ago))
    root.write(f"inventory/environment={ENVIRONMENT}/date={night(2)}/changes.parquet", b"damaged")
    assert [change.after for change in Trail(estate).changes(ENVIRONMENT, NUMBER)] == ["c"]


def test_examples_are_of_every_kind(root: DataRoot, estate: Estate) -> None:
    export(root, [row(place, note="a") for place in range(30)], TODAY - timedelta(days=1))
    snapshot = export(root, [row(place, note="b") for place in range(1, 31)])
    examples = Trail(estate).examples(snapshot, 10)
    assert len(examples) == 10
    assert {example.kind for example in examples} == {"added", "gone", "changed"}


def test_a_hostile_number_finds_nothing(root: DataRoot, estate: Estate) -> None:
    export(root, [row(1)], TODAY - timedelta(days=1))
    export(root, [row(1, note="b")])
    assert Trail(estate).changes(ENVIRONMENT, "' OR 1=1 --") == []


def test_what_happens_twice_is_told_twice(root: DataRoot, estate: Estate) -> None:
    for ago, note in ((4, "a"), (3, "b"), (2, "a"), (1, "b")):
        export(root, [row(1, note=note), row(2)], TODAY - timedelta(days=ago))
    changes = Trail(estate).changes(ENVIRONMENT, NUMBER)
    assert [(change.night, change.after) for change in changes] == [(night(1), "b"), (night(2), "a"), (night(3), "b")]


def test_a_file_that_had_to_make_room_is_fetched_again(root: DataRoot, estate: Estate) -> None:
    for ago, note in ((3, "a"), (2, "b"), (1, "c")):
        export(root, [row(1, note=note), row(2)], TODAY - timedelta(days=ago))
    trail = Trail(estate)
    first = trail.changes(ENVIRONMENT, NUMBER)
    for path in estate.shelf.folder.iterdir():
        path.unlink()
    assert trail.changes(ENVIRONMENT, NUMBER) == first
