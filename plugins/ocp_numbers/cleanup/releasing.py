"""Carrying out the half of a plan that cannot be undone.

OCP gives purchased numbers up only through a set, all that are in it at once. So the approved numbers of a group are
put into a set made for this list alone, whose content is read back and must be exactly them, in the state approved,
immediately before that one call. Numbers that are merely in the database stay behind and are deleted one by one.

Everything is looked at before it is done, and is on record before it is done, so that a run that broke off anywhere is
continued by starting it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, NoReturn

from ocp_numbers.cleanup.placing import Placing
from ocp_numbers.cleanup.plan import APPROVED_FIELDS, CleanupPlan, check_limits
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import DECIDING, Action, Known, Line, Sets, decide, release_set_name, use_of
from ocp_numbers.errors import ApiError, NoAnswer, NotFound, OutcomeUnknown, PlanChanged, Refused, shown
from ocp_numbers.journal import Journal, NumberEdit
from ocp_numbers.models import NumberSet, PhoneNumber, check_told

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

log = logging.getLogger(__name__)

PAUSES = (1.0, 3.0, 10.0)
"""Seconds between looks while OCP does not show what it was told: it may show a change some seconds late."""


def unfit(
    line: Line, row: PhoneNumber | None, policy: CleanupPolicy, sets: Sets, known: Known, today: date
) -> str | None:
    """Why the number must not be given up, as OCP shows it now; ``None`` where all is as it was approved."""
    if row is None:
        return "is no longer in the inventory"
    if (row.set_id or row.set_name) and not sets.ours(row):
        return f"is in the set {sets.name(row) or row.set_id}"
    # Where it lies is checked by the caller; what else holds for it is decided as it was for the plan.
    now = decide(row.model_copy(update={"set_id": None, "set_name": None}), policy, sets, known, today)
    if now is None or now.since is None:
        return f"is {use_of(row, sets)}" if use_of(row, sets) else "has lost its mark"
    if now.action is not Action.QUARANTINE:
        return now.why
    changed = [
        f"{name} was {getattr(line, name)!r} and is {getattr(now, name)!r}"
        for name in sorted(APPROVED_FIELDS)
        if getattr(line, name) != getattr(now, name)
    ]
    if changed:
        return ", ".join(changed)
    return None if (today - now.since).days >= policy.grace_days else f"is not due before {now.due}"


class Releasing:
    """Gives up the numbers of an approved plan.

    :param connect: gives the client for the next call, or raises when the task was asked to end.
    :param policy: the policy in force now; should it differ from the plan's, nothing is done.
    :param recall: gives what our own records say by now, see :func:`~ocp_numbers.cleanup.planning.recalled`.
    """

    def __init__(
        self,
        connect: Callable[[], OcpClient],
        journal: Journal,
        plan: CleanupPlan,
        *,
        policy: CleanupPolicy,
        today: date,
        recall: Callable[[Sets], Known],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect = connect
        self._journal = journal
        self._plan = plan
        self._policy = policy
        self._today = today
        self._sleep = sleep
        self._lines = {line.number: line for line in plan.releases}
        self._placing = Placing(connect, journal)
        self._known = recall(self._placing.sets)

    def check(self) -> list[PhoneNumber]:
        """Read every number again and make sure that the plan still holds; the numbers that are still there.

        :raises PlanChanged: naming each number that is not as it was approved.
        :raises IncompleteSnapshot: when OCP does not tell what that is seen from.
        :raises LimitExceeded: when the plan gives up more than the policy allows of the numbers there are now.
        """
        if self._policy != self._plan.policy:
            raise PlanChanged(
                "The cleanup policy was changed since the plan was made. Nothing was changed. Trigger a new run."
            )
        rows = self._connect().numbers.find(tuple(self._lines)) if self._lines else {}
        gone = {number for number in self._lines if number not in rows} & self._journal.intended("give up", "delete")
        self._refuse(
            (
                line.number,
                self._unfit(line.number, rows.get(line.number)) or self._astray(rows[line.number]),
            )
            for line in self._lines.values()
            if line.number not in gone
        )
        groups = list(self._policy.groups) or None
        estate = self._connect().numbers.search(groups=groups, page_size=1).all_numbers + len(gone)
        check_limits(self._plan.releases, estate=estate, policy=self._policy)
        return list(rows.values())

    def carry_out(self) -> int:
        """Give the numbers up, group by group; how many went in this call.

        :raises PlanChanged: when a number is not as it was approved; those of other groups may be gone already.
        :raises Refused: when OCP refuses to give numbers up, in its own words.
        :raises OutcomeUnknown: when a call may or may not have taken effect; called again, this finds out first.
        :raises OrderConflict: when another process carries out the same run.
        """
        remaining = self.check()
        for group in sorted({line.group for line in self._lines.values() if line.group}):
            self._give_up_group(group, [row for row in remaining if row.group_id == group])
        return len(remaining)

    def _give_up_group(self, group: str, rows: list[PhoneNumber]) -> None:
        name = release_set_name(self._plan.digest)
        if rows:
            target = self._placing.ensure(name, group)
            outside = [row for row in rows if row.set_id != target.id]
            if outside:
                self._placing.put("collect", outside, target)
            left = self._give_up(target, {row.number for row in rows})
            self._delete(left)
            log.info("%s: %d numbers given up, %d of them deleted from the database", group, len(rows), len(left))
        emptied = self._placing.sets.named(name, group)
        if emptied and not self._placing.remove_if_empty(emptied):
            log.warning("The set %s of %s is not empty and stays", name, group)

    def _give_up(self, target: NumberSet, expected: Collection[str]) -> list[PhoneNumber]:
        """Give up the purchased numbers of the set; the others, which are still in it."""
        members = self._look(target, until=lambda there: there.keys() == set(expected))
        if members.keys() != set(expected):
            strange, missing = sorted(members.keys() - set(expected)), sorted(set(expected) - members.keys())
            raise PlanChanged(
                f"The set {target.name} must hold exactly the approved numbers before they are given up, but "
                f"{shown(strange) or 'nothing'} is in it besides and {shown(missing) or 'nothing'} is missing. "
                "None of its numbers were given up."
            )
        self._refuse((number, self._unfit(number, row)) for number, row in members.items())
        intent = self._journal.intend("give up", [NumberEdit.gone(row) for row in members.values()])
        try:
            self._connect().sets.release_numbers(target.id)
        except (ApiError, NoAnswer) as error:
            if error.settled:
                self._journal.confirm(intent, without=members.keys())
                raise
            if left := self._look(target, until=lambda there: not there):
                self._explain(error, sorted(left))
        left = self._look(target, until=lambda there: not there)
        self._journal.confirm(intent, without=left.keys())
        return list(left.values())

    def _delete(self, rows: list[PhoneNumber]) -> None:
        if not rows:
            return
        self._placing.take_out(rows)
        intent = self._journal.intend("delete", [NumberEdit.gone(row) for row in rows])
        for row in rows:
            self._delete_one(row.number)
        self._journal.confirm(intent)

    def _delete_one(self, number: str) -> None:
        now = self._connect().numbers.find([number]).get(number)
        if now is None:
            return
        self._refuse([(number, self._unfit(number, now))])
        try:
            self._connect().numbers.delete(number)
        except NotFound:
            return
        except (ApiError, NoAnswer) as error:
            if error.settled:
                raise
            if number in self._connect().numbers.find([number]):
                self._explain(error, [number])

    @staticmethod
    def _explain(error: ApiError | NoAnswer, left: Sequence[str]) -> NoReturn:
        """Raise what a call that left these numbers there means: OCP's own words where it refused it."""
        if isinstance(error, Refused):
            log.warning("Still there: %s. What is missing was given up; nothing is sent again.", shown(left))
            raise error
        raise OutcomeUnknown(
            f"{error} - and {shown(left)} are still there. OCP may not have carried it out, or does not show it yet. "
            "Nothing was sent again. Retry the task: it looks first.",
            numbers=left,
        ) from error

    def _unfit(self, number: str, row: PhoneNumber | None) -> str | None:
        check_told((row,) if row else (), *DECIDING)
        return unfit(self._lines[number], row, self._policy, self._placing.sets, self._known, self._today)

    def _astray(self, row: PhoneNumber) -> str | None:
        """Why the place of a number speaks against giving it up: somebody took it out of quarantine, not we."""
        if self._placing.sets.in_quarantine(row) or row.number in self._journal.intended("collect", "take out"):
            return None
        return "is no longer in the quarantine set of its group"

    def _look(self, target: NumberSet, *, until: Callable[[dict[str, PhoneNumber]], bool]) -> dict[str, PhoneNumber]:
        members = self._placing.members(target.id)
        for pause in PAUSES:
            if until(members):
                break
            self._sleep(pause)
            members = self._placing.members(target.id)
        return members

    def _refuse(self, verdicts: Iterable[tuple[str, str | None]]) -> None:
        faults = [f"{number} {why}" for number, why in verdicts if why]
        if faults:
            raise PlanChanged(
                f"Not as approved: {shown(faults)}. They were not given up, nor was any number after them. Trigger a "
                "new run, after a new inventory export."
            )
