"""The demo finds ports, keeps to loopback and takes nothing of the caller's own Airflow along."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ocp_demo.stack import DemoFailed, Stack, free_port


def test_a_port_in_use_is_told_and_the_next_free_one_taken() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        wanted = holder.getsockname()[1]
        taken: list[int] = []
        assert free_port(wanted, taken.append) > wanted
        assert wanted in taken


def test_a_second_demo_in_the_same_folder_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "_run_airflow", lambda *_: None)
    monkeypatch.setattr(Stack, "_start", lambda *_: None)
    home = tmp_path / ".demo"
    with Stack(1, 2, 3, home), pytest.raises(DemoFailed, match="another demo runs"), Stack(1, 2, 3, home):
        pass


def test_the_callers_airflow_does_not_leak_into_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "True")
    monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", "ocp://real-password@real-host")
    monkeypatch.setenv("OCP_NUMBERS_DATA", "/production")
    demo = Stack(8080, 8091, 10, tmp_path)
    demo._write_secrets()
    environment = demo.environment()
    assert "real-password" not in str(environment)
    assert environment["OCP_NUMBERS_DATA"] == str(tmp_path / "data")
    assert environment["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert (tmp_path / "passwords.json").stat().st_mode & 0o077 == 0
