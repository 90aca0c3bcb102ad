"""Which numbers are unused and what is to become of each: one decision, made from the inventory and made again from a
fresh reading before anything is done to the number.

Nothing here reads or writes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum

from pydantic import BaseModel, ConfigDict

from ocp_numbers.cleanup.marks import kept, marked_since
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.models import NumberSet, PhoneNumber

QUARANTINE = "unused - quarantine"
"""Name of the set, one in each group, that holds the numbers marked as unused."""

DECIDING = ("mini_app_id", "set_id", "group_id", "note")
"""What a decision to give a number up is made from: OCP has to tell it, be it that there is none."""

_RELEASE = re.compile(r"unused - release ([0-9a-f]{12})")


def release_set_name(digest: str) -> str:
    """Name of the set that numbers are given up through, one for each approved list and group."""
    return f"unused - release {digest[:12]}"


class Action(str, Enum):
    """What is to become of a number."""

    MARK = "mark"
    """Unused and not marked: gets the marker and goes into quarantine."""
    QUARANTINE = "quarantine"
    """Marked, but not in the quarantine set of its group: goes there and keeps its date."""
    CLEAR = "clear"
    """In use again, or protected since: loses the marker and leaves the quarantine."""
    WAIT = "wait"
    """Marked and in quarantine; its grace period runs."""
    RELEASE = "release"
    """Marked, in quarantine, and its grace period is over: may be given up."""
    LEAVE = "leave"
    """Unused, but left out for the reason given."""


class Line(BaseModel):
    """The decision on one number, with what it was made from and why.

    ``since`` is the day of the mark, ``due`` the first day on which the number may be given up, ``last_used`` the last
    day on which an inventory showed it in use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    action: Action
    why: str
    country: str | None = None
    group: str | None = None
    set_id: str | None = None
    note: str | None = None
    since: date | None = None
    due: date | None = None
    last_used: date | None = None


@dataclass(frozen=True)
class Sets:
    """The sets that the login may see, by id, and which of them are a cleanup's own."""

    by_id: Mapping[str, NumberSet]

    @classmethod
    def of(cls, sets: Iterable[NumberSet]) -> Sets:
        """From a listing of sets."""
        return cls({each.id: each for each in sets})

    def name(self, row: PhoneNumber) -> str | None:
        """The name of the set the number is in, as far as it is known."""
        known = self.by_id.get(row.set_id or "")
        return known.name if known else row.set_name

    def in_quarantine(self, row: PhoneNumber) -> bool:
        """Whether the number is in the quarantine set of its own group."""
        known = self.by_id.get(row.set_id or "")
        return known is not None and (known.name, known.group_id) == (QUARANTINE, row.group_id)

    def ours(self, row: PhoneNumber) -> bool:
        """Whether the number is in a quarantine or release set: set aside by a cleanup, not used by anyone."""
        return self.own(self.name(row) or "")

    @staticmethod
    def own(name: str) -> bool:
        """Whether a set of this name is a cleanup's."""
        return name == QUARANTINE or _RELEASE.fullmatch(name) is not None

    def named(self, name: str, group: str) -> NumberSet | None:
        """The set of that name in ``group``, if there is one."""
        return next((each for each in self.by_id.values() if (each.name, each.group_id) == (name, group)), None)

    def release_sets(self) -> list[NumberSet]:
        """Every release set, of whatever list."""
        return [each for each in self.by_id.values() if _RELEASE.fullmatch(each.name)]


@dataclass(frozen=True)
class Known:
    """What our own records say about numbers, beyond what OCP shows.

    ``since``: the earliest day on which a number can have become ours, for numbers that came lately. ``last_used``: the
    last day on which an inventory showed it in use. ``unmarked``: the last day on which one showed it without its mark,
    or with a later one. ``ordered``: the open order that a number belongs to. ``reserved``: what
    the plan is for that counts on a number.
    """

    since: Mapping[str, date] = field(default_factory=dict)
    last_used: Mapping[str, date] = field(default_factory=dict)
    unmarked: Mapping[str, date] = field(default_factory=dict)
    ordered: Mapping[str, str] = field(default_factory=dict)
    reserved: Mapping[str, str] = field(default_factory=dict)


