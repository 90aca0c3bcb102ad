"""``ocp-numbers contract``: the contract with OCP as an OpenAPI document, or your OCP compared with it, reads only."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from ocp_numbers.commands.arguments import add_connection
from ocp_numbers.commands.connecting import connected
from ocp_numbers.commands.screen import Screen

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Sequence

    from ocp_numbers.contract import Trial

HEAD = ("Operation", "Called with", "Answer", "Seen", "What was found")
MOODS = {"conforms": ("conform", "good"), "drifts": ("drift", "warning"), "fails": ("fail", "bad")}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--document", action="store_true", help="print the OpenAPI 3.1 document of the operations")
    what.add_argument(
        "--read-only", action="store_true", help="call every operation that only reads, and compare the answers with it"
    )
    add_connection(parser)
    parser.add_argument("--group", default="", help="OCP group to ask about (the one of most of the first numbers)")
    parser.add_argument("--provider", default="", help="with --country: search this provider's offers as well")
    parser.add_argument(
        "--country", default="", metavar="CODE", help="two-letter country code of the offers, such as US"
    )


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Print or compare; 1 when an answer departs from the contract."""
    from ocp_numbers.client import drift
    from ocp_numbers.contract import compare, document

    if options.document:
        print(json.dumps(document(), indent=2, ensure_ascii=False))
        return 0
    with _unsaid(drift.log), connected(options.conn_id) as hook, screen.working(f"comparing {hook.settings.host}"):
        trials = compare(hook.client, provider=options.provider, code=options.country, group=options.group)
    verdicts = Counter(trial.verdict.value for trial in trials)
    found = {
        "conn_id": options.conn_id,
        "host": hook.settings.host,
        "verdicts": dict(verdicts),
        "trials": [asdict(trial) | {"verdict": trial.verdict.value} for trial in trials],
    }
    screen.show(found, told=lambda: _tell(screen, trials, verdicts))
    return 1 if verdicts["drifts"] or verdicts["fails"] else 0


@contextmanager
def _unsaid(log: logging.Logger) -> Iterator[None]:
    """Meanwhile ``log`` is silent: what it would say is what is printed in the end."""
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = False


def _tell(screen: Screen, trials: Sequence[Trial], verdicts: Counter[str]) -> None:
    tried = [trial for trial in trials if trial.verdict != "not tried"]
    rows = []
    for trial in tried:
        first, *more = trial.findings or ("",)
        rows.append((trial.operation, trial.called_with, trial.verdict.value, trial.seen, first))
        rows += [(trial.operation, "", trial.verdict.value, "", finding) for finding in more]
    screen.table(HEAD, rows)
    for verdict, (verb, mood) in MOODS.items():
        if verdicts[verdict]:
            names = ", ".join(trial.operation for trial in tried if trial.verdict == verdict)
            screen.say(f"{verdicts[verdict]} of {len(tried)} {verb}: {names}", mood)
    if verdicts["drifts"]:
        screen.say("What drifts is read as far as it can be understood; only what needs a missing field stops.")
    for reason, count in Counter(reason for trial in trials if trial not in tried for reason in trial.findings).items():
        screen.say(f"{count} not tried: {reason}")
