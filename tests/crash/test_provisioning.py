"""The whole DAG provision_region under the prover: the short form of ``make prove``."""

from __future__ import annotations

from collections.abc import Callable

from crash.plugin import Proof
from crash.provisioning import provisioning


def test_provisioning_keeps_its_promises(prove: Callable[..., Proof]) -> None:
    proof = prove(provisioning(), every=149, drawn=4)
    assert proof.met > 8
