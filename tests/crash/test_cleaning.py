"""The whole DAG cleanup_unused_numbers under the prover: the short form of ``make prove``, and the mutants to kill."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from crash.accidents import Accident, Case, Recovery
from crash.cleaning import cleaning
from crash.mutants import (
    a_mark_is_made_anew,
    journal_written_after_the_change,
    nothing_is_read_again,
    protection_is_ignored,
    strangers_are_given_up,
)
from crash.plugin import Proof
from crash.prover import Prover

NOTE = r"PUT .*/number/note"
GIVE_UP = r"DELETE .*/numbers-set/[^/]+/delete"

WORTH_KILLING: list[tuple[Callable[[], None], tuple[str, ...], tuple[str, str, Recovery] | None, str]] = [
    (protection_is_ignored, (), None, "only-due"),
    (nothing_is_read_again, ("used",), ("killed-before", GIVE_UP, "retry"), "only-due"),
    (strangers_are_given_up, ("stranger",), ("killed-before", GIVE_UP, "retry"), "only-due"),
    (a_mark_is_made_anew, (), ("killed-before", GIVE_UP, "trigger"), "date-kept"),
    (journal_written_after_the_change, (), ("killed-after", NOTE, "retry"), "on-record"),
]


def test_a_cleanup_keeps_its_promises(prove: Callable[..., Proof]) -> None:
    proof = prove(cleaning(), every=157, drawn=4)
    assert proof.met > 8


@pytest.mark.parametrize(("mutant", "variants", "accident", "promise"), WORTH_KILLING)
def test_the_prover_kills_the_mutant(
    mutant: Callable[[], None],
    variants: tuple[str, ...],
    accident: tuple[str, str, Recovery] | None,
    promise: str,
) -> None:
    with Prover(cleaning().broken_by(mutant)) as prover:
        verdict = prover.run(_case(prover, variants, accident))
    assert promise in dict(verdict.violations), str(verdict)


def test_without_a_mutant_nothing_is_found_there() -> None:
    with Prover(cleaning()) as prover:
        verdicts = [prover.run(_case(prover, variants, accident)) for _, variants, accident, _ in WORTH_KILLING]
    assert sum(verdict.met for verdict in verdicts) == len(WORTH_KILLING) - 1
    assert not [str(verdict) for verdict in verdicts if verdict.violations]


def _case(prover: Prover, variants: tuple[str, ...], accident: tuple[str, str, Recovery] | None) -> Case:
    """The case in which the accident happens at the last such effect of an undisturbed run."""
    if accident is None:
        return Case("cleanup", variants)
    what, where, then = accident
    effects = prover.calm(variants).verdict.effects
    at = max(number for number, effect in enumerate(effects, 1) if re.fullmatch(where, effect.label))
    return Case("cleanup", variants, (Accident(at, what, then),))
