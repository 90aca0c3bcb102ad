"""The three main jobs, run through Airflow's REST API, and what happened in them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import requests

from ocp_demo.airflow_api import AirflowApi
from ocp_demo.checks import (
    Check,
    Truth,
    check_cleanup,
    check_no_op,
    check_purchase,
    check_region,
    check_snapshot,
)
from ocp_demo.screen import Screen
from ocp_demo.stack import DemoFailed

CONNECTION_ID = "ocp_default"
POOL = "ocp_writes"
DAGS_KNOWN_WITHIN = 120.0
READING_SECONDS = 3.0
SETTLE_SECONDS = 5
"""Longer than the sandbox takes to show a purchase, see :data:`ocp_demo.stack.VISIBILITY_DELAY`."""

EXPORT, PROVISION, CLEANUP = "nightly_inventory_export", "provision_region", "cleanup_unused_numbers"
REGION: dict[str, Any] = {
    "ocp_conn_id": CONNECTION_ID,
    "group": "retail-us",
    "provider": "telnova",
    "country_code": "US",
    "prefix": "+1212",
    "quantity": 12,
    "set_name": "new-york-front-desk",
    "locale": "en-US",
    "note": "New York front desk",
    "max_unit_price": 10,
    "max_total_price": 50,
}


@dataclass(frozen=True)
class Run:
    """A DAG run that has ended."""

    dag_id: str
    run_id: str
    state: str
    seconds: float


class Place(Protocol):
    """Where the story plays: an Airflow, and a sandbox that it can reach."""

    @property
    def airflow_url(self) -> str: ...  # noqa: D102
    @property
    def sandbox_url(self) -> str: ...  # noqa: D102
    @property
    def data_root(self) -> Any: ...  # noqa: D102
    @property
    def password(self) -> str:
        """Of the user ``admin``."""
        ...

    @property
    def sandbox_password(self) -> str:
        """Of the sandbox's user ``demo``."""
        ...

    def check_alive(self) -> None:
        """:raises DemoFailed: if something has ended that should run."""


