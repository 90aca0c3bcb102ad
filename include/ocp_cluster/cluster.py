"""Sandbox, PostgreSQL, Redis and every Airflow component as processes of this machine, each on a leash of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import psutil
import psycopg2

from ocp_cluster import PROJECT
from ocp_cluster.compose import airflow_environment
from ocp_cluster.dotenv import EXAMPLE, filled, variables
from ocp_cluster.packages import program
from ocp_demo.airflow_api import AirflowApi
from ocp_demo.health import unhealthy
from ocp_demo.leash import Program
from ocp_demo.stack import inherited_environment, write_secret

READY_WITHIN = 300.0
"""Seconds that a slow machine gets until everything is healthy."""


class ClusterFailed(Exception):
    """The cluster cannot go on; the message says why and where to look."""


class Cluster:
    """The deployment of docker-compose.yaml without containers. Use as a context manager: leaving it ends all of it.

    Each component is a process group of its own, so that one can be killed with all that it started, as the loss of a
    container or of a machine would. None outlives this process, however it ends.

    :param workers: how many Celery workers.
    :param schedulers: how many schedulers.
    :param settings: variables of ``.env`` that differ from ``.env.example``.
    """

    def __init__(
        self, *, workers: int = 2, schedulers: int = 1, numbers: int = 5000, settings: dict[str, str] | None = None
    ) -> None:
        self.workers = [f"worker-{number}" for number in range(1, workers + 1)]
        self.schedulers = [f"scheduler-{number}" for number in range(1, schedulers + 1)]
        self.numbers = numbers
        self.ports = dict(zip(("api", "sandbox", "postgres", "redis"), free_ports(4), strict=True))
        self._variables = variables(filled(EXAMPLE.read_text())) | (settings or {})
        self._leashes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def airflow_url(self) -> str:
        """Where the Airflow UI and its REST API are."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox plays OCP."""
        return f"http://127.0.0.1:{self.ports['sandbox']}"

    @property
    def password(self) -> str:
        """Of the user ``admin``."""
        return self._variables["ADMIN_PASSWORD"]

    @property
    def sandbox_password(self) -> str:
        """Of the sandbox's user ``demo``."""
        return self._variables["SANDBOX_PASSWORD"]

    def __enter__(self) -> Cluster:
        self.home = Path(tempfile.mkdtemp(prefix="ocp-cluster-"))
        # PostgreSQL runs under a user of its own when this is root, and has to reach its folder.
        self.home.chmod(0o755)
        (self.home / "logs").mkdir()
        write_secret(self.home / "sandbox-user", f"--user\ndemo:{self.sandbox_password}\n")
        write_secret(self.home / "redis.conf", f'requirepass "{self._variables["REDIS_PASSWORD"]}"\n')
        try:
            self._start_services()
            self._initialise()
            for component in (*self.schedulers, "dag-processor", "triggerer", "api-server", *self.workers):
                self.start(component)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if "postgres" in self._leashes:
            self.stop("postgres")
        for leash in self._leashes.values():
            if leash.stdin:
                leash.stdin.close()
        for leash in self._leashes.values():
            leash.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def api(self) -> AirflowApi:
        """Airflow's REST API, logged in as ``admin``."""
        return AirflowApi(self.airflow_url, "admin", self.password)

    def environment(self) -> dict[str, str]:
        """Environment of every component: the compose file's, and what differs on one machine."""
        here = {
            "POSTGRES_ADDRESS": f"127.0.0.1:{self.ports['postgres']}",
            "REDIS_ADDRESS": f"127.0.0.1:{self.ports['redis']}",
            "API_ADDRESS": f"127.0.0.1:{self.ports['api']}",
            "BASE_URL": self.airflow_url,
        }
        if "OCP_NUMBERS_DATA" not in self._variables or self._variables["OCP_NUMBERS_DATA"].startswith("file:"):
            here["OCP_NUMBERS_DATA"] = str(self.home / "data")
        return (
            inherited_environment()
            | airflow_environment(self._variables | here)
            | {
                "ADMIN_PASSWORD": self.password,
                "AIRFLOW_HOME": str(self.home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
                "AIRFLOW__API__HOST": "127.0.0.1",
                "AIRFLOW__API__PORT": str(self.ports["api"]),
                "AIRFLOW__API__WORKERS": "1",
                "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs" / "tasks"),
                "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
                # Containers are asked for their health on a port of their own; several schedulers here would share it.
                "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            }
        )

    def command(self, component: str) -> list[str]:
        """Command line of a component."""
        airflow = [sys.executable, "-m", "airflow"]
        if component in self.workers:
            # Logs are read from the folder that all share: no log servers on other interfaces.
            return [*airflow, "celery", "worker", "--celery-hostname", f"{component}@%h", "--skip-serve-logs"]
        if component in self.schedulers:
            return [*airflow, "scheduler", "--skip-serve-logs"]
        if component == "triggerer":
            return [*airflow, "triggerer", "--skip-serve-logs"]
        if component == "postgres":
            listen = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300", "-k", ""]
            return _as_postgres(
                [program("postgres"), "-D", str(self._database), "-p", str(self.ports["postgres"]), *listen]
            )
        if component == "redis":
            where = ["--bind", "127.0.0.1", "--port", str(self.ports["redis"]), "--dir", str(self.home)]
            return [program("redis-server"), str(self.home / "redis.conf"), *where, "--appendonly", "yes"]
        if component == "sandbox":
            where = ["--port", str(self.ports["sandbox"]), "--state", str(self.home / "sandbox.db")]
            what = ["--numbers", str(self.numbers), "--stock", "1000", f"@{self.home / 'sandbox-user'}"]
            return [sys.executable, "-m", "ocp_sandbox", *where, *what]
        return [*airflow, component]

    def start(self, component: str) -> None:
        """Start a component that does not run."""
        kept = [sys.executable, "-m", "ocp_cluster.keeper", *self.command(component)]
        described = [Program(name=component, command=kept, log=str(self.log_file(component)))]
        description = self.home / f"{component}.json"
        write_secret(description, json.dumps(described))
        with (self.home / "logs" / "leashes.log").open("ab") as log:
            self._leashes[component] = subprocess.Popen(
                [sys.executable, "-m", "ocp_demo.leash", str(description)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.environment(),
                cwd=self.home,
                start_new_session=True,
            )

    def stop(self, component: str) -> None:
        """Tell a component to end, and wait until it has."""
        if component == "postgres":
            stop = [program("pg_ctl"), "-D", str(self._database), "-m", "fast", "-w", "stop"]
            subprocess.run(_as_postgres(stop), check=False, capture_output=True, cwd=self.home)
        leash = self._leashes.pop(component)
        if leash.stdin:
            leash.stdin.close()
        leash.wait()

    def kill(self, component: str) -> None:
        """End a component and everything it started at once, as the loss of its machine would."""
        leash = self._leashes.pop(component)
        with suppress(ProcessLookupError):
            os.killpg(leash.pid, signal.SIGKILL)
        leash.wait()

    def log_file(self, component: str) -> Path:
        """What a component prints."""
        return self.home / "logs" / f"{component}.log"

    def worker_of(self, run_id: str, task_id: str) -> str | None:
        """The worker that took a task of a run, once one has."""
        for worker in self.workers:
            log = self.log_file(worker)
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            if any(run_id in line and f"task_id='{task_id}'" in line for line in reversed(lines)):
                return worker
        return None

    def processes(self, component: str) -> list[psutil.Process]:
        """Every process of a component."""
        try:
            leash = psutil.Process(self._leashes[component].pid)
            return [leash, *leash.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def transactions(self) -> int:
        """How many transactions the metadata database has committed."""
        with closing(psycopg2.connect(self.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = 'airflow'")
            return int(cursor.fetchone()[0])

    @property
    def database_url(self) -> str:
        """The metadata database."""
        password = self._variables["POSTGRES_PASSWORD"]
        return f"postgresql://airflow:{password}@127.0.0.1:{self.ports['postgres']}/airflow"

    def wait_until_healthy(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Return once sandbox and every Airflow component report healthy.

        :raises ClusterFailed: naming what is not, and where its log is.
        """
        deadline = time.monotonic() + READY_WITHIN
        reported: Sequence[str] = ()
        while missing := self._unhealthy():
            if missing != reported:
                reported = missing
                progress(f"waiting for {', '.join(missing)}")
            if time.monotonic() > deadline:
                raise ClusterFailed(
                    f"{', '.join(missing)} not healthy after {READY_WITHIN:.0f} s; see {self.home}/logs"
                )
            time.sleep(1)

    def _unhealthy(self) -> list[str]:
        ended = [name for name, leash in self._leashes.items() if leash.poll() is not None]
        if ended:
            return [f"{name} (ended)" for name in ended]
        missing = unhealthy(self.airflow_url, self.sandbox_url)
        return missing + [worker for worker in self.workers if not self._worker_ready(worker)]

    def _worker_ready(self, worker: str) -> bool:
        log = self.log_file(worker)
        return log.exists() and " ready." in log.read_text(errors="replace")

    @property
    def _database(self) -> Path:
        return self.home / "postgres"

    def _start_services(self) -> None:
        self._database.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self._database, "postgres", "postgres")
        password = self.home / "postgres-password"
        password.write_text(self._variables["POSTGRES_PASSWORD"])
        if os.geteuid() == 0:
            shutil.chown(password, "postgres", "postgres")
        password.chmod(0o600)
        self._run(
            _as_postgres(
                [
                    *(program("initdb"), "--pgdata", str(self._database), "--username", "airflow"),
                    *("--auth", "scram-sha-256", "--pwfile", str(password), "--encoding", "UTF8", "--no-sync"),
                ]
            )
        )
        password.unlink()
        for component in ("postgres", "redis", "sandbox"):
            self.start(component)
        self._create_database()

    def _create_database(self) -> None:
        server = self.database_url.removesuffix("airflow") + "postgres"
        deadline = time.monotonic() + READY_WITHIN
        while True:
            try:
                with closing(psycopg2.connect(server)) as connection:
                    connection.autocommit = True
                    connection.cursor().execute("CREATE DATABASE airflow")
                    return
            except psycopg2.OperationalError as error:
                if time.monotonic() > deadline:
                    raise ClusterFailed(f"PostgreSQL does not answer: {error}") from error
                time.sleep(0.5)

    def _initialise(self) -> None:
        self._run(["bash", str(PROJECT / "include" / "deployment" / "initialise.sh")], **self.environment())

    def _run(self, command: list[str], **environment: str) -> None:
        done = subprocess.run(
            command, env=os.environ | environment, cwd=self.home, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ClusterFailed(f"{' '.join(command[:4])} ... failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; where this is root, it runs as the user that its package made."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
