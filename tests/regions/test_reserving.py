"""Runs for different regions of one area: none picks what another one's plan counts on, whatever comes between them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocp_numbers.client import Clock
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Held, NotEnoughNumbers
from ocp_numbers.models import AvailableNumber, NumberSet, PhoneNumber
from ocp_numbers.ordering import OrderBook, Reservations, Taken, stamp
from ocp_numbers.ordering.reservations import AFTERWARDS, HOLD
from ocp_numbers.regions.plan import RegionPlan
from ocp_numbers.regions.reserving import Planner, claim_of, owner, plan_around
from ocp_numbers.regions.spec import Region
from regions.examples import attached, number, offer, region, seen
from regions.turns import Killed, TurningClock, TurningRoot, Turns

ENVIRONMENT = "ocp_default"
UNUSED = {"mini_app_id": None, "set_id": None, "note": None}


class Time(Clock):
    """Stands still unless somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pass_by(self, time: timedelta) -> None:
        self.now += time.total_seconds()


class Estate:
    """A platform as far as planning sees it: free numbers, offers and sets; each look at it is a turn."""

    def __init__(self, turns: Turns, *, free: int, offers: int) -> None:
        self._turns = turns
        self.group = {each.number: each for each in (number(index, **UNUSED) for index in range(free))}
        self.offers = {each.number: each for each in (offer(index) for index in range(free, free + offers))}
        self.made: dict[str, NumberSet] = {}
        self.numbers = self.sets = self  # as a client: few methods, none of which the two have both

    def list(self) -> list[NumberSet]:
        self._turns.take()
        return [*self.made.values()]

    def __call__(self, set_id: str) -> list[PhoneNumber]:
        self._turns.take()
        return [each for each in self.group.values() if each.set_id == set_id]

    def iterate(self, **_: Any) -> Iterator[PhoneNumber]:
        for each in [*self.group.values()]:
            self._turns.take()
            yield self.group[each.number]

    def search_available(self, **_: Any) -> Iterable[AvailableNumber]:
        self._turns.take()
        return [*self.offers.values()]

    def carry_out(self, plan: RegionPlan) -> None:
        """Buy, put into the set and attach; each a turn. Anything that is not there any more is an error."""
        wanted, set_id = plan.region, f"set-{plan.region.set_name}"
        self._turns.take()
        self.made.setdefault(set_id, NumberSet(id=set_id, name=wanted.set_name, group_id=wanted.group))
        if plan.order:
            for each in plan.order.offers[: plan.order.to_buy]:
                self._turns.take()
                del self.offers[each.number]
                note = stamp(plan.order.order_id)
                self.group[each.number] = number(0, **{**UNUSED, "number": each.number, "note": note})
        bought = [each.number for each in self.group.values() if plan.order and stamp(plan.order.order_id) == each.note]
        for used in (*plan.known, *bought):
            self._turns.take()
            assert self.group[used].set_id in (None, set_id), f"{used} is in another set"
            changed = {"set_id": set_id, "mini_app_id": wanted.mini_app_id, "locale": wanted.locale}
            self.group[used] = self.group[used].model_copy(update=changed)


def provision(estate: Estate, root: DataRoot, clock: Clock, wanted: Region) -> None:
    reservations = Reservations(root, ENVIRONMENT, clock=clock)
    planner = Planner(estate, OrderBook(root, ENVIRONMENT), reservations, lambda _: False)  # type: ignore[arg-type]
    plan = planner.reserve(wanted, run=wanted.set_name)
    if plan.changes_nothing:
        return
    assert reservations.renew(claim_of(plan), run=wanted.set_name) == {}
    estate.carry_out(plan)
    reservations.fulfil(owner(wanted))