def use_of(row: PhoneNumber, sets: Sets) -> str | None:
    """What the number is used by, or ``None``: a miniApp, or a set that is not a cleanup's."""
    attached_to = (
        row.mini_app_name or row.mini_app_id or row.mini_app_diamant_app_name or row.mini_app_group or row.mini_app_type
    )
    if attached_to:
        return f"attached to {attached_to}"
    if (row.set_id or row.set_name) and not sets.ours(row):
        return f"in the set {sets.name(row) or row.set_id}"
    return None


def decide(row: PhoneNumber, policy: CleanupPolicy, sets: Sets, known: Known, today: date) -> Line | None:
    """The decision on one number; ``None`` where a cleanup has no business with it.

    A number is *unused* when it is attached to no miniApp and in no set but a cleanup's own.
    """
    if policy.groups and row.group_id not in policy.groups:
        return None
    since = marked_since(row.note)
    use = use_of(row, sets)
    if use and since is None and not sets.ours(row):
        return None
    action, why = _verdict(row, since, use, policy, sets, known, today)
    return Line(
        number=row.number,
        action=action,
        why=why,
        country=row.country,
        group=row.group_id,
        set_id=row.set_id,
        note=row.note,
        since=since,
        due=_due(since, policy, today),
        last_used=known.last_used.get(row.number),
    )


def select_unused(
    rows: Iterable[PhoneNumber], policy: CleanupPolicy, sets: Sets, known: Known, today: date
) -> Iterator[Line]:
    """The decision on each number that is unused or bears a trace of a cleanup, in the order of ``rows``."""
    for row in rows:
        line = decide(row, policy, sets, known, today)
        if line is not None:
            yield line


def _verdict(
    row: PhoneNumber, since: date | None, use: str | None, policy: CleanupPolicy, sets: Sets, known: Known, today: date
) -> tuple[Action, str]:
    touched = since is not None or sets.ours(row)
    if use:
        return Action.CLEAR, f"is {use}"
    if guard := _guard(row, policy, sets):
        return (Action.CLEAR if touched else Action.LEAVE), guard
    if not row.group_id:
        return Action.LEAVE, "belongs to no group, so there is no quarantine set for it"
    if order := known.ordered.get(row.number):
        return Action.LEAVE, f"belongs to the order {order}, which is still open"
    if owner := known.reserved.get(row.number):
        return Action.LEAVE, f"is reserved by a plan for {owner}"
    ours_since = known.since.get(row.number)
    if ours_since and (today - ours_since).days < policy.grace_days:
        return Action.LEAVE, f"is new: it came on or after {ours_since}, less than {policy.grace_days} days ago"
    if since is None:
        return Action.MARK, "is attached to no miniApp and in no set"
    if belied := _belied(row.number, since, ours_since, known):
        return Action.CLEAR, belied
    if not sets.in_quarantine(row):
        return Action.QUARANTINE, f"is marked since {since}, but not in the quarantine set of its group"
    idle = (today - since).days
    if idle < policy.grace_days:
        return Action.WAIT, f"is marked since {since}; {policy.grace_days - idle} of {policy.grace_days} days are left"
    return Action.RELEASE, f"is marked since {since}, {idle} days ago"


def _belied(number: str, since: date, ours_since: date | None, known: Known) -> str | None:
    """Why the number was not idle for as long as its mark says: people copy notes, and write marks of their own."""
    used, unmarked = known.last_used.get(number), known.unmarked.get(number)
    if used and used > since:
        return f"was used again on {used}, after it was marked"
    if ours_since and ours_since > since:
        return f"bears a mark of {since}, but came on {ours_since}"
    # A day may begin in one time zone and not yet in another.
    if unmarked and unmarked > since + timedelta(days=1):
        return f"bears a mark of {since}, which was not there on {unmarked} yet"
    return None


def _guard(row: PhoneNumber, policy: CleanupPolicy, sets: Sets) -> str | None:
    if kept(row.note):
        return "its note says keep"
    pattern = policy.protection(row, sets.name(row))
    return f"is protected by {pattern!r}" if pattern else None


def _due(since: date | None, policy: CleanupPolicy, today: date) -> date | None:
    # A mark with a day to come is a slip of the pen: it is never due, and year 9999 has no day after it.
    return since + timedelta(days=policy.grace_days) if since and since <= today else None
