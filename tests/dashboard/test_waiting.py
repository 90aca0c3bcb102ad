from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from dashboard.records import ENVIRONMENT, TODAY, cleanup, export
from inventory.estate import row
from ocp_numbers.dashboard import waiting
from ocp_numbers.dashboard.desk import Sources
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.waiting import grace_days, queue
from ocp_numbers.data_root import DataRoot


def test_marked_numbers_wait_for_their_day_those_due_first(root: DataRoot, estate: Estate) -> None:
    snapshot = export(
        root,
        [
            row(1, note="desk [unused since 2026-03-01]"),
            row(2, note="[unused since 2026-02-01]"),
            row(3, note="[unused since 2026-02-31]"),
            row(4, note="unused since 2026-01-01"),
        ],
    )
    first, second = queue(estate.table(snapshot), 10)
    assert (first.number, first.due, first.days_left(TODAY)) == ("+12120000002", date(2026, 2, 11), 0)
    assert (second.number, second.note, second.days_left(TODAY)) == ("+12120000001", "desk", 7)


def test_runs_tell_what_was_planned_who_approved_and_what_came_of_it(root: DataRoot, estate: Estate) -> None:
    cleanup(root, run="scheduled__2026-03-03")
    cleanup(root, run="manual__2026-03-04", finished=False)
    cleanups = Sources(estate).cleanups
    runs = {run.run: run for run in cleanups.runs(ENVIRONMENT)}
    done = runs["scheduled__2026-03-03"]
    assert (done.planned["release"], done.approved_by) == (1, "eleni")
    assert done.outcome.startswith("1 numbers given up")
    assert runs["manual__2026-03-04"].outcome == "Not finished."
    assert cleanups.runs("another") == []


def test_a_result_of_an_earlier_version_is_read(root: DataRoot, estate: Estate) -> None:
    cleanup(root, run="scheduled__2026-03-03")
    key = "cleanup/scheduled__2026-03-03/result.json"
    told = json.loads(root.read(key) or b"")
    root.write(key, json.dumps({name: told[name] for name in told.keys() - {"deleted", "spared", "approved"}}).encode())
    (run,) = Sources(estate).cleanups.runs(ENVIRONMENT)
    assert run.outcome.startswith("1 numbers given up")


def test_a_result_that_cannot_be_read_is_not_taken_for_a_run_that_goes_on(root: DataRoot, estate: Estate) -> None:
    cleanup(root, run="scheduled__2026-03-03")
    root.write("cleanup/scheduled__2026-03-03/result.json", b"{")
    (run,) = Sources(estate).cleanups.runs(ENVIRONMENT)
    assert run.outcome == "Finished, but its result cannot be read."


def test_a_plan_that_cannot_be_read_hides_no_other(root: DataRoot, estate: Estate) -> None:
    root.write("cleanup/broken__2026-03-05/plan.json", b"{")
    cleanup(root)
    assert len(Sources(estate).cleanups.runs(ENVIRONMENT)) == 1


def test_the_newest_runs_are_shown_and_no_more_are_read_than_a_page_shows(
    root: DataRoot, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_RUNS", 2)
    for day in (1, 2, 3, 4):
        cleanup(root, run=f"scheduled__2026-03-0{day}")
    assert {run.run[-1] for run in Sources(estate).cleanups.runs(ENVIRONMENT)} == {"3", "4"}


def test_the_grace_is_the_last_runs(root: DataRoot, estate: Estate) -> None:
    assert grace_days([]) == 30
    cleanup(root, grace_days=12)
    assert grace_days(Sources(estate).cleanups.runs(ENVIRONMENT)) == 12


def test_a_number_due_today_may_be_given_up_today(root: DataRoot, estate: Estate) -> None:
    since = TODAY - timedelta(days=10)
    snapshot = export(root, [row(1, note=f"[unused since {since}]")])
    (marked,) = queue(estate.table(snapshot), 10)
    assert marked.days_left(TODAY) == 0
    assert marked.days_left(TODAY - timedelta(days=1)) == 1
