"""A nightly export that is late is told, from the triggerer, with what Airflow hands over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.definitions.callback import AsyncCallback

from notifications.conftest import Chat, Routing
from ocp_numbers.notifications.late import tell_late_export

CONTEXT = {
    "dag_run": {"dag_id": "nightly_inventory_export", "dag_run_id": "scheduled__2026-03-31T02:00", "state": "running"},
    "deadline": {"id": "1", "deadline_time": "2026-03-31 04:00:00+00:00"},
}


@pytest.fixture
def nightly() -> Any:
    """The DAG as its file declares it."""
    file = Path(__file__).resolve().parents[2] / "dags" / "nightly_inventory_export.py"
    return DagBag(file).dags["nightly_inventory_export"]


def test_being_late_is_told_with_the_run_to_look_at(
    chat: Chat, routing: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")
    routing.to_chat("late_export")

    asyncio.run(tell_late_export(CONTEXT))

    (message,) = chat.messages
    assert "nightly_inventory_export is late" in message["text"]
    assert "by 2026-03-31 04:00:00+00:00, and is running" in message["text"]
    assert "https://airflow.example.com/dags/nightly_inventory_export/runs/scheduled__2026-03-31T02" in message["text"]


def test_the_dag_has_a_deadline_that_runs_by_hand_have_too(nightly: Any) -> None:
    (deadline,) = nightly.deadline

    assert deadline.callback == AsyncCallback("ocp_numbers.notifications.late.tell_late_export")
    assert deadline.reference.reference_name == "DagRunQueuedAtDeadline"
    assert deadline.interval.total_seconds() == 7200
