from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
Day = dict[str, Any]
"""What ``deployment.working_day`` tells of itself."""


def working_day(destination: str, folder: Path, **environment: str) -> Day:
    """The tale of a working day whose metrics go to ``statsd`` or ``otlp``."""
    path = os.pathsep.join(str(PROJECT / part) for part in ("plugins", "include", "tests"))
    done = subprocess.run(
        [sys.executable, "-m", "deployment.working_day", destination, folder / "day.json"],
        env={**os.environ, **environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    day: Day = json.loads((folder / "day.json").read_text())
    return day


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """A working day whose metrics went to StatsD."""
    return working_day("statsd", tmp_path_factory.mktemp("day"))
