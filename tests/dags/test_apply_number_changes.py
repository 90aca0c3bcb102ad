"""The DAG as a whole: a table becomes a plan, the plan is approved, every row is as it says; no step is skipped."""

from __future__ import annotations

import itertools
import json

import pytest
from airflow.sdk import DAG

from dags.conftest import run
from ocp_numbers.client import without_waiting
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox

TASKS = ["plan", "approve", "apply"]
ONE, OTHER = "+12125550100", "+12125550101"
TABLE = f"OPERATION;NUMBER;NOTE\r\nUpdate;{ONE};front desk\r\nDelete;{OTHER};\r\n"


@pytest.fixture(autouse=True)
def _estate(sandbox: Sandbox, data_root: DataRoot) -> None:
    for number in (ONE, OTHER):
        sandbox.edit.add_number(number, "retail-us", note="lobby" if number == ONE else None)


def note(sandbox: Sandbox, number: str = ONE) -> str | None:
    return next((row["note"] for row in sandbox.numbers() if row["number"] == number), "gone")


def imports(sandbox: Sandbox) -> int:
    return sum((call["method"], call["path"][-12:]) == ("PUT", "/numbers/csv") for call in sandbox.calls())


def test_the_graph_reads_from_plan_to_apply(dag: DAG) -> None:
    assert dag.task_ids == TASKS
    for before, after in itertools.pairwise(TASKS):
        assert after in dag.get_task(before).downstream_task_ids
    assert dag.max_active_runs == 1


def test_an_approved_table_comes_true(dag: DAG, sandbox: Sandbox, data_root: DataRoot) -> None:
    data_root.write("uploads/moves.csv", b"\xef\xbb\xbf" + TABLE.encode())
    with without_waiting():
        outcome = run(dag, {"file": "uploads/moves.csv"})
    assert outcome.tasks == dict.fromkeys(TASKS, "success")
    assert (note(sandbox), note(sandbox, OTHER)) == ("front desk", "gone")
    assert outcome.results["apply"]["done"] == 2
    (kept,) = [key for key in data_root.keys("bulk") if "/approvals/" in key]
    assert json.loads(data_root.read(kept) or b"")["approved_by"] == "anna"


def test_a_rejected_table_changes_nothing(dag: DAG, sandbox: Sandbox) -> None:
    outcome = run(dag, {"upload": TABLE}, answer="Reject")
    assert outcome.tasks == {"plan": "success", "approve": "success", "apply": "skipped"}
    assert imports(sandbox) == 0


def test_a_dry_run_only_shows(dag: DAG, sandbox: Sandbox) -> None:
    outcome = run(dag, {"upload": TABLE, "dry_run": True})
    assert outcome.tasks == {"plan": "success", "approve": "skipped", "apply": "skipped"}
    assert outcome.results["plan"]["changes"] == 2
    assert imports(sandbox) == 0


def test_a_table_with_a_fault_goes_no_further(dag: DAG, sandbox: Sandbox) -> None:
    outcome = run(dag, {"upload": TABLE.replace("Delete", "Remove")})
    assert outcome.tasks == {"plan": "failed", "approve": "upstream_failed", "apply": "upstream_failed"}
    assert imports(sandbox) == 0
