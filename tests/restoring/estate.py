"""A small estate on a sandbox that is edited, exported, restored, and looked at again."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

from ocp_numbers.bulk import Account, ChangePlan, apply, fields_of
from ocp_numbers.bulk.change import FIELDS
from ocp_numbers.client import OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.journal import Actor, Journal
from ocp_numbers.models import PhoneNumber
from ocp_numbers.restoring import plan_restore
from ocp_sandbox import Sandbox

ENVIRONMENT = "ocp_default"
DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
GROUPS = ("east", "west")

Difference = tuple[str, str]
"""A number, and the field in which it is not as it was; empty where it is gone or new."""


class Restored(NamedTuple):
    """What a restore did, and what it said that it could not."""

    plan: ChangePlan
    account: Account
    impossible: set[Difference]


class Estate:
    """Two groups with numbers, sets and miniApps."""

    def __init__(self, sandbox: Sandbox, client: OcpClient, root: DataRoot, numbers: int = 8) -> None:
        self.sandbox = sandbox
        self.client = client
        self.root = root
        self._runs = 0
        for group in GROUPS:
            sandbox.edit.add_group(group)
        self.apps = [sandbox.edit.add_mini_app(name, group) for group in GROUPS for name in ("front", "back")]
        self.sets = [sandbox.edit.add_set(name, group) for group in GROUPS for name in ("Front desk", "Back desk")]
        self.numbers = [f"+1212555{place:04}" for place in range(numbers)]
        for number in self.numbers:
            sandbox.edit.add_number(number, GROUPS[0], note=f"line {number[-2:]}")

    def rows(self) -> dict[str, PhoneNumber]:
        # the listing names sets, the search does not
        return {row.number: row for row in self.client.numbers.list(page_size=500, order_by="number").items}

    def export(self, day: date = DAY) -> CompleteSnapshot:
        return Export(
            source=ClientSource(lambda: self.client),
            root=self.root,
            scope=Scope(environment=ENVIRONMENT),
            day=day,
            holder="export",
            expected_rows=len(self.sandbox.numbers()),
            clock=lambda: NOON + (day - DAY),
        ).run()

    def actor(self, run_id: str, task_id: str = "edit") -> Actor:
        return Actor(dag_id="edits", run_id=run_id, task_id=task_id)

    def journal(self, run_id: str, task_id: str = "edit", *, hour: int = 0) -> Journal:
        return Journal(self.root, ENVIRONMENT, self.actor(run_id, task_id), now=lambda: NOON + timedelta(hours=hour))

    def plan(self, restore: str, **options: Any) -> ChangePlan:
        self._runs += 1
        return plan_restore(
            lambda: self.client,
            self.root,
            restore,
            environment=ENVIRONMENT,
            run=f"restore-{self._runs}",
            now=NOON + timedelta(days=2),
            **options,
        )

    def carry_out(self, plan: ChangePlan) -> Account:
        by = Actor(dag_id="apply_number_changes", run_id=plan.run, task_id="apply")
        journal = Journal(self.root, ENVIRONMENT, by, plan=plan.digest)
        return apply(lambda: self.client, self.root, plan, journal, sleep=lambda seconds: None)

    def restore(self, restore: str, **options: Any) -> Restored:
        plan = self.plan(restore, **options)
        return Restored(plan, self.carry_out(plan), self.impossible(plan))

    def impossible(self, plan: ChangePlan) -> set[Difference]:
        """What the plan says cannot come back."""
        table = (self.root.read(f"{plan.folder}/faults.csv") or b"").decode("utf-8-sig")
        return {(row["number"], FIELDS.get(row["column"], "")) for row in csv.DictReader(io.StringIO(table))}

    def reasons(self, plan: ChangePlan) -> list[str]:
        table = (self.root.read(f"{plan.folder}/faults.csv") or b"").decode("utf-8-sig")
        return [row["problem"] for row in csv.DictReader(io.StringIO(table))]


def differences(before: dict[str, PhoneNumber], after: dict[str, PhoneNumber]) -> set[Difference]:
    """In what two states differ; an empty text and none are the same."""
    found: set[Difference] = {(number, "") for number in before.keys() ^ after.keys()}
    for number in before.keys() & after.keys():
        was, now = fields_of(before[number]), fields_of(after[number])
        found |= {(number, field) for field, value in was.items() if value != now[field]}
    return found


def numbers_of(found: set[Difference] | Sequence[Difference]) -> set[str]:
    return {number for number, _ in found}
