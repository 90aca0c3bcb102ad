from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from ocp_numbers import run_notes


@dataclass
class Subject:
    """What has a note in Airflow's database: a run or a task instance."""

    task_instance_note: Any = None
    note: str | None = field(default=None)


@pytest.mark.parametrize("sentence", ["Bought 5 of 5 in US/+1212 for 25.", "x" * 1_000])
def test_a_sentence_becomes_the_note(sentence: str) -> None:
    subject = Subject()
    run_notes._note(subject, sentence)
    assert subject.note == sentence


def test_a_note_fits_into_the_database_whatever_was_said() -> None:
    subject = Subject()
    run_notes._note(subject, "a\0b" * 1_000)
    assert subject.note is not None
    assert "\0" not in subject.note
    assert len(subject.note) == run_notes.LONGEST
    assert subject.note.endswith(" ...")


def test_a_note_of_a_person_stays_and_ours_of_an_earlier_attempt_is_replaced() -> None:
    by_person = Subject(SimpleNamespace(user_id="anna"), "called the provider")
    ours = Subject(SimpleNamespace(user_id=None), "Bought 3 of 5.")
    run_notes._note(by_person, "Bought 5 of 5.")
    run_notes._note(ours, "Bought 5 of 5.")
    assert (by_person.note, ours.note) == ("called the provider", "Bought 5 of 5.")


@pytest.mark.parametrize("ended", [run_notes.on_dag_run_success, run_notes.on_dag_run_failed])
def test_whatever_goes_wrong_the_scheduler_goes_on_and_the_log_says_why(
    ended: Callable[[Any, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    run: Any = SimpleNamespace(run_id="manual__1", dag_id="provision_region")
    with caplog.at_level(logging.ERROR):
        ended(run, "over")
    assert "The notes of run manual__1 of provision_region could not be written" in caplog.text