class Story:
    """Prepares Airflow as an administrator would, runs the jobs, answers the approval, compares with the sandbox."""

    def __init__(
        self,
        api: AirflowApi,
        stack: Place,
        screen: Screen,
        *,
        region: dict[str, Any] = REGION,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._api = api
        self._extra = {"settle_seconds": SETTLE_SECONDS} | (extra or {})
        self._stack = stack
        self._screen = screen
        self._region = region
        self._conn_id = str(region["ocp_conn_id"])
        self.runs: list[Run] = []

    def tell(self) -> bool:
        """The whole story. True if all runs succeeded and everything reported is what the sandbox's ledger says."""
        self._screen.title("Setting Airflow up: connection and pool, through its REST API")
        self._prepare()
        before = Truth.of(self._stack.sandbox_url)
        region = self._region | {"mini_app_id": self._mini_app(self._region["group"])}
        cleanup = {"ocp_conn_id": self._conn_id, "dry_run": True}
        export = self._run(EXPORT, {"ocp_conn_ids": [self._conn_id]}, "the whole inventory into files")
        provision = self._run(PROVISION, region, "12 numbers in New York: reuse what is ours, buy the rest, attach all")
        again = self._run(PROVISION, region, "the same once more, as after a crash or a double click")
        clean = self._run(CLEANUP, cleanup, "what could be given up, as a dry run")
        succeeded = all(run.state == "success" for run in self.runs)
        if succeeded:
            truth = Truth.of(self._stack.sandbox_url).since(before)
            self._screen.title("What happened, added up against the sandbox's own ledger")
            succeeded = self._report(
                [
                    *check_purchase(self._result(provision, "buy"), region, truth),
                    check_region(region, truth),
                    check_no_op(self._result(again, "buy")),
                    *check_snapshot(self._result(export, "export", 0), truth),
                    *check_cleanup(self._result(clean, "select"), region["set_name"], truth),
                ]
            )
        return succeeded

    def _prepare(self) -> None:
        connection = {
            "connection_id": self._conn_id,
            "conn_type": "ocp",
            "description": "The sandbox of this demo",
            "host": self._stack.sandbox_url,
            "login": "demo",
            "password": self._stack.sandbox_password,
            "extra": json.dumps(self._extra),
        }
        tested = self._api.test_connection(connection)
        if not tested["status"]:
            raise DemoFailed(f"the connection's test says: {tested['message']}")
        self._screen.say(f"connection {self._conn_id}: {tested['message']}")
        known = self._api.connection(self._conn_id)
        if known is None:
            self._api.add_connection(connection)
        elif known["host"] != connection["host"]:
            raise DemoFailed(
                f"connection {self._conn_id} leads to {known['host']}, not to the sandbox: nothing was done"
            )
        self._api.add_pool_if_missing(POOL, 1, "One writer at a time: paid and destructive tasks")
        self._screen.say(f"pool {POOL}: one slot")
        deadline = time.monotonic() + DAGS_KNOWN_WITHIN
        while missing := {EXPORT, PROVISION, CLEANUP} - self._api.dag_ids():
            self._stack.check_alive()
            if errors := self._api.import_errors():
                raise DemoFailed("a DAG file cannot be read:\n" + "\n".join(errors))
            if time.monotonic() > deadline:
                raise DemoFailed(f"Airflow does not know {', '.join(sorted(missing))} yet, after {DAGS_KNOWN_WITHIN} s")
            time.sleep(1)
        self._screen.say(f"DAGs: {', '.join(sorted((EXPORT, PROVISION, CLEANUP)))}")

    def _mini_app(self, group: str) -> str:
        listed = requests.get(f"{self._stack.sandbox_url}/_sandbox/miniapps", timeout=30).json()
        return next(str(app["id"]) for app in listed if app["group"] == group)

    def _result(self, run: Run, task_id: str, map_index: int = -1) -> dict[str, Any]:
        return dict(self._api.result(run.dag_id, run.run_id, task_id, map_index))

    def _run(self, dag_id: str, parameters: dict[str, Any], purpose: str) -> Run:
        self._screen.title(f"{dag_id}: {purpose}")
        started = time.monotonic()
        run_id = self._api.trigger(dag_id, parameters)
        for instance in self._api.follow(dag_id, run_id):
            self._stack.check_alive()
            name = instance["task_id"] + (
                f" [{instance['rendered_map_index'] or instance['map_index']}]" if instance["map_index"] >= 0 else ""
            )
            self._screen.say(f"{name:<28} {instance['state']}")
            if instance["state"] in ("awaiting_input", "deferred"):
                self._approve(dag_id, run_id, instance["task_id"])
            if instance["state"] in ("failed", "up_for_retry"):
                log = self._api.log(dag_id, run_id, instance["task_id"], instance["try_number"], instance["map_index"])
                self._screen.show("\n".join(log[-25:]))
        run = Run(dag_id, run_id, self._api.run_state(dag_id, run_id), time.monotonic() - started)
        self.runs.append(run)
        self._screen.say(f"its note: {self._api.run_note(dag_id, run_id)}")
        self._screen.check(run.state == "success", f"{dag_id}: {run.state} after {run.seconds:.0f} s")
        return run

    def _approve(self, dag_id: str, run_id: str, task_id: str) -> None:
        question = self._api.question(dag_id, run_id, task_id)
        self._screen.say(f"{task_id} asks a person:")
        self._screen.show(question["body"] or "")
        # Airflow 3.3.2 mistakes an answer within the second in which the task went to wait for a crash of the task.
        time.sleep(READING_SECONDS)
        option = next(option for option in question["options"] if option.lower().startswith("approve"))
        self._api.answer(dag_id, run_id, task_id, option)
        self._screen.say(f"answered through the API as admin: {option}")

    def _report(self, checks: list[Check]) -> bool:
        for check in checks:
            self._screen.check(check.holds, check.sentence)
        return all(check.holds for check in checks)

    def hand_over(self) -> None:
        """What somebody needs who wants to do it all by hand: no connection, no pool, no run is there."""
        self._screen.title("Yours: nothing is set up and nothing has run")
        self._screen.show(f"Airflow   {self._stack.airflow_url}   user admin, password {self._stack.password}")
        self._screen.show(f"OCP       {self._stack.sandbox_url}   login demo, password {self._stack.sandbox_password}")
        self._screen.show(f"files     {self._stack.data_root}")

    def show_around(self) -> None:
        """Where to look, and how to log in."""
        self._screen.title("Look around")
        self._screen.show(f"Airflow   {self._stack.airflow_url}   user admin, password {self._stack.password}")
        for run in self.runs:
            self._screen.show(f"          {self._stack.airflow_url}/dags/{run.dag_id}/runs/{quote(run.run_id)}")
        self._screen.show(f"ledger    {self._stack.sandbox_url}/_sandbox/ledger")
        self._screen.show(f"files     {self._stack.data_root}")
