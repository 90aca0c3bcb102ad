from __future__ import annotations

import json
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
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)