def insist(estate: Estate, root: DataRoot, clock: Clock, wanted: Region) -> None:
    """As a task that is tried again while others, some of them dead, hold what it needs."""
    while True:
        try:
            return provision(estate, root, clock, wanted)
        except Held as held:
            clock.sleep(held.retry_after or 1)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    quantities=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    free=st.integers(0, 8),
    to_spare=st.integers(0, 12),
    deadly=st.sampled_from([0.0, 0.0, 0.01, 0.03]),
)
def test_whatever_comes_between_each_run_gets_its_own_numbers(
    seed: int, quantities: list[int], free: int, to_spare: int, deadly: float
) -> None:
    """Also when there are no more numbers than are wanted in all, and when runs die and are begun again."""
    turns = Turns(Random(seed), deadly=deadly)
    folder = Path(tempfile.mkdtemp())
    try:
        root, clock = TurningRoot(folder, turns), TurningClock(turns)
        left = max(0, sum(quantities) - free)
        # One that died before its numbers were in the set may have bought some that it then need not use.
        estate = Estate(turns, free=free, offers=left + to_spare + (sum(quantities) if deadly else 0))
        wishes = [
            region(set_name=f"desk-{place}", quantity=quantity, max_total_price=500)
            for place, quantity in enumerate(quantities)
        ]
        turns.play(*(lambda wanted=wanted: insist(estate, root, clock, wanted) for wanted in wishes))
        for wanted in wishes:
            inside = [each for each in estate.group.values() if each.set_id == f"set-{wanted.set_name}"]
            assert len(inside) == wanted.quantity or turns.deaths
            assert len(inside) >= wanted.quantity
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def reservations(tmp_path: Path, time: Time) -> Reservations:
    return Reservations(DataRoot(tmp_path), ENVIRONMENT, clock=time)


MOMENT = timedelta(microseconds=1)


def reserve(reservations: Reservations, wanted: Region, run: str = "run", **there: Any) -> RegionPlan:
    """Plan and reserve, with ``there`` as what OCP shows to who looks a moment after all that was."""

    def decide(taken: Taken) -> Any:
        plan = plan_around(wanted, seen(**there), taken)
        return plan, claim_of(plan)

    plan: RegionPlan = reservations.reserve(decide, owner=owner(wanted), run=run, since=reservations.now() + MOMENT)
    return plan


NORTH, SOUTH = region(set_name="north", quantity=2), region(set_name="south", quantity=2)


def chosen(plan: RegionPlan) -> set[str]:
    return set(claim_of(plan).numbers)


class TestWhatIsTaken:
    def test_free_numbers_and_offers_of_another_plan_are_left_to_it(self, reservations: Reservations) -> None:
        there = {"free": (number(1), number(2), number(3)), "offers": tuple(offer(index) for index in range(10, 30))}
        first, second = reserve(reservations, NORTH, **there), reserve(reservations, SOUTH, **there)
        assert not chosen(first) & chosen(second)
        assert len(second.reuse) == 1

    def test_spares_of_another_plan_are_left_to_it_while_there_is_enough(self, reservations: Reservations) -> None:
        there = {"offers": tuple(offer(index) for index in range(30))}
        first = claim_of(reserve(reservations, NORTH, **there))
        second = claim_of(reserve(reservations, SOUTH, **there))
        assert not {*first.numbers, *first.spares} & {*second.numbers, *second.spares}

    def test_where_there_is_no_more_its_spares_are_used(self, reservations: Reservations) -> None:
        there = {"offers": tuple(offer(index) for index in range(4))}
        first, second = reserve(reservations, NORTH, **there), reserve(reservations, SOUTH, **there)
        assert len(chosen(first) | chosen(second)) == 4

    def test_who_then_has_too_few_is_told_who_holds_them(self, reservations: Reservations) -> None:
        there = {"offers": tuple(offer(index) for index in range(3))}
        reserve(reservations, NORTH, **there)
        with pytest.raises(NotEnoughNumbers, match=r"2 more are reserved by plans .* for set north of group retail-us"):
            reserve(reservations, SOUTH, **there)

    def test_nobody_is_blamed_where_nobody_holds_what_is_missing(self, reservations: Reservations) -> None:
        reserve(reservations, NORTH, offers=tuple(offer(index) for index in range(2)))
        with pytest.raises(NotEnoughNumbers) as missing:
            reserve(reservations, SOUTH, offers=(offer(9),))
        assert "reserved by plans" not in str(missing.value)

    def test_cheap_numbers_held_as_spares_are_used_where_the_others_break_the_budget(
        self, reservations: Reservations
    ) -> None:
        there = {"offers": (*(offer(index) for index in range(4)), *(offer(index, 9) for index in range(4, 8)))}
        reserve(reservations, NORTH, **there)
        thrifty = region(set_name="south", quantity=2, max_total_price=10)
        assert reserve(reservations, thrifty, **there).total == Decimal(10)

    def test_a_plan_of_the_same_region_finds_its_own_numbers(self, reservations: Reservations) -> None:
        there = {"free": (number(1),), "offers": tuple(offer(index) for index in range(10, 12))}
        first = reserve(reservations, NORTH, run="one", **there)
        assert reserve(reservations, NORTH, run="two", **there).digest == first.digest

    def test_what_an_interrupted_attempt_held_comes_free_with_the_next(self, reservations: Reservations) -> None:
        reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        reserve(reservations, NORTH, offers=(offer(3), offer(4)))
        assert chosen(reserve(reservations, SOUTH, offers=(offer(1), offer(2)))) == {offer(1).number, offer(2).number}

    def test_other_environments_have_their_own(self, tmp_path: Path, time: Time, reservations: Reservations) -> None:
        reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        assert Reservations(DataRoot(tmp_path), "other", clock=time).taken() == Taken()


