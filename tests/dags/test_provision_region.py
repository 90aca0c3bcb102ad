"""The DAG as a whole: what a person approves happens, what a person rejects does not, and a second run is quiet."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG

from dags.conftest import run
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox

TASKS = ["search", "approve", "buy", "set", "attach", "verify"]


@pytest.fixture
def wish(dag: DAG, sandbox: Sandbox, data_root: DataRoot) -> dict[str, Any]:
    """What a person fills in besides the form's defaults; a purchase shows at once on this platform."""
    buy: Any = dag.get_task("buy")
    buy.settle_seconds = 0
    return {"mini_app_id": next(app["id"] for app in sandbox.miniapps() if app["group"] == "retail-us")}


def test_the_graph_reads_from_search_to_verify(dag: DAG) -> None:
    assert set(dag.task_ids) == set(TASKS)
    assert [sorted(dag.get_task(task).downstream_task_ids) for task in TASKS] == [[after] for after in TASKS[1:]] + [[]]


def test_an_approved_region_is_bought_and_a_second_run_has_nothing_to_do(
    dag: DAG, sandbox: Sandbox, wish: dict[str, Any]
) -> None:
    first = run(dag, wish)
    assert first.tasks == dict.fromkeys(TASKS, "success")
    assert first.results["verify"]["summary"].startswith("Bought 5 of 5 in US/+1212 for 5")
    assert first.results["verify"]["approved_by"] == "anna"
    assert first.notes[""].startswith("Bought 5 of 5 in US/+1212 for 5")
    assert first.notes["buy"].startswith("Bought 5 of 5")
    again = run(dag, wish)
    assert again.tasks == dict.fromkeys(TASKS, "success")
    assert again.results["verify"]["summary"].startswith("Nothing to do")
    assert sandbox.ledger()["totals"]["bought"] == 5


def test_a_rejected_plan_changes_nothing_and_nothing_follows(
    dag: DAG, sandbox: Sandbox, wish: dict[str, Any], data_root: DataRoot
) -> None:
    outcome = run(dag, wish, answer="Reject")
    assert outcome.tasks == {"search": "success", "approve": "success"} | dict.fromkeys(TASKS[2:], "skipped")
    assert sandbox.ledger()["totals"]["bought"] == 0
    assert not data_root.keys("orders")


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    dag: DAG, sandbox: Sandbox, wish: dict[str, Any], data_root: DataRoot
) -> None:
    outcome = run(dag, {**wish, "dry_run": True})
    assert outcome.tasks == {"search": "success"} | dict.fromkeys(TASKS[1:], "skipped")
    assert "5 to buy for at most 5" in outcome.results["search"]["summary"]
    assert not [call for call in sandbox.calls() if call["method"] in ("PUT", "PATCH", "DELETE")]
    assert data_root.keys("") == []


def test_a_number_of_another_miniapp_stops_the_run_before_anybody_is_asked(
    dag: DAG, sandbox: Sandbox, wish: dict[str, Any]
) -> None:
    other = [app["id"] for app in sandbox.miniapps() if app["group"] == "retail-us"][1]
    set_id = sandbox.edit.add_set("new-york-front-desk", "retail-us")
    victim = "+12125550100"
    sandbox.edit.add_number(victim, "retail-us", set_id=set_id, mini_app_id=other, locale="en-US")
    outcome = run(dag, wish)
    assert outcome.state == "failed"
    assert outcome.tasks["search"] == "failed"
    assert outcome.notes[""] == outcome.notes["search"]
    assert victim in outcome.notes[""]
    assert sandbox.ledger()["totals"]["bought"] == 0
    assert next(row for row in sandbox.numbers() if row["number"] == victim)["miniAppId"] == other


def test_a_parameter_that_the_form_lets_through_is_refused_by_the_task(dag: DAG, wish: dict[str, Any]) -> None:
    outcome = run(dag, {**wish, "set_name": " padded "})
    assert outcome.tasks["search"] == "failed"
