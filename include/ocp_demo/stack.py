"""Sandbox and Airflow on loopback: their settings, their ports, their start and their end."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ocp_demo.health import unhealthy
from ocp_demo.leash import GRACE_SECONDS, Program, end_leftovers

PROJECT = Path(__file__).resolve().parents[2]
READY_WITHIN = 240.0
"""Seconds that a slow machine gets until everything is healthy."""


VISIBILITY_DELAY = 2
"""Seconds that a purchase stays out of the sandbox's lists, as it may on a real platform."""


class DemoFailed(Exception):
    """The demo cannot go on; the message says why and where to look."""


def free_port(wanted: int, taken: Callable[[int], None]) -> int:
    """``wanted`` or the next free port on loopback; ``taken`` hears of each that was not free."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken(port)
                continue
            return port
    raise DemoFailed(f"no free port between {wanted} and {wanted + 99}")


def write_secret(file: Path, text: str) -> None:
    """Write what nobody else on this machine may read."""
    file.touch(mode=0o600)
    file.write_text(text)


def inherited_environment() -> dict[str, str]:
    """The caller's environment without any trace of an Airflow of theirs, with this interpreter's programs first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "OCP_"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(PROJECT / "include"),
    }


@dataclass
class Stack:
    """Everything the demo starts. Use as a context manager: leaving it ends all of it.

    ``home`` is emptied first: Airflow's database and logs, the sandbox's state and the data root live in it.
    """

    airflow_port: int
    sandbox_port: int
    numbers: int
    home: Path = PROJECT / ".demo"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    sandbox_password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    _lock: IO[str] | None = None
    _leash: subprocess.Popen[bytes] | None = None

    @property
    def airflow_url(self) -> str:
        """Where the Airflow UI and its REST API are."""
        return f"http://127.0.0.1:{self.airflow_port}"

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox plays OCP."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def data_root(self) -> Path:
        """Where orders and snapshots of this demo are."""
        return self.home / "data"

    def __enter__(self) -> Stack:
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = self.home.with_name(f"{self.home.name}.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed("another demo runs from this folder: end it with Ctrl-C in its terminal first") from None
        end_leftovers(self.home / "programs.lock", patience=GRACE_SECONDS + 5)
        shutil.rmtree(self.home)
        (self.home / "logs").mkdir(parents=True)
        self._write_secrets()
        self._run_airflow("db", "migrate")
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._leash and self._leash.stdin:
            self._leash.stdin.close()
            self._leash.wait()
        if self._lock:
            self._lock.close()

    def wait_until_healthy(self, progress: Callable[[str], None]) -> None:
        """Return once sandbox and every Airflow component report healthy.

        :raises DemoFailed: naming what is not, and its log.
        """
        deadline = time.monotonic() + READY_WITHIN
        waiting_for: list[str] = []
        while time.monotonic() < deadline:
            self.check_alive()
            missing = unhealthy(self.airflow_url, self.sandbox_url)
            if not missing:
                return
            if missing != waiting_for:
                waiting_for = missing
                progress(f"waiting for {', '.join(waiting_for)}")
            time.sleep(0.5)
        raise DemoFailed(
            f"{', '.join(waiting_for)} not healthy after {READY_WITHIN:.0f} s; see the logs in {self.home}/logs"
        )

    def check_alive(self) -> None:
        """:raises DemoFailed: if something that was started has ended by itself, with the end of its log."""
        if self._leash is None or self._leash.poll() is None:
            return
        logs = sorted((self.home / "logs").glob("*.log"), key=lambda log: log.stat().st_mtime)
        casualty = (self.home / "logs" / "leash.log").read_text().strip()
        name = casualty.split(" ")[0]
        log = next((log for log in logs if log.stem == name), logs[-1])
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise DemoFailed(f"{casualty}; the end of {log}:\n{tail}")

    def _write_secrets(self) -> None:
        write_secret(self.home / "passwords.json", json.dumps({"admin": self.password}))
        write_secret(self.home / "sandbox-user", f"--user\ndemo:{self.sandbox_password}\n")
        self._fernet_key = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        self._jwt_secret = secrets.token_urlsafe(32)

    def environment(self) -> dict[str, str]:
        """Environment variables for every process of the demo; nothing of the caller's own Airflow leaks in."""
        return inherited_environment() | {
            "OCP_NUMBERS_DATA": str(self.data_root),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__FERNET_KEY": self._fernet_key,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__BASE_URL": self.airflow_url,
            "AIRFLOW__API__SECRET_KEY": self._jwt_secret,
            "AIRFLOW__API_AUTH__JWT_SECRET": self._jwt_secret,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs" / "tasks"),
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        }

    def _run_airflow(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise DemoFailed(f"airflow {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")

    def _start(self) -> None:
        python = sys.executable
        airflow = [python, "-m", "airflow"]
        sandbox = [python, "-m", "ocp_sandbox", "--port", str(self.sandbox_port), "--numbers", str(self.numbers)]
        sandbox += [
            "--visibility-delay",
            str(VISIBILITY_DELAY),
            f"@{self.home / 'sandbox-user'}",
            "--state",
            str(self.home / "sandbox.db"),
        ]
        commands = {
            "sandbox": sandbox,
            "api-server": [*airflow, "api-server"],
            # Tasks write their logs to files that the API server reads: no log servers on other interfaces.
            "scheduler": [*airflow, "scheduler", "--skip-serve-logs"],
            "dag-processor": [*airflow, "dag-processor"],
            "triggerer": [*airflow, "triggerer", "--skip-serve-logs"],
        }
        programs = [
            Program(name=name, command=command, log=str(self.home / "logs" / f"{name}.log"))
            for name, command in commands.items()
        ]
        description = self.home / "programs.json"
        description.touch(mode=0o600)
        description.write_text(json.dumps(programs))
        with (self.home / "logs" / "leash.log").open("ab") as log:
            self._leash = subprocess.Popen(
                [python, "-m", "ocp_demo.leash", str(description)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.environment(),
                cwd=self.home,
                start_new_session=True,
            )
