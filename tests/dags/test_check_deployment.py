"""The hourly check as a whole run: green where all is well, red where it is not, and for that environment only."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG

from dags.conftest import run
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox


def test_an_environment_that_is_wrong_is_red_and_holds_up_none(
    dag: DAG, sandbox: Sandbox, data_root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"conn_type": "ocp", "host": sandbox.url, "login": "ops", "password": "wrong"}
    monkeypatch.setenv("AIRFLOW_CONN_OCP_BROKEN", json.dumps(broken))
    outcome = run(dag, {"ocp_conn_ids": ["ocp_default", "ocp_broken"]})
    assert outcome.mapped == {("examine", "ocp_default"): "success", ("examine", "ocp_broken"): "failed"}
    assert data_root.keys() == []
