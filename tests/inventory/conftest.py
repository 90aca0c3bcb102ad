from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inventory.estate import DAY, NOON, Estate
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export


@pytest.fixture(scope="package", autouse=True)
def _no_power_cuts() -> Iterator[None]:
    """Processes die in these tests, machines do not: waiting for the disk proves nothing and takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path / "data")


@pytest.fixture
def export_of(root: DataRoot) -> Callable[..., Export]:
    """Makes an export of a source, with small pages; whatever is given replaces the defaults.

    That an estate without a number is empty was accepted by somebody.
    """

    def make(source: Any, **given: Any) -> Export:
        defaults: dict[str, Any] = {
            "root": root,
            "scope": Scope(environment="ocp_default"),
            "day": DAY,
            "holder": "run-1",
            "page_size": 10,
            "concurrency": 3,
            "max_change_percent": 1_000_000,
            "clock": lambda: NOON,
        }
        if isinstance(source, Estate) and not source.rows:
            defaults["expected_rows"] = 0
        return Export(source=source, **(defaults | given))

    return make
