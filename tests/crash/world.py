"""The world of a case: the platform with its ledger, and the data root. A folder, so that a case starts from a copy."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ocp_sandbox import Sandbox, Settings
from ocp_sandbox.server import Server

LOGIN, PASSWORD = "ops", "secret"
_MEMORY = Path("/dev/shm")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for worlds, in memory where the machine offers that, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="crash-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Purchase:
    """A line of the ledger."""

    number: str
    price: Decimal


class Platform:
    """One port, behind which one world after the other is put: a server for each would take most of the time."""

    def __init__(self) -> None:
        self._idle = Sandbox(Settings(numbers=0, stock=0))
        self._server = Server("127.0.0.1", 0, self._idle.application)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def show(self, sandbox: Sandbox) -> None:
        """Let ``sandbox`` answer from now on."""
        self._server.application = sandbox.application

    def close(self) -> None:
        """Close the port."""
        self._server.stop()
        self._idle.stop()


class World:
    """One platform and one data root, in a folder of their own.

    :param settings: of the platform; a state that is in the folder already is gone on with.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.sandbox = Sandbox(replace(settings, state=folder / "platform.db"))

    def close(self) -> None:
        """Let go of the platform's state."""
        self.sandbox.stop()

    def lose_data_root(self) -> None:
        """Everything in the data root is gone; until people go on, half an hour passes."""
        shutil.rmtree(self.data)
        self.data.mkdir()
        self.sandbox.clock.advance(1800)

    def bought(self) -> list[Purchase]:
        """Everything that was ever bought."""
        return [
            Purchase(entry["number"], Decimal(entry["price"]))
            for entry in self.sandbox.ledger()["entries"]
            if entry["kind"] == "bought"
        ]

    def documents(self, folder: str) -> dict[str, Any]:
        """The JSON documents in a folder of the data root, by name."""
        found = sorted((self.data / folder).glob("*.json"))
        return {path.name: json.loads(path.read_bytes()) for path in found}


def connection(url: str) -> dict[str, str]:
    """The Airflow connection to the platform."""
    return {"conn_type": "ocp", "host": url, "login": LOGIN, "password": PASSWORD}
