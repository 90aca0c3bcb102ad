from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.bases.operator import ExecutorSafeguard

from ocp_numbers.client import without_waiting
from ocp_numbers.hooks import ocp
from ocp_numbers.operators.base import OcpOperator
from ocp_sandbox import Sandbox, Settings, User
from operators.world import Run, World, connect


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        Settings(numbers=20, users=[User("ops", "secret"), User("reader", "secret", role="reader")])
    ) as sandbox:
        yield sandbox


@pytest.fixture
def world(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> World:
    """A sandbox that the connection ``ocp_default`` leads to."""
    connect(monkeypatch, sandbox)
    return World(sandbox)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Executes an operator as a task would, with its templates rendered, and without waiting."""
    monkeypatch.setattr(ExecutorSafeguard, "test_mode", True)
    monkeypatch.setattr(ocp, "mask_secret", lambda secret: None)  # the real one slows down with each secret

    def execute(operator: OcpOperator, **context: Any) -> Any:
        operator.render_template_fields(context)
        return operator.execute(context)

    with without_waiting():
        yield execute
