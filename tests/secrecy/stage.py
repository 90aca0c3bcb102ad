"""Everything this project does in an Airflow of its own, at DEBUG, in good days and bad: a program of its own.

``python -m secrecy.stage FOLDER`` with the environment that :mod:`secrecy.conftest` prepares. What it says goes to its
standard output, as that of any component of Airflow, and into FOLDER/home; ``FOLDER/account.json`` tells what was done.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
SCENE = json.loads((FOLDER / "scene.json").read_text())
GOOD, ECHOING, REFUSING = "ocp_default", "ocp_echoing", "ocp_refusing"
"""Connections to a platform that works, and to some that do not."""
STILL_WAITING = (GOOD, "ocp_broken_port", "ocp_broken_gateway")
"""Connections on which a trigger goes on looking: nothing is wrong, or nothing that might not pass."""
MINI_APP = SCENE["app"]


def main() -> None:
    """All of it."""
    threading.Thread(target=_end_with_the_audience, daemon=True).start()
    _begin_airflow()
    from ocp_numbers.client import Clock, without_waiting

    slept = [0.0]
    Clock.sleep = lambda _, seconds: slept.append(seconds)  # type: ignore[assignment, method-assign]
    Clock.wall = lambda _: time.time() + sum(slept)  # type: ignore[assignment, method-assign]
    account: dict[str, Any] = {}
    with without_waiting():
        for act in (_runs, _logs, _triggers, _commands, _hooks, _pages):
            account[act.__name__.strip("_")] = act()
    _end_airflow()
    (FOLDER / "account.json").write_text(json.dumps(account, default=str))


def _end_with_the_audience() -> None:
    while os.read(0, 1):  # not by sys.stdin, whose lock a process that is forked meanwhile would wait for
        pass
    os.killpg(0, signal.SIGKILL)


def _begin_airflow() -> None:
    from airflow.sdk.execution_time.comms import MaskSecret
    from airflow.sdk.execution_time.supervisor import InProcessSupervisorComms
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils
    from airflow.utils.db import initdb

    initdb()
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    send = InProcessSupervisorComms.send

    def send_in_silence(self: Any, msg: Any) -> Any:
        """What ``dag.test()`` has for a supervisor logs each secret that it is to mask; the real one does not."""
        return None if isinstance(msg, MaskSecret) else send(self, msg)

    InProcessSupervisorComms.send = send_in_silence  # type: ignore[method-assign]


def _end_airflow() -> None:
    """Whoever listens for lineage writes down the last of it."""
    from airflow.listeners.listener import get_listener_manager

    get_listener_manager().hook.before_stopping(component=None)


def _runs() -> dict[str, list[str]]:
    """Every DAG, on good days and bad ones; the states in which each operator ended."""
    from airflow.models.dag import DagModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select, update

    _run("nightly_inventory_export", {"formats": ["parquet", "csv", "xlsx"], "full_check": True})
    _run("provision_region", {"mini_app_id": MINI_APP})
    with create_session() as session:
        session.execute(update(DagModel).values(is_paused=False))
    _run("reconcile_regions", {}, answer="Provision")
    _run("check_deployment", {})
    table = f"OPERATION;NUMBER;NOTE\r\nUpdate;{SCENE['numbers'][3]};front desk\r\n"
    _run("apply_number_changes", {"upload": table})
    _run("every_operator", {})
    _run("cleanup_unused_numbers", {"dry_run": False, "max_release_percent": 90})
    _run("nightly_inventory_export", {"ocp_conn_ids": [ECHOING, REFUSING]})
    _run("provision_region", {"mini_app_id": MINI_APP, "ocp_conn_id": ECHOING})
    _run("apply_number_changes", {"upload": table, "ocp_conn_id": REFUSING})
    _run("every_operator", {"conn": ECHOING})
    states: dict[str, list[str]] = {}
    with create_session() as session:
        for operator, state in session.execute(select(TaskInstance.operator, TaskInstance.state).distinct()):
            states.setdefault(str(operator), []).append(str(state))
    return states


def _run(dag_id: str, conf: dict[str, Any], answer: str = "Approve") -> None:
    from airflow.dag_processing.dagbag import DagBag

    from dags.conftest import run

    dag: Any = DagBag(Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]) / f"{dag_id}.py").dags[dag_id]
    dag.deadline = None  # dag.test() of Airflow 3.3.2 breaks on it once the run is a success
    for task in dag.tasks:
        task.retries = 0
        if hasattr(task, "settle_seconds"):
            task.settle_seconds = 0
        if hasattr(task, "folder"):
            task.folder = os.environ["SECRECY_REGIONS"]
    run(dag, conf, answer)


def _logs() -> dict[str, str]:
    """A task as a worker runs it, with a supervisor and a log on disk: one that succeeds, and one that fails."""
    return {conn_id: _supervised(_triggered(conn=conn_id), "SearchNumbers") for conn_id in (GOOD, ECHOING)}


def _triggers() -> dict[str, str]:
    """A sensor that waits, on each connection, and the triggerer at work for it; the states in which tasks ended."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from secrecy import triggerer

    run_id = _triggered(conn=GOOD, set_id=SCENE["sets"]["empty"], app=os.environ["SECRECY_TOLD"])
    if (state := _supervised(run_id, "SetAttached")) != "deferred":
        raise RuntimeError(f"a sensor for what is not there yet ended as {state}")
    waiting = triggerer.defer(run_id, (ECHOING, REFUSING, *SCENE["broken"]))
    triggerer.call_back()
    (FOLDER / "triggers.txt").write_text(triggerer.rows())

    def states() -> dict[str, str]:
        with create_session() as session:
            found = {ti.task_id: str(ti.state) for ti in session.scalars(select(TaskInstance).filter_by(run_id=run_id))}
        return {conn_id: found[task_id] for conn_id, task_id in waiting.items()}

    def is_over() -> bool:
        return list(states().values()).count("deferred") == len(STILL_WAITING) and triggerer.has_called_back()

    triggerer.run(until=is_over)
    return states()


