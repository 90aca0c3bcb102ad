"""What waits to be given up, and what the last clean-ups did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import unquote

from pydantic import ValidationError

from ocp_numbers.cleanup.marks import MARKER, marked_since, without_mark
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.verifying import Result
from ocp_numbers.dashboard.approvals import answers
from ocp_numbers.dashboard.recent import Recent
from ocp_numbers.dashboard.table import Table
from ocp_numbers.data_root import DataRoot

MOST_MARKED = 20_000
"""Marked numbers that the queue looks at; a page never shows more than some hundred."""

MOST_RUNS = 20
_FOLDER = "cleanup"


@dataclass(frozen=True)
class Marked:
    """A number that is marked as unused: since when, and the first day on which it may be given up."""

    number: str
    group: str | None
    country: str | None
    note: str
    since: date
    due: date

    def days_left(self, today: date) -> int:
        """Days until it is due; none once it is."""
        return max(0, (self.due - today).days)


@dataclass(frozen=True)
class Run:
    """A clean-up as its documents tell: what it planned, who approved it, what came of it."""

    run: str
    made_at: datetime
    planned: dict[str, int]
    grace_days: int
    dry_run: bool
    approved_by: str
    outcome: str


class Cleanups:
    """Reads the clean-ups' documents."""

    def __init__(self, root: DataRoot, known: Recent[Run | None]) -> None:
        self._root = root
        self._known = known

    def runs(self, environment: str) -> list[Run]:
        """The last clean-ups of an environment, newest first; what cannot be read is left out."""
        keys = [key for key in self._root.keys(_FOLDER) if key.endswith("/plan.json") and key.count("/") == 2]
        # The names of Airflow's runs end in their time.
        keys.sort(key=lambda key: unquote(key).rpartition("__")[2], reverse=True)
        runs = []
        for key in keys:
            run = self._known.get((environment, key), lambda key=key: self._run(environment, key))  # type: ignore[misc]
            runs += [run] if run else []
            if len(runs) == MOST_RUNS:
                break
        return sorted(runs, key=lambda run: run.made_at, reverse=True)

    def _run(self, environment: str, key: str) -> Run | None:
        try:
            plan = CleanupPlan.model_validate_json(self._root.read(key) or b"")
        except ValidationError:
            return None
        if plan.environment != environment:
            return None
        folder = key.rpartition("/")[0]
        given = [answer for answer in answers(self._root, folder) if answer.digest == plan.digest]
        approved = next((answer for answer in given if answer.approved), None)
        return Run(
            run=plan.run,
            made_at=plan.made_at,
            planned=plan.counts,
            grace_days=plan.policy.grace_days,
            dry_run=plan.policy.dry_run,
            approved_by=(approved.approved_by or "nobody was asked") if approved else "",
            outcome=_result(self._root, f"{folder}/result.json")
            or ("Not finished." if approved or not given else "Rejected, or not answered in time."),
        )


class _Result(Result):
    """A result as this or an earlier version wrote it: what an earlier one did not tell apart was none."""

    approved: bool = True
    deleted: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()


def _result(root: DataRoot, key: str) -> str:
    content = root.read(key)
    if content is None:
        return ""
    try:
        return _Result.model_validate_json(content).summary
    except ValidationError:
        return "Finished, but its result cannot be read."


def grace_days(runs: list[Run]) -> int:
    """How long marked numbers wait: as the last clean-up has it, or as it is by default."""
    return runs[0].grace_days if runs else CleanupPolicy().grace_days


def queue(table: Table, grace: int) -> list[Marked]:
    """The numbers that bear a mark, those due first in front."""
    marked = []
    for number, group, country, note in table.noted(MARKER, MOST_MARKED):
        since = marked_since(note)
        if since is not None:
            due = since + timedelta(days=grace)
            marked.append(Marked(number, group, country, without_mark(note), since, due))
    return sorted(marked, key=lambda each: (each.due, each.number))
