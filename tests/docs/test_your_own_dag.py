"""What the page on DAGs of one's own shows does what the page says, against the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Asset

from dags.conftest import run
from docs.pages import samples
from ocp_sandbox import Sandbox

PURCHASE, INVENTORY, _, CALLS = [one for one in samples("python") if one.page == "docs/how-to/your-own-dag.md"]


def dag_of(sample: Any, folder: Path) -> DAG:
    (folder / "sample.py").write_text(sample.text)
    (dag,) = DagBag(str(folder)).dags.values()
    return dag


@pytest.mark.usefixtures("airflow", "data_root")
def test_the_purchase_is_bought_attached_and_never_bought_again(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow.settings.DAGS_FOLDER", str(tmp_path / "dags"))
    (tmp_path / "dags").mkdir()
    dag = dag_of(PURCHASE, tmp_path / "dags")
    buy: Any = dag.get_task("buy")
    buy.settle_seconds = 0  # a purchase shows at once on this platform
    for _ in range(2):
        assert set(run(dag, {}).tasks.values()) == {"success"}
    assert sandbox.ledger()["totals"]["bought"] == 2
    members = [row for row in sandbox.numbers() if row["setName"] == "new-york-concierge"]
    assert [row["locale"] for row in members] == ["en-US", "en-US"]


@pytest.mark.usefixtures("data_root")
def test_a_dag_that_reacts_to_an_inventory_is_scheduled_on_it(tmp_path: Path) -> None:
    dag = dag_of(INVENTORY, tmp_path)
    count: Any = dag.get_task("count")
    assert dag.schedule == Asset(name="ocp_default inventory", uri="ocp://ocp_default/inventory")
    assert count.python_callable() == 0  # nothing has been exported yet


def test_calls_of_your_own_reach_the_platform(sandbox: Sandbox) -> None:
    names: dict[str, Any] = {}
    exec(CALLS.text, names)
    number = next(iter(sandbox.numbers()))["number"]
    names["label"].function([number])
    assert {row["number"]: row["note"] for row in sandbox.numbers()}[number] == "Reception"
