"""One attempt of one task: Airflow's real task runner, with the supervisor's side answered here.

Templates, XComs, parameters, the retry policy, skips and the wait for a person's input are Airflow's own code. What the
task runner reports goes to the maker of the process, and is a fact from then on, as in Airflow's database.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, SupportsIndex, cast
from uuid import UUID

import jsonschema  # type: ignore[import-untyped]
import structlog
from airflow.sdk import DAG, BaseOperator
from airflow.sdk._shared.secrets_masker import _secrets_masker
from airflow.sdk.api.datamodels._generated import DagRun, DagRunState, DagRunType, TIRunContext
from airflow.sdk.api.datamodels._generated import TaskInstance as TaskInstanceData
from airflow.sdk.execution_time import comms, task_runner
from airflow.sdk.execution_time.supervisor import set_supervisor_comms
from airflow.sdk.serde import serialize

from .accidents import Accident
from .effects import Tell, Watch

REQUESTED_BY = "prover"
APPROVED_BY = {"id": "1", "name": "approver"}


@dataclass(frozen=True)
class Attempt:
    """What a process is asked to run, and the world that it runs in.

    :param task_instance: id of the task instance's try. :param conf: parameters of the run.
    :param xcoms: values by task and key. :param may_retry: whether Airflow would try again after a failure.
    :param resume: name of the method and arguments to go on with after a wait.
    :param now: seconds that the world's clock is ahead. :param accidents: what is still to happen, ``counted`` effects
        after the last. :param machine: a name that differs where the attempt is to run on another machine.
    """

    task_id: str
    run_id: str
    try_number: int
    max_tries: int
    task_instance: UUID
    conf: Mapping[str, Any]
    xcoms: Mapping[tuple[str, str], Any]
    may_retry: bool
    platform: str
    data: Path
    environment: Mapping[str, str]
    resume: tuple[str, Mapping[str, Any]] | None = None
    now: float = 0.0
    accidents: tuple[Accident, ...] = ()
    counted: int = 0
    machine: str = ""


class WorldClock:
    """Time in the attempt: the real one, moved forward by every sleep, in step with the sandbox's."""

    def __init__(self, ahead: float, watch: Watch) -> None:
        self._ahead = ahead
        self._untold = 0.0
        self._watch = watch

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.fromtimestamp(time.time() + self._ahead, timezone.utc)

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float | SupportsIndex) -> None:
        """Let seconds pass at once."""
        self._ahead += float(seconds)
        self._untold += float(seconds)

    def settle(self) -> None:
        """Bring the sandbox's clock to this one's time, before it is asked anything."""
        if self._untold:
            seconds, self._untold = self._untold, 0.0
            self._watch.control("clock", {"advance": seconds})

    def catch_up(self) -> None:
        """Take over the sandbox's time: it went on without this process."""
        self._ahead, self._untold = self._watch.control("clock", {"advance": 0})["offset"], 0.0


Prepare = Callable[[WorldClock, str], None]
"""Connects whatever in the program has a clock or a place of its own to the attempt's clock and machine."""


class _Airflow:
    """The supervisor's side of the task runner's conversation."""

    def __init__(self, attempt: Attempt, watch: Watch, tell: Tell) -> None:
        self._xcoms = dict(attempt.xcoms)
        self._watch = watch
        self._tell = tell

    def send(self, msg: Any) -> Any:
        """Answer a question; pass a report on."""
        match msg:
            case comms.GetXCom():
                return comms.XComResult(key=msg.key, value=self._xcoms.get((msg.task_id, msg.key)))
            case comms.GetXComSequenceSlice():
                found = [self._xcoms[key] for key in [(msg.task_id, msg.key)] if key in self._xcoms]
                return comms.XComSequenceSliceResult(root=found)
            case comms.SetXCom():
                self._xcoms[msg.task_id, msg.key] = msg.value
                self._report(f"XCom {msg.key}", "xcom", (msg.task_id, msg.key, msg.value))
            case comms.CreateHITLDetailPayload():
                self._report("question", "question", msg.options)
            case comms.AwaitInputTask():
                self._report("awaiting input", "awaiting", (msg.next_method, msg.next_kwargs))
            case comms.SkipDownstreamTasks():
                self._report("skipped downstream", "skip", [_task_of(task) for task in msg.tasks])
            case comms.SucceedTask():
                self._report("success", "state", ("success", None))
            case comms.RetryTask():
                self._report("up for retry", "state", ("up_for_retry", msg.retry_delay_seconds))
            case comms.TaskState():
                self._report(msg.state.value, "state", (msg.state.value, None))
            case comms.SetRenderedFields() | comms.SetRenderedMapIndex() | comms.DeleteXCom() | comms.MaskSecret():
                pass
            case comms.ValidateInletsAndOutlets():
                return comms.InactiveAssetsResult(inactive_assets=[])
            case comms.GetTaskStateStore() | comms.SetTaskStateStore() | comms.ClearTaskStateStore():
                pass  # a cache that may vanish at any time, and here always has
            case _:
                raise NotImplementedError(f"the prover's Airflow does not answer {type(msg).__name__}")
        return None

    def _report(self, label: str, name: str, value: object) -> None:
        self._watch.report(label, lambda: self._tell(name, value))


