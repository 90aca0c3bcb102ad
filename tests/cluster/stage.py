"""What a scenario does with the cluster: trigger, approve, wait for a moment, break something, add up."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any

import requests
from upath import UPath

from ocp_cluster.cluster import Cluster
from ocp_demo.checks import Truth
from ocp_demo.story import READING_SECONDS, REGION

Json = dict[str, Any]
FIGURES: list[str] = []
EXPORT, PROVISION, CLEANUP = "nightly_inventory_export", "provision_region", "cleanup_unused_numbers"
SLOW_PURCHASE = {"method": "PUT", "path": "/api/numbers", "kind": "delay", "seconds": 10}
SLOW_PAGES = {"method": "GET", "path": "/api/numbers", "kind": "delay", "seconds": 2}
DEAR = {"max_unit_price": 100, "max_total_price": 500}
"""Limits under which every area's numbers can be bought."""
ENDS_WITHIN = 900.0
POLL = 1.0


@dataclass
class Run:
    """A DAG run that was triggered."""

    dag_id: str
    run_id: str
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since it was triggered."""
        return time.monotonic() - self.started


class Stage:
    """A cluster that has been set up as an administrator would."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.api = cluster.api()
        self.connect("ocp_default")
        self.api.add_pool_if_missing("ocp_writes", 1, "One writer at a time")
        self.when("all DAGs are known", lambda: self.api.dag_ids() >= {EXPORT, PROVISION, CLEANUP})
        apps = requests.get(f"{cluster.sandbox_url}/_sandbox/miniapps", timeout=30).json()
        self._mini_app = next(str(app["id"]) for app in apps if app["group"] == REGION["group"])

    def connect(self, conn_id: str, **extra: Any) -> None:
        """A connection to the sandbox, kept in Airflow's database."""
        self.api.add_connection(
            {
                "connection_id": conn_id,
                "conn_type": "ocp",
                "host": self.cluster.sandbox_url,
                "login": "demo",
                "password": self.cluster.sandbox_password,
                "extra": json.dumps({"settle_seconds": 2} | extra),
            }
        )

    def region(self, set_name: str, **changes: Any) -> Json:
        """Parameters of a provisioning that needs nobody's approval."""
        region = REGION | {"set_name": set_name, "mini_app_id": self._mini_app, "require_approval": False}
        return region | changes

    def areas(self) -> list[tuple[str, str]]:
        """Country and prefix of each area in which the region's provider has numbers for sale."""
        stock = requests.get(f"{self.cluster.sandbox_url}/_sandbox/stock", timeout=60).json()
        return sorted({(row["country"], row["number"][:5]) for row in stock if row["provider"] == REGION["provider"]})

    def trigger(self, dag_id: str, conf: Json) -> Run:
        """Trigger a run."""
        return Run(dag_id, self.api.trigger(dag_id, conf))

    def when(self, what: str, holds: Callable[[], Any], within: float = ENDS_WITHIN) -> Any:
        """Wait for a moment; while components restart, an unanswered question is no answer."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            try:
                if found := holds():
                    return found
            except requests.RequestException:
                pass
            time.sleep(POLL)
        raise AssertionError(f"{what}: not within {within:.0f} s; logs in {self.cluster.home}/logs")

    def finish(self, run: Run, state: str = "success") -> float:
        """Wait for the end of a run, which has to be ``state``; how long it took."""
        ended = self.when(
            f"{run.dag_id} {run.run_id} ends",
            lambda: self.api.run_state(run.dag_id, run.run_id) in ("success", "failed") and run.seconds,
        )
        tasks = self.api.task_instances(run.dag_id, run.run_id)
        states = {task["task_id"]: (task["state"], task["try_number"]) for task in tasks}
        assert self.api.run_state(run.dag_id, run.run_id) == state, f"{states}\n{self._failures(run, tasks)}"
        return float(ended)

    def asked(self, run: Run, task_id: str) -> Json | None:
        """What a task asks a person, once it waits for the answer."""
        waiting = [task for task in self.api.task_instances(run.dag_id, run.run_id) if task["task_id"] == task_id]
        if not waiting or waiting[0]["state"] not in ("awaiting_input", "deferred"):
            return None
        # Airflow 3.3.2 mistakes an answer within the second in which the task went to wait for a crash of the task.
        time.sleep(READING_SECONDS)
        return self.api.question(run.dag_id, run.run_id, task_id)

    def tries(self, run: Run) -> int:
        """Attempts of a run's tasks beyond the first."""
        tasks = self.api.task_instances(run.dag_id, run.run_id)
        return sum(max(0, task["try_number"] - 1) for task in tasks)

    def result(self, run: Run, task_id: str, map_index: int = -1) -> Json:
        """What a task of a run returned."""
        return dict(self.api.result(run.dag_id, run.run_id, task_id, map_index))

    @contextmanager
    def fault(self, **rule: Any) -> Iterator[None]:
        """A fault of the sandbox while the block lasts."""
        address = f"{self.cluster.sandbox_url}/_sandbox/faults"
        requests.post(address, json=rule, timeout=30).raise_for_status()
        try:
            yield
        finally:
            requests.delete(address, timeout=30).raise_for_status()

    def fault_fired(self, method: str) -> bool:
        """Whether a fault in force has befallen a call of ``method``."""
        rules = requests.get(f"{self.cluster.sandbox_url}/_sandbox/faults", timeout=30).json()
        return any(rule["method"] == method and rule["fired"] for rule in rules)

    def calls(self) -> list[Json]:
        """Calls that the sandbox has answered."""
        answer = requests.get(f"{self.cluster.sandbox_url}/_sandbox/calls", timeout=30)
        return list(answer.json()["calls"])

    def truth(self) -> Truth:
        """What the sandbox says is the case."""
        return Truth.of(self.cluster.sandbox_url)

    def worker_at(self, run: Run, task_id: str) -> str:
        """The worker that is at work on a task."""
        return str(
            self.when(f"{task_id} is with a worker", lambda: self.cluster.worker_of(run.run_id, task_id), within=180)
        )

    def _failures(self, run: Run, tasks: list[Json]) -> str:
        failed = [task for task in tasks if task["state"] in ("failed", "up_for_retry")]
        logs = (
            self.api.log(run.dag_id, run.run_id, task["task_id"], task["try_number"], task["map_index"])[-30:]
            for task in failed
        )
        return "\n\n".join("\n".join(log) for log in logs)


