"""Which work tells of which event."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time import hitl as asking

from notifications.conftest import Chat, Routing
from ocp_numbers.errors import OutcomeUnknown
from ocp_numbers.operators import ApprovePlanOperator, ExportNumbersOperator, PublishDriftOperator
from ocp_sandbox import Fault
from operators.conftest import run, sandbox, world
from operators.provisioning import DagRun, Provisioning, TaskInstance
from operators.world import GROUP, Run, World

__all__ = ["run", "sandbox", "world"]


@pytest.fixture(autouse=True)
def told(chat: Chat, routing: Routing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What people were told."""
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")
    routing.to_chat()
    return chat.messages


def test_an_approval_that_is_needed_with_the_page_to_answer_on(
    world: World, run: Run, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **question: None)
    task = Provisioning(run, world)
    plan = task.search()

    with pytest.raises(TaskAwaitingInput):
        run(ApprovePlanOperator(task_id="approve", plan=plan), **task.context)

    (message,) = told
    assert message["kind"] == "approval_needed"
    assert plan["subject"] in message["text"]
    assert (
        "https://airflow.example.com/dags/provision_region/runs/manual/tasks/task/required_actions" in message["text"]
    )


def test_nobody_is_told_of_an_approval_that_nobody_is_asked_for(
    world: World, run: Run, told: list[dict[str, Any]]
) -> None:
    task = Provisioning(run, world, require_approval=False)
    task.approve(task.search())

    assert told == []


@pytest.mark.parametrize(("try_number", "count"), [(1, 0), (4, 1)], ids=["to be tried again", "the last attempt"])
def test_a_purchase_in_doubt_once_no_attempt_is_left_to_find_out(
    world: World, run: Run, told: list[dict[str, Any]], try_number: int, count: int
) -> None:
    task = Provisioning(run, world)
    approved = task.approve(task.search())
    ti: Any = TaskInstance()
    ti.try_number, ti.max_tries = try_number, 3
    task.context |= {"ti": ti}
    world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_before"))

    with pytest.raises(OutcomeUnknown):
        task.buy(approved)

    assert [message["kind"] for message in told] == ["unknown_purchase"] * count
    assert all("Do not do the rest by hand" in message["text"] for message in told)


@pytest.mark.parametrize(("state", "count"), [("drifted", 1), ("as declared", 0)])
def test_a_region_that_has_drifted(run: Run, told: list[dict[str, Any]], state: str, count: int) -> None:
    region = {"name": "desk", "ocp_conn_id": "ocp_eu", "group": GROUP, "set_name": "desk", "apply": "when_asked"}
    found = {**region, "environment": "ocp_eu", "state": state, "summary": "2 to buy"}
    del found["ocp_conn_id"]

    run(PublishDriftOperator(task_id="drift", declared=[region], found=[found]), dag_run=DagRun())

    assert len(told) == count
    assert all("desk: drifted. 2 to buy" in message["text"] for message in told)


def export(run: Run) -> None:
    context: dict[str, Any] = {
        "ti": SimpleNamespace(id=uuid4(), dag_id="d", run_id="r", task_id="export", map_index=0),
        "dag_run": SimpleNamespace(logical_date=datetime.now(timezone.utc), run_after=None),
        "outlet_events": defaultdict(lambda: SimpleNamespace(add=lambda *_, **__: None, add_partitions=lambda _: None)),
    }
    run(ExportNumbersOperator(task_id="export"), **context)


def test_an_export_that_is_not_believed(
    world: World, run: Run, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "upsert_hitl_detail", lambda **question: None)
    export(run)
    world.add(20)

    with pytest.raises(TaskAwaitingInput):
        export(run)

    (message,) = [message for message in told if message["kind"] == "anomalous_export"]
    assert "40 numbers, 20 in the last snapshot" in message["text"]
