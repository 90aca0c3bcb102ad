"""What of a number can be as it was, and by which changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ocp_numbers.bulk.change import BINDING, COLUMN_OF, Change, fields_of
from ocp_numbers.bulk.faults import Fault
from ocp_numbers.models import NumberSet, PhoneNumber

Fields = dict[str, "str | None"]

GONE = "is no longer in the inventory; a number that was given up or deleted does not come back"
STAYS = "came into the inventory since and stays; giving it up is for a person to decide"
BLIND = "was changed without being shown by OCP; what it was before is not known"


class Former(NamedTuple):
    """What a field was, and how what is to be undone may have left it, the last value last.

    A run that broke off may have left any of the values that it wrote; ``left`` is ``None`` where it does not matter.
    """

    was: str | None
    left: tuple[str | None, ...] | None = None

    def stands(self, now: str | None) -> bool:
        """Whether nobody else has changed the field since."""
        return self.left is None or now in (self.was, *self.left)


class Known(NamedTuple):
    """What is known of a number's past.

    :param fields: of those that may have to be put back, by name.
    :param set_name: of the set that it was in; a set of that name stands in for one that is gone.
    :param brought: whether it came by what is to be undone.
    :param blind: whether OCP did not show it when it was changed, so that what it was is not known.
    """

    fields: Mapping[str, Former] = MappingProxyType({})
    set_name: str | None = None
    brought: bool = False
    blind: bool = False


class Undoing(NamedTuple):
    """The changes that put a number back, at most one to its binding and one to the rest, and what stays different.

    ``successor`` says that it goes into a set that took the name of its former one.
    """

    changes: tuple[Change, ...] = ()
    faults: tuple[Fault, ...] = ()
    successor: bool = False


def undo(known: Known, now: PhoneNumber, sets: Mapping[str, NumberSet], place: int | None = None) -> Undoing:
    """How ``now`` becomes what is known of it.

    :param sets: all sets, by id.
    :param place: of the number in the listing.
    """
    case = _Case(known, now, sets)
    case.tell_whence()
    own, binding = case.own_fields(), case.binding()
    changes = [
        Change(
            number=now.number,
            operation="update",
            before={field: case.now[field] for field in own},
            after=own,
            place=place,
        )
    ] * bool(own)
    if binding is not None:
        changes.append(
            Change(
                number=now.number,
                operation="detach" if binding["mini_app_id"] is None else "attach",
                before={field: case.now[field] for field in BINDING},
                after=binding,
                place=place,
            )
        )
    return Undoing(tuple(changes), tuple(case.faults), case.successor)


class _Case:
    """A number on its way back; collects what cannot be done."""

    def __init__(self, known: Known, now: PhoneNumber, sets: Mapping[str, NumberSet]) -> None:
        self.now = fields_of(now)
        self.faults: list[Fault] = []
        self.successor = False
        self._number = now.number
        self._set_now = now.set_name or now.set_id
        self._sets = sets
        self._brought, self._blind = known.brought, known.blind
        self._known = dict(known.fields)
        if "set_id" in self._known:
            self._known["set_id"] = self._successor(self._known["set_id"], known.set_name)

    def tell_whence(self) -> None:
        """Name what no change of a field can undo."""
        if self._brought:
            self.faults.append(Fault(None, "", "", STAYS, self._number))
        if self._blind:
            self.faults.append(Fault(None, "", "", BLIND, self._number))

    def own_fields(self) -> Fields:
        """What of the number itself is to be put back."""
        wanted: Fields = {}
        for field, former in self._known.items():
            if field in BINDING or former.was == self.now[field]:
                continue
            if not former.stands(self.now[field]):
                self._conflict(field, former)
            elif former.was is None and field in ("country", "group_id"):
                self._fault(field, None, "had no value, and OCP offers no way to empty it")
            else:
                wanted[field] = former.was
        return self._placed(wanted)

    def binding(self) -> Fields | None:
        """What the number is to be attached to again, ``None`` where nothing is to be done about that."""
        known = {field: former for field, former in self._known.items() if field in BINDING}
        wanted: Fields = {field: known[field].was if field in known else self.now[field] for field in BINDING}
        if all(value == self.now[field] for field, value in wanted.items()) or self._bound_since(known):
            return None
        if wanted["mini_app_id"] is None:
            attached = self.now["mini_app_id"] is not None
            for field in ("locale", "application_tag"):
                if wanted[field] != (None if attached else self.now[field]):
                    self._fault(field, wanted[field], "is changed by OCP only as long as a number is attached")
            return dict.fromkeys(BINDING) if attached else None
        if wanted["locale"] is None:
            self._fault("mini_app_id", wanted["mini_app_id"], "cannot be attached: OCP needs a locale, and it had none")
            return None
        return wanted

    def _bound_since(self, known: Mapping[str, Former]) -> bool:
        """Whether somebody attached, detached or tagged the number after what is to be undone."""
        # What belongs to a binding goes with it, or stays behind and means nothing.
        compared = BINDING if self.now["mini_app_id"] else BINDING[:1]
        changed = [field for field in compared if field in known and not known[field].stands(self.now[field])]
        for field in changed[:1]:
            self._conflict(field, known[field])
        return bool(changed)

    def _placed(self, wanted: Fields) -> Fields:
        """``wanted`` with a group and a set that go together: a number's set is one of its group."""
        group, target = (wanted.pop(field, self.now[field]) for field in ("group_id", "set_id"))
        here = self.now["group_id"], self.now["set_id"]
        possible = ((group, target), (group, here[1]), (here[0], target), here)
        to_group, to_set = next(place for place in possible if self._fits(*place) or place == here)
        if to_group != group:
            self._fault("group_id", group, f"is not the group of its set {self._set_now}; move the set, or empty it")
        if to_set != target and target is not None:
            there = self._sets[target].group_id
            self._fault("set_id", target, f"belongs to group {there} by now; move the set back, then restore again")
        place = {"group_id": to_group, "set_id": to_set}
        return wanted | {field: value for field, value in place.items() if value != self.now[field]}

    def _fits(self, group: str | None, set_id: str | None) -> bool:
        found = self._sets.get(set_id) if set_id else None
        return found is None or None in (found.group_id, group) or found.group_id == group

    def _successor(self, former: Former, name: str | None) -> Former:
        """The former set, or the one of its name and group where it is gone; how it is now where there is neither."""
        if former.was is None or former.was in self._sets:
            return former
        group = self._known["group_id"].was if "group_id" in self._known else self.now["group_id"]
        named = [each.id for each in self._sets.values() if name and (each.name, each.group_id) == (name, group)]
        if len(named) == 1:
            self.successor = named[0] != self.now["set_id"]
            return former._replace(was=named[0])
        if former.was != self.now["set_id"]:
            self._fault(
                "set_id", name or former.was, f"is gone; create a set of that name in {group}, then restore again"
            )
        return former._replace(was=self.now["set_id"])

    def _conflict(self, field: str, former: Former) -> None:
        left, now = (repr(value) if value else "empty" for value in ((former.left or (None,))[-1], self.now[field]))
        self._fault(field, former.was, f"was changed again since: it was left {left} and is {now} now; it stays so")

    def _fault(self, field: str, value: str | None, problem: str) -> None:
        self.faults.append(Fault(None, COLUMN_OF[field], value or "", problem, self._number))
