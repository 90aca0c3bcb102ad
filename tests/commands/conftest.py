from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocp_numbers.client import without_waiting
from ocp_numbers.commands.main import main
from ocp_numbers.hooks import ocp
from ocp_sandbox import Sandbox, Settings, User
from operators.world import World, connect


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(numbers=60, users=[User("ops", "secret")])) as sandbox:
        yield sandbox


@pytest.fixture
def world(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """A platform that the connection ``ocp_default`` leads to, with the right to buy, and an empty data root."""
    connect(monkeypatch, sandbox)
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(ocp, "mask_secret", lambda secret: None)  # the real one slows down with each secret
    with without_waiting():
        yield World(sandbox)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command sets up the logging of its process, which here is that of all tests."""
    levels = {name: logging.getLogger(name).level for name in ("ocp_numbers", "airflow", "urllib3")}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


class Shell:
    """Somebody at a shell."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        code = main(arguments)
        self.out, self.err = self._capsys.readouterr()
        return code

    def json(self, *arguments: str) -> Any:
        """The document that a command prints with ``--json``."""
        self(*arguments, "--json")
        return json.loads(self.out)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "shell")  # what the commands set there would outlast the test
    return Shell(capsys)
