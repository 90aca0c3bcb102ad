"""The history of a number is what the published snapshots say of it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.estate import DAY, NOON, Estate, estate_of, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Period, Scope, history, read_number, read_rows, writer
from ocp_numbers.inventory.export import Export

ExportOf = Callable[..., Export]
NUMBER = row(0)["number"]


def day(nights: int) -> date:
    return DAY + timedelta(nights)


def notes(periods: list[Period]) -> list[tuple[date, date, str | None]]:
    return [(each.since, each.until, each.record.note if each.record else None) for each in periods]


def test_nights_that_say_the_same_are_one_period(export_of: ExportOf, root: DataRoot) -> None:
    for night, rows in enumerate([[], [row(0)], [row(0), row(1)], [row(0, note="new")], []]):
        export_of(Estate(rows), day=day(night)).run()
    assert notes(history(root, "ocp_default", NUMBER)) == [
        (day(0), day(0), None),
        (day(1), day(2), "line 0"),
        (day(3), day(3), "new"),
        (day(4), day(4), None),
    ]


def test_a_number_never_seen_was_never_there(export_of: ExportOf, root: DataRoot) -> None:
    assert history(root, "ocp_default", NUMBER) == []
    export_of(estate_of(5)).run()
    assert history(root, "ocp_default", "+999") == [Period(DAY, DAY, None)]


def test_a_damaged_night_is_passed_over(export_of: ExportOf, root: DataRoot) -> None:
    for night in range(3):
        snapshot = export_of(estate_of(5), day=day(night)).run()
        if night == 1:
            root.write(f"{snapshot.folder}/numbers.parquet", b"garbage")
    assert notes(history(root, "ocp_default", NUMBER)) == [(day(0), day(2), "line 0")]


def test_each_scope_has_a_history_of_its_own(export_of: ExportOf, root: DataRoot) -> None:
    groups = ("group-0", "group-1", "group-2")
    export_of(estate_of(5), scope=Scope(environment="ocp_default", groups=groups)).run()
    assert history(root, "ocp_default", NUMBER) == []
    assert len(history(root, "ocp_default", NUMBER, groups)) == 1


def test_only_the_row_group_that_may_hold_a_number_is_read_for_it(
    export_of: ExportOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 10)
    snapshot = export_of(estate_of(45), page_size=5).run()
    with snapshot.open("numbers.parquet") as stream:
        assert pq.ParquetFile(stream).num_row_groups > 2
    groups = set()
    read_row_group = pq.ParquetFile.read_row_group

    def noted(file: pq.ParquetFile, place: int, *columns: list[str]) -> Any:
        groups.add(place)
        return read_row_group(file, place, *columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", noted)
    assert read_number(snapshot, row(25)["number"]) is not None
    assert len(groups) == 1


@given(st.lists(st.integers(0, 60), unique=True, max_size=40), st.booleans(), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_a_single_number_is_read_as_it_is_among_all(places: list[int], in_order: bool, asked: int) -> None:
    estate = Estate([row(place) for place in places])
    if not in_order:
        estate.key = lambda each: each["number"][::-1]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "ROW_GROUP_ROWS", 7)
        given: dict[str, Any] = {"scope": Scope(environment="e"), "day": DAY, "holder": "h", "clock": lambda: NOON}
        snapshot = Export(
            source=estate, root=DataRoot(Path(folder)), page_size=5, expected_rows=len(places), **given
        ).run()
        number = row(asked)["number"]
        expected = next((each for each in read_rows(snapshot) if each.number == number), None)
        assert read_number(snapshot, number) == expected
        assert (expected is not None) == (asked in places)
