"""Writes what the tasks of a run said about themselves into Airflow's own notes, once the run has ended.

Airflow lets a task write no note, but it tells plugins in the scheduler when a run ends. There the sentences that tasks
left in their XCom ``note`` become the notes of the task instances, and the most telling one the note of the run. Only
tasks of this project's operators are looked at, and what a person wrote stays.

This runs inside the scheduler's own transaction: it only adds rows to it, commits nothing, and never raises.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

_INSTANCE = ("dag_id", "run_id", "task_id", "map_index")
LONGEST = 1_000
"""Characters that Airflow's database has for a note."""


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:
    """A run succeeded."""
    _write_notes(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    """A run failed."""
    _write_notes(dag_run)


def _write_notes(dag_run: DagRun) -> None:
    from airflow.models.dagrun import DagRun as Run
    from airflow.utils.session import create_session
    from sqlalchemy.orm import object_session

    try:
        session = object_session(dag_run)
        if session is not None:
            _write(dag_run, session)
        else:  # dag.test() lets go of the run before it tells
            with create_session() as own:
                _write(own.get_one(Run, dag_run.id), own)
    except Exception:
        # A note is worth no run: whatever is wrong with it, the scheduler goes on.
        log.exception("The notes of run %s of %s could not be written", dag_run.run_id, dag_run.dag_id)


def _write(dag_run: DagRun, session: Session) -> None:
    told = _told(dag_run, session)
    for instance, sentence in told:
        _note(instance, sentence)
    if told:
        _note(dag_run, max(told, key=lambda each: _weight(each[0]))[1])


def _told(dag_run: DagRun, session: Session) -> list[tuple[TaskInstance, str]]:
    """The tasks of our operators that said something, with what they said.

    One question to the database, whose answer is empty for the runs of everybody else.
    """
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from sqlalchemy import and_, select

    from ocp_numbers import operators

    same = (getattr(XComModel, name) == getattr(TaskInstance, name) for name in _INSTANCE)
    of_run = (TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id)
    ours = TaskInstance.operator.in_(operators.__all__)
    asked = select(TaskInstance, XComModel).join(XComModel, and_(*same)).where(*of_run, ours, XComModel.key == "note")
    told = [(instance, XComModel.deserialize_value(note)) for instance, note in session.execute(asked)]
    return [(instance, sentence) for instance, sentence in told if isinstance(sentence, str) and sentence]


def _weight(instance: TaskInstance) -> tuple[bool, Any]:
    """What stopped a run says most about it; of what went well, the last task does."""
    return str(instance.state) == "failed", instance.end_date


def _note(subject: Any, sentence: str) -> None:
    """Give a run or a task instance its note, unless a person gave it one."""
    holder = getattr(subject, "task_instance_note", None) or getattr(subject, "dag_run_note", None)
    if holder is not None and holder.user_id is not None:
        return
    text = sentence.replace("\0", "")
    subject.note = text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
