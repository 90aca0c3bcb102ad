"""Operators that take away for good: each reads again immediately before its call, sends it once, and reads back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ocp_numbers.errors import NotFound, NumberInUse, PlanChanged, shown
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.operators import rendered
from ocp_numbers.operators.converge import confirm_gone, send_once
from ocp_numbers.operators.guards import refuse_in_use
from ocp_numbers.operators.journals import journal_of
from ocp_numbers.operators.numbers import ChangeNumbersOperator
from ocp_numbers.operators.sets import SetOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.journal import Journal


class DeleteNumbersOperator(ChangeNumbersOperator):
    """Delete numbers from the inventory (``DELETE /api/numbers/delete/{number}``). There is no way back.

    Every number is read again immediately before its call, which is sent once. Numbers that are gone already count as
    ``unchanged``. Purchased numbers are given up through their set instead, see ``ReleaseSetNumbersOperator``.

    Returns ``{"changed", "unchanged"}``, as counts.

    :param numbers: numbers in E.164 (templated).
    :param allow_in_use: numbers that may be deleted although they are attached or in a set (templated).
    :raises NumberInUse: when another one is; before anything is deleted.
    :raises OutcomeUnknown: when an answer went missing and reading back does not tell.
    """

    readers = rendered.inputs(numbers=rendered.numbers, allow_in_use=rendered.names)
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, numbers: Sequence[str] | str, allow_in_use: Sequence[str] | str = (), **kwargs: Any) -> None:
        super().__init__(numbers=numbers, **kwargs)
        self.allow_in_use = allow_in_use
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Delete the numbers that are still there, one by one, and read back that they are gone."""
        self.read_inputs()
        seen = self._deletable(self.numbers)
        present = [number for number in self.numbers if number in seen]
        journal = journal_of(self)
        for number in present:
            self._delete(number, journal)
        confirm_gone("delete", remaining=lambda: list(self.client.numbers.find(present)) if present else [])
        self.tell(f"Deleted and read back: {shown(present) or 'nothing, they were gone already'}")
        return self.counts(len(present))

    def _deletable(self, numbers: Sequence[str]) -> dict[str, PhoneNumber]:
        seen = self.client.numbers.find(numbers)
        refuse_in_use(seen.values(), allow=self.allow_in_use, in_sets=True)
        return seen

    def _delete(self, number: str, journal: Journal) -> None:
        from ocp_numbers.journal import NumberEdit

        seen = self._deletable([number])
        if seen:
            with journal.recorded("delete", [NumberEdit.gone(seen[number])]):
                send_once(
                    self,
                    f"delete {number}",
                    send=lambda: self.client.numbers.delete(number),
                    remaining=lambda: list(self.client.numbers.find([number])),
                )


class ReleaseSetNumbersOperator(SetOperator):
    """Give up the purchased numbers of a set (``DELETE /api/numbers-set/{setId}/delete``). There is no way back.

    The call names no numbers, it takes all that are in the set: hence ``expected_numbers``, compared with the set's
    content immediately before. Of these, numbers that have left the inventory altogether count as given up by an
    earlier attempt. Numbers that were never purchased are left alone by OCP.

    Returns ``{"released", "kept"}``: the numbers that are gone, and those still in the inventory.

    :param set_id: id of the set (templated).
    :param expected_numbers: the numbers that the set holds, as a person approved them (templated).
    :param allow_in_use: numbers that may be given up although they are attached (templated).
    :raises PlanChanged: when the set holds something else; nothing is given up.
    :raises NumberInUse: when a number is still attached; nothing is given up.
    :raises OutcomeUnknown: when the answer went missing and reading back does not tell.
    """

    readers = rendered.inputs(set_id=rendered.text, expected_numbers=rendered.numbers, allow_in_use=rendered.names)
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        set_id: str,
        expected_numbers: Sequence[str] | str,
        allow_in_use: Sequence[str] | str = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(set_id=set_id, **kwargs)
        self.expected_numbers = expected_numbers
        self.allow_in_use = allow_in_use
        self.check_literals()

    def execute(self, context: Context) -> dict[str, list[str]]:
        """Give up exactly the expected numbers."""
        from ocp_numbers.journal import NumberEdit

        self.read_inputs()
        if members := self._releasable():
            journal = journal_of(self)
            leaving = [NumberEdit.gone(row) for row in members.values()]
            with journal.recorded("give up", leaving, without=lambda: self.members().keys()):
                send_once(
                    self,
                    f"give up the purchased numbers of set {self.set_id}",
                    send=lambda: self.client.sets.release_numbers(self.set_id),
                    remaining=lambda: list(self.members()),
                )
        kept = self.client.numbers.find(self.expected_numbers)
        released = [number for number in self.expected_numbers if number not in kept]
        self.tell(f"Given up: {shown(released) or 'none'}. Kept, as never purchased: {shown(kept) or 'none'}")
        return {"released": released, "kept": list(kept)}

    def _releasable(self) -> dict[str, PhoneNumber]:
        members = self.members()
        added = [number for number in members if number not in self.expected_numbers]
        left = [number for number in self.expected_numbers if number not in members]
        moved = list(self.client.numbers.find(left)) if left else []
        if added or moved:
            raise PlanChanged(
                f"set {self.set_id} does not hold the expected numbers: {shown(added) or 'none'} came in, "
                f"{shown(moved) or 'none'} went elsewhere. Nothing was given up. Plan and approve again."
            )
        refuse_in_use(members.values(), allow=self.allow_in_use, in_sets=False)
        return members


class DeleteSetOperator(SetOperator):
    """Delete a set (``DELETE /api/numbers-set/{setId}``); its numbers stay in the inventory.

    Returns ``{"set_id", "deleted"}``; a set that is gone already is nothing to do.

    :param set_id: id of the set (templated).
    :param allow_members: whether a set that still holds numbers may be deleted (templated).
    :raises NumberInUse: when it holds numbers and that is not allowed.
    :raises OutcomeUnknown: when the answer went missing and reading back does not tell.
    """

    readers = rendered.inputs(set_id=rendered.text, allow_members=rendered.flag)
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, set_id: str, allow_members: bool | str = False, **kwargs: Any) -> None:
        super().__init__(set_id=set_id, **kwargs)
        self.allow_members = allow_members
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Delete the set if it is there."""
        from ocp_numbers.journal import NumberEdit, SetEdit

        self.read_inputs()
        if not (there := self._there()):
            self.tell(f"Nothing to do: there is no set {self.set_id}")
            return {"set_id": self.set_id, "deleted": False}
        members = self.members()
        if members and not self.allow_members:
            raise NumberInUse(
                f"set {self.set_id} still holds {shown(members)}. Nothing was deleted. Take them out first, or set "
                f"allow_members."
            )
        doing = f"delete set {self.set_id}"
        leaving = [NumberEdit.of(row, set_id=None, set_name=None) for row in members.values()]
        with journal_of(self).recorded("delete set", [*map(SetEdit.gone, there), *leaving]):
            send_once(self, doing, send=lambda: self.client.sets.delete(self.set_id), remaining=self._left)
            confirm_gone(doing, remaining=self._left)
        self.tell(f"Deleted set {self.set_id} and read back; its numbers stay in the inventory")
        return {"set_id": self.set_id, "deleted": True}

    def _there(self) -> list[NumberSet]:
        try:
            return [self.client.sets.get(self.set_id)]
        except NotFound:
            return []

    def _left(self) -> list[str]:
        return [found.id for found in self._there()]
