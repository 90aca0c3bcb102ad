"""The part of Airflow between the attempts: which task is due, what failures lead to, what clearing does."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import DAG

from .accidents import Recovery

Told = Iterator[tuple[str, Any]]


@dataclass
class Task:
    """One task of the run: its state, and what Airflow remembers of it."""

    state: str | None = None
    tries: int = 0
    max_tries: int = 0
    instance: uuid.UUID = field(default_factory=uuid.uuid4)
    xcoms: dict[str, Any] = field(default_factory=dict)
    resume: tuple[str, Mapping[str, Any]] | None = None
    options: list[str] | None = None
    delay: float = 0.0


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: ``state`` of the task, ``killed`` when its process died; ``error`` as type and message."""

    task_id: str
    state: str
    killed: bool
    error: tuple[str, str] | None

    def __str__(self) -> str:
        how = "killed" if self.killed else f"{self.error[0]}: {self.error[1]}" if self.error else "no error"
        return f"{self.task_id} {self.state} ({how})"


Launch = Callable[[str, Task], Told]
"""Starts an attempt of a task."""


class Scheduler:
    """Runs of one DAG, one after the other."""

    def __init__(self, dag: DAG) -> None:
        self._dag = dag
        self._order = [task.task_id for task in dag.topological_sort()]  # type: ignore[no-untyped-call]
        self._runs = 0
        self.run_id = ""
        self.tasks: dict[str, Task] = {}
        odd = {task.trigger_rule for task in dag.tasks} - {"all_success", "none_failed"}
        if odd:
            raise NotImplementedError(f"trigger rules: {', '.join(map(str, odd))}")

    def trigger(self) -> None:
        """Begin a new run; the one before stays as it is."""
        self._runs += 1
        self.run_id = f"manual__{self._runs}"
        self.tasks = {task_id: Task(max_tries=self._retries(task_id)) for task_id in self._order}

    def clear(self, task_id: str) -> None:
        """Forget how this task and all below it ended; what others returned is kept."""
        below = {task.task_id for task in self._dag.task_dict[task_id].get_flat_relatives(upstream=False)}
        for name in (task_id, *below):
            task = self.tasks[name]
            task.state, task.resume, task.instance = None, None, uuid.uuid4()
            task.max_tries = task.tries + self._retries(name)

    def step(self, launch: Launch) -> Ending | None:
        """Run the next attempt that is due; ``None`` when the run is over, or waits for a decision about a failure."""
        for task_id in self._order:
            task = self.tasks[task_id]
            upstream = {self.tasks[name].state for name in self._dag.task_dict[task_id].upstream_task_ids}
            if task.state in ("success", "skipped"):
                continue
            if "skipped" in upstream and self._dag.task_dict[task_id].trigger_rule == "all_success":
                task.state = "skipped"
                continue
            return None if task.state in ("failed", "up_for_retry") else self._attempt(task_id, task, launch)
        return None

    def __deepcopy__(self, memo: dict[int, Any]) -> Scheduler:
        """A scheduler that goes on from here by itself; the DAG is the same."""
        other = Scheduler(self._dag)
        other._runs, other.run_id, other.tasks = self._runs, self.run_id, copy.deepcopy(self.tasks, memo)
        return other

    @property
    def complete(self) -> bool:
        """Whether every task of the run succeeded."""
        return all(task.state == "success" for task in self.tasks.values())

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """What the tasks of the run have published, by task and key."""
        return {task_id: dict(task.xcoms) for task_id, task in self.tasks.items()}

    def recover(self, failed: Ending, how: Recovery) -> float:
        """Go on after a failure; the seconds that pass until then."""
        task = self.tasks[failed.task_id]
        if how == "retry" and task.state == "up_for_retry":
            task.state = None
            return task.delay
        if how in ("retry", "clear"):
            self.clear(failed.task_id)
        elif how == "recompute":
            for task_id in self._order:
                self.clear(task_id)
        else:
            self.trigger()
        return 1.0

    def _attempt(self, task_id: str, task: Task, launch: Launch) -> Ending:
        resumed = task.resume is not None
        if not resumed:
            task.tries += 1
            task.xcoms.clear()
        state, killed, error = "failed", False, None
        for name, value in launch(task_id, task):
            if name == "xcom":
                self.tasks[value[0]].xcoms[value[1]] = value[2]
            elif name == "question":
                # Airflow keeps a question once asked, also where the task asks another one after it was cleared.
                task.options = task.options or value
            elif name == "awaiting":
                state, task.resume = "awaiting", value
            elif name == "skip":
                for skipped in value:
                    self.tasks[skipped].state = "skipped"
            elif name == "state":
                state, task.delay = value[0], value[1] or self._delay(task_id)
            elif name == "error":
                error = value
            elif name == "broke":
                raise RuntimeError(f"the attempt itself broke:\n{value}")
            elif name == "ended":
                killed = value < 0
        if killed and state == "failed":
            task.delay = self._delay(task_id)
            state = "up_for_retry" if task.tries <= task.max_tries else "failed"
        if state != "awaiting":
            task.resume = None
        task.state = None if state == "awaiting" else state
        return Ending(task_id, state, killed, error)

    def _retries(self, task_id: str) -> int:
        return int(self._dag.task_dict[task_id].retries or 0)

    def _delay(self, task_id: str) -> float:
        return self._dag.task_dict[task_id].retry_delay.total_seconds()
