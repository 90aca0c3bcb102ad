"""A run of an operator is undone by another one: planned, approved by its digest, applied, read back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocp_numbers.errors import InvalidInput
from ocp_numbers.operators import ApplyChangesOperator, DetachNumbersOperator, PlanRestoreOperator
from operators.world import Run, World


@pytest.fixture(autouse=True)
def _data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))


def context(dag_id: str, run_id: str = "manual__1") -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(dag_id=dag_id, run_id=run_id, triggering_user_name="ann"),
        "ti": SimpleNamespace(map_index=-1, xcom_push=lambda **_: None),
    }


def test_a_run_goes_back_by_plan_approval_and_apply(world: World, run: Run) -> None:
    numbers = world.add(3, mini_app_id=world.app, locale="de-DE", application_tag="gold")
    before = {number: world[number] for number in numbers}
    run(DetachNumbersOperator(task_id="detach", numbers=numbers), **context("moves"))
    assert world[numbers[0]]["miniAppId"] is None

    plan = run(PlanRestoreOperator(task_id="plan", restore="moves/manual__1"), **context("undo"))
    assert (plan["changes"], plan["refused"], plan["ask"]) == (3, 0, True)
    approved = plan | {"approved": True, "approved_by": "bob"}
    result = run(ApplyChangesOperator(task_id="apply", plan=approved), **context("undo"))

    assert (result["done"], result["different"]) == (3, 0)
    assert {number: world[number] for number in numbers} == before


def test_an_unknown_run_is_refused_before_anything_is_done(world: World, run: Run) -> None:
    with pytest.raises(InvalidInput, match=r"^restore: 'moves/manual__9' is no run"):
        run(PlanRestoreOperator(task_id="plan", restore="moves/manual__9"), **context("undo"))
    assert world.writes() == {}


def test_an_empty_name_is_refused_while_the_dag_is_read() -> None:
    with pytest.raises(InvalidInput, match=r"^restore: "):
        PlanRestoreOperator(task_id="plan", restore="")
