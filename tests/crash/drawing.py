"""Combinations of accidents and recoveries, drawn by hypothesis, which finds the smallest one that breaks a promise."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .accidents import ACCIDENTS, Accident, Case
from .prover import Prover
from .scenario import Scenario
from .trial import Verdict

FARTHEST = 30
"""Effects between an accident and the next one, at most."""


class PromiseBroken(AssertionError):
    """A case broke a promise; the message is its verdict."""


def cases(scenario: Scenario, effects: int) -> st.SearchStrategy[Case]:
    """Cases of two or three accidents, the first of them among the ``effects`` of an undisturbed run."""
    what, then = st.sampled_from(ACCIDENTS), st.sampled_from(scenario.recoveries)
    first = st.builds(Accident, st.integers(1, effects), what, then)
    later = st.builds(Accident, st.integers(1, FARTHEST), what, then)
    accidents = st.tuples(first, later) | st.tuples(first, later, later)
    named = sorted(scenario.variants)
    worlds = st.sets(st.sampled_from(named), max_size=2).map(sorted).map(tuple) if named else st.just(())
    return st.builds(Case, st.just(scenario.name), worlds, accidents)


def draw(prover: Prover, *, examples: int, start: int, tell: Callable[[Verdict], None]) -> None:
    """Carry out that many drawn cases; the same ``start`` draws the same ones.

    :param tell: told of each verdict; after one that breaks a promise the others are smaller cases of the same fault,
        and the last one is the smallest.
    """
    effects = len(prover.run(Case(prover.scenario.name)).effects)

    @seed(start)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=tuple(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(cases(prover.scenario, effects))
    def promises_hold(case: Case) -> None:
        verdict = prover.run(case)
        tell(verdict)
        if verdict.violations:
            raise PromiseBroken(str(verdict))

    try:
        promises_hold()
    except PromiseBroken:
        return
