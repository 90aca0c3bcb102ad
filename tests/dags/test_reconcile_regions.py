"""The DAG as a whole: every drift is reported, nothing is changed, and provisioning is triggered where it is wanted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from dags.conftest import DAGS, Outcome, pause, run
from ocp_numbers.data_root import DataRoot
from ocp_numbers.regions.drift import DOCUMENT
from ocp_sandbox import Sandbox
from regions.examples import PARAMETERS

Declare = Callable[..., None]
STEPS = ["compare", "ask", "provision"]


@pytest.fixture
def folder(dag: DAG, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the DAG reads declarations from, empty; what fails is not tried again."""
    folder = tmp_path_factory.mktemp("regions")
    declared: Any = dag.get_task("declared")
    declared.folder = str(folder)
    for task in dag.tasks:
        task.retries = 0
    return folder


@pytest.fixture
def declare(folder: Path, sandbox: Sandbox, data_root: DataRoot) -> Declare:
    """Declares a region that has nothing yet."""
    app = next(app["id"] for app in sandbox.miniapps() if app["group"] == "retail-us")

    def declare(name: str, **fields: Any) -> None:
        content = {**PARAMETERS, "mini_app_id": app, "set_name": name, **fields}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    return declare


def triggered() -> list[Any]:
    """The runs of ``provision_region`` that the last run asked for; they are forgotten then."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asked_for = select(DagRun).where(DagRun.dag_id == "provision_region", DagRun.run_id.startswith("reconcile__"))
        runs = list(session.scalars(asked_for))
        for found in runs:
            session.expunge(found)
            session.delete(session.get(DagRun, found.id))
    return runs


def steps(outcome: Outcome, name: str) -> list[str]:
    """What became of a region's tasks."""
    return [outcome.mapped[step, name] for step in STEPS]


def writes(sandbox: Sandbox) -> list[str]:
    return [call["path"] for call in sandbox.calls() if call["method"] in ("PUT", "PATCH", "DELETE")]


def test_the_graph_compares_asks_and_provisions_and_reports_beside_it(dag: DAG) -> None:
    downstream = {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
    assert downstream == {
        "declared": {"compare", "drift"},
        "compare": {"ask", "drift"},
        "ask": {"provision"},
        "provision": set(),
        "drift": set(),
    }


def test_it_runs_every_night_an_hour_after_the_export_and_one_at_a_time(dag: DAG) -> None:
    export: Any = DagBag(DAGS / "nightly_inventory_export.py").dags["nightly_inventory_export"]
    assert [export.schedule.expression, dag.schedule.expression] == ["0 2 * * *", "0 3 * * *"]
    assert export.schedule.timezone == dag.schedule.timezone
    assert dag.max_active_runs == 1


def test_a_question_is_closed_before_the_next_night_asks_again(dag: DAG) -> None:
    ask: Any = dag.get_task("ask")
    assert ask.response_timeout.total_seconds() <= 20 * 3600


def test_where_nothing_is_declared_the_run_says_so_and_is_green(
    dag: DAG, folder: Path, sandbox: Sandbox, data_root: DataRoot
) -> None:
    outcome = run(dag, {})
    assert outcome.state == "success"
    assert outcome.results["drift"]["summary"] == "No region is declared."
    assert sandbox.calls() == []


def test_a_fault_in_a_file_stops_the_run_before_any_call(
    dag: DAG, declare: Declare, folder: Path, sandbox: Sandbox, data_root: DataRoot
) -> None:
    declare("boston")
    (folder / "salem.yaml").write_text("quantity: 0\n", encoding="utf-8")
    outcome = run(dag, {})
    assert outcome.state == "failed"
    assert outcome.tasks["declared"] == "failed"
    assert outcome.tasks["drift"] == "skipped"
    assert sandbox.calls() == []
    assert data_root.read(DOCUMENT) is None


def test_each_region_goes_its_own_way_and_nothing_is_changed(
    dag: DAG, declare: Declare, sandbox: Sandbox, data_root: DataRoot
) -> None:
    pause("provision_region", False)
    declare("asked", quantity=2)
    declare("automatic", apply="on_approval", max_unit_price=9.5)
    declare("blocked", max_unit_price=0)
    declare("elsewhere", ocp_conn_id="no_such_connection")
    outcome = run(dag, {}, answer="Provision")
    assert outcome.state == "failed"
    assert steps(outcome, "asked") == steps(outcome, "automatic") == ["success"] * 3
    assert outcome.mapped["compare", "blocked"] == outcome.mapped["compare", "elsewhere"] == "failed"
    assert outcome.results["drift"]["summary"] == (
        "Of 4 declared regions: 1 not compared (elsewhere), 1 blocked (blocked), 2 drifted (asked, automatic)."
    )
    report = json.loads(data_root.read(DOCUMENT) or b"")
    states = {finding["name"]: finding["state"] for finding in report["findings"]}
    assert states == {"asked": "drifted", "automatic": "drifted", "blocked": "blocked", "elsewhere": "not compared"}
    assert writes(sandbox) == []

    runs = {found.conf["set_name"]: found for found in triggered()}
    assert set(runs) == {"asked", "automatic"}
    assert runs["asked"].conf["quantity"] == 2
    assert runs["automatic"].conf["max_unit_price"] == 9.5


def test_what_it_asks_for_makes_the_region_as_declared(dag: DAG, declare: Declare, sandbox: Sandbox) -> None:
    pause("provision_region", False)
    declare("boston", apply="on_approval")
    assert steps(run(dag, {}, answer="nobody is to be asked"), "boston") == ["success"] * 3
    (asked_for,) = triggered()

    provisioning = DagBag(DAGS / "provision_region.py").dags["provision_region"]
    buy: Any = provisioning.get_task("buy")
    buy.settle_seconds = 0
    assert run(provisioning, asked_for.conf).state == "success"
    assert sandbox.ledger()["totals"]["bought"] == 5

    again = run(dag, {}, answer="nobody is to be asked")
    assert steps(again, "boston") == ["success", "skipped", "skipped"]
    assert again.state == "success"
    assert triggered() == []


def test_where_nobody_wants_it_now_nothing_is_triggered_and_the_run_is_green(dag: DAG, declare: Declare) -> None:
    declare("boston")
    outcome = run(dag, {}, answer="Not now")
    assert steps(outcome, "boston") == ["success", "success", "skipped"]
    assert outcome.state == "success"
    assert triggered() == []


def test_a_run_that_only_reports_asks_nobody(dag: DAG, declare: Declare) -> None:
    declare("boston")
    declare("salem", apply="on_approval")
    outcome = run(dag, {"report_only": True}, answer="nobody is to be asked")
    assert steps(outcome, "boston") == steps(outcome, "salem") == ["success", "skipped", "skipped"]
    assert outcome.results["drift"]["counts"]["drifted"] == 2
    assert triggered() == []


def test_a_paused_provisioning_is_named_instead_of_waited_for(dag: DAG, declare: Declare) -> None:
    pause("provision_region", True)
    declare("boston", apply="on_approval")
    outcome = run(dag, {}, answer="nobody is to be asked")
    assert steps(outcome, "boston") == ["success", "success", "failed"]
    assert triggered() == []
