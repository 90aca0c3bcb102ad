from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.records import ENVIRONMENT, NOW, done
from ocp_numbers.dashboard import deeds
from ocp_numbers.dashboard.deeds import DAYS, Diary
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.data_root import DataRoot
from ocp_numbers.journal import Actor, Journal, NumberEdit
from ocp_numbers.journal.places import run_folder

NUMBER, OTHER = "+12120000001", "+12120000002"


def test_the_newest_deed_comes_first_with_what_was_and_what_was_to_be(root: DataRoot, estate: Estate) -> None:
    done(root, "note", NUMBER, {"note": "b"}, before="a", at=NOW - timedelta(days=2), run="first")
    done(root, "delete", NUMBER, None, before="b", at=NOW, run="second")
    done(root, "note", OTHER, {"note": "c"}, before="b")
    found = Diary(estate).of(ENVIRONMENT, NUMBER)
    assert [(deed.entry.by.run_id, deed.gone, deed.steps) for deed in found.deeds] == [
        ("second", True, ()),
        ("first", False, (("note", "a", "b"),)),
    ]
    assert found.whole


def test_what_was_read_back_is_told_from_what_was_refused_and_what_nobody_knows(root: DataRoot, estate: Estate) -> None:
    done(root, "note", NUMBER, {"note": "1"}, before="", at=NOW - timedelta(hours=3))
    done(root, "note", NUMBER, {"note": "2"}, before="", at=NOW - timedelta(hours=2), refused=True)
    done(root, "note", NUMBER, {"note": "3"}, before="", at=NOW - timedelta(hours=1), confirmed=False)
    outcomes = [deed.outcome for deed in Diary(estate).of(ENVIRONMENT, NUMBER).deeds]
    assert outcomes == ["begun", "not done", "done"]


def test_older_runs_are_not_looked_at(root: DataRoot, estate: Estate) -> None:
    done(root, "note", NUMBER, {"note": "b"}, before="a", at=NOW - timedelta(days=DAYS + 1))
    assert Diary(estate).of(ENVIRONMENT, NUMBER).deeds == ()


@pytest.mark.parametrize("bound", ["MOST_RUNS", "MOST_DOCUMENTS"])
def test_a_page_looks_at_a_bounded_part_the_newest_and_says_so(
    root: DataRoot, estate: Estate, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    for ago in (3, 2, 1):
        done(root, "note", NUMBER, {"note": str(ago)}, before="", at=NOW - timedelta(days=ago), run=f"run-{ago}")
    monkeypatch.setattr(deeds, bound, 2)
    found = Diary(estate).of(ENVIRONMENT, NUMBER)
    assert found.deeds[0].entry.by.run_id == "run-1"
    assert len(found.deeds) < 3
    assert not found.whole


def test_a_damaged_entry_hides_no_other(root: DataRoot, estate: Estate) -> None:
    done(root, "note", NUMBER, {"note": "b"}, before="a")
    root.write(f"{run_folder(ENVIRONMENT, 'apply_number_changes/manual__1')}/apply/000009.json", b"{")
    assert len(Diary(estate).of(ENVIRONMENT, NUMBER).deeds) == 1


def test_the_work_of_one_task_confirms_no_others(root: DataRoot, estate: Estate) -> None:
    """Entries are numbered within their task: another run's first entry has the same number."""
    done(root, "note", NUMBER, {"note": "b"}, before="a", run="first", confirmed=False)
    done(root, "note", OTHER, {"note": "b"}, before="a", run="second")
    (deed,) = Diary(estate).of(ENVIRONMENT, NUMBER).deeds
    assert deed.outcome == "begun"


def test_of_an_entry_about_many_numbers_only_this_one_is_told(root: DataRoot, estate: Estate) -> None:
    journal = Journal(root, ENVIRONMENT, Actor(dag_id="d", run_id="r", task_id="t"), now=lambda: NOW)
    journal.intend("note", [NumberEdit(number=each, after={"note": each[-1]}) for each in (OTHER, NUMBER)])
    (deed,) = Diary(estate).of(ENVIRONMENT, NUMBER).deeds
    assert deed.steps == (("note", None, "1"),)