@dataclass(frozen=True)
class Purchases:
    """What was bought between two readings of the ledger, and what it cost."""

    numbers: list[str]
    spent: Decimal

    @classmethod
    def between(cls, before: Truth, after: Truth) -> Purchases:
        """The purchases of one scenario."""
        new = after.since(before)
        return cls([entry["number"] for entry in new.entries("bought")], new.spent)


def check_exact(reported: Json, before: Truth, after: Truth, region: Json) -> Purchases:
    """What a provisioning reported is what the ledger says, to the number and the cent, and all of it is in the set."""
    bought = Purchases.between(before, after)
    assert sorted(bought.numbers) == sorted(reported["numbers"])
    assert len(set(bought.numbers)) == len(bought.numbers)
    assert bought.spent == Decimal(reported["spent"]) <= Decimal(region["max_total_price"])
    assert in_set(after, region) == region["quantity"]
    return bought


def in_set(truth: Truth, region: Json) -> int:
    """How many numbers the sandbox has in the region's set, attached as wished."""
    wanted = (region["set_name"], region["mini_app_id"], region["locale"])
    return sum((row["setName"], row["miniAppId"], row["locale"]) == wanted for row in truth.numbers.values())


def exported(folder: str, **storage: Any) -> list[str]:
    """The numbers of a snapshot, from its manifest's promise on: files as described, rows in order.

    :param storage: how the store is reached, if ``folder`` is in one.
    """
    import pyarrow.parquet as parquet

    path = UPath(folder, **storage)
    manifest = json.loads((path / "manifest.json").read_text())
    content = (path / "numbers.parquet").read_bytes()
    assert sha256(content).hexdigest() == manifest["files"]["numbers.parquet"]["sha256"]
    rows: list[str] = parquet.read_table(BytesIO(content), columns=["number"])["number"].to_pylist()
    assert len(rows) == manifest["rows"]
    return rows


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Do several things at the same time."""
    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(action) for action in actions]]


def figure(name: str, **values: object) -> None:
    """Note what a scenario measured."""
    FIGURES.append(f"{name:<44} " + "  ".join(f"{key} {value}" for key, value in values.items()))
