"""From the latest inventory, our own records and a second look at OCP to a plan. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from ocp_numbers.cleanup.history import History, orders_of
from ocp_numbers.cleanup.marks import MARKER
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import DECIDING, Action, Known, Line, Sets, decide
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory import CompleteSnapshot, latest, read_batches
from ocp_numbers.models import PhoneNumber, check_told

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

_CLOCKS_DIFFER = timedelta(minutes=15)
_HOW = "Trigger nightly_inventory_export for this connection, for all groups, then clear this task."


def plan_cleanup(
    client: OcpClient,
    data_root: DataRoot,
    *,
    environment: str,
    run: str,
    policy: CleanupPolicy,
    now: datetime,
) -> CleanupPlan:
    """What a cleanup would do now.

    :param now: with the time zone whose dates are meant.
    :raises IncompleteSnapshot: when there is no inventory, or only one that is too old, or OCP does not tell what a
        decision is made from.
    """
    snapshot = fresh_snapshot(data_root, environment, policy, now=now)
    sets = Sets.of(client.sets.list())
    today = now.date()
    known = orders_of(data_root, environment)
    decided: dict[str, tuple[PhoneNumber, Line]] = {}
    for row in _worth_a_look(snapshot, sets):
        line = decide(row, policy, sets, known, today)
        if line is not None:
            decided[row.number] = row, line

    history = History(data_root, environment, until=snapshot)
    arrived = history.first_seen(_numbers(decided, Action.MARK), today=today, within_days=policy.grace_days)
    due = _numbers(decided, Action.RELEASE)
    traces = history.of_marked(_marks(line for _, line in decided.values() if line.action is Action.RELEASE), sets)
    known = replace(known, since={**arrived, **known.since}, last_used=traces.last_used, unmarked=traces.unmarked)
    # What is to be given up is decided from what OCP shows now; the inventory may be a day old.
    present = client.numbers.find(due) if due else {}
    check_told(present.values(), *DECIDING)
    lines = []
    for number, (row, line) in decided.items():
        if line.action is Action.RELEASE and number not in present:
            lines.append(line.model_copy(update={"action": Action.LEAVE, "why": "is no longer in the inventory"}))
        elif line.action is Action.RELEASE or number in arrived:
            again = decide(present.get(number, row), policy, sets, known, today)
            lines += [again] if again else []
        else:
            lines.append(line)
    return CleanupPlan(
        environment=environment,
        run=run,
        made_at=now,
        today=today,
        snapshot=snapshot.folder,
        estate=_estate(snapshot, policy),
        policy=policy,
        lines=tuple(lines),
    )


def recalled(data_root: DataRoot, plan: CleanupPlan, sets: Sets) -> Known:
    """What our own records say by now about the numbers that ``plan`` gives up.

    :raises OrderCorrupt, IncompleteSnapshot: when they cannot be read.
    """
    known, snapshot = orders_of(data_root, plan.environment), latest(data_root, plan.environment)
    marks = _marks(plan.releases)
    if not marks or snapshot is None:
        return known
    history = History(data_root, plan.environment, until=snapshot)
    traces = history.of_marked(marks, sets, after=min(marks.values()))
    return replace(known, last_used=traces.last_used, unmarked=traces.unmarked)


def fresh_snapshot(data_root: DataRoot, environment: str, policy: CleanupPolicy, *, now: datetime) -> CompleteSnapshot:
    """The latest inventory, once it is recent enough to decide from.

    :raises IncompleteSnapshot: when there is none, only an older one, or one of another environment or another time;
        says how to get one.
    """
    snapshot = latest(data_root, environment)
    if snapshot is None:
        raise IncompleteSnapshot(f"There is no inventory of {environment} yet. {_HOW}")
    if snapshot.environment != environment:
        raise IncompleteSnapshot(f"{snapshot.folder} holds an inventory of {snapshot.environment}. Remove it. {_HOW}")
    age = now - snapshot.taken
    if age < -_CLOCKS_DIFFER:
        raise IncompleteSnapshot(
            f"{snapshot.folder} was taken at {snapshot.taken}, which is still to come: how old it is cannot be said. "
            f"Set the machines' clocks. {_HOW}"
        )
    if age > timedelta(hours=policy.max_snapshot_age_hours):
        raise IncompleteSnapshot(
            f"The latest inventory of {environment} is {age.total_seconds() / 3600:.0f} hours old, but the policy's "
            f"max_snapshot_age_hours is {policy.max_snapshot_age_hours}. {_HOW}"
        )
    return snapshot


def _marks(lines: Iterable[Line]) -> dict[str, date]:
    return {line.number: line.since for line in lines if line.since}


def _estate(snapshot: CompleteSnapshot, policy: CleanupPolicy) -> int:
    by_group = snapshot.manifest.counts.by_group
    return sum(by_group.get(group, 0) for group in policy.groups) if policy.groups else snapshot.rows


def _worth_a_look(snapshot: CompleteSnapshot, sets: Sets) -> Iterator[PhoneNumber]:
    """The numbers that are attached to nothing or bear a trace of a cleanup: the few that a decision can be about."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own_sets = pa.array([each.id for each in sets.by_id.values() if sets.own(each.name)], pa.string())
    for batch in read_batches(snapshot):
        names = [name for name in batch.schema.names if name.startswith("mini_app_")]
        attached = pc.greater(
            pc.binary_length(pc.binary_join_element_wise(*(batch[name].fill_null("") for name in names), "")), 0
        )
        marked = pc.match_substring(batch["note"].fill_null(""), MARKER, ignore_case=True)
        ours = pc.is_in(batch["set_id"], value_set=own_sets)
        found = batch.filter(pc.or_(pc.invert(attached), pc.or_(marked, ours)))
        yield from map(PhoneNumber.model_validate, found.to_pylist())


def _numbers(decided: dict[str, tuple[PhoneNumber, Line]], action: Action) -> list[str]:
    return [number for number, (_, line) in decided.items() if line.action is action]
