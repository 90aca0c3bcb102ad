"""The nightly export as a whole run: each environment on its own, and in its own pool where it has one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from dags.conftest import DAGS, run
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import latest
from ocp_numbers.inventory.filters import FIELDS
from ocp_sandbox import Sandbox

FILE = DAGS / "nightly_inventory_export.py"


def test_each_environment_is_exported_by_a_task_of_its_name_and_one_that_fails_holds_up_none(
    dag: DAG, sandbox: Sandbox, data_root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"conn_type": "ocp", "host": sandbox.url, "login": "ops", "password": "wrong"}
    monkeypatch.setenv("AIRFLOW_CONN_OCP_BROKEN", json.dumps(broken))
    outcome = run(dag, {"ocp_conn_ids": ["ocp_default", "ocp_broken"]})
    assert outcome.mapped[("export", "ocp_default")] == "success"
    assert outcome.mapped[("export", "ocp_broken")] in ("failed", "up_for_retry")
    snapshot = latest(data_root, "ocp_default")
    assert snapshot is not None
    assert snapshot.rows == len(sandbox.numbers())
    assert latest(data_root, "ocp_broken") is None


def test_the_nights_export_the_environments_that_the_deployment_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCP_NUMBERS_ENVIRONMENTS", raising=False)
    assert environments_of_the_night() == ["ocp_default"]
    monkeypatch.setenv("OCP_NUMBERS_ENVIRONMENTS", "ocp_eu, ocp_us")
    assert environments_of_the_night() == ["ocp_eu", "ocp_us"]


def environments_of_the_night() -> object:
    bag = DagBag(FILE)
    assert not bag.import_errors
    return bag.dags["nightly_inventory_export"].params["ocp_conn_ids"]


def test_everything_that_can_be_searched_is_a_field_of_the_form_and_reaches_the_export() -> None:
    dag = DagBag(FILE).dags["nightly_inventory_export"]
    asked = {name: f"{{{{ params.{name} or '' }}}}" for name in FIELDS}
    assert dag.params.keys() >= asked.keys()
    assert dag.get_task("export").partial_kwargs["filters"] == asked  # type: ignore[union-attr]


def test_environments_share_the_default_pool_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCP_NUMBERS_POOLS", raising=False)
    assert pools_of_exports() == {"export": "default_pool"}


def test_each_environment_has_the_pool_that_was_named_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCP_NUMBERS_POOLS", "ocp_eu=eu_reads, ocp_us=us_reads, ocp_ca=us_reads")
    assert pools_of_exports() == {
        "export": "default_pool",
        "export_in_eu_reads": "eu_reads",
        "export_in_us_reads": "us_reads",
    }


def pools_of_exports() -> dict[str, str]:
    bag = DagBag(FILE)
    assert not bag.import_errors
    tasks = bag.dags["nightly_inventory_export"].tasks
    return {task.task_id: task.pool for task in tasks if task.task_id.startswith("export")}


def test_each_environment_is_in_one_pool_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCP_NUMBERS_POOLS", "ocp_eu=eu_reads")
    tasks: Any = DagBag(FILE).dags["nightly_inventory_export"].task_dict
    asked = {"ocp_conn_ids": ["ocp_default", "ocp_eu", "ocp_us"]}
    given = {
        name: task.python_callable(*task.op_args, params=asked) for name, task in tasks.items() if name[:3] == "env"
    }
    assert given == {"environments": ["ocp_default", "ocp_us"], "environments_in_eu_reads": ["ocp_eu"]}


def test_a_pool_without_a_connection_is_named_when_the_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCP_NUMBERS_POOLS", "ocp_eu=eu_reads,us_reads")
    (fault,) = DagBag(FILE).import_errors.values()
    assert "OCP_NUMBERS_POOLS: 'us_reads' is not connection=pool; write for example ocp_eu=eu_reads" in fault
