"""The prover's command: every single accident of every scenario, and drawn combinations, judged by the promises."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence

from .accidents import Case
from .crew import drawn, single, work
from .promises import PROMISES
from .prover import Prover
from .scenario import Scenario
from .scenarios import SCENARIOS
from .trial import Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove what is asked for; 1 when a promise was broken."""
    asked = _parser().parse_args(arguments)
    if asked.replay:
        return _replay(asked.replay)
    started = time.monotonic()
    counts: Counter[tuple[str, str]] = Counter()
    met: Counter[int] = Counter()
    broken: dict[str, Verdict] = {}
    scenarios = [SCENARIOS[name]() for name in asked.scenario or SCENARIOS]
    for scenario in scenarios:
        shares = [single(variants, asked.every) for variants in scenario.worlds]
        if asked.drawn:
            shares.append(drawn(asked.drawn // len(scenarios), asked.seed))
        for news in work(scenario, shares, jobs=asked.jobs):
            counts[scenario.name, news.kind] += 1
            met[news.verdict.met] += 1
            if news.verdict.violations:
                broken[str(news.verdict.case)] = news.verdict
                _show(news.verdict)
            _show_progress(sum(counts.values()), len(broken), started)
    _show_end(scenarios, counts, met, broken, time.monotonic() - started)
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only this one; may be given twice")
    parser.add_argument("--drawn", type=int, default=2000, metavar="N", help="drawn combinations in all (2000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other combinations (0)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th single accident (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (one per core)")
    parser.add_argument("--replay", type=_case, metavar="CASE", help="carry out this one case, as a failure printed it")
    return parser


def _case(line: str) -> Case:
    try:
        case = Case.parse(line)
        if case.scenario not in SCENARIOS:
            raise ValueError(f"there is no scenario {case.scenario!r}; there are {', '.join(SCENARIOS)}")
        SCENARIOS[case.scenario]().chosen(case.variants)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return case


def _replay(case: Case) -> int:
    with Prover(SCENARIOS[case.scenario]()) as prover:
        verdict = prover.run(case)
    for number, effect in enumerate(verdict.effects, 1):
        print(f"{number:4} {effect.kind:6} {effect.label}")
    print(verdict)
    return 1 if verdict.violations else 0


def _show(verdict: Verdict) -> None:
    print(f"{verdict}\n  replay: python -m tests.crash --replay '{verdict.case}'\n", flush=True)


def _show_progress(cases: int, broken: int, started: float) -> None:
    if sys.stderr.isatty() or cases % 100 == 0:
        rate = cases / (time.monotonic() - started)
        end = "" if sys.stderr.isatty() else "\n"
        print(f"\r{cases} cases, {rate:.1f} a second, {broken} broken ", end=end, file=sys.stderr, flush=True)


def _show_end(
    scenarios: Sequence[Scenario],
    counts: Counter[tuple[str, str]],
    met: Counter[int],
    broken: dict[str, Verdict],
    seconds: float,
) -> None:
    print()
    for (scenario, kind), cases in counts.items():
        print(f"{scenario:12}{kind:8}{cases:7} cases")
    print("accidents met: " + ", ".join(f"{number} in {cases} cases" for number, cases in sorted(met.items())))
    failures = Counter(promise for verdict in broken.values() for promise, _ in verdict.violations)
    promises = {**PROMISES, **{name: what for scenario in scenarios for name, what in scenario.promises.items()}}
    for promise, what in promises.items():
        print(f"{failures[promise]:6} violations of {promise}: {what}")
    cases = sum(counts.values())
    print(f"{cases} cases in {seconds:.0f} s, {len(broken)} broke a promise")
