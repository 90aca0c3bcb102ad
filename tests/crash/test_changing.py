"""The whole DAG apply_number_changes under the prover: the short form of ``make prove``, and the mutants to kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crash.accidents import Case
from crash.changing import changing
from crash.mutants import edits_are_overwritten, journal_written_after_the_change, no_way_back
from crash.plugin import Proof
from crash.prover import Prover

WORTH_KILLING = [
    (no_way_back, "", "way-back"),
    (journal_written_after_the_change, "killed-after", "on-record"),
    (edits_are_overwritten, "killed-before", "not-overwritten"),
]


def test_a_bulk_change_keeps_its_promises(prove: Callable[..., Proof]) -> None:
    """The run started again, by Airflow or by a person, completes what is missing."""
    proof = prove(replace(changing(), recoveries=("retry", "clear")), every=157, drawn=4)
    assert proof.met > 8


@pytest.mark.parametrize(("mutant", "accident", "promise"), WORTH_KILLING)
def test_the_prover_kills_the_mutant(mutant: Callable[[], None], accident: str, promise: str) -> None:
    with Prover(changing().broken_by(mutant)) as prover:
        verdict = prover.run(_case(prover, accident))
    assert promise in dict(verdict.violations), str(verdict)


def test_without_a_mutant_nothing_is_found_there() -> None:
    with Prover(changing()) as prover:
        verdicts = [prover.run(_case(prover, accident)) for _, accident, _ in WORTH_KILLING]
    assert not [str(verdict) for verdict in verdicts if verdict.violations]


def _case(prover: Prover, accident: str) -> Case:
    """The case in which the accident happens when the first note is about to be changed."""
    if not accident:
        return Case("bulk")
    labels = [effect.label for effect in prover.calm(("edited",)).verdict.effects]
    files = [at for at, label in enumerate(labels, 1) if label == "PUT /integrations/api/numbers/csv"]
    return Case.parse(f"bulk+edited {files[1]}:{accident}>retry")
