"""What waits in Airflow's triggerer: rows in its database, and the triggers themselves while they run, in a process of
their own with logs of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

PATIENCE = 180.0
"""Seconds that the triggerer gets on a machine that is very busy."""
CALLED_WITH = {
    "dag_run": {"dag_id": "nightly_inventory_export", "dag_run_id": "manual__1", "state": "running"},
    "deadline": {"deadline_time": "2026-01-01T06:00:00Z"},
}
"""What Airflow hands to a callback of a deadline, as far as ours looks at it."""


def defer(run_id: str, conn_ids: Sequence[str]) -> dict[str, str]:
    """Let tasks of a run wait as its task ``SetAttached`` does, each on another connection; the tasks by connection."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        of_run = session.scalars(select(TaskInstance).filter_by(run_id=run_id)).all()
        (model,) = [ti for ti in of_run if ti.task_id == "SetAttached"]
        others = [ti for ti in of_run if ti is not model]
        for conn_id, ti in zip(conn_ids, others, strict=False):
            trigger = Trigger(model.trigger.classpath, {**model.trigger.kwargs, "ocp_conn_id": conn_id})
            session.add(trigger)
            session.flush()
            ti.state, ti.next_method, ti.trigger_id = model.state, model.next_method, trigger.id
        waiting = zip(conn_ids, others, strict=False)
        return {str(model.trigger.kwargs["ocp_conn_id"]): model.task_id, **{name: ti.task_id for name, ti in waiting}}


def call_back() -> None:
    """Have the triggerer call what tells that the nightly export is late."""
    from airflow.models.callback import TriggererCallback
    from airflow.sdk.definitions.callback import AsyncCallback
    from airflow.utils.session import create_session

    late = AsyncCallback("ocp_numbers.notifications.late.tell_late_export")
    with create_session() as session:
        callback = TriggererCallback(late, prefix="deadline_alerts")
        callback.data["kwargs"] = {"context": CALLED_WITH}
        callback.queue(session=session)
        session.add(callback)


def has_called_back() -> bool:
    """Whether it did."""
    from airflow.models.callback import Callback
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalars(select(Callback)).one().state == "success"


def rows() -> str:
    """Everything in the database's table of triggers, with what is encrypted there in clear."""
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return "\n".join(f"{row.classpath} {row.kwargs}" for row in session.scalars(select(Trigger)))


def run(until: Callable[[], bool]) -> None:
    """Airflow's triggerer, until that is so."""
    import structlog
    from airflow.jobs.job import Job
    from airflow.jobs.triggerer_job_runner import TriggererJobRunner, TriggerRunnerSupervisor
    from airflow.utils.session import create_session

    with create_session() as session:
        job = Job(job_type=TriggererJobRunner.job_type)  # type: ignore[no-untyped-call]
        session.add(job)
    supervisor = TriggerRunnerSupervisor.start(job=job, capacity=100, logger=structlog.get_logger())
    patience = time.monotonic() + PATIENCE
    while not until() and time.monotonic() < patience:
        supervisor.run_once()
    supervisor.kill(escalation_delay=10, force=True)
