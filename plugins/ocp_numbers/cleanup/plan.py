"""What a run is going to do: decided once, kept in the data root, approved by its digest, carried out unchanged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import Action, Line
from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.documents import digest
from ocp_numbers.errors import LimitExceeded, PlanChanged, shown

APPROVED_FIELDS = {"number", "country", "group", "note", "since"}
"""What is approved of each number: should one of them change, the approval is void."""


class CleanupPlan(BaseModel):
    """One run's decisions. ``estate`` is how many numbers were looked at, ``snapshot`` names the inventory used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    environment: str
    run: str
    made_at: datetime
    today: date
    snapshot: str
    estate: int
    policy: CleanupPolicy
    lines: tuple[Line, ...]

    @property
    def digest(self) -> str:
        """What is approved, as 64 hexadecimal digits: the numbers to be given up, under this policy, in this run."""
        return digest(
            {
                "environment": self.environment,
                "run": self.run,
                "policy": self.policy.model_dump(),
                "release": [line.model_dump(include=APPROVED_FIELDS) for line in self.releases],
            }
        )

    @property
    def releases(self) -> tuple[Line, ...]:
        """The numbers to be given up, in the order of the numbers."""
        return tuple(sorted(self.only(Action.RELEASE), key=lambda line: line.number))

    @property
    def counts(self) -> dict[str, int]:
        """How many numbers each action concerns."""
        counted = Counter(line.action for line in self.lines)
        return {action.value: counted[action] for action in Action}

    def only(self, *actions: Action) -> tuple[Line, ...]:
        """The decisions with one of these actions."""
        return tuple(line for line in self.lines if line.action in actions)

    def check_limits(self) -> None:
        """Refuse the plan as a whole when it gives up more than its policy allows.

        :raises LimitExceeded: naming every limit it breaks.
        """
        check_limits(self.releases, estate=self.estate, policy=self.policy)


def check_limits(releases: Sequence[Line], *, estate: int, policy: CleanupPolicy) -> None:
    """Refuse ``releases`` as a whole when they are more than ``policy`` allows of an estate of that many numbers.

    :raises LimitExceeded: naming every limit they break.
    """
    count = len(releases)
    broken = []
    if count > policy.max_release:
        broken.append(f"max_release is {policy.max_release}")
    if count * 100 > policy.max_release_percent * estate:
        share = (Decimal(100 * count) / estate).quantize(Decimal("0.01")) if estate else Decimal(100)
        broken.append(
            f"max_release_percent is {policy.max_release_percent:f}, and this is {share} % of {estate} numbers"
        )
    if broken:
        raise LimitExceeded(
            f"{count} numbers are due to be given up, but {' and '.join(broken)}. Nothing was changed. Write 'keep' "
            f"into the notes of numbers to be kept, or raise the limit. Due: {shown(line.number for line in releases)}."
        )


def folder(run: str) -> str:
    """Folder of the data root that keeps everything about a run."""
    return f"cleanup/{segment(run)}"


def save_plan(data_root: DataRoot, plan: CleanupPlan) -> str:
    """Keep the plan for the tasks that carry it out; the key of the document."""
    key = f"{folder(plan.run)}/plan.json"
    data_root.write(key, plan.model_dump_json(indent=1).encode())
    return key


def load_plan(data_root: DataRoot, key: str, *, environment: str, digest: str) -> CleanupPlan:
    """The plan under ``key``, once it is certain that it is the one with this digest.

    :raises PlanChanged: when there is none, or another one.
    """
    content = data_root.read(key)
    if content is None:
        raise PlanChanged(f"{key}: there is no such plan in the data root. Nothing was changed. Trigger a new run.")
    try:
        plan = CleanupPlan.model_validate_json(content)
    except ValidationError as error:
        raise PlanChanged(f"{key}: cannot be read: {error.errors()[0]['msg']}. Trigger a new run.") from None
    if (plan.digest, plan.environment) != (digest, environment):
        raise PlanChanged(
            f"{key}: is now plan {plan.digest[:12]} for {plan.environment}, but {digest[:12]} for {environment} is "
            f"to be carried out. Nothing was changed. Trigger a new run."
        )
    return plan