def _triggered(**conf: str) -> str:
    """A new run of ``every_operator`` of which nothing has begun."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.utils.types import DagRunTriggeredByType

    run: Any = trigger_dag("every_operator", triggered_by=DagRunTriggeredByType.TEST, conf=conf)
    return str(run.run_id)


def _supervised(run_id: str, task_id: str) -> str:
    """The state of a task of that run once a worker was done with it."""
    from airflow.executors.workloads import ExecuteTask
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk.execution_time import supervisor
    from airflow.utils.session import create_session
    from sqlalchemy import select

    wanted = select(TaskInstance).filter_by(run_id=run_id, task_id=task_id)
    with create_session() as session:
        ti = session.scalars(wanted).one()
        ti.state, ti.try_number = "queued", 1
        session.flush()
        work = ExecuteTask.make(ti)
    place = {"bundle_info": work.bundle_info, "dag_rel_path": work.dag_rel_path, "log_path": work.log_path}
    in_process: Any = supervisor.InProcessTestSupervisor
    supervise: Any = supervisor.supervise_task
    supervise(ti=work.ti, **place, token="", client=in_process._api_client())
    with create_session() as session:
        return str(session.scalars(wanted).one().state)


def _commands() -> dict[str, list[int]]:
    """Every command of the command line, with each connection; their exit codes."""
    from ocp_numbers.commands.main import COMMANDS, main

    region = next(Path(os.environ["SECRECY_REGIONS"]).iterdir())
    options = {
        "search": ["--provider", "telnova", "--country", "US", "--group", "retail-us"],
        "plan": [str(region)],
        "contract": ["--read-only"],
    }
    codes: dict[str, list[int]] = {}
    for name in COMMANDS:
        everybody = (GOOD, "ocp_totp", "ocp_pat", ECHOING, REFUSING, *SCENE["broken"])
        for conn_id in everybody if name == "check" else (GOOD, ECHOING):
            try:
                code = main([name, *options.get(name, []), "--conn-id", conn_id, "--verbose"])
            except SystemExit as ended:
                code = int(str(ended.code))
            codes.setdefault(name, []).append(code)
    return codes


def _hooks() -> dict[str, str]:
    """What hooks, clients and their parts say about themselves, and what can be written down of them."""
    from ocp_numbers.hooks.ocp import OcpNumbersHook
    from ocp_numbers.triggers.await_trigger import AwaitTrigger

    told: dict[str, str] = {}
    for conn_id in (GOOD, "ocp_totp", "ocp_pat", ECHOING, REFUSING, *SCENE["broken"]):
        with OcpNumbersHook(conn_id, method="GET") as hook:
            told[f"{conn_id} tested"] = str(hook.test_connection())
            acts: dict[str, Callable[[], object]] = {
                "calls": partial(_list_numbers, hook),
                "runs": partial(hook.run, "/integrations/api/numbers-set"),
            }
            for name, act in acts.items():
                try:
                    told[f"{conn_id} {name}"] = repr(act())
                except Exception as error:
                    told[f"{conn_id} {name}"] = repr(error) + "".join(traceback.format_exception(error))
                    _write_down(f"{conn_id} {name}", error)
            parts = [hook, vars(hook).get("settings")]
            if "client" in vars(hook):
                client = hook.client
                parts += [client, client.session, client.session.auth, client.transport]
                parts += vars(client.transport).values()
            for part in parts:
                told[f"{conn_id} {type(part).__name__}"] = repr(part)
                _write_down(f"{conn_id} {type(part).__name__}", part)
    trigger = AwaitTrigger(ocp_conn_id=GOOD, kind="numbers owned", wanted={"numbers": ["+1"]}, poke_interval=1, until=2)
    told["trigger"] = str(trigger.serialize())
    (FOLDER / "told.txt").write_text("\n".join(f"{name}: {text}" for name, text in told.items()))
    return told


def _list_numbers(hook: Any) -> object:
    return hook.client.numbers.list()


def _write_down(name: str, thing: Any) -> None:
    folder = FOLDER / "pickles"
    folder.mkdir(exist_ok=True)
    try:
        content = pickle.dumps(thing)
    except Exception:  # what cannot be written down cannot leak so
        return
    (folder / re.sub(r"\W+", "-", name)).write_bytes(content)


def _pages() -> dict[str, int]:
    """Every page of the dashboard, and what is said where there is none; how it was answered."""
    from fastapi.testclient import TestClient

    from ocp_numbers.dashboard.access import may_look
    from ocp_numbers.dashboard.application import create_app

    app = create_app()
    app.dependency_overrides[may_look.dependency] = lambda: None
    browser = TestClient(app, headers={"accept": "text/html"}, raise_server_exceptions=False)
    today = max(path.name for path in Path(os.environ["OCP_NUMBERS_DATA"]).glob("inventory/*/date=*"))[5:]
    given = {
        "environment": GOOD, "version": "1", "name": "style.css", "number": SCENE["numbers"][3], "day": today,
        "order_id": "ocp_default/retail-us/new-york-front-desk/1",
    }  # fmt: skip
    answers = {}
    (FOLDER / "pages").mkdir()
    for place, route in enumerate(app.routes):
        template = re.sub(r":\w+\}", "}", route.path)  # type: ignore[attr-defined]
        for names in (given, dict.fromkeys(given, "nowhere")):
            path = template.format(**names)
            answer = browser.get(path)
            answers[path] = answer.status_code
            content = f"{answer.headers}\n".encode() + answer.content
            (FOLDER / "pages" / f"{place} {answer.status_code}").write_bytes(content)
    return answers


if __name__ == "__main__":
    main()
