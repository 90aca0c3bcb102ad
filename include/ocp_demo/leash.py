"""Runs programs as one process group that never outlives whoever started it.

``python -m ocp_demo.leash PROGRAMS.json`` starts each program and waits for the first of: end of its own standard input
(whoever started it is gone, however that happened), a termination signal, or the end of any program. Then the whole
group is told to end, and after a grace period killed.

PROGRAMS.json is a list of ``{"name", "command", "log"}``.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TypedDict


class Program(TypedDict):
    """One program to run: its name for messages, its command line, the file that takes what it prints."""

    name: str
    command: list[str]
    log: str


GRACE_SECONDS = 15.0
_POLL_SECONDS = 0.2


def main(description: Path) -> None:
    """Run the programs that ``description`` lists until the leash is let go; then end them, and this group."""
    ended = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal ended
        ended = True

    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(stop, end)
    with description.with_suffix(".lock").open("w") as lock:
        # The programs inherit the lock, so it is held until the last of them is gone, and names the group to end.
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(os.getpid()))
        lock.flush()
        running = {program["name"]: _start(program, lock.fileno()) for program in json.loads(description.read_text())}
        casualty = None
        while not (ended or casualty or _let_go()):
            casualty = next((name for name, process in running.items() if process.poll() is not None), None)
        if casualty:
            print(f"{casualty} ended by itself with code {running[casualty].returncode}", file=sys.stderr, flush=True)
        _end(list(running.values()))


def end_leftovers(lock_file: Path, patience: float) -> None:
    """Return once nothing runs any more of what a leash with this lock started.

    A leash whose owner was killed ends its programs by itself, within ``patience`` seconds; if the leash was killed as
    well, its group is ended here.
    """
    if not lock_file.exists():
        return
    deadline = time.monotonic() + patience
    with lock_file.open("r+") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    # The lock is held by a member of the group, so the group's number cannot be anybody else's.
                    with suppress(ProcessLookupError):
                        os.killpg(int(lock_file.read_text()), signal.SIGKILL)
                time.sleep(_POLL_SECONDS)


def _start(program: Program, lock: int) -> subprocess.Popen[bytes]:
    with Path(program["log"]).open("ab") as output:
        return subprocess.Popen(
            program["command"], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, pass_fds=(lock,)
        )


def _let_go() -> bool:
    readable, _, _ = select.select([sys.stdin.fileno()], [], [], _POLL_SECONDS)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1024)


def _end(programs: list[subprocess.Popen[bytes]]) -> None:
    for program in programs:
        if program.poll() is None:
            program.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for program in programs:
        with suppress(subprocess.TimeoutExpired):
            program.wait(max(0.0, deadline - time.monotonic()))
    # What the programs left behind - workers, running tasks - is in this group too; it ends to the last process.
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    if os.getpgrp() != os.getpid():
        sys.exit("start the leash as the leader of a process group of its own: it ends that group")
    main(Path(sys.argv[1]))
