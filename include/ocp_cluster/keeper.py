"""Runs a command and starts it again whenever it ends by itself: what ``restart: always`` is for a container.

Airflow's scheduler, for one, ends when its database goes away, and expects to be started again.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from types import FrameType

PAUSE_SECONDS = 2.0


def main(command: list[str]) -> int:
    """Keep ``command`` running until this process is told to end; the signal is passed on."""
    told = False
    child: subprocess.Popen[bytes] | None = None

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True
        if child:
            child.terminate()

    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, end)
    while not told:
        child = subprocess.Popen(command)
        code = child.wait()
        if not told:
            print(f"keeper: ended by itself with code {code}; starting it again", flush=True)
            time.sleep(PAUSE_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
