"""The DAG as a whole: due numbers go once they are approved, and in no other case."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from airflow.sdk import DAG, CronTriggerTimetable

from cleanup.scene import NOON, TODAY, Scene
from dags.conftest import run
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.operators.cleanup import CleanupOperator
from ocp_sandbox import Sandbox, Settings

TASKS = ["select", "mark", "approve", "release", "verify"]
REAL = {"dry_run": False, "max_release_percent": 50}


@pytest.fixture
def scene(data_root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The estate of the cleanup's own tests, behind the connection ``ocp_default``, exported this morning."""
    monkeypatch.setattr(CleanupOperator, "now", lambda self: NOON)
    monkeypatch.setattr("ocp_numbers.cleanup.releasing.PAUSES", (0.0,))
    with Sandbox(Settings(numbers=0)) as sandbox:
        connection = {"conn_type": "ocp", "host": sandbox.url, "login": "ops", "password": "secret"}
        monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", json.dumps(connection))
        with OcpClient(ClientSettings(host=sandbox.url, login="ops", password="secret")) as client:  # type: ignore[arg-type]
            scene = Scene(sandbox, client, data_root)
            Export(
                source=ClientSource(lambda: client),
                root=data_root,
                scope=Scope(environment="ocp_default"),
                day=TODAY,
                holder="export",
                clock=lambda: datetime(2026, 11, 23, 2, tzinfo=timezone.utc),
            ).run()
            sandbox.clear_calls()
            yield scene


def test_the_graph_reads_from_select_to_verify(dag: DAG) -> None:
    assert [task.task_id for task in dag.topological_sort()] == TASKS
    for before, after in itertools.pairwise(TASKS):
        assert after in dag.get_task(before).downstream_task_ids


def test_it_is_scheduled_weekly_and_one_at_a_time(dag: DAG) -> None:
    assert dag.max_active_runs == 1
    assert not dag.catchup
    assert isinstance(dag.schedule, CronTriggerTimetable)
    assert dag.schedule.expression == "0 6 * * MON"


def test_the_form_offers_the_policys_fields_within_the_policys_bounds(dag: DAG) -> None:
    form = CleanupPolicy.form()
    assert set(dag.params) == {"ocp_conn_id", "dry_run", *form}
    assert set(form) | {"dry_run", "max_snapshot_age_hours"} == set(CleanupPolicy.model_fields)
    assert dag.params["dry_run"] is True
    assert all(dag.params[name] is None for name in form)
    assert dag.params.get_param("grace_days").schema["maximum"] == 3650


@pytest.mark.parametrize("name", ["mark", "release"])
def test_what_writes_to_the_platform_waits_for_the_one_slot(dag: DAG, name: str) -> None:
    assert dag.get_task(name).pool == "ocp_writes"


def test_by_default_a_run_is_dry(dag: DAG, scene: Scene) -> None:
    outcome = run(dag, {"max_release_percent": 50}, answer="nobody is to be asked")
    assert outcome.tasks == dict.fromkeys(TASKS, "success")
    assert outcome.results["verify"]["summary"].startswith("Dry run: 4 numbers would be marked, 5 cleared and 5 given")
    assert scene.writes() == []


def test_approved_numbers_are_given_up_and_the_approval_is_kept(dag: DAG, scene: Scene, data_root: DataRoot) -> None:
    outcome = run(dag, REAL)
    assert outcome.tasks == dict.fromkeys(TASKS, "success")
    assert scene.gone() == scene.due
    assert outcome.results["verify"]["released"] == 5
    (kept,) = [key for key in data_root.keys("cleanup") if "/approvals/" in key]
    answer = json.loads(data_root.read(kept) or b"")
    assert (answer["approved_by"], answer["digest"]) == ("anna", outcome.results["select"]["digest"])


def test_rejected_numbers_stay_and_the_marks_are_made_and_verified_all_the_same(
    dag: DAG, scene: Scene, data_root: DataRoot
) -> None:
    outcome = run(dag, REAL, answer="Reject")
    assert outcome.tasks == {
        "select": "success",
        "mark": "success",
        "approve": "success",
        "release": "skipped",
        "verify": "success",
    }
    said = outcome.results["verify"]["summary"]
    assert said.endswith("4 marked, 5 cleared. Nobody approved giving up 5 more: they stay.")
    (account,) = [key for key in data_root.keys("cleanup") if key.endswith("/result.json")]
    assert json.loads(data_root.read(account) or b"")["spared"] == scene.due
    assert scene.gone() == []
    assert scene.now("blank")["setName"] == "unused - quarantine"


def test_over_a_limit_nothing_happens_at_all(dag: DAG, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run(dag, {**REAL, "max_release": 4})
    assert outcome.state == "failed"
    assert outcome.tasks["select"] == "failed"
    assert set(outcome.tasks.values()) == {"failed", "upstream_failed"}
    assert scene.writes() == []
