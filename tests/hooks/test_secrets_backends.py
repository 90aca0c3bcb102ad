"""A connection works from wherever it is kept: environment, secrets backend, Airflow's own database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import configuration

from ocp_numbers.client import without_waiting
from ocp_numbers.errors import LoginRefused
from ocp_numbers.hooks import ocp
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_sandbox import Sandbox, Settings, User

CONN_ID = "ocp_kept"
IN_A_FILE = "airflow.secrets.local_filesystem.LocalFilesystemBackend"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(numbers=7, users=[User("ops", "secret")])) as sandbox:
        yield sandbox


def connection(sandbox: Sandbox, password: str = "secret") -> dict[str, Any]:
    return {
        "conn_type": "ocp",
        "host": sandbox.url,
        "login": "ops",
        "password": password,
        "extra": {"access": "read", "page_size": 5},
    }


def check(*before: str, **environment: str) -> str:
    """What a shell prints where ``ocp-numbers check`` looks for the connection."""
    program = "; ".join(
        [*before, "import sys; from ocp_numbers.commands.main import main; sys.exit(main(sys.argv[1:]))"]
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check", "--conn-id", CONN_ID],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_the_environment(sandbox: Sandbox) -> None:
    assert "7 numbers" in check(AIRFLOW_CONN_OCP_KEPT=json.dumps(connection(sandbox)))


def test_a_secrets_backend(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({CONN_ID: connection(sandbox)}))
    kept = check(
        AIRFLOW__SECRETS__BACKEND=IN_A_FILE,
        AIRFLOW__SECRETS__BACKEND_KWARGS=json.dumps({"connections_file_path": str(file)}),
    )
    assert "7 numbers" in kept


def test_airflows_own_database_from_a_shell_beside_it(sandbox: Sandbox, tmp_path: Path) -> None:
    given = {**connection(sandbox), "extra": json.dumps(connection(sandbox)["extra"])}
    put = (
        "from airflow.utils.db import initdb; initdb()",
        "from airflow.models.connection import Connection",
        "from airflow.utils.session import create_session",
        f"session = create_session().__enter__(); session.add(Connection(conn_id={CONN_ID!r}, **{given!r}))",
        "session.commit(); session.close()",
    )
    kept = check(*put, AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{tmp_path}/airflow.db")
    assert "7 numbers" in kept


class TestAPasswordThatChanges:
    """While work goes on: what has logged in goes on, what begins takes the new one."""

    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Iterator[Path]:
        """Where the backend keeps the connection."""
        file = tmp_path / "connections.json"
        file.write_text(json.dumps({CONN_ID: connection(sandbox)}))
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", IN_A_FILE)
        monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"connections_file_path": str(file)}))
        monkeypatch.setattr(configuration, "_secrets_backend_cache", {})
        monkeypatch.setattr(ocp, "mask_secret", lambda secret: None)
        with without_waiting():
            yield file

    def test_a_task_that_is_at_work_goes_on(self, sandbox: Sandbox, file: Path) -> None:
        with OcpNumbersHook(CONN_ID) as at_work:
            at_work.client.numbers.list()
            self.change(sandbox, file)
            assert at_work.client.numbers.list().all_numbers == 7
            with OcpNumbersHook(CONN_ID) as next_one:
                assert next_one.client.numbers.list().all_numbers == 7

    def test_a_task_that_begins_before_the_backend_knows_it_is_refused_once_and_does_not_lock_the_account(
        self, sandbox: Sandbox, file: Path
    ) -> None:
        object.__setattr__(sandbox.settings, "users", [User("ops", "changed")])
        with OcpNumbersHook(CONN_ID) as too_early:
            for _ in range(10):
                with pytest.raises(LoginRefused):
                    too_early.client.numbers.list()
        logins = [call for call in sandbox.calls() if call["path"].endswith("/token")]
        assert len(logins) == 1
        self.change(sandbox, file)
        with OcpNumbersHook(CONN_ID) as cleared:
            assert cleared.client.numbers.list().all_numbers == 7

    def change(self, sandbox: Sandbox, file: Path) -> None:
        object.__setattr__(sandbox.settings, "users", [User("ops", "changed")])
        file.write_text(json.dumps({CONN_ID: connection(sandbox, password="changed")}))