class TestHowLong:
    def test_until_it_is_rejected(self, reservations: Reservations) -> None:
        plan = reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        reservations.withdraw(owner(NORTH), plan.digest)
        assert reservations.taken() == Taken()

    def test_until_a_little_after_it_is_carried_out_for_those_who_looked_before(
        self, reservations: Reservations, time: Time
    ) -> None:
        reserve(reservations, NORTH, offers=tuple(offer(index) for index in range(9)))
        reservations.fulfil(owner(NORTH))
        assert len(reservations.taken().owner) == 2
        assert not reservations.taken().spares
        looked = reservations.now()
        time.pass_by(AFTERWARDS)
        assert reservations.taken() == Taken()
        assert len(reservations.taken(since=looked).owner) == 2

    def test_a_run_that_never_comes_back_holds_them_for_a_day(self, reservations: Reservations, time: Time) -> None:
        reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        time.pass_by(HOLD)
        assert chosen(reserve(reservations, SOUTH, offers=(offer(1), offer(2))))

    def test_renewed_when_the_plan_is_carried_out(self, reservations: Reservations, time: Time) -> None:
        plan = reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        time.pass_by(HOLD / 2)
        assert reservations.renew(claim_of(plan), run="run") == {}
        time.pass_by(HOLD * 3 / 4)
        assert set(reservations.taken().owner) == chosen(plan)

    def test_one_that_ran_out_and_went_to_another_is_not_taken_back(
        self, reservations: Reservations, time: Time
    ) -> None:
        late = reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        time.pass_by(HOLD)
        reserve(reservations, SOUTH, offers=(offer(2), offer(3)))
        assert reservations.renew(claim_of(late), run="run") == {offer(2).number: owner(SOUTH)}
        assert offer(1).number not in reservations.taken().owner

    def test_what_ended_is_forgotten_so_that_the_document_stays_small(
        self, reservations: Reservations, time: Time, tmp_path: Path
    ) -> None:
        sizes = []
        for turn in range(30):
            wanted = region(set_name=f"desk-{turn}", quantity=1)
            reserve(reservations, wanted, offers=(offer(turn),))
            reservations.fulfil(owner(wanted))
            time.pass_by(timedelta(hours=1))
            sizes.append(DataRoot(tmp_path).read(f"reservations/{ENVIRONMENT}.json") or b"")
        assert len(sizes[-1]) <= 2 * len(sizes[0])


class TestAccidents:
    def test_a_lost_document_is_no_reservation_and_is_made_anew(
        self, reservations: Reservations, tmp_path: Path
    ) -> None:
        plan = reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        DataRoot(tmp_path).delete(f"reservations/{ENVIRONMENT}.json")
        assert reservations.taken() == Taken()
        assert reservations.renew(claim_of(plan), run="run") == {}
        assert set(reservations.taken().owner) == chosen(plan)

    @pytest.mark.parametrize("content", [b"", b"{}}", b'{"reservations": [{"owner": 3}]}', b"\xff"])
    def test_a_document_that_cannot_be_read_hinders_nobody(
        self, reservations: Reservations, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        DataRoot(tmp_path).write(f"reservations/{ENVIRONMENT}.json", content)
        plan = reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        assert set(reservations.taken().owner) == chosen(plan)
        assert "cannot be read" in caplog.text

    def test_who_died_over_the_document_holds_up_the_others_for_one_term(
        self, reservations: Reservations, time: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(_: Taken) -> Any:
            raise Killed

        monkeypatch.setattr("ocp_numbers.holder._place", lambda: None)
        monkeypatch.setattr("ocp_numbers.lease.Lease._release", lambda self: None)
        before = time.now
        with pytest.raises(Killed):
            reservations.reserve(die, owner="x", run="x", since=reservations.now())
        assert reserve(reservations, NORTH, offers=(offer(1), offer(2)))
        assert time.now - before < 40

    def test_a_region_in_order_reserves_nothing(self, reservations: Reservations) -> None:
        done = seen(sets=(), members=(attached(1), attached(2)))
        assert plan_around(NORTH, done, Taken()).changes_nothing
