"""The tasks of ``provision_region`` one after another, as a run of the DAG would execute them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperator

from ocp_numbers.operators.regions import (
    ApproveRegionOperator,
    BuyPlannedNumbersOperator,
    FillSetOperator,
    PlanRegionOperator,
    VerifyRegionOperator,
)
from ocp_numbers.operators.sets import AttachSetOperator
from operators.world import GROUP, Run, World

POLICY = Path(__file__).resolve().parents[2] / "include" / "cleanup.yaml"

OperatorT = TypeVar("OperatorT", bound=BaseOperator)


@dataclass
class TaskInstance:
    """As much of a task instance as the operators look at."""

    run_id: str = "manual"
    id: str = "0"
    dag_id: str = "provision_region"
    task_id: str = "task"
    map_index: int = -1
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@dataclass
class DagRun:
    """As much of a DAG run as the operators look at."""

    run_id: str = "manual"
    dag_id: str = "provision_region"
    triggering_user_name: str = "olivia"


_one_dag_at_a_time = Lock()


def followed(kind: type[OperatorT], **arguments: Any) -> OperatorT:
    """An operator that another task comes after."""
    with _one_dag_at_a_time, DAG("provision_region", schedule=None):
        operator = kind(**arguments)
        operator.set_downstream(EmptyOperator(task_id="follower"))
    return operator


class Provisioning:
    """One run for one region; each method is a task, and returns what the task would."""

    def __init__(self, run: Run, world: World, run_id: str = "manual", **wish: Any) -> None:
        self._run = run
        self.ti = TaskInstance(run_id=run_id)
        self.context = {"ti": self.ti, "task_instance": self.ti, "dag_run": DagRun(run_id=run_id)}
        self.region = {
            "ocp_conn_id": "ocp_default",
            "group": GROUP,
            "provider": "telnova",
            "country_code": "US",
            "prefix": "+1212",
            "quantity": 5,
            "set_name": "new-york",
            "mini_app_id": world.app,
            "locale": "en-US",
            "max_unit_price": 10,
            "max_total_price": 50,
            **wish,
        }

    def search(self) -> dict[str, Any]:
        operator = followed(PlanRegionOperator, task_id="search", region=self.region, policy_file=str(POLICY))
        return dict(self._run(operator, **self.context, task=operator))

    def approve(self, plan: dict[str, Any], answer: str | None = None, by: str = "anna") -> dict[str, Any]:
        operator = ApproveRegionOperator(task_id="approve", plan=plan)
        if not plan["ask"]:
            return dict(self._run(operator, **self.context, task=operator))
        event = {
            "chosen_options": [answer or f"Approve {plan['digest'][:12]}"],
            "params_input": {},
            "responded_at": datetime.now(timezone.utc),
            "responded_by_user": {"id": by, "name": by},
        }
        return self.complete(operator, event)

    def complete(self, operator: ApproveRegionOperator, event: dict[str, Any]) -> dict[str, Any]:
        """Resume the waiting task with an answer."""
        context: Any = {**self.context, "task": operator}
        return dict(operator.execute_complete(context, event))

    def buy(self, approved: dict[str, Any]) -> dict[str, Any]:
        return dict(
            self._run(BuyPlannedNumbersOperator(task_id="buy", plan=approved, settle_seconds=0), **self.context)
        )

    def fill(self, bought: dict[str, Any]) -> dict[str, Any]:
        region = self.region
        operator = FillSetOperator(
            task_id="set", name=region["set_name"], group=region["group"], numbers=bought["for_set"]
        )
        return dict(self._run(operator, **self.context))

    def attach(self, filled: dict[str, Any], bought: dict[str, Any]) -> None:
        operator = AttachSetOperator(
            task_id="attach",
            set_id=filled["set_id"],
            mini_app_id=self.region["mini_app_id"],
            locale=self.region["locale"],
            numbers=bought["for_set"],
            allow_reassign=self.region.get("allow_reassign", []),
        )
        self._run(operator, **self.context)

    def verify(self, approved: dict[str, Any], bought: dict[str, Any]) -> dict[str, Any]:
        return dict(self._run(VerifyRegionOperator(task_id="verify", plan=approved, bought=bought), **self.context))

    def apply(self, approved: dict[str, Any]) -> dict[str, Any]:
        bought = self.buy(approved)
        self.attach(self.fill(bought), bought)
        return self.verify(approved, bought)

    def whole(self) -> dict[str, Any]:
        return self.apply(self.approve(self.search()))
