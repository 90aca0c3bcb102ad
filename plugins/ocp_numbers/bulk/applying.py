"""Carrying out a plan: looked at before, on record before, sent in chunks, read back, and only as far as it is missing.

Each change is repeated until OCP shows it, and none is made that OCP shows already. So a run that broke off anywhere is
continued by starting it again: first the purchases, each an order of its own, then what is new, what changes, and last
what is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ocp_numbers.bulk.account import Account, Ledger, Status
from ocp_numbers.bulk.buying import buy
from ocp_numbers.bulk.calling import Calling, Todo
from ocp_numbers.bulk.change import OPERATIONS, Change, Operation
from ocp_numbers.bulk.looking import Look
from ocp_numbers.bulk.plan import RESULT, ChangePlan, new_file
from ocp_numbers.bulk.restore_file import restore_table
from ocp_numbers.bulk.steps import Means, astray, is_done, steps
from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.errors import OutcomeUnknown
from ocp_numbers.journal import Entry, Journal, NumberEdit
from ocp_numbers.lease import Lease
from ocp_numbers.progress import Progress

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

ROWS_PER_CALL = 500
"""Rows of a file, unless the installation wants fewer."""

PAUSES = (1.0, 4.0, 15.0)
"""Seconds before each further look: OCP may show a change some seconds late."""

LEASES = "bulk/.lease"
"""Folder of the data root for the leases, one for each environment; no environment's folder begins with a dot."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _pause(seconds: float) -> None:
    from ocp_numbers.client import Clock

    Clock().pause(seconds)


def apply(
    connect: Callable[[], OcpClient],
    root: DataRoot,
    plan: ChangePlan,
    journal: Journal,
    *,
    rows_per_call: int = ROWS_PER_CALL,
    now: Callable[[], datetime] = _now,
    sleep: Callable[[float], object] = _pause,
) -> Account:
    """Carry ``plan`` out as far as it is not yet, and give its account, which is on record in ``result.json`` then.

    What became of every single change is in ``results.csv``; what brings everything back, as far as it can be, was in
    the plan's ``restore`` before the first call. Whether the account is the one hoped for is for the caller to ask: see
    :attr:`.Account.problem`.

    :param connect: gives the client, of access ``paid``, for the next call, or raises when the task has to end.
    :param journal: of the task that acts, for this plan's digest; each change is in it before it is made.
    :param rows_per_call: rows of one file; fewer are sent where OCP takes fewer.
    :raises Held: when another one carries out a plan for this environment.
    :raises PlanChanged: when the plan's changes are not those that it was made with.
    :raises OutcomeUnknown: when a purchase or a delete may or may not have taken effect; start it again to find out.
    :raises LimitExceeded: when OCP refuses one number after the other.
    :raises ApiError, NoAnswer: when calls fail beyond what patience can mend.
    """
    # Longer than any call, so that none is under way when the next holder begins.
    length = timedelta(seconds=2 * connect().settings.total_timeout)
    place = f"{LEASES}/{segment(plan.environment)}"
    lease = Lease(root, place, clock=now, length=length, by=f"the bulk change {plan.run}")

    def held() -> OcpClient:
        lease.keep()
        return connect()

    with lease.held():
        _write_restore(root, plan)
        bought = buy(held, root, plan, by=journal.by, now=now, sleep=sleep)
        ledger = Ledger(root, plan)
        try:
            applying = _Applying(held, plan, journal, ledger, bought.reasons, rows_per_call, sleep)
            for operation in OPERATIONS:
                applying.carry_out(plan.changes(root, operation), operation)
        finally:
            ledger.close()
        account = ledger.account(bought=bought.count, spent=bought.spent)
        lease.write(f"{plan.folder}/{RESULT}", account.model_dump_json(indent=1).encode())
    return account


def _write_restore(root: DataRoot, plan: ChangePlan) -> None:
    """The way back, on disk before anything is done. It is made of the plan alone: the one that an earlier attempt
    left whole is what would be written again, and is not touched."""
    if _is_whole(root, plan):
        return
    sink = new_file(root, plan.restore)
    for block in restore_table(plan.changes(root)):
        sink.write(block)
    sink.close()


def _is_whole(root: DataRoot, plan: ChangePlan) -> bool:
    try:
        stream = root.path(plan.restore).open("rb")
    except FileNotFoundError:
        return False
    with stream:
        return all(stream.read(len(block)) == block for block in restore_table(plan.changes(root)))


class _Call(NamedTuple):
    """A call that was made: its entry in the journal, the numbers that OCP refused, whether it was answered."""

    intent: Entry
    refused: frozenset[str]
    answered: bool


