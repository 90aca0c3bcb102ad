"""How the declared regions compare with reality: a finding for each, and the report over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict

from ocp_numbers import errors
from ocp_numbers.data_root import DataRoot

DOCUMENT = "reconciliation/drift.json"
"""Where the last report is kept in the data root."""

OBSTACLES = (
    errors.InvalidInput,
    errors.NumberInUse,
    errors.NotEnoughNumbers,
    errors.OverBudget,
    errors.OrderConflict,
    errors.OrderCorrupt,
)


class State(str, Enum):
    """How a region stands, the most pressing first.

    ``not compared``: nobody knows. ``blocked``: it is not as declared, and no plan can make it so before a person has
    removed an obstacle. ``drifted``: there is a plan. ``as declared``: nothing is to be done.
    """

    NOT_COMPARED = "not compared"
    BLOCKED = "blocked"
    DRIFTED = "drifted"
    AS_DECLARED = "as declared"


def state_after(error: errors.OcpError) -> State:
    """What an error while planning says about the region: an obstacle of its own, or nothing at all."""
    unusable = isinstance(error, errors.InvalidConnection)
    return State.BLOCKED if isinstance(error, OBSTACLES) and not unusable else State.NOT_COMPARED


class Finding(BaseModel):
    """How one region stands; ``plan`` is the key of its plan in the data root, where there is one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    environment: str
    group: str
    set_name: str
    apply: str
    state: State = State.NOT_COMPARED
    summary: str = "The comparison did not come to its end; its log says why."
    digest: str | None = None
    plan: str | None = None

    @classmethod
    def about(cls, declared: Mapping[str, Any], **found: Any) -> Finding:
        """A finding about the region whose declaration has these fields."""
        named = {name: declared[name] for name in ("name", "group", "set_name", "apply")}
        return cls(**named, environment=declared["ocp_conn_id"], **found)


class DriftReport(BaseModel):
    """All findings of one run, the most pressing first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    run: str
    compared_at: datetime
    findings: tuple[Finding, ...]

    @classmethod
    def over(
        cls, declared: Sequence[Mapping[str, Any]], found: Iterable[Mapping[str, Any]], *, run: str, now: datetime
    ) -> DriftReport:
        """The report over all ``declared`` regions; what was not ``found`` out about one is said of it."""
        known = {finding["name"]: Finding.model_validate(finding) for finding in found}
        findings = [known.get(region["name"]) or Finding.about(region) for region in declared]
        urgency = list(State)
        findings.sort(key=lambda finding: (urgency.index(finding.state), finding.name))
        return cls(run=run, compared_at=now, findings=tuple(findings))

    @property
    def counts(self) -> dict[str, int]:
        """How many regions there are in each state."""
        states = [finding.state for finding in self.findings]
        return {state.value: states.count(state) for state in State}

    @property
    def summary(self) -> str:
        """The report in a sentence."""
        if not self.findings:
            return "No region is declared."
        parts = []
        for state, count in self.counts.items():
            names = errors.shown(finding.name for finding in self.findings if finding.state.value == state)
            parts += [f"{count} {state}" + ("" if state == State.AS_DECLARED.value else f" ({names})")] if count else []
        return f"Of {len(self.findings)} declared regions: {', '.join(parts)}."

    @property
    def table(self) -> str:
        """The report as lines for a person: region, state, and what is missing or in the way."""
        width = max((len(finding.name) for finding in self.findings), default=0)
        return "\n".join(
            f"{finding.name:<{width}}  {finding.state.value:<12}  {' '.join(finding.summary.split())}"
            for finding in self.findings
        )

    def save(self, root: DataRoot) -> str:
        """Put the report into the data root in place of the last one, and give its key."""
        root.write(DOCUMENT, self.model_dump_json(indent=2).encode())
        return DOCUMENT
