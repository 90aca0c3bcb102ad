"""What never ends, or is far larger than it looks, is cut off: soon, at little memory, with an error that says why.

Each case runs in a process of its own, whose memory the kernel bounds and counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fuzz.bombs import BOMBS, Bomb

PROJECT = Path(__file__).resolve().parents[2]
Told = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What came of each bomb: the error, its message, processor seconds, megabytes."""
    path = os.pathsep.join(str(PROJECT / room) for room in ("plugins", "include", "tests"))
    child = subprocess.run(
        [sys.executable, "-m", "fuzz.bombs", str(tmp_path_factory.mktemp("bombs"))],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {each["name"]: each for each in map(json.loads, child.stdout.splitlines())}


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_it_is_cut_off_with_an_error_that_says_why(bomb: Bomb, told: Told) -> None:
    found = told[bomb.name]
    assert found["error"] == bomb.error, found
    assert bomb.says in found["message"]
    assert len(found["message"]) < 2_500
    assert found["seconds"] < bomb.seconds, found
    assert found["megabytes"] < bomb.megabytes, found
