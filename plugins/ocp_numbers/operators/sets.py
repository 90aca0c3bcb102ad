"""Operators that bring sets of numbers into a state.

A set belongs to one group, a number is in one set at most. Each operator looks first, changes only what is missing and
reads back: a second run finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ocp_numbers.errors import Conflict, InvalidInput, shown
from ocp_numbers.links import SetLink
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.converge import converge, subjects
from ocp_numbers.operators.guards import attached_as, refuse_other_mini_apps, refuse_other_sets, refuse_stealing
from ocp_numbers.operators.numbers import UNATTACHED

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.client import OcpClient
    from ocp_numbers.journal import NumberEdit, SetEdit


class EnsureSetOperator(OcpOperator):
    """See to it that a set of this name exists in the group: found by its exact name, or created
    (``POST /api/numbers-set``).

    Returns ``{"set_id", "created"}``.

    :param name: name of the set (templated).
    :param group: group that the set belongs to (templated).
    :raises InvalidInput: when a set of that name exists in another group, or twice in this one.
    """

    readers = rendered.inputs(name=rendered.text, group=rendered.text)
    template_fields = ("ocp_conn_id", *readers)
    operator_extra_links = (SetLink(), *OcpOperator.operator_extra_links)

    def __init__(self, *, name: str, group: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.group = group
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Find the set, or create it."""
        self.read_inputs()
        created = converge(
            self,
            f"create set {self.name} in group {self.group}",
            operation="create set",
            todo=self._missing,
            change=self._create,
        )
        self.worked_on["set"] = self._found()[0].id
        return {"set_id": self.worked_on["set"], "created": bool(created)}

    def _found(self) -> list[NumberSet]:
        return [found for found in self.client.sets.list_for_group(self.group) if found.name == self.name]

    def _missing(self) -> list[SetEdit]:
        from ocp_numbers.journal import SetEdit

        found = self._found()
        if len(found) > 1:
            raise InvalidInput(
                f"name: group {self.group} has {len(found)} sets named {self.name!r} (ids "
                f"{shown(one.id for one in found)}); rename one of them"
            )
        if found:
            return []
        namesakes = [one.group_id for one in self.client.sets.list() if one.name == self.name]
        if namesakes:
            raise InvalidInput(
                f"name: a set named {self.name!r} exists in group {shown(namesakes)}, not in {self.group}; choose "
                f"another name, or move that set with UpdateSetOperator"
            )
        return [SetEdit(after=NumberSet(id="", name=self.name, group_id=self.group))]

    def _create(self, _: Sequence[SetEdit]) -> None:
        try:
            self.client.sets.create(name=self.name, group_id=self.group)
        except Conflict:
            if not self._found():
                raise
            self.log.info("Someone else created set %s in group %s meanwhile", self.name, self.group)


