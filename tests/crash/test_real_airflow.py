"""The prover's runner does not lie: under the whole of Airflow the same cases go the same way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from crash.accidents import Accident, Case, Effect
from crash.prover import Prover
from crash.provisioning import provisioning_unasked

PROJECT = Path(__file__).resolve().parents[2]
CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|[0-9a-f]{32}|approvals/.*|manual__[^/]+")
PURCHASE = "PUT /integrations/api/numbers"
FILLING = "POST /integrations/api/numbers-set/*/numbers"
ACCIDENTS = [
    ("killed-during", PURCHASE),
    ("killed-after", FILLING),
]


def test_under_the_whole_of_airflow_the_same_cases_go_the_same_way() -> None:
    """Killed in the middle and run again: the same effects in the same sequence, the same numbers, the same end."""
    with Prover(provisioning_unasked()) as prover:
        calm = prover.calm(()).verdict.effects
        here = [_here(prover, _at(calm, what, where)) for what, where in ACCIDENTS]
    # Airflow keeps the reports to itself, so that they do not count there.
    heard = [effect for effect in calm if effect.kind != "report"]
    there = _there(_at(heard, what, where) for what, where in ACCIDENTS)
    for accident, ours, theirs in zip(ACCIDENTS, here, there, strict=True):
        assert ours["effects"] == theirs["effects"], accident
        assert ours == theirs, accident


def _at(effects: Sequence[Effect], what: str, where: str) -> Accident:
    return Accident([_lasting(effect.label) for effect in effects].index(where) + 1, what, "trigger")


def _here(prover: Prover, accident: Accident) -> dict[str, Any]:
    verdict = prover.run(Case("provision", (), (accident,)))
    assert not verdict.violations, str(verdict)
    return {"effects": _heard(verdict.effects), "bought": verdict.bought, "complete": True}


def _there(accidents: Iterable[Accident]) -> list[dict[str, Any]]:
    lines = [str(Case("provision", (), (accident,))) for accident in accidents]
    path = os.pathsep.join(str(PROJECT / folder) for folder in ("plugins", "include", "tests"))
    done = subprocess.run(
        [sys.executable, "-m", "crash.real", *lines],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    return [{**each, "effects": _heard([Effect(*effect) for effect in each["effects"]])} for each in found]


def _heard(effects: Iterable[Effect]) -> list[str]:
    return [_lasting(effect.label) for effect in effects if effect.kind != "report"]


def _lasting(label: str) -> str:
    """A label without what is new in every run."""
    return CHANGING.sub("*", label)
