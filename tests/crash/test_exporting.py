"""The nightly export under the prover: the short form of ``make prove``, and the mutants that it has to kill."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crash.accidents import Accident, Case
from crash.exporting import exporting
from crash.plugin import Proof
from crash.prover import Prover


def test_exporting_keeps_its_promises(prove: Callable[..., Proof]) -> None:
    proof = prove(exporting(), every=149, drawn=3)
    assert proof.met > 5


def test_who_was_taken_for_dead_before_it_began_may_export_the_date_once_more() -> None:
    """It wakes up when the run that took its place has ended: what it publishes then is the inventory, whole."""
    with Prover(exporting()) as prover:
        verdict = prover.run(Case.parse("export+again 1:frozen>lose-root"))
    assert verdict.met == 1
    assert not verdict.violations, str(verdict)


def files_moved_over_those_of_the_last_export() -> None:
    """What many exports do: each file takes the place of the old one, and the manifest comes last."""
    from ocp_numbers.inventory import export, publish
    from ocp_numbers.inventory.snapshot import MANIFEST, CompleteSnapshot

    def move_over(root, folder, staging, manifest, lease):  # type: ignore[no-untyped-def]
        for file in manifest.files.values():
            root.move(f"{staging}/{file.path}", f"{folder}/{file.path}")
        lease.write(f"{folder}/{MANIFEST}", manifest.document())
        publish._point(root, manifest.scope, lease)
        publish.tidy(root, folder, manifest, lease)
        return CompleteSnapshot(root, folder, manifest)

    export.publish = move_over  # type: ignore[attr-defined]


def manifest_written_first() -> None:
    """The manifest is there before the files that it names."""
    from ocp_numbers.inventory import export, publish

    put = publish.publish

    def first(root, folder, staging, manifest, lease):  # type: ignore[no-untyped-def]
        lease.write(f"{folder}/manifest.json", manifest.document())
        return put(root, folder, staging, manifest, lease)

    export.publish = first  # type: ignore[attr-defined]


def manifest_not_guarded_by_the_lease() -> None:
    """Who slept for too long publishes what it had read before others took over."""
    from ocp_numbers.lease import Lease

    Lease.write = lambda self, key, content: self._root.write(key, content)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("mutant", "file", "accident", "promise"),
    [
        (files_moved_over_those_of_the_last_export, "numbers.parquet", "killed-after", "whole"),
        (manifest_written_first, "manifest.json", "killed-after", "whole"),
        (manifest_not_guarded_by_the_lease, "manifest.json", "frozen", "whole"),
    ],
)
def test_the_prover_kills_the_mutant(mutant: Callable[[], None], file: str, accident: str, promise: str) -> None:
    with Prover(exporting().broken_by(mutant)) as prover:
        calm = prover.calm(("again",)).verdict
        assert not calm.violations, "the mutant must be wrong only when something goes wrong"
        at = next(
            place
            for place, effect in enumerate(calm.effects, 1)
            if effect.label.startswith("rename ") and effect.label.endswith(f"/{file}") and ".new-" not in effect.label
        )
        verdict = prover.run(Case("export", ("again",), (Accident(at, accident, "retry"),)))
    assert promise in dict(verdict.violations), str(verdict)
