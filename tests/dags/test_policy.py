"""What holds for every DAG of this project, checked over all of them as Airflow reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).resolve().parents[2] / "dags"
EXPECTED = {
    "nightly_inventory_export",
    "provision_region",
    "cleanup_unused_numbers",
    "reconcile_regions",
    "apply_number_changes",
    "check_deployment",
}
PAID_OR_DESTRUCTIVE = {
    "provision_region": {"buy"},
    "cleanup_unused_numbers": {"release"},
    "apply_number_changes": {"apply"},
}


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(DAGS))


def test_all_dag_files_are_read_without_an_error(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == EXPECTED


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
class TestEveryDag:
    def test_says_who_owns_it_and_where_it_belongs(self, bag: DagBag, dag_id: str) -> None:
        dag = bag.dags[dag_id]
        assert {task.owner for task in dag.tasks} == {"ocp-numbers"}
        assert "ocp" in dag.tags
        assert dag.description

    def test_carries_a_runbook_with_an_entry_for_each_task(self, bag: DagBag, dag_id: str) -> None:
        dag = bag.dags[dag_id]
        assert dag.doc_md
        for task in dag.tasks:
            assert f"`{task.task_id}`" in dag.doc_md, f"the runbook has no entry for task {task.task_id}"

    def test_never_catches_up_and_bounds_its_runs(self, bag: DagBag, dag_id: str) -> None:
        dag = bag.dags[dag_id]
        assert dag.catchup is False
        assert 1 <= dag.max_active_runs <= 16

    def test_every_parameter_has_a_type_a_title_and_a_sentence(self, bag: DagBag, dag_id: str) -> None:
        params = bag.dags[dag_id].params
        assert len(params) > 0
        for name in params:
            param = params.get_param(name)
            schema: Mapping[str, Any] = param.schema
            assert schema.get("type"), f"{name} has no type"
            assert schema.get("title"), f"{name} has no title"
            assert str(param.description).rstrip().endswith("."), f"{name} is not described by a sentence"

    def test_paid_and_destructive_tasks_take_turns_in_the_one_slot_pool(self, bag: DagBag, dag_id: str) -> None:
        in_single_file = {task.task_id for task in bag.dags[dag_id].tasks if task.pool == "ocp_writes"}
        assert in_single_file >= PAID_OR_DESTRUCTIVE.get(dag_id, set())

    def test_is_short(self, bag: DagBag, dag_id: str) -> None:
        lines = (DAGS / f"{dag_id}.py").read_text().split('"""', 2)[2].splitlines()
        assert len(lines) <= 140


def test_dangerous_dags_start_as_a_dry_run(bag: DagBag) -> None:
    assert bag.dags["cleanup_unused_numbers"].params["dry_run"] is True
