"""Workers that share the cases of a scenario: one process for each, forked before any of them starts a thread."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, Pipe, wait

from .drawing import draw
from .prover import Prover
from .scenario import Scenario
from .trial import Verdict

Tell = Callable[[str, Verdict], None]
Share = Callable[[Prover, int, int, Tell], None]
"""What one worker does: its prover, which of how many it is, and whom to tell."""


@dataclass(frozen=True)
class News:
    """A verdict, and what kind of case it is about."""

    kind: str
    verdict: Verdict


def single(variants: tuple[str, ...], every: int = 1) -> Share:
    """All single accidents in a world of these variants, or each ``every``-th of them."""

    def share(prover: Prover, part: int, parts: int, tell: Tell) -> None:
        chosen = islice(prover.single_accidents(variants), 0, None, every)
        for alternatives in islice(chosen, part, None, parts):
            for verdict in prover.prove(alternatives):
                tell("single", verdict)

    return share


def drawn(examples: int, start: int) -> Share:
    """That many drawn cases."""

    def share(prover: Prover, part: int, parts: int, tell: Tell) -> None:
        mine = examples // parts + (part < examples % parts)
        draw(prover, examples=mine, start=start * parts + part, tell=lambda verdict: tell("drawn", verdict))

    return share


def work(scenario: Scenario, shares: list[Share], *, jobs: int) -> Iterator[News]:
    """The verdicts of all ``shares`` of the work on ``scenario``, as they come.

    :raises RuntimeError: when a worker died.
    """
    inboxes: list[Connection] = []
    workers = []
    for part in range(jobs):
        inbox, outbox = Pipe(duplex=False)
        pid = os.fork()
        if pid == 0:
            for other in inboxes:
                other.close()
            inbox.close()
            _be_worker(scenario, shares, part, jobs, outbox)
        outbox.close()
        inboxes.append(inbox)
        workers.append(pid)
    while inboxes:
        for ready in wait(inboxes):
            assert isinstance(ready, Connection)
            try:
                yield ready.recv()
            except EOFError:
                inboxes.remove(ready)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers]
    if any(ends):
        raise RuntimeError(f"workers ended with {ends}; what they printed is above")


def _be_worker(scenario: Scenario, shares: list[Share], part: int, parts: int, outbox: Connection) -> None:
    status = 1
    try:
        with Prover(scenario) as prover:
            for share in shares:
                share(prover, part, parts, lambda kind, verdict: outbox.send(News(kind, verdict)))
        status = 0
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # nobody wants to know any more
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            outbox.close()
        os._exit(status)