def run_attempt(dag: DAG, prepare: Prepare, attempt: Attempt, tell: Tell) -> None:
    """Run it; leaves the process as it was, apart from what ``prepare`` did to it.

    :param prepare: called first.
    """
    os.environ.update(attempt.environment)
    watch = Watch(attempt.data, attempt.platform, attempt.accidents, attempt.counted, tell)
    clock = WorldClock(attempt.now, watch)
    watch.before_call, watch.on_waking = clock.settle, clock.catch_up
    prepare(clock, attempt.machine)
    instance = task_runner.RuntimeTaskInstance.model_construct(
        **_instance(dag, attempt).model_dump(exclude_unset=True),
        task=cast(BaseOperator, dag.task_dict[attempt.task_id]),
        _ti_context_from_server=_context(dag, attempt, clock.now()),
        max_tries=attempt.max_tries,
        start_date=clock.now(),
        sentry_integration="",
    )
    with watch.on(), set_supervisor_comms(_Airflow(attempt, watch, tell)):
        sleep, time.sleep = time.sleep, clock.sleep
        try:
            _, _, error = task_runner.run(instance, instance.get_template_context(), structlog.get_logger())
        finally:
            time.sleep = sleep
    _secrets_masker().reset_masker()  # type: ignore[no-untyped-call]  # it would remember the tokens of thousands of logins
    if error is not None:
        tell("error", (type(error).__name__, str(error)))
    clock.settle()


def be_quiet() -> None:
    """Leave out, in this process and its forks, what changes nothing and takes most of the time."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    task_runner._serialize_rendered_fields = lambda task: {}  # for the UI's tab "Rendered Templates"
    # Every use of a parameter has its schema checked against the schema of schemas again.
    jsonschema.Draft202012Validator.check_schema = classmethod(lambda cls, *args, **options: None)


def answer_of(options: list[str], now: datetime) -> Any:
    """What a person who takes the first of ``options`` puts into the waiting task's arguments."""
    event = {"chosen_options": options[:1], "params_input": {}, "responded_at": now, "responded_by_user": APPROVED_BY}
    return serialize(event)


def _instance(dag: DAG, attempt: Attempt) -> TaskInstanceData:
    return TaskInstanceData(
        id=attempt.task_instance,
        task_id=attempt.task_id,
        dag_id=dag.dag_id,
        run_id=attempt.run_id,
        try_number=attempt.try_number,
        dag_version_id=attempt.task_instance,
        map_index=-1,
    )


def _context(dag: DAG, attempt: Attempt, now: datetime) -> TIRunContext:
    method, arguments = attempt.resume or (None, None)
    return TIRunContext(
        dag_run=DagRun(
            dag_id=dag.dag_id,
            run_id=attempt.run_id,
            logical_date=now,
            data_interval_start=now,
            data_interval_end=now,
            run_after=now,
            start_date=now,
            end_date=None,
            run_type=DagRunType.MANUAL,
            state=DagRunState.RUNNING,
            conf=dict(attempt.conf),
            triggering_user_name=REQUESTED_BY,
            consumed_asset_events=[],
            partition_key=None,
        ),
        max_tries=attempt.max_tries,
        should_retry=attempt.may_retry,
        next_method=method,
        next_kwargs=dict(arguments) if arguments is not None else None,
    )


def _task_of(task: str | tuple[str, int]) -> str:
    return task if isinstance(task, str) else task[0]