class SetOperator(OcpOperator):
    """Base of the operators on one existing set.

    :param set_id: id of the set (templated).
    """

    operator_extra_links = (SetLink(), *OcpOperator.operator_extra_links)

    def __init__(self, *, set_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_id = set_id

    def members(self) -> dict[str, PhoneNumber]:
        """The numbers in the set as OCP shows them now."""
        return {number.number: number for number in self.client.sets.numbers(self.set_id)}


def joining(client: OcpClient, set_id: str, numbers: Sequence[str]) -> list[NumberEdit]:
    """The edits that put those of ``numbers`` into a set that are not in it yet.

    :raises NumberInUse: when one of them is in another set.
    """
    from ocp_numbers.journal import NumberEdit

    inside = {number.number for number in client.sets.numbers(set_id)}
    outside = [number for number in numbers if number not in inside]
    seen = client.numbers.find(outside) if outside else {}
    refuse_other_sets(seen.values(), set_id=set_id)
    return [
        NumberEdit.of(seen[number], set_id=set_id) if number in seen else NumberEdit.unseen(number, set_id=set_id)
        for number in outside
    ]


class UpdateSetOperator(SetOperator):
    """Rename a set or move it, with its numbers, into another group (``PATCH /api/numbers-set/{setId}``).

    Returns ``{"set_id", "changed"}``.

    :param set_id: id of the set (templated).
    :param name: the name that it is to have (templated).
    :param group: the group that it is to be in (templated).
    """

    readers = rendered.inputs(
        set_id=rendered.text, name=rendered.optional(rendered.text), group=rendered.optional(rendered.text)
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, set_id: str, name: str | None = None, group: str | None = None, **kwargs: Any) -> None:
        super().__init__(set_id=set_id, **kwargs)
        self.name = name
        self.group = group
        self.check_literals()

    def check_literals(self) -> None:
        """Check the inputs that are known already, also that one of them is to be updated."""
        super().check_literals()
        self._require_one()

    def read_inputs(self) -> None:
        """Check the inputs, also that one of them is to be updated."""
        super().read_inputs()
        self._require_one()

    def _require_one(self) -> None:
        if not (self.name or self.group):
            raise InvalidInput("name, group: both are empty; give at least one of them")

    def execute(self, context: Context) -> dict[str, Any]:
        """Update what differs."""
        self.read_inputs()
        changed = converge(
            self,
            f"update set {self.set_id}",
            operation="update set",
            todo=self._differs,
            change=lambda _: self.client.sets.update(self.set_id, group_id=self.group, name=self.name),
        )
        return {"set_id": self.set_id, "changed": bool(changed)}

    def _differs(self) -> list[SetEdit]:
        from ocp_numbers.journal import SetEdit

        now = self.client.sets.get(self.set_id)
        then = now.model_copy(update={"name": self.name or now.name, "group_id": self.group or now.group_id})
        return [] if then == now else [SetEdit(before=now, after=then)]


class ChangeMembersOperator(SetOperator):
    """Base of the operators that put numbers into a set or take them out of it.

    :param set_id: id of the set (templated).
    :param numbers: numbers in E.164 (templated).
    """

    readers = rendered.inputs(set_id=rendered.text, numbers=rendered.numbers)
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, set_id: str, numbers: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(set_id=set_id, **kwargs)
        self.numbers = numbers
        self.check_literals()

    def counts(self, changed: int) -> dict[str, int]:
        """What is returned."""
        return {"changed": changed, "unchanged": len(self.numbers) - changed}


class AddNumbersToSetOperator(ChangeMembersOperator):
    """Put numbers into a set (``POST /api/numbers-set/{setId}/numbers``); never takes a number out of another set.

    Returns ``{"changed", "unchanged"}``, as counts.

    :param set_id: id of the set (templated).
    :param numbers: numbers in E.164 (templated).
    :raises NumberInUse: when a number is in another set.
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Add the numbers that are not in the set yet."""
        self.read_inputs()
        changed = converge(
            self,
            f"add to set {self.set_id}",
            operation="put into set",
            todo=self._outside,
            change=lambda batch: self.client.sets.add_numbers(self.set_id, numbers=subjects(batch)),
        )
        return self.counts(changed)

    def _outside(self) -> list[NumberEdit]:
        return joining(self.client, self.set_id, self.numbers)


class RemoveNumbersFromSetOperator(ChangeMembersOperator):
    """Take numbers out of a set (``DELETE /api/numbers-set/{setId}/numbers``); they stay in the inventory.

    Returns ``{"changed", "unchanged"}``, as counts.

    :param set_id: id of the set (templated).
    :param numbers: numbers in E.164 (templated).
    """

    def execute(self, context: Context) -> dict[str, int]:
        """Remove the numbers that are in the set."""
        self.read_inputs()
        changed = converge(
            self,
            f"remove from set {self.set_id}",
            operation="take out of set",
            todo=self._inside,
            change=lambda batch: self.client.sets.remove_numbers(self.set_id, numbers=subjects(batch)),
        )
        return self.counts(changed)

    def _inside(self) -> list[NumberEdit]:
        from ocp_numbers.journal import NumberEdit

        inside = self.members()
        return [
            NumberEdit.of(inside[number], set_id=None, set_name=None) for number in self.numbers if number in inside
        ]


class AttachSetOperator(SetOperator):
    """Attach the numbers of a set to a miniApp (``PUT /api/numbers-set/{setId}/attach``); never takes a number from
    another miniApp unasked.

    The numbers are named in the call even when all are meant: one that joins the set meanwhile is not swept along.
    Returns ``{"changed", "unchanged"}``, as counts.

    :param set_id: id of the set (templated).
    :param mini_app_id: id of the miniApp (templated).
    :param locale: locale of the form language-REGION (templated).
    :param numbers: those numbers of the set to attach; left out, all of them (templated).
    :param application_tag: tag of the miniApp; left out, tags are not compared and newly attached numbers get none
        (templated).
    :param allow_reassign: numbers that may be taken from another miniApp, or ids of the miniApps that numbers may be
    taken
        from (templated).
    :raises NumberInUse: when a number is attached to another miniApp that ``allow_reassign`` does not name.
    :raises InvalidInput: when ``numbers`` names one that is not in the set.
    """

    readers = rendered.inputs(
        set_id=rendered.text,
        mini_app_id=rendered.text,
        locale=rendered.locale,
        numbers=rendered.optional(rendered.numbers),
        application_tag=rendered.optional(rendered.text),
        allow_reassign=rendered.names,
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        set_id: str,
        mini_app_id: str,
        locale: str,
        numbers: Sequence[str] | str | None = None,
        application_tag: str | None = None,
        allow_reassign: Sequence[str] | str = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(set_id=set_id, **kwargs)
        self.mini_app_id = mini_app_id
        self.locale = locale
        self.numbers = numbers
        self.application_tag = application_tag
        self.allow_reassign = allow_reassign
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Attach the numbers that are not yet attached so."""
        self.read_inputs()
        changed = converge(
            self,
            f"attach set {self.set_id} to miniApp {self.mini_app_id} in {self.locale}",
            operation="attach",
            todo=self._unattached,
            change=self._attach,
        )
        return {"changed": changed, "unchanged": len(self.numbers or self.members()) - changed}

    def _unattached(self) -> list[NumberEdit]:
        from ocp_numbers.journal import NumberEdit

        members = self.members()
        strangers = [number for number in self.numbers or () if number not in members]
        if strangers:
            raise InvalidInput(f"numbers: {shown(strangers)} not in set {self.set_id}; add them to it first")
        targets = [members[number] for number in self.numbers or members]
        refuse_stealing(targets, mini_app_id=self.mini_app_id, allow_reassign=self.allow_reassign)
        wanted = {"mini_app_id": self.mini_app_id, "locale": self.locale, "application_tag": self.application_tag}
        return [
            NumberEdit.of(number, **wanted)
            for number in targets
            if not attached_as(number, self.mini_app_id, self.locale, self.application_tag)
        ]

    def _attach(self, batch: Sequence[NumberEdit]) -> object:
        return self.client.sets.attach(
            self.set_id,
            mini_app_id=self.mini_app_id,
            locale=self.locale,
            numbers=subjects(batch),
            application_tag=self.application_tag,
        )


class DetachSetOperator(SetOperator):
    """Detach all numbers of a set from their miniApp (``PUT /api/numbers-set/{setId}/detach``).

    Returns ``{"changed", "unchanged"}``, as counts.

    :param set_id: id of the set (templated).
    :param expected_mini_app_id: where given, the only miniApp that they may be detached from (templated).
    :raises NumberInUse: when a number serves another miniApp than the expected one.
    """

    readers = rendered.inputs(set_id=rendered.text, expected_mini_app_id=rendered.optional(rendered.text))
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, set_id: str, expected_mini_app_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(set_id=set_id, **kwargs)
        self.expected_mini_app_id = expected_mini_app_id
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Detach the set if any of its numbers is attached."""
        self.read_inputs()
        changed = converge(
            self,
            f"detach set {self.set_id}",
            operation="detach",
            todo=self._attached,
            change=lambda _: self.client.sets.detach(self.set_id),
            at_once=True,
        )
        return {"changed": changed, "unchanged": len(self.members()) - changed}

    def _attached(self) -> list[NumberEdit]:
        from ocp_numbers.journal import NumberEdit

        members = self.members().values()
        if self.expected_mini_app_id:
            refuse_other_mini_apps(members, mini_app_id=self.expected_mini_app_id)
        return [NumberEdit.of(number, **UNATTACHED) for number in members if number.mini_app_id]
