"""No false alarm over a hundred random honest histories; and whatever does not add up is found, exactly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from balance.company import Company, Found, balance_of, found
from inventory.estate import DAY
from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import State

HISTORIES = 100
NIGHTS = 3


@pytest.mark.parametrize("start", range(0, HISTORIES, 10))
def test_an_honest_history_raises_no_alarm(tmp_path: Path, start: int) -> None:
    for seed in range(start, start + 10):
        company = Company(DataRoot(tmp_path / str(seed)), seed)
        for place, snapshot in enumerate(company.nights(NIGHTS)):
            assert found(snapshot) == set(), f"history {seed}, night {place}"
            assert balance_of(snapshot).verdict == ("balanced" if place else "opening")
            assert snapshot.manifest.balance == balance_of(snapshot).verdict


@pytest.mark.parametrize("seed", range(12))
def test_what_does_not_add_up_is_found_exactly(tmp_path: Path, seed: int) -> None:
    company = Company(DataRoot(tmp_path), seed, numbers=20)
    *_, last = company.nights(2)
    company.finish()
    company.now += timedelta(hours=2)
    injected = inject(company)
    company.now += timedelta(hours=2)

    snapshot = company.night(DAY + timedelta(2))

    assert found(snapshot) == injected
    balance = balance_of(snapshot)
    assert balance.verdict == snapshot.manifest.balance == ("unbalanced" if injected else "balanced")
    assert (balance.since, balance.before, balance.rows) == (last.date, last.rows, snapshot.rows)
    assert balance.before is not None
    assert balance.before + balance.arrived - balance.departed == balance.rows
    company.day()
    assert found(company.night(DAY + timedelta(3))) == {each for each in injected if each[0] == "unknown"}


def inject(company: Company) -> Found:
    """Let things happen that are on no record, and put on record what did not happen."""
    injected: Found = set()
    chosen = company.chance.sample(range(6), company.chance.randint(1, 6))
    for case in chosen:
        if case == 0:  # bought in the console
            orphans = company.new()
            company.arrive(orphans)
            company.busy |= set(orphans)
            injected |= {("orphan", number) for number in orphans}
        elif case == 1:  # given up in the console
            strangers = company.some()
            company.leave(strangers)
            injected |= {("stranger", number) for number in strangers}
        elif case == 2:  # bought on record, and never there
            strangers = company.new()
            company.order(strangers, State.OWNED)
            injected |= {("stranger", number) for number in strangers}
        elif case == 3:  # given up on record, and still there
            strangers = company.some()
            company.busy |= set(strangers)
            journal = company.journal()
            journal.confirm(journal.intend("give up", company.gone(strangers)))
            injected |= {("stranger", number) for number in strangers}
        elif case == 4:  # a purchase whose answer was lost, ours or not
            unknown = company.new()
            company.order(unknown, State.UNKNOWN, doubted=True)
            company.arrive(unknown[:1])
            company.busy |= set(unknown)
            injected |= {("unknown", number) for number in unknown}
        elif case == 5:  # a release that nobody knows the end of
            unknown = company.some(1)
            company.busy |= set(unknown)
            company.journal().intend("give up", company.gone(unknown))
            injected |= {("unknown", number) for number in unknown}
    return injected
