"""From what is to be undone to a plan: reads the journal or the snapshot, and every number as OCP shows it now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from ocp_numbers.bulk.change import Change
from ocp_numbers.bulk.desk import Desk
from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.looking import FEW, Look, Seen, read_all
from ocp_numbers.bulk.plan import ChangePlan, PlanWriter
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import InvalidInput, shown
from ocp_numbers.inventory import dates, load, partition_of, read_rows
from ocp_numbers.journal import Entry, SetEdit, entries, runs
from ocp_numbers.models import NumberSet
from ocp_numbers.restoring.deciding import GONE, STAYS, undo
from ocp_numbers.restoring.sources import Past

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOOK_BACK = timedelta(days=30)


def plan_restore(
    connect: Callable[[], OcpClient],
    root: DataRoot,
    restore: str,
    *,
    environment: str,
    run: str,
    now: datetime,
    overwrite: bool = False,
) -> ChangePlan:
    """The smallest plan that undoes a run, or all that happened since a snapshot; nothing is written to OCP.

    What cannot come back is among the plan's refused, each with its reason, and in ``faults.csv`` beside it.

    :param connect: gives the client for the next call, or raises when the task has to end.
    :param restore: a run as the journal names it, such as ``cleanup_unused_numbers/manual__1``, or the date of a
        snapshot, such as ``2026-03-01``.
    :param run: the run that the plan is for.
    :param overwrite: whether what somebody changed after the run is put back as well.
    :raises InvalidInput: when there is no such run or snapshot; naming those that there are.
    :raises IncompleteSnapshot: when the snapshot is damaged, or the inventory does not hold still.
    """
    with Past.open(overwrite=overwrite) as past, Desk.open() as desk:
        sets = {each.id: each for each in connect().sets.list()}
        restoring = _Restoring(connect, past, desk, sets)
        since_snapshot = _DATE.fullmatch(restore.strip()) is not None
        if since_snapshot:
            source = _remember(root, environment, restore.strip(), past)
        else:
            name = _known_run(root, environment, restore.strip())
            source = f"restore of run {name}"
            restoring.read(entries(root, environment, name, damaged=restoring.damaged))
        writer = PlanWriter(root, environment=environment, run=run, made_at=now, source=source)
        for change in restoring.changes(whole=since_snapshot):
            writer.add(change)
        return writer.close(refused=desk.faults(), unchanged=restoring.unchanged, remarks=restoring.remarks())


def _remember(root: DataRoot, environment: str, day: str, past: Past) -> str:
    try:
        snapshot = load(root, partition_of(environment, date.fromisoformat(day)))
    except ValueError:
        snapshot = None
    if snapshot is None:
        known = [each.isoformat() for each in dates(root, environment)][::-1]
        raise InvalidInput(
            f"restore: there is no snapshot of {environment} of {day}; there are {shown(known) or 'none at all'}"
        )
    past.remember(read_rows(snapshot))
    return f"restore of the snapshot of {day}, digest {snapshot.digest[:12]}"


def _known_run(root: DataRoot, environment: str, name: str) -> str:
    """The run of that name; without its DAG where only one run of the last weeks is called so."""
    if name and next(entries(root, environment, name, damaged=lambda key, fault: None), None):
        return name
    known = list(runs(root, environment, date.min))
    same = [each for each in known if name and each.partition("/")[2] == name]
    if len(same) == 1:
        return same[0]
    raise InvalidInput(
        f"restore: {name!r} is no run that changed something in {environment} and is no date of a snapshot; runs by "
        f"their journals, the newest first: {shown(known[::-1]) or 'none'}"
    )


class _Restoring:
    """Numbers on their way back, and what is told on the way."""

    def __init__(self, connect: Callable[[], OcpClient], past: Past, desk: Desk, sets: dict[str, NumberSet]) -> None:
        self._connect = connect
        self._past = past
        self._desk = desk
        self._sets = sets
        self._open: set[tuple[str, int]] = set()
        self._edited_sets: list[SetEdit] = []
        self._successors = 0
        self.unchanged = 0

    def read(self, journal: Iterable[Entry]) -> None:
        """Take what a run has done."""
        for entry in journal:
            self._past.undo(entry)
            self._edited_sets += entry.sets
            if entry.numbers:
                self._open.add((entry.by.task, entry.entry))
            self._open -= {(entry.by.task, confirmed) for confirmed in entry.confirms}

    def damaged(self, key: str, fault: str) -> None:
        """Note a part of the journal that nothing can be learned from."""
        self._desk.fault([Fault(None, "", key, f"cannot be read, so what it tells of stays as it is ({fault})")])

    def changes(self, *, whole: bool) -> Iterator[Change]:
        """The changes, in the order of the numbers; what cannot be done goes to the desk.

        :param whole: whether all numbers are known, so that another one came since.
        """
        for edit in self._edited_sets:
            self._desk.fault(_of_set(edit, self._sets))
        look = Look(self._connect)
        if whole or self._past.count() > FEW:
            for page in read_all(look):
                yield from self._undone(page, whole=whole)
            gone = self._past.left()
        else:
            few = [number for numbers in self._past.left() for number in numbers]
            yield from self._undone([(row, None) for row in look.find(few).values()], whole=whole)
            gone = self._past.left()
        for numbers in gone:
            self._desk.fault(Fault(None, "", "", GONE, number) for number in numbers)

    def _undone(self, page: list[Seen], *, whole: bool) -> Iterator[Change]:
        places = {row.number: place for row, place in page}
        for row, known in self._past.take([row for row, _ in page]):
            if known is None:
                self._desk.fault([Fault(None, "", "", STAYS, row.number)] * whole)
                continue
            undoing = undo(known, row, self._sets, places[row.number])
            self._desk.fault(undoing.faults)
            self.unchanged += not (undoing.changes or undoing.faults)
            self._successors += undoing.successor
            yield from undoing.changes

    def remarks(self) -> Iterator[str]:
        """What the person who approves should know besides."""
        if self._open:
            yield (
                f"{len(self._open)} calls of the run were never read back: it failed or was killed there. What they "
                f"changed is undone where OCP shows it."
            )
        if self._successors:
            yield f"{self._successors} numbers go into the set that has the name of their former one, which is gone."


def _of_set(edit: SetEdit, sets: dict[str, NumberSet]) -> Iterator[Fault]:
    """What a run did to a set and the plan does not undo, as far as it still stands."""
    before, after = edit.before, edit.after
    now = sets.get(before.id) if before else None
    if before is None and after is not None:
        if any((each.name, each.group_id) == (after.name, after.group_id) for each in sets.values()):
            yield Fault(None, "", after.name, "is a set that the run made; remove it by hand if nothing needs it")
    elif before is not None and after is None and now is None:
        yield Fault(None, "", before.name, f"is a set that the run deleted; make it again in group {before.group_id}")
    elif before is not None and after is not None and now is not None and now.name == after.name != before.name:
        yield Fault(None, "", after.name, f"is a set that the run renamed; rename it back to {before.name!r}")
    if (
        before is not None
        and after is not None
        and now is not None
        and now.group_id == after.group_id != before.group_id
    ):
        yield Fault(None, "", now.name, f"is a set that the run moved; move it back to group {before.group_id}")
