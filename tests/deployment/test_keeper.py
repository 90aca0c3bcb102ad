from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from ocp_cluster import PROJECT

COUNTING = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(float(sys.argv[2]))"


def keep(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "ocp_cluster.keeper", *command], cwd=PROJECT / "include")


def test_a_program_that_ends_is_started_again_until_the_keeper_is_told_to_end(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    keeper = keep(sys.executable, "-c", COUNTING, str(starts), "0")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (starts.exists() and len(starts.read_text()) >= 2):
        time.sleep(0.1)
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(30) == 0
    assert len(starts.read_text()) >= 2


def test_the_program_is_told_to_end_too(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    keeper = keep(sys.executable, "-c", COUNTING, str(starts), "300")
    while not starts.exists():
        time.sleep(0.1)
    started = time.monotonic()
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(30) == 0
    assert time.monotonic() - started < 30
    assert starts.read_text() == "x"
