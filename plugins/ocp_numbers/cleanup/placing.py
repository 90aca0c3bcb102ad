"""Into a cleanup's own sets and out of them again; each move is journalled before it is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ocp_numbers.cleanup.selection import Sets
from ocp_numbers.errors import ApiError, Conflict, NoAnswer, NotFound, Refused
from ocp_numbers.journal import Journal, NumberEdit
from ocp_numbers.models import NumberSet, PhoneNumber

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient


def write(send: Callable[[], object], *, took_effect: Callable[[], bool]) -> None:
    """Make a change that may be repeated: where its answer is lost, look, and make it once more if it is missing.

    What OCP refuses is not sent again, but looked at as well: a refusal may have been carried out all the same.

    :raises ApiError, NoAnswer: when it is refused, or goes unanswered again.
    """
    try:
        send()
    except (ApiError, NoAnswer) as error:
        if error.settled:
            raise
        if took_effect():
            return
        if isinstance(error, Refused):
            raise
        send()


class Placing:
    """Moves numbers between sets.

    :param connect: gives the client for the next call, or raises when the task was asked to end.
    """

    def __init__(self, connect: Callable[[], OcpClient], journal: Journal) -> None:
        self._connect = connect
        self._journal = journal
        self.sets = self._listed()

    def ensure(self, name: str, group: str) -> NumberSet:
        """The set of that name in ``group``, made if there is none."""
        found = self.sets.named(name, group)
        if found:
            return found
        try:
            made = self._connect().sets.create(name=name, group_id=group)
        except (ApiError, NoAnswer) as error:
            # Made by somebody else a moment ago, or made although the answer was lost: the listing tells.
            if error.settled and not isinstance(error, Conflict):
                raise
            self.sets = self._listed()
            if found := self.sets.named(name, group):
                return found
            raise
        made = made.model_copy(update={"name": name, "group_id": group})
        self.sets = Sets({**self.sets.by_id, made.id: made})
        return made

    def put(self, step: str, rows: Sequence[PhoneNumber], target: NumberSet) -> None:
        """Put numbers into ``target``, out of the set they are in; the journal calls it ``step``."""
        intent = self._journal.intend(
            step, [NumberEdit.of(row, set_id=target.id, set_name=target.name) for row in rows]
        )
        self._leave([row for row in rows if row.set_id != target.id])
        numbers = [row.number for row in rows]
        write(
            lambda: self._connect().sets.add_numbers(target.id, numbers=numbers),
            took_effect=lambda: set(numbers) <= self.members(target.id).keys(),
        )
        self._journal.confirm(intent)

    def take_out(self, rows: Sequence[PhoneNumber]) -> None:
        """Take numbers out of the set they are in; they are in none then."""
        intent = self._journal.intend("take out", [NumberEdit.of(row, set_id=None, set_name=None) for row in rows])
        self._leave(rows)
        self._journal.confirm(intent)

    def members(self, set_id: str) -> dict[str, PhoneNumber]:
        """What is in a set now, by number."""
        return {row.number: row for row in self._connect().sets.numbers(set_id)}

    def remove_if_empty(self, number_set: NumberSet) -> bool:
        """Remove a set, unless a number is in it; whether it is gone."""
        try:
            if self.members(number_set.id):
                return False
            self._connect().sets.delete(number_set.id)
        except NotFound:
            return True
        except (ApiError, NoAnswer) as error:
            if error.settled:
                raise
            self.sets = self._listed()
            if number_set.id in self.sets.by_id:
                raise
        return True

    def _leave(self, rows: Sequence[PhoneNumber]) -> None:
        by_set: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            if row.set_id:
                by_set[row.set_id].append(row.number)
        for set_id, numbers in by_set.items():
            write(
                lambda set_id=set_id, numbers=numbers: self._connect().sets.remove_numbers(set_id, numbers=numbers),  # type: ignore[misc]
                took_effect=lambda set_id=set_id, numbers=numbers: not set(numbers) & self.members(set_id).keys(),  # type: ignore[misc]
            )

    def _listed(self) -> Sets:
        return Sets.of(self._connect().sets.list())
