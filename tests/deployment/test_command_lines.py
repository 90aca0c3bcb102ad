"""Whoever may list a machine's processes reads their command lines: no secret of a deployment stands in one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployment.conftest import PROJECT
from ocp_cluster.compose import COMPOSE, expand
from ocp_cluster.dotenv import EXAMPLE, filled, variables
from ocp_sandbox.__main__ import settings_of

GIVEN = variables(filled(EXAMPLE.read_text()))
SECRETS = {name: GIVEN[name] for name, value in variables(EXAMPLE.read_text()).items() if value == "generate"}
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
SEES = """
import json, os, sys

def main():
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(json.dumps({"command_line": sys.orig_argv, "arguments": sys.argv[1:], "input": sys.stdin.read()}))
        seen.write("\\n")
"""
Saw = Callable[..., list[dict[str, Any]]]


def interpolated(value: Any) -> Any:
    """``value`` as Docker Compose hands it to a container."""
    if isinstance(value, list):
        return [interpolated(each) for each in value]
    if isinstance(value, dict):
        return {name: interpolated(each) for name, each in value.items()}
    return expand(str(value), GIVEN).replace("$$", "$")


@pytest.fixture
def saw(tmp_path: Path) -> Saw:
    """Runs a command where ``programs`` are such as tell what they were called with."""

    def run(command: list[str], programs: list[str], **environment: str) -> list[dict[str, Any]]:
        package, binaries, seen = tmp_path / "airflow", tmp_path / "bin", tmp_path / "seen"
        package.mkdir()
        binaries.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(SEES)
        (binaries / "python").symlink_to(sys.executable)
        for name in programs:
            (binaries / name).write_text(f"#!{sys.executable}\nfrom airflow.__main__ import main\nmain()\n")
            (binaries / name).chmod(0o755)
        surroundings = {
            "PATH": f"{binaries}{os.pathsep}{os.defpath}",
            "PYTHONPATH": str(tmp_path),
            "SEEN": str(seen),
        }
        subprocess.run(command, env=surroundings | environment, stdin=subprocess.DEVNULL, check=True, timeout=60)
        return [json.loads(line) for line in seen.read_text().splitlines()]

    return run


def among(words: list[str]) -> list[str]:
    """The secrets that are somewhere in ``words``."""
    return [name for name, value in SECRETS.items() if any(value in word for word in words)]


@pytest.mark.parametrize("name", SERVICES)
def test_none_is_in_the_command_of_a_container(name: str) -> None:
    service = SERVICES[name]
    health = service.get("healthcheck", {}).get("test", [])
    words = interpolated([*service.get("entrypoint", []), *service.get("command", []), *health])
    assert among(words) == []


def test_the_sandbox_reads_its_login_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    service = SERVICES["sandbox"]
    for name, value in interpolated(service["environment"]).items():
        monkeypatch.setenv(name, value)
    (demo,) = settings_of(interpolated(service["command"])).users
    assert (demo.name, demo.password) == ("demo", SECRETS["SANDBOX_PASSWORD"])


def test_redis_reads_its_password_from_its_standard_input(saw: Saw) -> None:
    service = SERVICES["redis"]
    (call,) = saw(interpolated(service["entrypoint"]), ["docker-entrypoint.sh"], **interpolated(service["environment"]))
    assert call["arguments"] == ["redis-server", "-"]
    assert among(call["command_line"]) == []
    assert call["input"].splitlines() == [f'requirepass "{SECRETS["REDIS_PASSWORD"]}"', "appendonly yes"]


def test_the_first_administrator_gets_a_password_that_nobody_sees(saw: Saw) -> None:
    script = PROJECT / "include" / "deployment" / "initialise.sh"
    calls = saw(["bash", str(script)], ["airflow"], ADMIN_PASSWORD=SECRETS["ADMIN_PASSWORD"])
    (made,) = [call["arguments"] for call in calls if call["arguments"][:2] == ["users", "create"]]
    told = dict(zip(made[2::2], made[3::2], strict=True))
    assert (told["--username"], told["--password"]) == ("admin", SECRETS["ADMIN_PASSWORD"])
    assert [among(call["command_line"]) for call in calls] == [[]] * len(calls)
