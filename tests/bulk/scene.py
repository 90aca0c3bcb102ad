"""A small estate in a sandbox, tables of wishes for it, and a process that can be killed at any step of a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from threading import Lock
from typing import Any

from ocp_numbers.bulk import Account, ChangePlan, Limits, apply, plan_changes
from ocp_numbers.client import OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.journal import Actor, Journal
from ocp_sandbox import Sandbox

ENVIRONMENT = "ocp_default"
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
LIMITS = Limits(max_unit_price=Decimal(100), max_total_price=Decimal(300))
_LOOKS = ("POST /api/numbers", "POST /api/numbers/search", "POST /api/numbers/csv")

Wish = Mapping[str, str]


def table(*wishes: Wish, delimiter: str = ",") -> bytes:
    """A CSV of ``wishes``, with a column for each name among them."""
    names = list(dict.fromkeys(name for wish in wishes for name in wish))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(wishes)
    return text.getvalue().encode()


class Killed(BaseException):
    """The process died here; nothing may catch it."""


@dataclass
class Fuse:
    """Kills before the ``at``-th step, so after the one before it; counts the steps when it is not to kill."""

    at: int | None = None
    steps: int = 0
    turn: Lock = field(default_factory=Lock)

    def step(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with self.turn:
                self.steps += 1
                step = self.steps
            if step == self.at:
                raise Killed
            return act(*args, **kwargs)

        return guarded


@dataclass
class Scene:
    """The estate: numbers by the name of their case."""

    sandbox: Sandbox
    client: OcpClient
    root: DataRoot
    numbers: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    """What was sent as files."""

    def __post_init__(self) -> None:
        send = self.client.numbers.import_csv

        def sent(content: bytes) -> object:
            self.files.append(content.decode())
            return send(content)

        self.client.numbers.import_csv = sent  # type: ignore[assignment,method-assign]
        edit = self.sandbox.edit
        for group in ("us", "eu"):
            edit.add_group(group)
        self.sales, self.support = edit.add_mini_app("Sales", "us"), edit.add_mini_app("Support", "us")
        self.front, self.back = edit.add_set("front", "us"), edit.add_set("back", "us")
        self.abroad = edit.add_set("abroad", "eu")
        bound = {"mini_app_id": self.sales, "locale": "en-US", "application_tag": "gold"}
        cases: dict[str, dict[str, Any]] = {
            "free": {"note": "lobby"},
            "blank": {},
            "attached": {"note": "busy", **bound},
            "in front": {"set_id": self.front, "note": "hall"},
            "bought": {"purchased": True, "note": "roof [order 7f3a9c2e1b40]"},
            "kept": {"note": "please keep"},
            "spare": {"note": "to go"},
        }
        for place, (case, fields) in enumerate(cases.items()):
            self.numbers[case] = f"+1212555{place:04}"
            edit.add_number(self.numbers[case], "us", **fields)

    def __getitem__(self, case: str) -> str:
        return self.numbers[case]

    def wish(self, operation: str, case: str, **cells: str) -> dict[str, str]:
        """A row for the number of a case."""
        return {"OPERATION": operation, "NUMBER": self.numbers.get(case, case), **cells}

    def now(self, case: str) -> dict[str, Any]:
        """The truth about a number; empty once it is gone."""
        number = self.numbers.get(case, case)
        return next((row for row in self.sandbox.numbers() if row["number"] == number), {})

    def estate(self) -> dict[str, dict[str, Any]]:
        """The truth about all numbers."""
        return {row["number"]: row for row in self.sandbox.numbers()}

    def plan(self, content: bytes | Sequence[Wish], run: str = "run", **more: Any) -> ChangePlan:
        """The plan for a table, given as it is or as its rows."""
        stream = io.BytesIO(content if isinstance(content, bytes) else table(*content))
        about = {"environment": ENVIRONMENT, "run": run, "name": "upload", "now": NOON, "limits": LIMITS, **more}
        return plan_changes(lambda: self.client, self.root, stream, **about)

    def apply(self, plan: ChangePlan, **more: Any) -> Account:
        """Carry it out, without waiting."""
        by = Actor(dag_id="apply_number_changes", run_id=plan.run, task_id="apply")
        journal = Journal(self.root, ENVIRONMENT, by, plan=plan.digest)
        return apply(lambda: self.client, self.root, plan, journal, **{"sleep": self.sleep, "now": self.time, **more})

    def time(self) -> datetime:
        """The platform's time."""
        return datetime.fromtimestamp(self.sandbox.clock.now(), timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Time passes on the platform."""
        self.sandbox.clock.advance(seconds)

    def do(self, *wishes: Wish, **more: Any) -> Account:
        """Plan and carry out."""
        return self.apply(self.plan(wishes, **more))

    def rows(self, plan: ChangePlan, name: str) -> list[dict[str, str]]:
        """A CSV of the run's folder."""
        content = (self.root.read(f"{plan.folder}/{name}") or b"").decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(content, newline="")))

    def writes(self) -> list[str]:
        """The calls so far that were more than looks."""
        calls = [f"{call['method']} {call['path'].removeprefix('/integrations')}" for call in self.sandbox.calls()]
        return [call for call in calls if "/api/" in call and not call.startswith("GET ") and call not in _LOOKS]

    def arm(self, fuse: Fuse) -> None:
        """Put ``fuse`` around every call to the platform and every document of the data root."""
        transport = self.client.transport
        transport.fetch = fuse.step(type(transport).fetch.__get__(transport))  # type: ignore[method-assign]
        self.root.create = fuse.step(type(self.root).create.__get__(self.root))  # type: ignore[method-assign]
        self.root.write = fuse.step(type(self.root).write.__get__(self.root))  # type: ignore[method-assign]

    def disarm(self) -> None:
        """Take the fuse out again, and let the dead process's lease run out."""
        for place in (self.client.transport.__dict__, self.root.__dict__):
            for name in ("fetch", "create", "write"):
                place.pop(name, None)


LATER = timedelta(hours=1)
