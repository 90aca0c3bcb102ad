"""Two regions of one area at once under the prover: the short form of ``make prove``."""

from __future__ import annotations

from collections.abc import Callable

from crash.plugin import Proof
from crash.two_regions import two_regions


def test_two_regions_at_once_keep_their_promises(prove: Callable[..., Proof]) -> None:
    proof = prove(two_regions(), every=199, drawn=2)
    assert proof.met > 6
