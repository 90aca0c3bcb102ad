"""Carrying out the reversible half of a plan: marks and quarantine for what is unused, none for what is used again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from ocp_numbers.cleanup.marks import with_mark, without_mark
from ocp_numbers.cleanup.placing import Placing, write
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.selection import QUARANTINE, Action, Known, Line, Sets, decide, release_set_name
from ocp_numbers.errors import BadRequest, Conflict, NotFound, Refused, shown
from ocp_numbers.journal import Journal, NumberEdit
from ocp_numbers.models import PhoneNumber
from ocp_numbers.progress import Progress
from ocp_numbers.threads import Threads

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

log = logging.getLogger(__name__)

MARKING = (Action.MARK, Action.QUARANTINE)
BATCH = 20
"""Numbers read, journalled and changed together: few enough that hardly a moment lies between reading and changing."""

_NOT_THIS_ONE = (BadRequest, Conflict, NotFound, Refused)


def outstanding(
    plan: CleanupPlan,
    rows: Iterable[PhoneNumber],
    sets: Sets,
    today: date,
    reserved: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[Line, PhoneNumber]]:
    """The numbers among ``rows``, as OCP shows them now, for which the plan's marking or clearing is still to be done.

    A number that somebody began to use, reserved, protected or gave another mark since is left for the next run's plan.

    :param reserved: by whom; see :class:`~ocp_numbers.cleanup.selection.Known`.
    """
    planned = {line.number: line for line in plan.only(*MARKING, Action.CLEAR)}
    for row in rows:
        line = planned.get(row.number)
        if line is None:
            continue
        known = Known(last_used={row.number: line.last_used} if line.last_used else {}, reserved=reserved)
        now = decide(row, plan.policy, sets, known, today)
        if now and (now.action in MARKING) == (line.action in MARKING) and now.action in (*MARKING, Action.CLEAR):
            yield now, row


def look(
    client: OcpClient, plan: CleanupPlan, today: date, reserved: Mapping[str, str] = MappingProxyType({})
) -> list[Line]:
    """What is still to be done of the plan's marking and clearing, read from OCP now."""
    numbers = [line.number for line in plan.only(*MARKING, Action.CLEAR)]
    rows = client.numbers.find(numbers).values() if numbers else ()
    return [line for line, _ in outstanding(plan, rows, Sets.of(client.sets.list()), today, reserved)]


class Marking:
    """Marks, quarantines and clears what the plan says, a few numbers at a time; looks before it writes.

    :param connect: gives the client for the next call, or raises when the task was asked to end.
    :param today: the day that new marks bear, whenever the plan was made.
    :param reserved: tells which numbers are reserved at the moment, and for what.
    """

    def __init__(
        self,
        connect: Callable[[], OcpClient],
        journal: Journal,
        plan: CleanupPlan,
        *,
        today: date,
        reserved: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._connect = connect
        self._journal = journal
        self._plan = plan
        self._today = today
        self._reserved = reserved
        self._placing = Placing(connect, journal)

    def carry_out(self) -> int:
        """Do what is still to be done, and remove empty release sets of earlier runs; how many numbers were changed.

        :raises OrderConflict: when another process carries out the same run.
        """
        lines = self._plan.only(*MARKING, Action.CLEAR)
        changed = 0
        progress = Progress("mark, quarantine and clear", len(lines))
        for start in range(0, len(lines), BATCH):
            numbers = [line.number for line in lines[start : start + BATCH]]
            changed += self._batch(numbers)
            progress(start + len(numbers))
        self._tidy()
        return changed

    def _batch(self, numbers: Sequence[str]) -> int:
        rows = self._connect().numbers.find(numbers).values()
        todo = list(outstanding(self._plan, rows, self._placing.sets, self._today, self._reserved()))
        noted = self._annotate(todo)
        self._quarantine([row for line, row in noted if line.action in MARKING])
        leaving = [row for line, row in noted if line.action is Action.CLEAR and self._placing.sets.ours(row)]
        if leaving:
            self._placing.take_out(leaving)
        return len(noted)

    def _annotate(self, todo: Sequence[tuple[Line, PhoneNumber]]) -> list[tuple[Line, PhoneNumber]]:
        """Bring the notes in order; the numbers as they are then, without those whose note OCP refuses."""
        wanted = [(line, row, self._wanted_note(line, row)) for line, row in todo]
        changes = [(row, note) for _, row, note in wanted if note != (row.note or "")]
        refused: set[str] = set()
        if changes:
            intent = self._journal.intend("note", [NumberEdit.of(row, note=note) for row, note in changes])
            client = self._connect()
            with Threads(client.settings.max_concurrency) as pool:
                written = pool.map(lambda change: _write_note(client, change[0].number, change[1]), changes)
                refused = {row.number for (row, _), done in zip(changes, written, strict=True) if not done}
            self._journal.confirm(intent)
        return [
            (line, row.model_copy(update={"note": note})) for line, row, note in wanted if row.number not in refused
        ]

    def _wanted_note(self, line: Line, row: PhoneNumber) -> str:
        return without_mark(row.note) if line.action is Action.CLEAR else with_mark(row.note, self._today)

    def _quarantine(self, rows: Sequence[PhoneNumber]) -> None:
        homeless = [row for row in rows if not self._placing.sets.in_quarantine(row)]
        for group in sorted({row.group_id for row in homeless if row.group_id}):
            placed = [row for row in homeless if row.group_id == group]
            try:
                self._placing.put("quarantine", placed, self._placing.ensure(QUARANTINE, group))
            except _NOT_THIS_ONE as error:
                log.warning("Not all in quarantine: %s: %s", shown(row.number for row in placed), error)

    def _tidy(self) -> None:
        """Remove what an earlier run that broke off has left: release sets that nothing is in any more."""
        for number_set in self._placing.sets.release_sets():
            in_scope = not self._plan.policy.groups or number_set.group_id in self._plan.policy.groups
            if in_scope and number_set.name != release_set_name(self._plan.digest):
                self._placing.remove_if_empty(number_set)


def _write_note(client: OcpClient, number: str, note: str) -> bool:
    """Replace a note; ``False`` where OCP refuses it for this number, which then stays as it is."""

    def written() -> bool:
        row = client.numbers.find([number]).get(number)
        return row is not None and (row.note or "") == note

    try:
        write(lambda: client.numbers.update_note(number, note=note), took_effect=written)
    except _NOT_THIS_ONE as error:
        log.warning("%s is left as it is: %s", number, error)
        return False
    return True
