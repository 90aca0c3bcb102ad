"""The thorough way: every parser with thousands of inputs, as many as there is time for, and what came of them."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from fuzz.doors import PARSERS
from fuzz.promise import Parser, kept


@dataclass
class Account:
    """What came of one parser's inputs."""

    said: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0
    fault: str = ""

    @property
    def line(self) -> str:
        """In figures: inputs, how many were read, the refusals, seconds, and the slowest input."""
        told = ", ".join(f"{count:,} {name}" for name, count in self.said.most_common() if name != "read")
        total = sum(self.said.values())
        return f"{total:>7,} {self.said['read']:>7,} {self.seconds:>6.0f} {self.slowest * 1000:>7.0f}  {told or '-'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try all parsers, or those that are named; 1 when one of them broke its promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=20_000, help="inputs for each parser (%(default)s)")
    parser.add_argument("--minutes", type=float, default=20.0, help="for all of them together (%(default)s)")
    parser.add_argument("--only", default="", help="parsers whose names hold this text")
    parser.add_argument("--seed", type=int, default=0, help="of the first input; the next has the next (%(default)s)")
    options = parser.parse_args(arguments)
    chosen = [each for each in PARSERS if options.only in each.name]
    print(f"{'parser':<32} {'inputs':>7} {'read':>7} {'s':>6} {'max ms':>7}  refused as", flush=True)
    ends = time.monotonic() + 60 * options.minutes
    accounts: list[Account] = []
    for place, each in enumerate(chosen):
        share = (ends - time.monotonic()) / (len(chosen) - place)
        accounts.append(_tried(each, options.examples, max(share, 1.0), options.seed))
        print(f"{each.name:<32} {accounts[-1].line}{'  BROKEN' if accounts[-1].fault else ''}", flush=True)
    total = sum((account.said for account in accounts), Counter[str]())
    broken = [account.fault for account in accounts if account.fault]
    print(f"{sum(total.values()):,} inputs, {total['read']:,} read, {len(broken)} of {len(chosen)} parsers broken")
    print(*broken, sep="\n", file=sys.stderr)
    return 1 if broken else 0


def _tried(parser: Parser, examples: int, seconds: float, seed: int) -> Account:
    account = Account()
    began = time.monotonic()
    for turn in range(seed, seed + examples):
        if time.monotonic() - began > seconds:
            break
        started = time.process_time()
        try:
            account.said[kept(parser, parser.inputs(Random(turn)))] += 1
        except Exception:
            account.fault = f"\n{parser.name}, seed {turn}\n{traceback.format_exc(limit=-12)}"
            break
        account.slowest = max(account.slowest, time.process_time() - started)
    account.seconds = time.monotonic() - began
    return account
