from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import pytest

from inventory.conftest import _no_power_cuts
from ocp_numbers.client import ClientSettings, OcpClient, without_waiting
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox, Settings
from restoring.estate import Estate

__all__ = ["_no_power_cuts"]

MakeEstate = Callable[[], AbstractContextManager[Estate]]


@pytest.fixture
def make_estate(tmp_path: Path) -> MakeEstate:
    places = count()

    @contextmanager
    def make() -> Iterator[Estate]:
        with Sandbox(Settings(numbers=0)) as sandbox, without_waiting():
            settings = ClientSettings(host=sandbox.url, login="ops", password="secret")
            with OcpClient(settings) as client:
                yield Estate(sandbox, client, DataRoot(tmp_path / f"data-{next(places)}"))

    return make


@pytest.fixture
def estate(make_estate: MakeEstate) -> Iterator[Estate]:
    with make_estate() as estate:
        yield estate
