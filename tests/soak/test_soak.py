"""The soak program in a short form: it ends well, and finds what is broken on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def soak(*options: str) -> subprocess.CompletedProcess[str]:
    """A life of ten nights; in a process of its own, as it changes the time of the whole program."""
    return subprocess.run(
        [sys.executable, "-m", "soak", "--nights=10", "--provisionings=10", "--cleanups=4", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT / 'include'}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ten_nights_with_many_faults_leave_nothing_wrong() -> None:
    outcome = soak("--faults=0.05")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "Nothing wrong." in outcome.stdout
    assert "killed" in outcome.stdout


def test_a_leak_and_a_lost_order_are_found() -> None:
    outcome = soak("--plant=leak", "--plant=ledger")
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    for breach in ("memory: grew by", "files: ", "threads: ", "are in no order", "were spent, our orders"):
        assert breach in outcome.stdout
