"""A working day of a worker: tasks in processes of their own, as it forks them, with log files and metrics.

A program, ``python -m deployment.working_day {statsd,otlp} FILE``, because Airflow is configured once in a process.
Writes, as JSON, what was logged, what arrived where metrics go to, and what the platform saw.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

from ocp_sandbox import Fault, Sandbox, Settings, User

DAG_FILE = """
from airflow.sdk import DAG
from ocp_numbers.operators import BuyNumbersOperator, ExportNumbersOperator

with DAG("working_day", schedule=None) as dag:
    buy = BuyNumbersOperator(
        task_id="buy", provider="telnova", group="retail-us", country_code="US", prefix="+1212", quantity=3,
        max_total_price=1000, order_id="front desk", settle_seconds=0.05,
    )
    buy >> ExportNumbersOperator(task_id="export")
"""


def work(destination: str) -> dict[str, Any]:
    """One run of a DAG that buys and exports, on a platform that asks to slow down once, and is away for a page.

    :param destination: where metrics go; with ``statsd`` the connection is in the environment, with ``otlp`` in
        Airflow's database.
    """
    tell_to, keep = {"statsd": (_statsd, _in_environment), "otlp": (_otlp, _in_database)}[destination]
    with (
        tempfile.TemporaryDirectory() as home,
        Sandbox(Settings(numbers=20, users=[User("ops", "secret")])) as sandbox,
        tell_to() as told,
    ):
        sandbox.faults.add(Fault("POST", "/api/numbers", status=429, retry_after=1, nth=1))
        sandbox.faults.add(Fault("GET", "/api/numbers", status=503, nth=3))
        os.environ["OCP_NUMBERS_DATA"] = f"{home}/data"
        _begin_airflow(Path(home))
        extra = json.dumps({"page_size": 5})
        keep(conn_type="ocp", host=sandbox.url, login="ops", password="secret", extra=extra)
        _run(Path(home))
        return {
            "logs": {path.stem: _lines(path) for path in Path(home).glob("tasks/*.log")},
            "told": list(told),
            "rows": len(sandbox.numbers()),
            "calls": len(sandbox.calls()),
            "spent": sandbox.ledger()["totals"]["spent"],
        }


def _in_environment(**connection: str) -> None:
    """Keep the connection in the environment variable that Airflow reads."""
    os.environ["AIRFLOW_CONN_OCP_DEFAULT"] = json.dumps(connection)


def _in_database(**connection: str) -> None:
    """Keep the connection where Airflow's form puts it; tasks get it from the API server."""
    kept = import_module("airflow.models.connection").Connection(conn_id="ocp_default", **connection)
    with import_module("airflow.utils.session").create_session() as database:
        database.add(kept)


def _begin_airflow(home: Path) -> None:
    (home / "dags").mkdir()
    (home / "dags" / "working_day.py").write_text(DAG_FILE)
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
        AIRFLOW__CORE__DAGS_FOLDER=str(home / "dags"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
    )
    import_module("airflow.utils.db").initdb()


def _run(home: Path) -> None:
    supervisor: Any = import_module("airflow.sdk.execution_time.supervisor")
    supervisor.MIN_HEARTBEAT_INTERVAL = 0.2  # how often it looks whether the task has ended
    info = import_module("airflow.sdk.api.datamodels._generated").BundleInfo(name="dags-folder")

    def supervised(ti: Any, task: Any) -> Any:
        """In the place of ``dag.test()``'s own way to run a task, which is none that is deployed."""
        supervisor.supervise_task(
            ti=ti,
            bundle_info=info,
            dag_rel_path="working_day.py",
            token="",
            client=supervisor.InProcessTestSupervisor._api_client(task.dag),
            log_path=str(home / "tasks" / f"{ti.task_id}.log"),
        )
        return SimpleNamespace(msg=None, ti=SimpleNamespace(state=_state(ti.id), task=task))

    supervisor.run_task_in_process = supervised
    dag = import_module("airflow.dag_processing.dagbag").DagBag(home / "dags").dags["working_day"]
    state = dag.test().state
    if state != "success":
        raise RuntimeError(f"the run ended as {state}")


def _state(ti_id: object) -> Any:
    session = import_module("airflow.utils.session").create_session
    with session() as database:
        return database.get(import_module("airflow.models.taskinstance").TaskInstance, ti_id).state


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@contextmanager
def _statsd() -> Iterator[Iterator[str]]:
    """The datagrams that arrive, line by line."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.2)
        os.environ.update(
            AIRFLOW__METRICS__STATSD_ON="True",
            AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
            AIRFLOW__METRICS__STATSD_PORT=str(listening.getsockname()[1]),
            AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED="True",
        )
        yield _datagrams(listening)


def _datagrams(listening: socket.socket) -> Iterator[str]:
    try:
        while True:
            yield from listening.recv(65_536).decode().splitlines()
    except TimeoutError:
        return


@contextmanager
def _otlp() -> Iterator[list[str]]:
    """The points that arrive, each as ``name environment value temporality``."""
    points: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            points.extend(_points(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    os.environ.update(
        AIRFLOW__METRICS__OTEL_ON="True",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_EXPORTER_OTLP_COMPRESSION="none",
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta",
    )
    yield points
    server.shutdown()


def _points(body: bytes) -> Iterator[str]:
    service: Any = import_module("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")
    for resource in service.ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    tags = {tag.key: tag.value.string_value for tag in point.attributes}
                    value = getattr(point, point.WhichOneof("value")) if kind != "exponential_histogram" else point.sum
                    temporality = getattr(metric.sum, "aggregation_temporality", 0) if kind == "sum" else 0
                    yield f"{metric.name} {tags.get('environment')} {value:g} {temporality}"


if __name__ == "__main__":
    outcome = work(sys.argv[1])
    Path(sys.argv[2]).write_text(json.dumps(outcome))
