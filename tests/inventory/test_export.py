"""What is published equals the inventory as it was at some moment of the export, or nothing is published."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.estate import DAY, NOON, Estate, Row, content, estate_of, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import (
    AnswerLost,
    IncompleteSnapshot,
    InvalidInput,
    PartitionBusy,
    VolumeAnomaly,
)
from ocp_numbers.inventory import CompleteSnapshot, Scope, latest, load
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.schema import COLUMNS

ExportOf = Callable[..., Export]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 123])
def test_every_number_is_in_every_file_once_and_as_it_is(export_of: ExportOf, count: int) -> None:
    estate = estate_of(count)
    snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()
    assert [each[: len(COLUMNS)] for each in csv_rows(snapshot)] == [
        [value or "" for value in each] for each in estate.state()
    ]
    assert snapshot.rows == snapshot.manifest.proof.total == count


def csv_rows(snapshot: CompleteSnapshot) -> list[list[str]]:
    with snapshot.open("numbers.csv.gz") as stream:
        text = io.TextIOWrapper(gzip.GzipFile(fileobj=stream), encoding="utf-8", newline="")
        header, *rows = csv.reader(text)
    assert header == [*COLUMNS, "derived_country", "valid", "number_type"]
    return rows


def test_texts_survive_in_every_file_whatever_they_hold(export_of: ExportOf) -> None:
    notes = ["a\nb", 'a "b" c', "a\tb", "a,b;c", "😀", "שלום", "=1+1", "@x", "", " ", "\r\n", "'", "x" * 100_000]
    estate = Estate([row(place, note=note) for place, note in enumerate(notes)])
    snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()
    assert [each[COLUMNS.index("note")] for each in csv_rows(snapshot)] == notes


def test_nothing_and_an_empty_text_differ_in_the_csv(export_of: ExportOf) -> None:
    snapshot = export_of(Estate([row(0, note="", applicationTag=None)])).run()
    with snapshot.open("numbers.csv.gz") as stream:
        line = gzip.decompress(stream.read()).decode().splitlines()[1]
    assert '"en-US","",,,' in line


def test_the_manifest_tells_the_truth_about_every_file(export_of: ExportOf, root: DataRoot) -> None:
    snapshot = export_of(estate_of(123)).run()
    for name, file in snapshot.manifest.files.items():
        written = root.path(f"{snapshot.folder}/{file.path}").read_bytes()
        assert (file.bytes, file.sha256) == (len(written), hashlib.sha256(written).hexdigest()), name
    counts = snapshot.manifest.counts
    assert counts.by_group == {"group-0": 41, "group-1": 41, "group-2": 41}
    assert counts.by_country == {"US": 123}
    assert counts.by_mini_app == {"": 31, "app-0": 18, "app-1": 19, "app-2": 19, "app-3": 18, "app-4": 18}
    assert (counts.attached, counts.unattached) == (92, 31)


def test_what_a_number_says_of_itself_stands_beside_what_the_platform_says(export_of: ExportOf) -> None:
    numbers = {"+12125550123": "US", "+302101234567": "US", "+14165550123": "ca", "+12120000000": None}
    estate = Estate([row(0, number=number, country=country) for number, country in numbers.items()])
    snapshot = export_of(estate).run()
    told = {each[0]: tuple(each[-3:]) for each in csv_rows(snapshot)}
    assert told == {
        "+12125550123": ("US", "true", "fixed_line_or_mobile"),
        "+302101234567": ("GR", "true", "fixed_line"),
        "+14165550123": ("CA", "true", "fixed_line_or_mobile"),
        "+12120000000": ("", "false", ""),
    }
    counts = snapshot.manifest.counts
    assert (counts.invalid, counts.country_mismatches) == (1, 1)
    assert counts.by_type == {"": 1, "fixed_line": 1, "fixed_line_or_mobile": 2}


def test_only_the_formats_asked_for_are_written(export_of: ExportOf, root: DataRoot) -> None:
    export_of(estate_of(3)).run()
    snapshot = export_of(estate_of(4), formats=("parquet",)).run()
    assert [key.rpartition("/")[2] for key in root.keys(snapshot.folder)] == [
        "balance.json",
        "manifest.json",
        "numbers.parquet",
        "rejects.jsonl",
        "report.html",
    ]


@pytest.mark.parametrize(
    ("formats", "says"), [(("csv",), "parquet is missing"), (("parquet", "pdf"), "pdf is not known")]
)
def test_formats_are_checked_before_anything_is_read(export_of: ExportOf, formats: tuple[str, ...], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        export_of(estate_of(1), formats=formats)


@pytest.mark.parametrize("says_cap", [True, False])
def test_a_server_that_gives_smaller_pages_than_asked_is_read_completely(export_of: ExportOf, says_cap: bool) -> None:
    estate = estate_of(95, cap=7, says_cap=says_cap)
    snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()
    assert snapshot.manifest.proof.page_size == 7


def test_another_order_than_that_of_the_text_is_no_fault(export_of: ExportOf) -> None:
    estate = Estate([row(0, number=f"+{10 ** (6 + place % 5) + place}") for place in range(60)])
    estate.key = lambda each: int(each["number"])
    snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()


@pytest.mark.parametrize(("stamp", "attempts"), [(str, 2), (int, 1)])
def test_a_body_that_differs_each_time_though_its_numbers_do_not_is_compared_by_content(
    export_of: ExportOf, stamp: Callable[[int], object], attempts: int
) -> None:
    """At once where nothing but whole numbers stands beside the rows, and else in the second attempt."""
    estate = estate_of(35)
    estate.spoil = lambda page, answer: answer | {"answeredAt": stamp(estate.calls)}
    snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()
    assert snapshot.manifest.proof.attempts == attempts


LONG = 123
"""Numbers on thirteen pages of ten: enough for each of three connections to have four of them in one."""


def test_pages_are_made_larger_as_long_as_every_connection_has_one(export_of: ExportOf) -> None:
    estate = estate_of(LONG)
    snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()
    assert (snapshot.manifest.proof.page_size, snapshot.manifest.proof.pages) == (40, 4)
    assert estate.calls == 1 + 4 + 4


@pytest.mark.parametrize("reading", ["first", "second"])
def test_a_larger_page_that_does_not_come_is_read_in_the_size_that_was_asked_for(
    export_of: ExportOf, caplog: pytest.LogCaptureFixture, reading: str
) -> None:
    estate = estate_of(LONG)
    fetch, fails = estate.fetch, iter([reading == "first", True])

    def fussy(page: int, page_size: int, read: Callable[[bytes], Any]) -> Any:
        if (page, page_size) == (3, 40) and next(fails):
            raise AnswerLost(operation="numbers.list", call="GET /api/numbers", reason="no answer in time")
        return fetch(page, page_size, read)

    estate.fetch = fussy  # type: ignore[method-assign]
    with caplog.at_level("INFO"):
        snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()
    assert (snapshot.manifest.proof.page_size, snapshot.manifest.proof.attempts) == (10, 2)
    assert "page 3 of 4, made larger to hold 40 numbers, did not come: " in caplog.text


def test_a_change_between_the_readings_is_seen_in_a_larger_page(
    export_of: ExportOf, caplog: pytest.LogCaptureFixture
) -> None:
    estate = estate_of(LONG)
    estate.before = lambda call: estate.rows[77].update(note="changed") if call == 6 else None
    with caplog.at_level("INFO"):
        snapshot = export_of(estate).run()
    assert content(snapshot) == estate.state()
    assert snapshot.manifest.proof.attempts == 2
    assert "page 2 of 4 changed between two readings" in caplog.text


def test_pages_with_long_notes_are_not_put_together_to_enormous_ones(export_of: ExportOf) -> None:
    estate = Estate([row(place, note="x" * 250_000) for place in range(70)])
    assert content(export_of(estate).run()) == estate.state()
    assert estate.calls == 2 * (7 + 1), "seven full pages, and a look behind them, twice"


VIAS: list[Literal["pages", "csv"]] = ["pages", "pages", "csv"]
KINDS = ["add", "delete", "swap", "renumber", "note", "move", "undo"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[tuple[int, str]]]:
    """How many numbers there are at first, and what happens before which call."""
    return draw(st.integers(0, 45) | st.integers(60, 130)), draw(
        st.lists(st.tuples(st.integers(1, 14) | st.integers(1, 40), st.sampled_from(KINDS)), max_size=6)
    )


@given(histories(), st.integers(1, 3), st.sampled_from(VIAS), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_whatever_moves_during_the_reading_a_state_that_existed_is_published_or_none(
    history: tuple[int, list[tuple[int, str]]], concurrency: int, via: Literal["pages", "csv"], chance: random.Random
) -> None:
    count, events = history
    estate = estate_of(count)
    states, past = [estate.state()], [list(estate.rows)]
    fresh = iter(range(1_000, 2_000))

    def happen(call: int) -> None:
        for _, kind in (event for event in events if event[0] == call):
            if kind == "undo":
                estate.rows[:] = past[-2] if len(past) > 1 else past[-1]
            else:
                change(estate.rows, kind, next(fresh), chance)
            past.append(list(estate.rows))
            states.append(estate.state())

    estate.before = happen
    with TemporaryDirectory() as folder:
        root = DataRoot(folder)
        export = Export(
            source=estate,
            root=root,
            scope=Scope(environment="e"),
            day=DAY,
            holder="h",
            page_size=10,
            concurrency=concurrency,
            attempts=3,
            via=via,
        )
        try:
            published = export.run()
        except (IncompleteSnapshot, VolumeAnomaly):
            assert latest(root, "e") is None
        else:
            assert content(published) in states


def change(rows: list[Row], kind: str, fresh: int, chance: random.Random) -> None:
    """One change of the estate; what is new in it was never there before.

    A swap leaves the total as it was; with another number, a row moves to another page.
    """
    new = row(fresh, number=f"+1212{chance.randrange(1_000):04}{fresh}")
    if kind == "add" or not rows:
        rows.append(new)
    elif kind == "delete":
        rows.pop(chance.randrange(len(rows)))
    elif kind == "swap":
        rows[chance.randrange(len(rows))] = new
    elif kind == "renumber":
        place = chance.randrange(len(rows))
        rows[place] = rows[place] | {"number": new["number"]}
    else:
        place = chance.randrange(len(rows))
        name = {"note": "note", "move": "groupId"}[kind]
        rows[place] = rows[place] | {name: f"changed {fresh}"}


def test_an_inventory_that_never_holds_still_is_not_published_and_the_error_says_what_moved(
    export_of: ExportOf, root: DataRoot
) -> None:
    estate = estate_of(30)
    estate.before = lambda call: estate.rows[0].update(note=f"changed {call}")
    with pytest.raises(IncompleteSnapshot, match=r"read 5 times .* page 1 of 3 changed between two readings"):
        export_of(estate).run()
    assert latest(root, "ocp_default") is None


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda page, answer: answer | {"allNumbers": answer["allNumbers"] + 1}, "holds 5 numbers; with 36 in all"),
        (lambda page, answer: answer | {"numberOfPages": 9}, "make 4 pages; the answer says 9"),
        (lambda page, answer: answer | {"page": 1}, "page 2 was asked for, and the answer says that it is page 1"),
        (lambda page, answer: answer | {"allNumbers": 35 + page}, "the total went from 36 to 37"),
        (
            lambda page, answer: answer | {"numbers": [*answer["numbers"][:-1], row(0)]},
            r"numbers that came twice: \+12120000000",
        ),
        (lambda page, answer: answer | {"numbers": []}, "page 1 of 4 holds 0 numbers"),
    ],
)
def test_a_platform_that_contradicts_itself_is_not_believed(
    export_of: ExportOf, spoil: Callable[[int, Row], Row], says: str
) -> None:
    with pytest.raises(IncompleteSnapshot, match=says):
        export_of(estate_of(35, spoil=spoil)).run()


def test_a_few_wrong_rows_are_kept_apart_with_their_reasons(export_of: ExportOf) -> None:
    estate = estate_of(99)
    estate.rows.append(row(0, number="12012049893"))
    snapshot = export_of(estate, max_reject_percent=1).run()
    assert (snapshot.rows, snapshot.manifest.rejects, snapshot.manifest.proof.total) == (99, 1, 100)
    with snapshot.open("rejects.jsonl") as stream:
        (reject,) = map(json.loads, stream)
    assert reject["value"]["number"] == "12012049893"
    assert "E.164" in reject["reason"]


def test_more_wrong_rows_than_allowed_are_not_published_but_left_to_look_at(
    export_of: ExportOf, root: DataRoot
) -> None:
    estate = estate_of(99)
    estate.rows.append(row(0, number="12012049893"))
    with pytest.raises(IncompleteSnapshot, match=r"1 of 100 rows .* more than 0.1 %") as refused:
        export_of(estate).run()
    assert latest(root, "ocp_default") is None
    left = str(refused.value).rpartition(" in ")[2]
    assert b"12012049893" in (root.read(left) or b"")


@pytest.mark.parametrize("now", [0, 79, 121])
def test_an_unbelievable_number_of_rows_is_not_published(export_of: ExportOf, root: DataRoot, now: int) -> None:
    export_of(estate_of(100)).run()
    with pytest.raises(VolumeAnomaly, match=f"has {now} numbers now and had 100") as refused:
        export_of(estate_of(now), day=DAY + timedelta(1), max_change_percent=20, expected_rows=None).run()
    assert (refused.value.rows, refused.value.before) == (now, 100)
    assert newest(root).rows == 100


def test_an_empty_answer_is_not_believed_even_if_nothing_is_known_yet(export_of: ExportOf, root: DataRoot) -> None:
    with pytest.raises(VolumeAnomaly, match="shows no numbers at all, and there is no earlier snapshot") as refused:
        export_of(Estate(), expected_rows=None).run()
    assert (refused.value.rows, refused.value.before) == (0, 0)
    assert latest(root, "ocp_default") is None


def test_the_first_numbers_of_an_empty_inventory_are_believed(export_of: ExportOf, root: DataRoot) -> None:
    export_of(Estate()).run()
    export_of(estate_of(7), day=DAY + timedelta(1), max_change_percent=20).run()
    assert newest(root).rows == 7


def test_who_accepted_an_empty_inventory_accepted_no_other(export_of: ExportOf, root: DataRoot) -> None:
    with pytest.raises(VolumeAnomaly, match="has 7 numbers now and had 0"):
        export_of(estate_of(7), expected_rows=0).run()
    assert latest(root, "ocp_default") is None


def test_what_another_login_saw_is_not_compared(export_of: ExportOf, root: DataRoot) -> None:
    export_of(estate_of(5), scope=Scope(environment="ocp_default", login="ann")).run()
    snapshot = export_of(
        estate_of(4), scope=Scope(environment="ocp_default", login="bob"), day=DAY + timedelta(1)
    ).run()
    assert snapshot.manifest.changes is None
    assert "changes.parquet" not in snapshot.manifest.files


def failing(page: int, answer: Row) -> Row:
    return answer | {"page": 9}


def kept_folders(root: DataRoot) -> list[str]:
    """What lies in the partition beside what is published: folders kept for a look."""
    folder = root.path("inventory/environment=ocp_default/date=2026-03-01")
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def test_what_could_not_be_proven_is_kept_with_the_reason_and_never_published(
    export_of: ExportOf, root: DataRoot
) -> None:
    with pytest.raises(IncompleteSnapshot, match="What was read last is kept in ") as refused:
        export_of(estate_of(5, spoil=failing)).run()
    (kept,) = kept_folders(root)
    assert f"date=2026-03-01/{kept}. Run the export again" in str(refused.value)
    reason = json.loads(root.read(f"inventory/environment=ocp_default/date=2026-03-01/{kept}/incomplete.json") or b"")
    assert reason["reason"] == "Moved: page 1 was asked for, and the answer says that it is page 9"
    assert (reason["by"], reason["at"]) == ("run-1", "2026-03-01T12:00:00+00:00")
    assert latest(root, "ocp_default") is None


def test_of_what_was_kept_only_the_last_stays_and_a_success_clears_it(export_of: ExportOf, root: DataRoot) -> None:
    clocks = iter(range(1, 5))
    folders = []
    for _ in range(3):
        at = NOON + timedelta(hours=next(clocks))
        with pytest.raises(IncompleteSnapshot):
            export_of(estate_of(5, spoil=failing), clock=lambda at=at: at).run()
        folders.append(kept_folders(root))
    assert [len(each) for each in folders] == [1, 2, 2]
    assert len(set(folders[1]) & set(folders[2])) == 1
    export_of(estate_of(5)).run()
    assert kept_folders(root) == []


def test_a_number_of_rows_that_nobody_believes_can_be_looked_at(export_of: ExportOf, root: DataRoot) -> None:
    export_of(estate_of(100), day=DAY - timedelta(1)).run()
    with pytest.raises(VolumeAnomaly) as refused:
        export_of(estate_of(10), max_change_percent=20).run()
    (kept,) = kept_folders(root)
    assert kept in str(refused.value)
    place = root.path(f"inventory/environment=ocp_default/date=2026-03-01/{kept}/numbers.parquet")
    assert pq.read_table(str(place)).num_rows == 10


@pytest.mark.parametrize("now", [80, 100, 120])
def test_a_believable_number_of_rows_is_published(export_of: ExportOf, root: DataRoot, now: int) -> None:
    export_of(estate_of(100)).run()
    export_of(estate_of(now), day=DAY + timedelta(1), max_change_percent=20).run()
    assert newest(root).rows == now


def test_an_accepted_number_of_rows_holds_for_about_that_number_only(export_of: ExportOf, root: DataRoot) -> None:
    export_of(estate_of(100)).run()
    tomorrow: dict[str, Any] = {"day": DAY + timedelta(1), "max_change_percent": 20, "expected_rows": 50}
    with pytest.raises(VolumeAnomaly):
        export_of(estate_of(10), **tomorrow).run()
    assert export_of(estate_of(49), **tomorrow).run() == newest(root)


def test_an_accepted_empty_inventory_is_published(export_of: ExportOf, root: DataRoot) -> None:
    export_of(estate_of(100)).run()
    export_of(estate_of(0), day=DAY + timedelta(1), expected_rows=0, max_change_percent=20).run()
    assert newest(root).rows == 0


def newest(root: DataRoot, environment: str = "ocp_default") -> CompleteSnapshot:
    snapshot = latest(root, environment)
    assert snapshot is not None
    return snapshot


def test_an_export_of_some_groups_is_never_taken_for_the_whole(export_of: ExportOf, root: DataRoot) -> None:
    whole = export_of(estate_of(50)).run()
    estate = Estate([row(0, groupId="a"), row(1, groupId="b/c")])
    part = export_of(estate, scope=Scope(environment="ocp_default", groups=("a", "b/c"))).run()
    assert newest(root) == whole
    assert latest(root, "ocp_default", ["b/c", "a"]) == part


def test_environments_named_alike_keep_apart(export_of: ExportOf, root: DataRoot) -> None:
    names = ["a", "a/b", "a b", "../a", "a%2Fb", "A"]
    for count, name in enumerate(names, start=1):
        export_of(estate_of(count), scope=Scope(environment=name)).run()
    assert [newest(root, name).rows for name in names] == [1, 2, 3, 4, 5, 6]


def test_a_partition_that_another_run_is_writing_is_left_alone(export_of: ExportOf, root: DataRoot) -> None:
    estate = estate_of(5)
    export = export_of(estate)
    with (
        export_of(estate, holder="other run")._lease().held(),
        pytest.raises(PartitionBusy, match=r"\.lease/date=2026-03-01: other run is at work .* ends in 305 s"),
    ):
        export.run()
    assert estate.calls == 0
    assert export.run().rows == 5


def test_the_partition_is_free_again_after_an_export_and_after_a_failed_one(export_of: ExportOf) -> None:
    with pytest.raises(IncompleteSnapshot):
        export_of(estate_of(5, spoil=lambda page, answer: answer | {"page": 9})).run()
    export_of(estate_of(5), holder="another run").run()
    assert export_of(estate_of(6), holder="a third run").run().rows == 6


def test_who_lost_the_lease_publishes_nothing(export_of: ExportOf, root: DataRoot) -> None:
    """A run that hung for longer than its lease wakes up after another one has taken the partition over."""
    estate = estate_of(25)
    late = lambda: NOON + timedelta(hours=1)  # noqa: E731

    def overtaken(call: int) -> None:
        if call == 4:
            export_of(estate_of(7), holder="run-2", clock=late).run()

    estate.before = overtaken
    with pytest.raises(PartitionBusy, match="went to another process"):
        export_of(estate).run()
    assert newest(root).rows == 7


def test_a_damaged_manifest_does_not_stop_the_next_export(export_of: ExportOf, root: DataRoot) -> None:
    snapshot = export_of(estate_of(5)).run()
    root.write(f"{snapshot.folder}/manifest.json", b'{"schema_version": 99}')
    with pytest.raises(IncompleteSnapshot, match="not a manifest of this version"):
        load(root, snapshot.folder)
    assert export_of(estate_of(6)).run() == newest(root)


def test_a_data_root_that_cannot_be_written_is_named(tmp_path: Path, export_of: ExportOf) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(IncompleteSnapshot, match=r"could not be written: .*see that the data root .*file is there"):
        export_of(estate_of(5), root=DataRoot(tmp_path / "file")).run()


def test_a_full_disk_is_named_and_leaves_the_old_snapshot(
    export_of: ExportOf, root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = export_of(estate_of(5)).run()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(IncompleteSnapshot, match="No space left on device"):
        export_of(estate_of(6)).run()
    assert newest(root) == old
    assert content(old) == estate_of(5).state()
