from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import pytest

from cleanup.scene import Scene
from ocp_numbers.client import ClientSettings, OcpClient, without_waiting
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox, Settings

MakeScene = Callable[[], AbstractContextManager[Scene]]


@pytest.fixture
def make_scene(tmp_path: Path) -> MakeScene:
    places = count()

    @contextmanager
    def make() -> Iterator[Scene]:
        with Sandbox(Settings(numbers=0)) as sandbox, without_waiting():
            settings = ClientSettings(host=sandbox.url, login="ops", password="secret")  # type: ignore[arg-type]
            with OcpClient(settings) as client:
                yield Scene(sandbox, client, DataRoot(tmp_path / f"data-{next(places)}"))

    return make


@pytest.fixture
def scene(make_scene: MakeScene) -> Iterator[Scene]:
    with make_scene() as scene:
        yield scene
