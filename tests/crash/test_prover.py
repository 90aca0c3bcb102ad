"""The prover itself is put to the proof: what is right passes, what is wrong does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crash.accidents import HAPPENS_TO, Accident, Case, Effect
from crash.effects import kill_self
from crash.plugin import Proof, carry_out
from crash.prover import Prover
from crash.toys import CarefulBuyer, ForgetfulBuyer, toy
from crash.zygote import Zygote


def test_a_careful_program_keeps_every_promise_whatever_happens(prove: Callable[..., Proof]) -> None:
    proof = prove(toy(CarefulBuyer), every=19, drawn=8)
    assert proof.met >= proof.cases - 1


def test_a_forgetful_program_is_caught_in_the_act() -> None:
    broken = carry_out(toy(ForgetfulBuyer), every=7).broken
    caught = {(str(verdict.case), promise) for verdict in broken for promise, _ in verdict.violations}
    assert {promise for _, promise in caught} >= {"not-twice", "accounted"}


def test_the_same_case_leads_to_the_same_verdict() -> None:
    case = Case.parse("toy 4:killed-during>retry 3:answer-lost>trigger")
    with Prover(toy(ForgetfulBuyer)) as prover:
        first, second = prover.run(case), prover.run(case)
    assert first.violations
    assert [first.violations, first.effects, first.story] == [second.violations, second.effects, second.story]


def test_every_accident_happens_to_the_effect_it_is_meant_for() -> None:
    with Prover(toy(CarefulBuyer)) as prover:
        calm = prover.calm(()).verdict
        enumerated = {
            (case.accidents[0].at, case.accidents[0].what)
            for cases in prover.single_accidents()
            for case in cases
            if case.accidents
        }
    assert enumerated == {(at, what) for at, effect in enumerate(calm.effects, 1) for what in HAPPENS_TO[effect.kind]}
    assert {effect.kind for effect in calm.effects} == {"call", "write", "report"}


@pytest.mark.parametrize("line", ["buy", "buy+delayed+elsewhere 7:killed-during>clear 3:answer-lost>lose-root"])
def test_a_case_is_read_as_it_was_written(line: str) -> None:
    assert str(Case.parse(line)) == line


@pytest.mark.parametrize(
    "line", ["buy 0:killed-during>retry", "buy 1:tired>retry", "buy 1:killed-during>pray", "buy 1"]
)
def test_a_case_that_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"accidents: killed-before"):
        Case.parse(line)


def test_an_accident_waits_for_an_effect_that_it_can_happen_to() -> None:
    lost = Accident(3, "answer-lost")
    assert not lost.befalls(Effect("call", "GET /"), 2)
    assert not lost.befalls(Effect("write", "rename order"), 3)
    assert lost.befalls(Effect("call", "GET /"), 4)


def test_what_a_killed_process_told_is_not_lost(tmp_path: Path) -> None:
    def work(piece: object, tell: Callable[[str, object], None]) -> None:
        tell("said", piece)
        if piece == "die":
            kill_self()
        (tmp_path / "survived").touch()

    zygote = Zygote(work, prepare=lambda: None)
    assert list(zygote.run("die")) == [("said", "die"), ("ended", -9)]
    assert not (tmp_path / "survived").exists()
    assert list(zygote.run("live")) == [("said", "live"), ("ended", 0)]
    zygote.close()


def test_attempts_are_processes_of_their_own() -> None:
    zygote = Zygote(lambda piece, tell: tell("pid", os.getpid()), prepare=lambda: None)
    first, second, here = (dict(run)["pid"] for run in (zygote.run(1), zygote.run(2), zygote.run_in_place(3)))
    zygote.close()
    assert len({first, second, here, os.getpid()}) == 4
