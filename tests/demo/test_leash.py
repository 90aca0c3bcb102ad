"""Nothing that the demo starts outlives the demo, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocp_demo.leash import end_leftovers

INCLUDE = Path(__file__).resolve().parents[2] / "include"
# A parent with a child of its own that ignores requests to end: the hardest case to clean up after.
STUBBORN = (
    "import os, signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal, time; "
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)'])\n"
    "open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}')\n"
    "time.sleep(float(sys.argv[2]))\n"
)


class Leashed:
    def __init__(self, folder: Path, lifetime: float = 600) -> None:
        self.folder = folder
        self.pids_file = folder / "pids"
        program = {
            "name": "stubborn",
            "command": [sys.executable, "-c", STUBBORN, str(self.pids_file), str(lifetime)],
            "log": str(folder / "stubborn.log"),
        }
        (folder / "programs.json").write_text(json.dumps([program]))
        with (folder / "leash.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"{SHORT_GRACE}leash.main(leash.Path({str(folder / 'programs.json')!r}))"],
                stdin=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(INCLUDE)},
            )
        self.pids = [int(pid) for pid in until(lambda: self.pids_file.exists() and self.pids_file.read_text()).split()]

    def all_gone(self) -> bool:
        return not any(alive(pid) for pid in self.pids)


SHORT_GRACE = "import ocp_demo.leash as leash; leash.GRACE_SECONDS = 0.3; "


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text() if Path("/proc").is_dir() else None
    except OSError:
        return False
    if stat is not None:
        return stat.rsplit(")", 1)[1].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition, within: float = 15.0):  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return value


@pytest.fixture
def leashed(tmp_path: Path) -> Iterator[Leashed]:
    started = Leashed(tmp_path)
    yield started
    if started.process.poll() is None:
        os.killpg(started.process.pid, signal.SIGKILL)
        started.process.wait()


def test_programs_and_their_children_end_when_whoever_started_them_is_gone(leashed: Leashed) -> None:
    assert not leashed.all_gone()
    assert leashed.process.stdin is not None
    leashed.process.stdin.close()
    until(leashed.all_gone)


def test_programs_and_their_children_end_on_a_termination_signal(leashed: Leashed) -> None:
    leashed.process.terminate()
    until(leashed.all_gone)


def test_one_program_that_ends_by_itself_is_named_and_takes_the_rest_along(tmp_path: Path) -> None:
    started = Leashed(tmp_path, lifetime=0.1)
    until(started.all_gone)
    started.process.wait()
    assert "stubborn ended by itself with code 0" in (tmp_path / "leash.log").read_text()


def test_what_is_left_when_owner_and_leash_are_both_killed_is_ended_by_the_next_start(leashed: Leashed) -> None:
    leashed.process.kill()
    leashed.process.wait()
    assert not leashed.all_gone()
    end_leftovers(leashed.folder / "programs.lock", patience=0.2)
    assert leashed.all_gone()


def test_the_next_start_waits_for_a_leash_that_is_ending_its_programs(leashed: Leashed) -> None:
    assert leashed.process.stdin is not None
    leashed.process.stdin.close()
    end_leftovers(leashed.folder / "programs.lock", patience=30)
    assert leashed.all_gone()


def test_there_is_nothing_to_wait_for_where_no_leash_was(tmp_path: Path) -> None:
    end_leftovers(tmp_path / "programs.lock", patience=0)
    assert list(tmp_path.iterdir()) == []


def test_it_refuses_to_run_in_a_group_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "programs.json").write_text("[]")
    done = subprocess.run(
        [sys.executable, "-m", "ocp_demo.leash", str(tmp_path / "programs.json")],
        env=os.environ | {"PYTHONPATH": str(INCLUDE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "process group of its own" in done.stderr
