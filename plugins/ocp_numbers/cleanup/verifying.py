"""What a run has brought about, read back from OCP and compared with its plan."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from ocp_numbers.cleanup.journal import Journal
from ocp_numbers.cleanup.marking import look
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.selection import Action

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient


class Result(BaseModel):
    """The account of a run. ``deleted`` are those of ``released`` that were merely in the database."""

    model_config = ConfigDict(frozen=True)

    digest: str
    dry_run: bool
    marked: int
    cleared: int
    released: tuple[str, ...]
    deleted: tuple[str, ...]
    still_there: tuple[str, ...]
    not_marked: tuple[str, ...]
    not_cleared: tuple[str, ...]

    @property
    def differences(self) -> list[str]:
        """What is not as planned, a sentence each; in a dry run nothing is expected to be."""
        if self.dry_run:
            return []
        return [
            *(f"{number} was to be given up and is still there" for number in self.still_there),
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
        return (
            f"{len(self.released)} numbers given up ({len(self.deleted)} of them deleted from the database), "
            f"{self.marked} marked, {self.cleared} cleared."
        )


def read_back(client: OcpClient, journal: Journal, plan: CleanupPlan, today: date) -> Result:
    """The account of the run that carries ``plan`` out, as OCP shows it now."""
    numbers = [line.number for line in plan.releases]
    present = client.numbers.find(numbers) if numbers else {}
    undone = look(client, plan, today)
    not_cleared = tuple(line.number for line in undone if line.action is Action.CLEAR)
    not_marked = tuple(line.number for line in undone if line.action is not Action.CLEAR)
    counts = plan.counts
    return Result(
        digest=plan.digest,
        dry_run=plan.policy.dry_run,
        marked=counts["mark"] + counts["quarantine"] - len(not_marked),
        cleared=counts["clear"] - len(not_cleared),
        released=tuple(number for number in numbers if number not in present),
        deleted=tuple(sorted(journal.intended("delete") - present.keys())),
        still_there=tuple(present),
        not_marked=not_marked,
        not_cleared=not_cleared,
    )
