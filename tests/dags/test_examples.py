"""The examples are DAGs that Airflow reads without an error, and mean what the project publishes."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from ocp_numbers.operators.export import BY_DAY

EXAMPLES = Path(__file__).resolve().parents[2] / "include" / "examples"


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(EXAMPLES))


def test_they_are_read_without_an_error(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert {Path(dag.fileloc).stem for dag in bag.dags.values()} == {path.stem for path in EXAMPLES.glob("*.py")}


def test_each_explains_itself_and_has_a_runbook_entry_for_each_task(bag: DagBag) -> None:
    for dag in bag.dags.values():
        assert [task.task_id for task in dag.tasks if f"`{task.task_id}`" not in str(dag.doc_md)] == []


def test_the_one_that_is_scheduled_on_the_inventory_waits_for_what_the_export_publishes(bag: DagBag) -> None:
    timetable = bag.dags["count_numbers_by_country"].timetable

    assert timetable.asset_condition == BY_DAY
