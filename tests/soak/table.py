"""The account of a life as a page of text."""

from __future__ import annotations

from collections.abc import Iterator

from . import gauges
from .life import Account, Plan


def table(plan: Plan, account: Account) -> str:
    """Figures, gauges before and after, troubles, and the verdict."""
    return "\n".join(_lines(plan, account))


def _lines(plan: Plan, account: Account) -> Iterator[str]:
    work = f"{plan.nights} nights, {plan.provisionings} provisionings, {plan.cleanups} cleanups"
    yield f"{work}; {plan.faults:.1%} of the calls go wrong"
    for name, figure in account.figures.items():
        yield f"  {name:<18} {figure}"
    yield f"  {'books':<18} {_counted(account.verdicts)}"
    yield f"  {'troubles':<18} {_counted(account.troubles)}"
    early, late = gauges.settled(account.readings)[0], account.readings[-1]
    yield f"  {'gauge':<18} {'night ' + str(early.night):>12} {'night ' + str(late.night):>12} {'per 100 nights':>16}"
    for gauge, unit in (("memory", gauges.MEBIBYTE), ("files", 1), ("sockets", 1), ("threads", 1), ("disk", 2**10)):
        slope = gauges.growth(account.readings, gauge) * 100 / unit
        name = {gauges.MEBIBYTE: f"{gauge}, MiB", 2**10: f"{gauge}, KiB"}.get(unit, gauge)
        yield f"  {name:<18} {getattr(early, gauge) / unit:>12.1f} {getattr(late, gauge) / unit:>12.1f} {slope:>+16.2f}"
    yield f"  {'kept for good, KiB':<18} {early.kept / 2**10:>12.1f} {late.kept / 2**10:>12.1f}"
    for breach in account.breaches:
        yield f"BREACH {breach}"
    yield f"{len(account.breaches)} breaches" if account.breaches else "Nothing wrong."


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1])) or "none"
