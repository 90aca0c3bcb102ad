"""Which process holds a lease, and whether it is certainly dead.

A process id means something only within one boot of one machine and one process namespace of it: holder and asker
compare that first. Anywhere else, and wherever the system does not tell, nobody is taken for dead, and the lease has to
run out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Holder(BaseModel):
    """A process: where it runs, its id there, and when it started, since ids are used again."""

    model_config = ConfigDict(frozen=True)

    place: str | None
    pid: Annotated[int, Field(ge=1, lt=2**31)]
    started: str | None

    @classmethod
    def this_process(cls) -> Holder:
        """The process that asks."""
        return cls(place=_place(), pid=os.getpid(), started=_started(os.getpid()))

    def certainly_dead(self) -> bool:
        """Whether the process has ended, beyond doubt."""
        if self.place is None or self.place != _place():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        now = _started(self.pid)
        return self.started is not None and now is not None and self.started != now


def _place() -> str | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _started(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name, in parentheses, may hold anything; the start time is the 20th field behind it.
    return stat.rpartition(")")[2].split()[19]
