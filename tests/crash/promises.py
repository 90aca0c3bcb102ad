"""What must hold after every attempt, and at the end: the platform's ledger beside the program's own account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from .scenario import Account, Results, Scenario, Violation
from .world import Purchase, World

PROMISES = {
    "not-twice": "numbers bought for the order are at most the wanted ones, and none is bought twice",
    "in-budget": "what was spent is at most the budget",
    "accounted": "every number bought stands in the order, or is adopted, and no other is claimed",
    "exact": "the account's sum is the ledger's, and what a failed attempt published is right",
    "complete": "a run that ended complete has exactly the wanted numbers",
    "ends": "once nothing goes wrong any more, people get the run to its end",
}
"""Each promise's name and what it says; a scenario may have more."""


def always(scenario: Scenario, world: World, *, rootless: bool) -> Iterator[Violation]:
    """What is broken now, whatever happened; ``rootless`` while a lost data root is not rebuilt yet."""
    bought = world.bought()
    twice = [number for number, times in Counter(line.number for line in bought).items() if times > 1]
    if twice:
        yield "not-twice", f"bought twice: {', '.join(twice)}"
    if len(bought) > scenario.wanted:
        yield "not-twice", f"{len(bought)} bought, {scenario.wanted} wanted"
    spent = sum((line.price for line in bought), Decimal(0))
    if spent > scenario.budget:
        yield "in-budget", f"{spent} spent, {scenario.budget} allowed"
    if not rootless:
        yield from _accounted(scenario.account(world), bought)
    yield from scenario.watch(world)


def at_the_end(scenario: Scenario, world: World, results: Results) -> Iterator[Violation]:
    """What is broken in a run that ended complete."""
    bought = {line.number for line in world.bought()}
    if len(bought) != scenario.wanted:
        yield "complete", f"{len(bought)} bought, {scenario.wanted} wanted"
    account = scenario.account(world)
    if account.doubtful:
        yield "complete", f"still in doubt: {_listed(account.doubtful)}"
    for fault in scenario.check(world, results):
        yield "complete", fault


def _accounted(account: Account, bought: Iterable[Purchase]) -> Iterator[Violation]:
    prices = {line.number: line.price for line in bought}
    unknown = prices.keys() - account.owned - account.doubtful
    if unknown:
        yield "accounted", f"bought and in no account: {_listed(unknown)}"
    claimed = account.owned - prices.keys()
    if claimed:
        yield "accounted", f"claimed and never bought: {_listed(claimed)}"
    true = sum((prices[number] for number in account.owned & prices.keys()), Decimal(0))
    if account.spent != true and not (account.estimated and account.spent > true):
        yield "exact", f"the account says {account.spent}, the ledger {true}"


def _listed(numbers: Iterable[str]) -> str:
    return ", ".join(sorted(numbers))
