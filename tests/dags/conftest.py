"""An Airflow of its own for the tests of whole DAGs: a new database, this project's DAG files, and answers to its
questions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox, Settings, User

DAGS = Path(__file__).resolve().parents[2] / "dags"


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A database for this session."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{home}/airflow.db")
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(DAGS))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(home / "logs"))
        from airflow.utils.db import initdb

        settings: Any = import_module("airflow.settings")
        settings.configure_vars()
        settings.dispose_orm()
        settings.configure_orm()
        initdb()
        yield
        settings.dispose_orm()


@pytest.fixture
def dag(airflow: None, request: pytest.FixtureRequest) -> DAG:
    """The DAG that the test module is named after."""
    dag_id = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    bag = DagBag(DAGS / f"{dag_id}.py")
    assert not bag.import_errors
    return bag.dags[dag_id]


def pause(dag_id: str, paused: bool) -> None:
    """Pause or unpause a DAG of this project, which Airflow pauses when it first sees it."""
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    bundles: Any = import_module("airflow.dag_processing.bundles.manager").DagBundlesManager()
    bundles.sync_bundles_to_db()
    (bundle,) = bundles.get_all_dag_bundles()
    file = DAGS / f"{dag_id}.py"
    sync_bag_to_db(BundleDagBag(file, bundle_path=DAGS, bundle_name=bundle.name), bundle.name, bundle.version)
    with create_session() as session:
        model: Any = session.get(DagModel, dag_id)
        model.is_paused = paused


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A platform that the connection ``ocp_default`` leads to."""
    with Sandbox(Settings(numbers=20, users=[User("ops", "secret")])) as sandbox:
        connection = {"conn_type": "ocp", "host": sandbox.url, "login": "ops", "password": "secret"}
        monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", json.dumps(connection))
        yield sandbox


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataRoot:
    """A new, empty data root."""
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
    return DataRoot(tmp_path)


@dataclass
class Person:
    """Somebody who answers what a run asks, as the page of required actions does."""

    answer: str
    questions: list[str] = field(default_factory=list)

    @contextmanager
    def answering(self) -> Iterator[Person]:
        """Answer by the option that begins with ``answer``, whenever the run would wait for a person."""
        wait = time.sleep

        def answer_instead(seconds: float) -> None:
            if threading.current_thread() is threading.main_thread() and self._answer():
                return
            wait(seconds)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", answer_instead)
            yield self

    def _answer(self) -> bool:
        from airflow.models.taskinstance import TaskInstance
        from airflow.models.trigger import handle_event_submit
        from airflow.utils.session import create_session
        from airflow.utils.state import TaskInstanceState
        from sqlalchemy import select
        from sqlalchemy.orm import joinedload

        with create_session() as session:
            waiting = select(TaskInstance).where(TaskInstance.state == TaskInstanceState.AWAITING_INPUT)
            asking = session.scalars(waiting.options(joinedload(TaskInstance.hitl_detail))).all()
            for ti in asking:
                question = ti.hitl_detail
                self.questions.append(str(question.body))
                (option,) = [option for option in question.options if option.startswith(self.answer)]
                question.chosen_options = [option]
                question.responded_by = {"id": "anna", "name": "anna"}
                question.responded_at = datetime.now(timezone.utc)
                event: Any = import_module("airflow.triggers.base").TriggerEvent
                handle_event_submit(event(question.as_resume_event_payload()), task_instance=ti, session=session)
        return bool(asking)


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    state: str
    tasks: dict[str, str]
    results: dict[str, Any]
    mapped: dict[tuple[str, str], str]
    """The states of mapped tasks, by task and by the name that the UI shows for what it is mapped over."""
    notes: dict[str, str]
    """Airflow's notes of the tasks, by task, and that of the run, by the empty name."""


def run(dag: DAG, conf: dict[str, Any], answer: str = "Approve") -> Outcome:
    """A whole run of ``dag`` in this process, its questions answered."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with Person(answer).answering():
        ended = dag.test(run_conf=conf)
    with create_session() as session:
        instances = ended.get_task_instances(session=session)
        tasks = {ti.task_id: str(ti.state) for ti in instances}
        # A task that never began has no name in the UI; it goes by that of the tasks before it.
        names = {ti.map_index: ti.rendered_map_index for ti in instances if ti.rendered_map_index != str(ti.map_index)}
        mapped = {
            (ti.task_id, names.get(ti.map_index, str(ti.map_index))): str(ti.state)
            for ti in instances
            if ti.map_index >= 0
        }
        returned = select(XComModel).where(XComModel.run_id == ended.run_id, XComModel.key == "return_value")
        results = {xcom.task_id: xcom.value for xcom in session.scalars(returned)}
        notes = {ti.task_id: ti.note for ti in instances if ti.note}
        notes[""] = session.merge(ended).note or ""
    return Outcome(str(ended.state), tasks, results, mapped, notes)
