"""Operators that bring sets of numbers into a state.

A set belongs to one group, a number is in one set at most. Each operator looks first, changes only what is missing and
reads back: a second run finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ocp_numbers.errors import Conflict, InvalidInput, shown
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.converge import converge
from ocp_numbers.operators.guards import attached_as, refuse_other_mini_apps, refuse_other_sets, refuse_stealing

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


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

    def __init__(self, *, name: str, group: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.group = group
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Find the set, or create it."""
        self.read_inputs()
        created = converge(
            self, f"create set {self.name} in group {self.group}", todo=self._missing, change=self._create
        )
        return {"set_id": self._found()[0].id, "created": bool(created)}

    def _found(self) -> list[NumberSet]:
        return [found for found in self.client.sets.list_for_group(self.group) if found.name == self.name]

    def _missing(self) -> list[str]:
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
        return [self.name]

    def _create(self, names: Sequence[str]) -> None:
        try:
            self.client.sets.create(name=names[0], group_id=self.group)
        except Conflict:
            if not self._found():
                raise
            self.log.info("Someone else created set %s in group %s meanwhile", self.name, self.group)


class SetOperator(OcpOperator):
    """Base of the operators on one existing set.

    :param set_id: id of the set (templated).
    """

    def __init__(self, *, set_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_id = set_id

    def members(self) -> dict[str, PhoneNumber]:
        """The numbers in the set as OCP shows them now."""
        return {number.number: number for number in self.client.sets.numbers(self.set_id)}


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
            todo=self._differs,
            change=lambda _: self.client.sets.update(self.set_id, group_id=self.group, name=self.name),
        )
        return {"set_id": self.set_id, "changed": bool(changed)}

    def _differs(self) -> list[str]:
        now = self.client.sets.get(self.set_id)
        same = self.name in (None, now.name) and self.group in (None, now.group_id)
        return [] if same else [self.set_id]


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
            todo=self._outside,
            change=lambda batch: self.client.sets.add_numbers(self.set_id, numbers=batch),
        )
        return self.counts(changed)

    def _outside(self) -> list[str]:
        inside = self.members()
        outside = [number for number in self.numbers if number not in inside]
        if outside:
            refuse_other_sets(self.client.numbers.find(outside).values(), set_id=self.set_id)
        return outside


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
            todo=self._inside,
            change=lambda batch: self.client.sets.remove_numbers(self.set_id, numbers=batch),
        )
        return self.counts(changed)

    def _inside(self) -> list[str]:
        inside = self.members()
        return [number for number in self.numbers if number in inside]


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
            todo=self._unattached,
            change=self._attach,
        )
        return {"changed": changed, "unchanged": len(self.numbers or self.members()) - changed}

    def _unattached(self) -> list[str]:
        members = self.members()
        strangers = [number for number in self.numbers or () if number not in members]
        if strangers:
            raise InvalidInput(f"numbers: {shown(strangers)} not in set {self.set_id}; add them to it first")
        targets = [members[number] for number in self.numbers or members]
        refuse_stealing(targets, mini_app_id=self.mini_app_id, allow_reassign=self.allow_reassign)
        return [
            number.number
            for number in targets
            if not attached_as(number, self.mini_app_id, self.locale, self.application_tag)
        ]

    def _attach(self, batch: Sequence[str]) -> object:
        return self.client.sets.attach(
            self.set_id,
            mini_app_id=self.mini_app_id,
            locale=self.locale,
            numbers=batch,
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
        members = self.members()
        attached = sum(1 for number in members.values() if number.mini_app_id)
        converge(
            self,
            f"detach set {self.set_id}",
            todo=self._attached,
            change=lambda _: self.client.sets.detach(self.set_id),
        )
        return {"changed": attached, "unchanged": len(members) - attached}

    def _attached(self) -> list[str]:
        """The set's id while any of its numbers is attached: the call is for the set as a whole."""
        members = self.members().values()
        if self.expected_mini_app_id:
            refuse_other_mini_apps(members, mini_app_id=self.expected_mini_app_id)
        return [self.set_id] if any(number.mini_app_id for number in members) else []
