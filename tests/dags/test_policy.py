"""What holds for every DAG of this project, checked over all of them as Airflow reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction

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


SCHEDULED = ("nightly_inventory_export", "cleanup_unused_numbers", "reconcile_regions")


@pytest.mark.parametrize("dag_id", SCHEDULED)
def test_unpaused_for_the_first_time_it_starts_nothing_before_its_hour(
    bag: DagBag, dag_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever unpauses it to run it by hand finds no second run in front of theirs; its hour itself is not missed."""
    dag: SerializedDAG = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags[dag_id]))
    unknown = TimeRestriction(earliest=dag.start_date, latest=None, catchup=dag.catchup)

    def first_run(now: pendulum.DateTime) -> pendulum.DateTime:
        monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
        info = dag.timetable.next_dagrun_info(last_automated_data_interval=None, restriction=unknown)
        assert info is not None
        return pendulum.instance(info.run_after)

    hour = first_run(pendulum.datetime(2026, 11, 23, 12, 30, tz="UTC"))
    assert hour > pendulum.datetime(2026, 11, 23, 12, 30, tz="UTC")
    assert first_run(hour - timedelta(seconds=1)) == hour
    assert first_run(hour + timedelta(minutes=3)) == hour, "the scheduler was busy"
    assert first_run(hour + timedelta(hours=2)) > hour
