from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from balance.company import Company
from inventory.conftest import _no_power_cuts
from ocp_numbers.client import without_waiting
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox, Settings
from ordering.shop import Shop

__all__ = ["_no_power_cuts"]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(DataRoot(tmp_path))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Sandbox(Settings(numbers=20)) as sandbox, without_waiting(), Shop(sandbox, tmp_path / "data") as shop:
        yield shop
