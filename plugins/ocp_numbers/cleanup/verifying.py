"""What a run has brought about, read back from OCP and compared with its plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from ocp_numbers.cleanup.marking import look
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.selection import Action
from ocp_numbers.journal import Journal

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient


class Result(BaseModel):
    """The account of a run.

    ``deleted`` are those of ``released`` that were merely in the database; ``vanished`` went without the run's doing,
    ``still_there`` were to go and did not, ``spared`` were not to go because nobody ``approved`` it.
    """

    model_config = ConfigDict(frozen=True)

    digest: str
    dry_run: bool
    approved: bool
    marked: int
    cleared: int
    released: tuple[str, ...]
    deleted: tuple[str, ...]
    vanished: tuple[str, ...]
    still_there: tuple[str, ...]
    spared: tuple[str, ...]
    not_marked: tuple[str, ...]
    not_cleared: tuple[str, ...]

    @property
    def differences(self) -> list[str]:
        """What is not as planned, a sentence each; in a dry run nothing is expected to be."""
        if self.dry_run:
            return []
        return [
            *(f"{number} was to be given up and is still there" for number in self.still_there),
            *(f"{number} is no longer in the inventory, but this run did not give it up" for number in self.vanished),
            *(f"{number} was to be marked and is not" for number in self.not_marked),
            *(f"{number} was to be cleared and is not" for number in self.not_cleared),
        ]

    @property
    def summary(self) -> str:
        """The account in a sentence."""
        if self.dry_run:
            return (
                f"Dry run: {len(self.not_marked)} numbers would be marked, {len(self.not_cleared)} cleared and "
                f"{len(self.still_there)} given up. Nothing was written to OCP."
            )
        spared = f" Nobody approved giving up {len(self.spared)} more: they stay." if self.spared else ""
        return (
            f"{len(self.released)} numbers given up ({len(self.deleted)} of them deleted from the database), "
            f"{self.marked} marked, {self.cleared} cleared.{spared}"
        )


def read_back(
    client: OcpClient,
    journal: Journal,
    plan: CleanupPlan,
    today: date,
    *,
    approved: bool,
    reserved: Mapping[str, str] = MappingProxyType({}),
) -> Result:
    """The account of the run that carries ``plan`` out, as OCP shows it now.

    :param approved: whether numbers were to be given up.
    :param reserved: numbers that are not marked because a plan counts on them by now.
    """
    numbers = [line.number for line in plan.releases]
    present = client.numbers.find(numbers) if numbers else {}
    gone = [number for number in numbers if number not in present]
    ours = journal.intended("give up", "delete")
    undone = look(client, plan, today, reserved)
    not_cleared = tuple(line.number for line in undone if line.action is Action.CLEAR)
    not_marked = tuple(line.number for line in undone if line.action is not Action.CLEAR)
    counts = plan.counts
    return Result(
        digest=plan.digest,
        dry_run=plan.policy.dry_run,
        approved=approved,
        marked=counts["mark"] + counts["quarantine"] - len(not_marked),
        cleared=counts["clear"] - len(not_cleared),
        released=tuple(number for number in gone if number in ours),
        deleted=tuple(sorted(journal.intended("delete") - present.keys())),
        vanished=tuple(number for number in gone if number not in ours),
        still_there=tuple(present) if approved else (),
        spared=() if approved else tuple(present),
        not_marked=not_marked,
        not_cleared=not_cleared,
    )
