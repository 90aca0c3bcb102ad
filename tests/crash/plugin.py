"""The prover for pytest: ``from crash.plugin import prove`` in a ``conftest.py``, or ``-p crash.plugin``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import pytest

from .drawing import draw
from .prover import Prover
from .scenario import Scenario
from .trial import Verdict


@dataclass
class Proof:
    """How many cases were carried out, and the verdicts of those that broke a promise."""

    cases: int = 0
    met: int = 0
    broken: list[Verdict] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Count one more case."""
        self.cases += 1
        self.met += verdict.met
        if verdict.violations:
            self.broken.append(verdict)


def carry_out(scenario: Scenario, *, every: int = 1, drawn: int = 0, seed: int = 0) -> Proof:
    """Single accidents in the scenario's worlds, and drawn combinations.

    :param every: only each n-th single accident.
    :param drawn: how many combinations to draw. :param seed: another one draws others.
    """
    proof = Proof()
    with Prover(scenario) as prover:
        for variants in scenario.worlds:
            for alternatives in islice(prover.single_accidents(variants), 0, None, every):
                for verdict in prover.prove(alternatives):
                    proof.add(verdict)
        if drawn:
            draw(prover, examples=drawn, start=seed, tell=proof.add)
    return proof


@pytest.fixture
def prove() -> Callable[..., Proof]:
    """A function that carries out cases of a scenario and fails on the first broken promise; see :func:`carry_out`."""

    def holds(scenario: Scenario, **how: object) -> Proof:
        proof = carry_out(scenario, **how)  # type: ignore[arg-type]
        assert not proof.broken, "\n\n".join(map(str, proof.broken[:10]))
        return proof

    return holds
