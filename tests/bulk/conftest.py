from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bulk.scene import Scene
from ocp_numbers.client import ClientSettings, OcpClient, without_waiting
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox, Settings

MakeScene = Callable[..., AbstractContextManager[Scene]]


@pytest.fixture
def make_scene(tmp_path: Path) -> MakeScene:
    places = count()

    @contextmanager
    def make(**settings_: Any) -> Iterator[Scene]:
        with Sandbox(Settings(numbers=0, stock=20, **settings_)) as sandbox, without_waiting():
            settings = ClientSettings(host=sandbox.url, login="ops", password="secret")
            with OcpClient(settings) as client:
                yield Scene(sandbox, client, DataRoot(tmp_path / f"data-{next(places)}"))

    return make


@pytest.fixture
def scene(make_scene: MakeScene) -> Iterator[Scene]:
    with make_scene() as scene:
        yield scene
