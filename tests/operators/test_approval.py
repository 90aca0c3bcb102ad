"""A plan of somebody's own DAG can be approved as ours are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import InvalidInput
from ocp_numbers.operators import ApprovePlanOperator
from operators.provisioning import DagRun, followed
from operators.world import Run

PLAN: dict[str, Any] = {"digest": "5" * 64, "subject": "Go on?", "body": "All of it.", "ask": False, "more": [1, 2]}


def test_an_answer_goes_along_with_the_plan_and_leaves_no_record_where_none_is_named(run: Run, tmp_path: Path) -> None:
    root = DataRoot(tmp_path)
    answer = run(followed(ApprovePlanOperator, task_id="approve", plan=PLAN, data_root=root), dag_run=DagRun())

    assert (answer["approved"], answer["approved_by"], answer["requested_by"]) == (True, None, "olivia")
    assert (answer["digest"], answer["more"]) == (PLAN["digest"], [1, 2])
    assert not {"subject", "body"} & answer.keys()
    assert root.keys() == []


def test_where_a_record_is_named_the_answer_is_kept_there(run: Run, tmp_path: Path) -> None:
    plan = PLAN | {"record": "mine/approvals"}
    run(followed(ApprovePlanOperator, task_id="approve", plan=plan, data_root=DataRoot(tmp_path)), dag_run=DagRun())

    (key,) = DataRoot(tmp_path).keys()
    assert key == "mine/approvals/555555555555-provision_region%2Fmanual.json"


@pytest.mark.parametrize("plan", [{}, {"digest": "5"}, "no plan", None])
def test_what_no_planning_task_returned_is_refused_by_name(run: Run, plan: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^plan: "):
        run(followed(ApprovePlanOperator, task_id="approve", plan=plan), dag_run=DagRun())
