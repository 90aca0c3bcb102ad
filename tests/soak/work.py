"""The tasks of the nightly export, of a provisioning and of a cleanup, tried again as Airflow would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from ocp_numbers.errors import OcpError, PlanChanged
from ocp_numbers.operators.approval import ApprovePlanOperator
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.cleanup import (
    MarkUnusedNumbersOperator,
    ReleaseUnusedNumbersOperator,
    SelectUnusedNumbersOperator,
    VerifyCleanupOperator,
)
from ocp_numbers.operators.export import ExportNumbersOperator
from ocp_numbers.operators.regions import (
    ApproveRegionOperator,
    BuyPlannedNumbersOperator,
    FillSetOperator,
    PlanRegionOperator,
    VerifyRegionOperator,
)
from ocp_numbers.operators.sets import AttachSetOperator
from ocp_sandbox import Sandbox

from .dying import Death, Killed

TRIES = 6
"""How often a task is tried before its run has failed."""
RUNS = 6
"""How often a person triggers a run anew before it counts as never done."""
RETRY_DELAY = 300.0


class NeverDone(Exception):
    """Work that did not come to its end, however often it was tried."""


class Crew:
    """Runs operators as tasks: each attempt may meet faults and death, and time passes before the next.

    :param keep_days: how long snapshots and journals are kept.
    """

    def __init__(self, sandbox: Sandbox, death: Death, *, policy: Path, keep_days: int) -> None:
        self._sandbox = sandbox
        self._death = death
        self._policy = policy
        self._keep_days = keep_days
        self.troubles: Counter[str] = Counter()

    def export(self, night: int) -> dict[str, Any]:
        """The nightly export; its result."""
        return dict(self._until_done(lambda turn: self._export(f"night-{night}-{turn}")))

    def clean_up(self, night: int) -> dict[str, Any]:
        """A cleanup with its approval; the result of its verification."""
        return dict(self._until_done(lambda turn: self._clean_up(f"cleanup-{night}-{turn}")))

    def provision(self, *regions: dict[str, Any]) -> list[dict[str, Any]]:
        """Provision regions at the same time: all are planned before the first is carried out."""
        return list(self._until_done(lambda turn: self._provision(regions, turn)))

    def _export(self, run_id: str) -> dict[str, Any]:
        return dict(
            self._task(
                lambda: ExportNumbersOperator(task_id="export", keep_days=self._keep_days, max_change_percent=60),
                self._context("nightly_inventory_export", run_id),
            )
        )

    def _clean_up(self, run_id: str) -> dict[str, Any]:
        context = self._context("cleanup_unused_numbers", run_id)
        plan = self._task(
            lambda: SelectUnusedNumbersOperator(task_id="select", policy_file=str(self._policy), overrides="{}"),
            context,
        )
        self._task(lambda: MarkUnusedNumbersOperator(task_id="mark", plan=plan), context)
        approved = self._approved(ApprovePlanOperator, plan, context)
        released = self._task(lambda: ReleaseUnusedNumbersOperator(task_id="release", plan=approved), context)
        return dict(self._task(lambda: VerifyCleanupOperator(task_id="verify", plan=plan, released=released), context))

    def _provision(self, regions: tuple[dict[str, Any], ...], turn: int) -> list[dict[str, Any]]:
        contexts = [self._context("provision_region", f"{region['set_name']}-{turn}") for region in regions]
        plans = [
            self._task(partial(PlanRegionOperator, task_id="search", region=region), context)
            for region, context in zip(regions, contexts, strict=True)
        ]
        approved = [
            self._approved(ApproveRegionOperator, plan, context) for plan, context in zip(plans, contexts, strict=True)
        ]
        return [
            self._apply(region, plan, context)
            for region, plan, context in zip(regions, approved, contexts, strict=True)
        ]

    def _apply(self, region: dict[str, Any], plan: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        bought = self._task(lambda: BuyPlannedNumbersOperator(task_id="buy", plan=plan), context)
        filled = self._task(
            lambda: FillSetOperator(
                task_id="set", name=region["set_name"], group=region["group"], numbers=bought["for_set"]
            ),
            context,
        )
        self._task(
            lambda: AttachSetOperator(
                task_id="attach",
                set_id=filled["set_id"],
                mini_app_id=region["mini_app_id"],
                locale=region["locale"],
                numbers=bought["for_set"],
            ),
            context,
        )
        return dict(self._task(lambda: VerifyRegionOperator(task_id="verify", plan=plan, bought=bought), context))

    def _approved(
        self, kind: type[ApprovePlanOperator], plan: dict[str, Any], context: dict[str, Any]
    ) -> dict[str, Any]:
        if not plan["ask"]:
            return plan | {"approved": True, "approved_by": None}
        event = {
            "chosen_options": [f"Approve {plan['digest'][:12]}"],
            "params_input": {},
            "responded_at": datetime.now(timezone.utc),
            "responded_by_user": {"id": "ann", "name": "ann"},
        }
        answer: dict[str, Any] = kind(task_id="approve", plan=plan).execute_complete(context, event)
        return answer

    def _task(self, make: Callable[[], OcpOperator], context: dict[str, Any]) -> Any:
        """Try the task until it succeeds, each time in a process of its own as far as it can tell."""
        for left in reversed(range(TRIES)):
            operator = make()
            try:
                with self._death.abroad():
                    operator.render_template_fields(context)  # type: ignore[arg-type]
                    return operator.execute(context)  # type: ignore[arg-type]
            except Killed:
                self.troubles["killed"] += 1
            except PlanChanged:
                raise
            except OcpError as error:
                self.troubles[type(error).__name__] += 1
                if not left:
                    raise
            self._sandbox.clock.advance(RETRY_DELAY)
        raise NeverDone(f"{operator.task_id} was killed {TRIES} times")

    def _until_done(self, run: Callable[[int], Any]) -> Any:
        for turn in range(RUNS):
            try:
                return run(turn)
            except (OcpError, NeverDone) as error:
                self.troubles["runs triggered anew"] += 1
                last = error
                self._sandbox.clock.advance(RETRY_DELAY)
        raise NeverDone(f"triggered {RUNS} times; at last: {type(last).__name__}: {last}") from last

    def _context(self, dag_id: str, run_id: str) -> dict[str, Any]:
        now = datetime.fromtimestamp(self._sandbox.clock.now(), timezone.utc)
        ti = SimpleNamespace(
            id=uuid4(),
            dag_id=dag_id,
            run_id=run_id,
            task_id="task",
            map_index=-1,
            try_number=1,
            max_tries=0,
            xcom_push=lambda key, value: None,
        )
        run = SimpleNamespace(
            dag_id=dag_id,
            run_id=run_id,
            run_type="manual",
            logical_date=now,
            run_after=now,
            triggering_user_name="olivia",
        )
        return {"ti": ti, "task_instance": ti, "dag_run": run, "outlet_events": _Events()}


class _Events(dict[Any, Any]):
    """Takes what is told about assets."""

    def __missing__(self, asset: Any) -> Any:
        return SimpleNamespace(add=lambda asset, extra: None, add_partitions=lambda name: None)
