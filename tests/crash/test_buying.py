"""BuyNumbersOperator under the prover: the short form of ``make prove``, and the mutants that it has to kill."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crash.buying import buying
from crash.mutants import new_numbers_while_unknown, order_saved_after_the_call, paid_calls_are_repeated
from crash.plugin import Proof
from crash.prover import Prover

PURCHASE = "PUT /integrations/api/numbers"


def test_buying_keeps_its_promises(prove: Callable[..., Proof]) -> None:
    proof = prove(buying(), every=43, drawn=15)
    assert proof.met > 30


@pytest.mark.parametrize(
    ("mutant", "accident", "promise"),
    [
        (order_saved_after_the_call, "killed-during", "accounted"),
        (paid_calls_are_repeated, "answer-lost", "accounted"),
        (new_numbers_while_unknown, "answer-lost", "accounted"),
    ],
)
def test_the_prover_kills_the_mutant(mutant: Callable[[], None], accident: str, promise: str) -> None:
    """A single accident at the purchase is enough, where what was bought shows some seconds later."""
    found = {}
    with Prover(buying().broken_by(mutant)) as prover:
        calm = prover.calm(("delayed",)).verdict
        assert not calm.violations, "the mutant must be wrong only when something goes wrong"
        at = [effect.label for effect in calm.effects].index(PURCHASE) + 1
        for case, *_ in prover.single_accidents(("delayed",)):
            if case.accidents and case.accidents[0].at == at:
                found[case.accidents[0].what] = dict(prover.run(case).violations)
    assert promise in found[accident]


def test_without_a_mutant_nothing_is_found_at_the_purchase() -> None:
    with Prover(buying()) as prover:
        calm = prover.calm(("delayed",)).verdict
        at = [effect.label for effect in calm.effects].index(PURCHASE) + 1
        verdicts = [
            prover.run(case)
            for case, *_ in prover.single_accidents(("delayed",))
            if case.accidents and case.accidents[0].at == at
        ]
    assert len(verdicts) > 10
    assert not [str(verdict) for verdict in verdicts if verdict.violations]
