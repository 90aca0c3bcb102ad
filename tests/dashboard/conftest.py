from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from dashboard.records import NOW
from inventory.conftest import _no_power_cuts
from ocp_numbers.dashboard.access import may_look
from ocp_numbers.dashboard.application import create_app
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.mounting import PREFIX
from ocp_numbers.dashboard.shelf import Shelf
from ocp_numbers.data_root import DataRoot

__all__ = ["_no_power_cuts"]


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path / "data")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def estate(root: DataRoot, shelf: Shelf) -> Estate:
    return Estate(root, shelf, clock=lambda: NOW)


@pytest.fixture
def browser(estate: Estate) -> TestClient:
    return visitor(estate)


def visitor(estate: Estate, may_look_around: Callable[[], None] = lambda: None) -> TestClient:
    """Somebody who is logged in, and whose requests ask for pages below the place where Airflow mounts them."""
    app = create_app(estate)
    assert may_look.dependency is not None
    app.dependency_overrides[may_look.dependency] = may_look_around
    airflow = FastAPI()
    airflow.mount(PREFIX, app)
    base = f"http://airflow.test{PREFIX}/"
    return TestClient(airflow, base_url=base, headers={"accept": "text/html"}, raise_server_exceptions=False)
