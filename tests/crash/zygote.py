"""A process that has imported and rehearsed everything and is then only forked: work starts and dies in milliseconds.

Forked before its maker starts any thread, it never has one itself. Each piece of work is a child of its own and may be
killed in any way; the zygote waits for it, so that nobody takes a dead process for a living one, and says how it ended.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from .effects import Tell

FROZEN = -signal.SIGSTOP
"""How a fork ended that only stands still."""

Work = Callable[[Any, Tell], None]


class Zygote:
    """Runs pieces of work, one after the other, each in a fresh fork.

    :param work: called in the fork with the piece and a function that tells the maker something under a name. What it
        told before it died is not lost.
    :param prepare: called in the zygote, before the first fork.
    """

    def __init__(self, work: Work, *, prepare: Callable[[], None]) -> None:
        self._orders, orders = Pipe()
        self._told, tell = Pipe(duplex=False)
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self._orders.close()
            self._told.close()
            try:
                _serve(orders, tell, work, prepare)
            finally:
                os._exit(70)  # whatever happens: the maker's own work is not to be done twice
        orders.close()
        tell.close()

    def run(self, piece: object) -> Iterator[tuple[str, Any]]:
        """What the fork tells while it works on ``piece``, then ``("ended", exit code)``, or a signal as a negative."""
        return self._order("run", piece)

    def run_in_place(self, piece: object) -> Iterator[tuple[str, Any]]:
        """As :meth:`run`, in the zygote itself, where nothing is going to kill it: takes half the time.

        What is imported and cached on the way, all later forks have from the start.
        """
        return self._order("run in place", piece)

    def thaw(self) -> Iterator[tuple[str, Any]]:
        """Let the fork go on that has stood still for longest, and told ``("ended", FROZEN)``; as :meth:`run`."""
        return self._order("thaw", None)

    def _order(self, how: str, piece: object) -> Iterator[tuple[str, Any]]:
        self._orders.send((how, piece))
        while True:
            for ready in wait([self._told, self._orders]):
                if ready is self._told:
                    yield self._told.recv()
                elif not self._told.poll():
                    yield "ended", self._orders.recv()
                    return

    def close(self) -> None:
        """End the zygote."""
        self._orders.close()
        self._told.close()
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _serve(orders: Connection, tell: Connection, work: Work, prepare: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    prepare()
    rehearsed = False
    frozen: list[int] = []
    while True:
        try:
            how, piece = orders.recv()
        except (EOFError, OSError):
            for pid in frozen:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        if how == "run in place":
            _do(piece, tell, work)
            _be_alone()
            if not rehearsed:
                gc.collect()
                gc.freeze()  # pages that the collector never touches are not copied by forks
            rehearsed, end = True, 0
        elif how == "thaw":
            os.kill(frozen[0], signal.SIGCONT)
            end = _end_of(frozen.pop(0))
        else:
            pid = os.fork()
            if pid == 0:
                orders.close()
                gc.disable()
                os._exit(0 if _do(piece, tell, work) else 70)
            end = _end_of(pid)
            if end == FROZEN:
                frozen.append(pid)
        with suppress(OSError):
            orders.send(end)


def _end_of(pid: int) -> int:
    _, status = os.waitpid(pid, os.WUNTRACED)
    return FROZEN if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def _do(piece: object, tell: Connection, work: Work) -> bool:
    try:
        work(piece, lambda name, value: tell.send((name, value)))
    except BaseException:
        tell.send(("broke", traceback.format_exc()))
        return False
    return True


def _be_alone() -> None:
    """After a run in place no thread may be left when it comes to forking, nor a signal handler of the run's."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(5)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
