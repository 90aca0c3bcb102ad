"""A small estate with a number for each case of a cleanup, and a process that can be killed at any step of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from functools import partial
from threading import Lock
from typing import Any

from ocp_numbers.cleanup.marking import Marking
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.planning import recalled
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.releasing import Releasing
from ocp_numbers.cleanup.selection import QUARANTINE, Known, Sets, select_unused
from ocp_numbers.client import OcpClient, Operation
from ocp_numbers.data_root import DataRoot
from ocp_numbers.journal import Actor, Entry, Journal, entries
from ocp_numbers.ordering import Reservations
from ocp_sandbox import Sandbox

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
POLICY = CleanupPolicy(dry_run=False, grace_days=30, max_release_percent=50, protect=("note:*emergency*",))  # type: ignore[arg-type]
DUE, EARLY = TODAY - timedelta(days=30), TODAY - timedelta(days=29)


_LOOKS = ("POST /api/numbers", "POST /api/numbers/search")


def mark(day: date) -> str:
    return f"[unused since {day.isoformat()}]"


class Killed(BaseException):
    """The process died here; nothing may catch it."""


@dataclass
class Fuse:
    """Kills after the ``at``-th step; counts the steps when it is not to kill."""

    at: int | None = None
    steps: int = 0
    turn: Lock = field(default_factory=Lock)

    def step(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with self.turn:
                self.steps += 1
                step = self.steps
            result = act(*args, **kwargs)
            if step == self.at:
                raise Killed
            return result

        return guarded


@dataclass
class Scene:
    """The estate in a sandbox: numbers by the name of their case."""

    sandbox: Sandbox
    client: OcpClient
    data_root: DataRoot
    numbers: dict[str, str] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)
    app: str = ""

    def __post_init__(self) -> None:
        edit = self.sandbox.edit
        for group in ("us", "eu"):
            edit.add_group(group)
            self.sets[group] = edit.add_set(QUARANTINE, group)
        self.sets["front"] = edit.add_set("front desk", "us")
        self.app = edit.add_mini_app("Sales", "us")
        quarantined = {"us": {"set_id": self.sets["us"]}, "eu": {"set_id": self.sets["eu"]}}
        cases: dict[str, dict[str, Any]] = {
            "due bought": {"note": f"desk {mark(DUE)}", "purchased": True, **quarantined["us"]},
            "due bought too": {"note": mark(DUE), "purchased": True, **quarantined["us"]},
            "due entered": {"note": f"hall {mark(DUE)}", **quarantined["us"]},
            "due abroad": {"group": "eu", "note": mark(DUE), "purchased": True, **quarantined["eu"]},
            "due entered abroad": {"group": "eu", "note": f"[order 7f3a9c2e1b40] {mark(DUE)}", **quarantined["eu"]},
            "early": {"note": f"roof {mark(EARLY)}", "purchased": True, **quarantined["us"]},
            "new": {"note": "lobby", "purchased": True},
            "blank": {},
            "new abroad": {"group": "eu", "note": None},
            "stray": {"note": f"yard {mark(DUE)}", "purchased": True},
            "attached": {"mini_app_id": self.app, "locale": "en-US", "note": "busy", "purchased": True},
            "used again": {"mini_app_id": self.app, "note": f"hot {mark(DUE)}", "purchased": True, **quarantined["us"]},
            "in a set": {"set_id": self.sets["front"], "purchased": True},
            "in a set again": {"note": f"cold {mark(DUE)}", "set_id": self.sets["front"], "purchased": True},
            "kept": {"note": f"keep {mark(DUE)}", "purchased": True, **quarantined["us"]},
            "protected": {"note": "Emergency line", "purchased": True},
            "attached outside": {"mini_app_id": self.app, "note": f"gate {mark(DUE)}", "purchased": True},
            "attached unmarked": {"mini_app_id": self.app, "note": "dock", "purchased": True, **quarantined["us"]},
        }
        for place, (case, fields) in enumerate(cases.items()):
            number = f"+1212555{place:04}"
            self.numbers[case] = number
            edit.add_number(number, fields.pop("group", "us"), **fields)

    def of(self, *cases: str) -> list[str]:
        return sorted(self.numbers[case] for case in cases)

    @property
    def due(self) -> list[str]:
        return self.of(*(case for case in self.numbers if case.startswith("due")))

    def now(self, case: str) -> dict[str, Any]:
        """The truth about a number; empty once it is gone."""
        return next((row for row in self.sandbox.numbers() if row["number"] == self.numbers[case]), {})

    def gone(self) -> list[str]:
        """What the platform's own books say has left it."""
        return sorted(
            entry["number"] for entry in self.sandbox.ledger()["entries"] if entry["kind"] in ("released", "deleted")
        )

    def writes(self) -> list[str]:
        """The calls so far that were more than looks."""
        calls = [f"{call['method']} {call['path'].removeprefix('/integrations')}" for call in self.sandbox.calls()]
        return [call for call in calls if "/api/" in call and not call.startswith("GET ") and call not in _LOOKS]

    def plan(self, run: str = "run", policy: CleanupPolicy = POLICY) -> CleanupPlan:
        rows = list(self.client.numbers.iterate())
        sets = Sets.of(self.client.sets.list())
        lines = tuple(select_unused(rows, policy, sets, Known(), TODAY))
        return CleanupPlan(
            environment="ocp_default",
            run=run,
            made_at=NOON,
            today=TODAY,
            snapshot="inventory",
            estate=len(rows),
            policy=policy,
            lines=lines,
        )

    def marking(self, plan: CleanupPlan) -> Marking:
        reservations = Reservations(self.data_root, plan.environment)
        return Marking(
            lambda: self.client,
            self.journal(plan),
            plan,
            today=TODAY,
            reserved=lambda: reservations.taken().owner,
        )

    def plan_for(self, *cases: str) -> CleanupPlan:
        """The plan, as far as it is about these cases."""
        plan, numbers = self.plan(), self.of(*cases)
        return plan.model_copy(update={"lines": tuple(line for line in plan.lines if line.number in numbers)})

    def releasing(
        self,
        plan: CleanupPlan,
        policy: CleanupPolicy = POLICY,
        sleep: Callable[[float], object] = lambda seconds: None,
    ) -> Releasing:
        return Releasing(
            lambda: self.client,
            self.journal(plan),
            plan,
            policy=policy,
            today=TODAY,
            recall=partial(recalled, self.data_root, plan),
            sleep=sleep,
        )

    def journal(self, plan: CleanupPlan) -> Journal:
        ticks = itertools.count()
        by = Actor(dag_id="cleanup", run_id=plan.run, task_id="test")
        return Journal(
            self.data_root, plan.environment, by, plan=plan.digest, now=lambda: NOON + timedelta(next(ticks))
        )

    def recorded(self, plan: CleanupPlan) -> list[Entry]:
        """The journal of the plan's run."""
        return list(entries(self.data_root, plan.environment, self.journal(plan).run))

    def edit(self, case: str, **fields: Any) -> None:
        """Somebody changes a number in OCP's console."""
        self.sandbox.edit.change_number(self.numbers[case], **fields)

    def after(self, operation: str, act: Callable[[], object]) -> None:
        """Have somebody ``act`` once, when a call of ``operation`` was answered and before the next one is made."""
        fetch, todo = self.client.transport.fetch, [act]

        def followed(called: Operation[Any], *args: Any, **kwargs: Any) -> Any:
            answer = fetch(called, *args, **kwargs)
            if called.name == operation and todo:
                todo.pop()()
            return answer

        self.client.transport.fetch = followed  # type: ignore[method-assign]

    def carry_out(self, plan: CleanupPlan) -> None:
        self.marking(plan).carry_out()
        self.releasing(plan).carry_out()

    def arm(self, fuse: Fuse) -> None:
        """Put ``fuse`` before every call to the platform and every write to the data root."""
        self.client.transport.fetch = fuse.step(type(self.client.transport).fetch.__get__(self.client.transport))  # type: ignore[method-assign]
        self.data_root.create = fuse.step(type(self.data_root).create.__get__(self.data_root))  # type: ignore[method-assign]


EDITS: dict[str, Callable[[Scene, dict[str, Any]], dict[str, Any]]] = {
    "attached": lambda scene, row: {"mini_app_id": scene.app},
    "kept": lambda scene, row: {"note": f"keep this one {mark(date(2026, 1, 1))}"},
    "protected": lambda scene, row: {"note": f"emergency {mark(date(2026, 1, 1))}"},
    "unmarked": lambda scene, row: {"note": "desk"},
    "marked anew": lambda scene, row: {"note": mark(TODAY)},
    "marked as older": lambda scene, row: {"note": mark(date(2020, 1, 1))},
    "put into another set": lambda scene, row: {"set_id": scene.sets["front"]},
    "moved to another group": lambda scene, row: {"group": "us" if row["groupId"] == "eu" else "eu", "set_id": None},
}
"""What somebody may do to a due number, by a word for it: the fields to change."""
