from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ocp_numbers.client import without_waiting
from ocp_sandbox import Sandbox, Settings
from ordering.shop import Shop


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(numbers=20)) as sandbox:
        yield sandbox


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Iterator[Shop]:
    """A sandbox, a data root and a clock of its own, for orders to be tried in."""
    with without_waiting(), Shop(sandbox, tmp_path / "data") as shop:
        yield shop
