"""The journal is there before the change, says who changed what from what to what, and lets nobody write it twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import AnswerLost, Conflict, OrderConflict
from ocp_numbers.journal import Actor, Entry, Journal, NumberEdit, SetEdit, entries, entries_since, expire, runs
from ocp_numbers.models import NumberSet, PhoneNumber

NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
ROW = PhoneNumber.model_validate({"number": "+12125550123", "group_id": "us", "note": "desk", "set_id": "q"})
MARK = Actor(dag_id="cleanup", run_id="manual__2026-11-23T10:00:00+00:00", task_id="mark", user="ann")


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path)


def journal(root: DataRoot, by: Actor = MARK, plan: str | None = "a" * 64, at: datetime = NOW) -> Journal:
    return Journal(root, "ocp_default", by, plan=plan, now=lambda: at)


def read(root: DataRoot, by: Actor = MARK) -> list[Entry]:
    return list(entries(root, "ocp_default", by.run))


def test_an_entry_says_who_when_what_before_and_after(root: DataRoot) -> None:
    kept = journal(root)
    intent = kept.intend("note", [NumberEdit.of(ROW, note="desk [unused since 2026-11-23]")])
    kept.confirm(intent)

    first, second = read(root)
    assert (first.by, first.at, first.operation, first.plan) == (MARK, NOW, "note", "a" * 64)
    assert str(first.by) == "cleanup/manual__2026-11-23T10:00:00+00:00/mark"
    assert [(edit.before, edit.after) for edit in first.numbers] == [(ROW, {"note": "desk [unused since 2026-11-23]"})]
    assert (second.confirms, second.numbers) == ((first.entry,), ())


texts = st.none() | st.text(max_size=20)
rows = st.builds(
    PhoneNumber,
    number=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
    **{name: texts for name in PhoneNumber.model_fields if name != "number"},
)
sets = st.none() | st.builds(NumberSet, id=st.text(min_size=1), name=st.text(), group_id=texts)


@given(edited=st.lists(st.tuples(rows, rows)), gone=st.lists(rows), moved=st.lists(st.tuples(sets, sets)))
def test_what_is_written_is_what_is_read(
    edited: list[tuple[PhoneNumber, PhoneNumber]],
    gone: list[PhoneNumber],
    moved: list[tuple[NumberSet | None, NumberSet | None]],
) -> None:
    numbers = [*(NumberEdit.between(before, after) for before, after in edited), *map(NumberEdit.gone, gone)]
    entry = Entry(
        entry=1,
        at=NOW,
        by=MARK,
        operation="update",
        numbers=tuple(numbers),
        sets=tuple(SetEdit(before=before, after=after) for before, after in moved),
    )

    assert Entry.model_validate_json(entry.document()) == entry
    assert entry.document().count(b"\n") == len(numbers) + 2


@given(before=rows, after=rows)
def test_an_edit_holds_what_differs_and_nothing_else(before: PhoneNumber, after: PhoneNumber) -> None:
    edit = NumberEdit.between(before, after.model_copy(update={"number": before.number}))
    assert edit.after is not None
    assert before.model_copy(update=edit.after).model_dump(exclude={"number"}) == after.model_dump(exclude={"number"})
    assert all(getattr(before, name) != value for name, value in edit.after.items())


def test_what_was_begun_is_known_after_a_restart_in_every_task_of_the_run_for_the_same_plan(root: DataRoot) -> None:
    begun = journal(root)
    begun.intend("give up", [NumberEdit.gone(ROW)])
    release = MARK.model_copy(update={"task_id": "release"})

    assert begun.intended("give up") == {ROW.number}
    assert journal(root, release).intended("give up", "delete") == {ROW.number}
    assert journal(root).intended("delete") == set()
    assert journal(root, plan="b" * 64).intended("give up") == set()
    assert journal(root, MARK.model_copy(update={"run_id": "manual__2"})).intended("give up") == set()
    assert journal(root, MARK.model_copy(update={"dag_id": "another"})).intended("give up") == set()


def test_what_is_begun_after_the_first_question_counts_as_well(root: DataRoot) -> None:
    kept = journal(root)
    assert kept.intended("delete") == set()
    kept.intend("delete", [NumberEdit.gone(ROW)])
    assert kept.intended("delete") == {ROW.number}


def test_confirming_nothing_writes_nothing(root: DataRoot) -> None:
    journal(root).confirm()
    assert read(root) == []


def test_an_entry_that_is_let_go_of_while_others_are_read_is_passed_over(root: DataRoot) -> None:
    kept = journal(root)
    for _ in range(3):
        kept.intend("note", [NumberEdit.of(ROW, note="new")])
    reading = entries(root, "ocp_default", MARK.run)

    first = next(reading)
    root.delete(next(key for key in root.keys("journal") if key.endswith("000002.json")))

    assert [first.entry, *(entry.entry for entry in reading)] == [1, 3]


def test_a_second_writer_of_the_same_task_is_found_out_at_its_next_entry(root: DataRoot) -> None:
    first, second = journal(root), journal(root)
    first.intend("attach")
    second.intend("attach")
    with pytest.raises(OrderConflict, match="another process"):
        first.intend("attach")
    assert [entry.entry for entry in read(root)] == [1, 2]


def test_mapped_tasks_write_side_by_side(root: DataRoot) -> None:
    mapped = [journal(root, MARK.model_copy(update={"map_index": place})) for place in range(3)]
    for each in mapped:
        each.intend("attach", [NumberEdit.of(ROW, mini_app_id=str(each.by.map_index))])
    assert [entry.by.map_index for entry in read(root)] == [0, 1, 2]


def test_what_was_done_since_a_time_is_found_without_reading_older_runs(root: DataRoot) -> None:
    for days in (40, 10, 1):
        at = NOW - timedelta(days)
        by = Actor(dag_id="d", run_id=f"run-{days}", task_id="t")
        journal(root, by, at=at).intend("note", [NumberEdit.of(ROW, note=str(days))])
    other = Journal(root, "other", MARK, now=lambda: NOW)
    other.intend("note", [NumberEdit.of(ROW, note="elsewhere")])
    old = next(key for key in root.keys("journal/environment=ocp_default") if "run-40/t/" in key)
    root.write(old, b"never read")

    since = list(entries_since(root, "ocp_default", NOW - timedelta(days=10)))

    assert sorted(entry.by.run_id for entry in since) == ["run-1", "run-10"]
    assert runs(root, "ocp_default", date(2026, 11, 1)) == {
        "d/run-10": date(2026, 11, 13),
        "d/run-1": date(2026, 11, 22),
    }


def test_an_entry_of_a_long_run_counts_from_when_it_was_made(root: DataRoot) -> None:
    journal(root, at=NOW - timedelta(days=2)).intend("note", [NumberEdit.of(ROW, note="then")])
    journal(root).intend("note", [NumberEdit.of(ROW, note="now")])

    (entry,) = entries_since(root, "ocp_default", NOW - timedelta(hours=1))

    assert entry.numbers[0].after == {"note": "now"}
    assert runs(root, "ocp_default", NOW.date() - timedelta(9)) == {MARK.run: NOW.date()}


@pytest.mark.parametrize("content", [b"", b"{", b'{"format":1}', b'{"format":2,"entry":1}', b"\xff", b"[]"])
def test_a_damaged_entry_is_named_and_stops_nothing(root: DataRoot, content: bytes) -> None:
    kept = journal(root)
    for note in ("one", "two", "three"):
        kept.intend("note", [NumberEdit.of(ROW, note=note)])
    key = next(key for key in root.keys("journal") if key.endswith("000002.json"))
    root.write(key, content)

    found: dict[str, str] = {}
    left = list(entries(root, "ocp_default", MARK.run, damaged=found.__setitem__))

    assert [entry.entry for entry in left] == [1, 3]
    assert list(found) == [key]
    assert journal(root).intend("note").entry == 4


def test_files_of_others_are_passed_over(root: DataRoot) -> None:
    kept = journal(root)
    kept.intend("note", [NumberEdit.of(ROW, note="one")])
    folder = next(key for key in root.keys("journal") if key.endswith("000001.json")).rpartition("/")[0]
    root.write(f"{folder}/.DS_Store", b"x")
    root.write("journal/environment=ocp_default/.days/.DS_Store", b"x")

    assert journal(root).intend("note").entry == 2
    assert len(list(entries_since(root, "ocp_default", NOW))) == 2


class TestRecorded:
    def test_what_was_done_is_confirmed_but_for_what_was_left_as_it_was(self, root: DataRoot) -> None:
        with journal(root).recorded("give up", [NumberEdit.gone(ROW)], without=lambda: {ROW.number}):
            assert [entry.confirms for entry in read(root)] == [()]
        assert [(entry.confirms, entry.without) for entry in read(root)] == [((), ()), ((1,), (ROW.number,))]

    def test_a_refusal_says_that_nothing_was_done(self, root: DataRoot) -> None:
        refusal = Conflict(operation="numbers.delete", call="DELETE", status=409, message="purchased")
        with pytest.raises(Conflict), journal(root).recorded("delete", [NumberEdit.gone(ROW)]):
            raise refusal
        assert read(root)[-1].without == (ROW.number,)

    @pytest.mark.parametrize("end", [KeyboardInterrupt(), AnswerLost(operation="o", call="c", reason="gone")])
    def test_whatever_else_ends_it_leaves_it_open(self, root: DataRoot, end: BaseException) -> None:
        with pytest.raises(type(end)), journal(root).recorded("delete", [NumberEdit.gone(ROW)]):
            raise end
        assert [entry.confirms for entry in read(root)] == [()]


class TestExpire:
    def test_runs_go_that_wrote_nothing_for_so_long(self, root: DataRoot) -> None:
        for name, days in {"old": [500, 450], "long": [450, 3], "young": [3]}.items():
            for day in days:
                at = NOW - timedelta(day)
                journal(root, Actor(dag_id="d", run_id=name, task_id="t"), at=at).intend("note")

        assert expire(root, "ocp_default", today=NOW.date(), keep_days=400) == 1
        assert set(runs(root, "ocp_default", date.min)) == {"d/long", "d/young"}
        assert {key.split("/")[2] for key in root.keys("journal")} == {".days", "d%2Flong", "d%2Fyoung"}
        assert len(list(entries(root, "ocp_default", "d/long"))) == 2
        assert expire(root, "ocp_default", today=NOW.date(), keep_days=400) == 0

    @pytest.mark.parametrize("killed_at", range(4))
    def test_killed_anywhere_the_next_call_deletes_the_rest(
        self, root: DataRoot, monkeypatch: pytest.MonkeyPatch, killed_at: int
    ) -> None:
        for day in (500, 450):
            journal(root, at=NOW - timedelta(day)).intend("note")
        left = [killed_at]
        delete = DataRoot.delete

        def dying(self: DataRoot, key: str) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            delete(self, key)

        monkeypatch.setattr(DataRoot, "delete", dying)
        with pytest.raises(KeyboardInterrupt):
            expire(root, "ocp_default", today=NOW.date(), keep_days=400)
        monkeypatch.undo()
        expire(root, "ocp_default", today=NOW.date(), keep_days=400)
        assert root.keys("journal") == []


def test_an_entry_is_listed_before_it_is_there(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the two, a run is listed without an entry: never the other way round."""
    written: list[str] = []
    create = DataRoot.create

    def recording(self: DataRoot, key: str, content: bytes) -> bool:
        written.append(key)
        return create(self, key, content)

    monkeypatch.setattr(DataRoot, "create", recording)
    journal(root).intend("note")
    assert [".days" in key for key in written] == [True, False]
    del written[1]
    root.delete(next(key for key in root.keys("journal") if key.endswith(".json")))
    assert list(entries_since(root, "ocp_default", NOW)) == []