class _Applying:
    """A run at work on the changes of a plan."""

    def __init__(
        self,
        connect: Callable[[], OcpClient],
        plan: ChangePlan,
        journal: Journal,
        ledger: Ledger,
        not_bought: dict[str, str],
        rows_per_call: int,
        sleep: Callable[[float], object],
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._ledger = ledger
        self._not_bought = not_bought
        self._sleep = sleep
        self._look = Look(connect)
        self._calling = Calling(connect, rows_per_call=rows_per_call, extra_columns=plan.extra_columns)

    def carry_out(self, changes: Iterable[Change], operation: Operation) -> None:
        """Carry out all changes of one operation, chunk by chunk."""
        told = Progress(operation.title(), self._plan.counts.get(operation, 0), unit="rows")
        done = 0
        for chunk in self._chunks(changes):
            self._converge(chunk, once=operation == "delete")
            done += len(chunk)
            told(done)

    def _chunks(self, changes: Iterable[Change]) -> Iterator[list[Change]]:
        rest = iter(changes)
        while chunk := list(islice(rest, self._calling.rows_per_call)):
            yield chunk

    def _converge(self, chunk: Sequence[Change], *, once: bool) -> None:
        """Look, do what is missing, look again, until nothing is missing or patience ends.

        :param once: what is sent once, since it cannot be undone, is not sent a second time by this run.
        """
        open_ = {change.number: change for change in chunk}
        self._calling.refused.clear()
        todo = self._outstanding(open_)
        for pause in PAUSES:
            if not todo:
                return
            calls = self._act(todo)
            todo = self._outstanding(open_)
            self._confirm(calls, todo)
            if todo:
                self._sleep(pause)
                todo = self._outstanding(open_)
            if once and todo:
                break
        self._give_up(todo, once=once)

    def _outstanding(self, open_: dict[str, Change]) -> list[Todo]:
        """The next steps of the changes in ``open_``; those that are settled are noted and taken out of it."""
        seen = self._look.at({number: change.place for number, change in open_.items()})
        todo: list[Todo] = []
        for number, change in list(open_.items()):
            now = seen.get(number)
            next_steps = steps(change, now)
            if is_done(change, now):
                self._settle(open_, change, "done")
            elif why := self._calling.refused.pop(number, None) or astray(change, now):
                self._settle(open_, change, "refused", why)
            elif not next_steps:
                self._settle(open_, change, "refused", self._not_bought.get(number, "was not bought"))
            else:
                todo += [Todo(change, now, step) for step in next_steps]
        return todo

    def _settle(self, open_: dict[str, Change], change: Change, status: Status, remark: str = "") -> None:
        del open_[change.number]
        self._ledger.note(change, status, remark)

    def _act(self, todo: Sequence[Todo]) -> list[_Call]:
        """Make the calls for these steps, each on record before."""
        self._calling.failure = None
        calls: list[_Call] = []
        for means in Means:
            part = [item for item in todo if item.step.means is means and item.number not in self._calling.refused]
            if part and self._calling.failure is None:
                intent = self._journal.intend(
                    _NAMES.get(means, part[0].change.operation), [_edit(item) for item in part]
                )
                self._calling.make(means, part)
                refused = frozenset(item.number for item in part if item.number in self._calling.refused)
                calls.append(_Call(intent, refused, answered=self._calling.failure is None))
        return calls

    def _confirm(self, calls: Iterable[_Call], todo: Iterable[Todo]) -> None:
        """Put on record what the look after the calls has shown; a call that it leaves in doubt stays open."""
        outstanding = {item.number for item in todo}
        for call in calls:
            if call.answered or not outstanding & {edit.number for edit in call.intent.numbers}:
                self._journal.confirm(call.intent, without=sorted(call.refused))

    def _give_up(self, todo: Sequence[Todo], *, once: bool) -> None:
        """Note what OCP does not show although it said yes.

        :raises ApiError, NoAnswer, OutcomeUnknown: when it did not say yes.
        """
        left = {item.number: item for item in todo}
        failure = self._calling.failure
        if left and failure is not None:
            if not once:
                raise failure
            raise OutcomeUnknown(
                f"Deleting {len(left)} numbers was not answered ({failure}), and they are still there. Nothing was "
                f"sent again. Retry the task: it looks first.",
                numbers=tuple(left),
            ) from failure
        for item in left.values():
            self._ledger.note(item.change, "different", f"OCP said yes, and does not show {_wanted(item)}")


_NAMES = {Means.LEAVE_SET: "take out of set", Means.CLEAR_NOTE: "note", Means.BIND: "attach"}


def _edit(item: Todo) -> NumberEdit:
    gone = item.step.operation == "delete" and item.change.operation == "delete"
    return NumberEdit(number=item.number, before=item.seen, after=None if gone else dict(item.step.after))


def _wanted(item: Todo) -> str:
    if item.change.operation == "delete":
        return "that it is gone"
    return ", ".join(f"{field} {value or 'empty'}" for field, value in item.step.after.items())
