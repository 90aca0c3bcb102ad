"""What the demo asks of Airflow's public REST API, as a person with a browser would."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests

Json = dict[str, Any]


class AirflowApi:
    """A logged-in user of ``/api/v2``."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._session = requests.Session()
        answer = self._session.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=30)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **arguments: Any) -> Json:
        """One call below ``/api/v2``; its JSON answer. Raises for anything but a success, with what the server said."""
        return self._call(method, f"/api/v2/{path}", **arguments)

    def add_user(self, name: str, password: str, roles: list[str]) -> None:
        """Create a user where the FAB auth manager keeps them."""
        described: Json = {"username": name, "password": password, "email": f"{name}@localhost", "first_name": name}
        described |= {"last_name": name, "roles": [{"name": role} for role in roles]}
        self._call("POST", "/auth/fab/v1/users", json=described)

    def _call(self, method: str, path: str, **arguments: Any) -> Json:
        answer = self._session.request(method, self.url + path, timeout=60, **arguments)
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code}: {answer.text[:500]}", response=answer)
        return dict(answer.json()) if answer.content else {}

    def add_connection(self, connection: Json) -> None:
        """Create a connection as the form in Admin > Connections does."""
        self.call("POST", "connections", json=connection)

    def connection(self, conn_id: str) -> Json | None:
        """A connection as Airflow keeps it, without its password."""
        known = self.call("GET", "connections", params={"limit": 1000})["connections"]
        return next((each for each in known if each["connection_id"] == conn_id), None)

    def test_connection(self, connection: Json) -> Json:
        """What the form's Test button answers: ``status`` and ``message``."""
        return self.call("POST", "connections/test", json=connection)

    def add_pool(self, name: str, slots: int, description: str) -> None:
        """Create a pool."""
        self.call("POST", "pools", json={"name": name, "slots": slots, "description": description})

    def add_pool_if_missing(self, name: str, slots: int, description: str) -> None:
        """Create a pool unless there is one of that name."""
        pools = self.call("GET", "pools", params={"limit": 1000})["pools"]
        if all(pool["name"] != name for pool in pools):
            self.add_pool(name, slots, description)

    def import_errors(self) -> list[str]:
        """Why DAG files could not be read, one text each."""
        errors = self.call("GET", "importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in errors]

    def dag_ids(self) -> set[str]:
        """DAGs that the scheduler knows by now."""
        return {dag["dag_id"] for dag in self.call("GET", "dags", params={"limit": 100})["dags"]}

    def trigger(self, dag_id: str, conf: Json) -> str:
        """Unpause and trigger a DAG with parameters; its run id."""
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": False})
        run = self.call("POST", f"dags/{dag_id}/dagRuns", json={"conf": conf, "logical_date": None})
        return str(run["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """State of a run: queued, running, success or failed."""
        return str(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def run_note(self, dag_id: str, run_id: str) -> str:
        """What the run says of itself, in Airflow's own note."""
        return str(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["note"] or "")

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """The run's task instances with their states."""
        found = self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 200})
        return list(found["task_instances"])

    def question(self, dag_id: str, run_id: str, task_id: str) -> Json:
        """What a waiting task asks a person: subject, body, options."""
        return self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails")

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """Choose ``option`` for a waiting task."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self.call("PATCH", path, json={"chosen_options": [option], "params_input": {}})

    def result(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """What a task returned."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.call("GET", path, params={"deserialize": "false", "stringify": "false", "map_index": map_index})[
            "value"
        ]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> list[str]:
        """The lines of a task's log."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        entries = self.call("GET", path, params={"full_content": True, "map_index": map_index})["content"]
        return [entry if isinstance(entry, str) else _line(entry) for entry in entries]

    def follow(self, dag_id: str, run_id: str, poll_seconds: float = 1.0) -> Iterator[Json]:
        """Task instances of a run each time their state changes, until the run has ended."""
        seen: dict[tuple[str, int], str | None] = {}
        while True:
            ended = self.run_state(dag_id, run_id) in ("success", "failed")
            for instance in self.task_instances(dag_id, run_id):
                key = (instance["task_id"], instance["map_index"])
                if instance["state"] and seen.get(key) != instance["state"]:
                    seen[key] = instance["state"]
                    yield instance
            if ended:
                return
            time.sleep(poll_seconds)


def _line(entry: Json) -> str:
    """What a log entry says, and the error that it tells of."""
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in entry.get("error_detail") or ()]
    return "\n".join([str(entry.get("event", "")), *errors])
