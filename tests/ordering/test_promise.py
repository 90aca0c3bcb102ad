"""The promise under any sequence of mishaps: no number twice, no cent over budget, none unaccounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocp_numbers.errors import OcpError, OrderHeld
from ocp_numbers.ordering import Buyer, Offer, OrderBook, Policy, Receipt, Wishes, problem
from ordering.platform_model import GROUP, MISHAPS, Killed, MortalRoot, Plan, Platform, Time

ORDER = "ocp_default/trial"
SETTLE = 60
HIDDEN = SETTLE - 1
"""The longest that a purchase may take to show."""
STOCK = {f"+1212555{n:04d}": Decimal(1 + n // 3) for n in range(12)}


@dataclass
class World:
    """A platform, a data root and attempts at one order."""

    wishes: Wishes
    hidden: float = 0
    time: Time = field(default_factory=Time)
    documents: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.platform = Platform(self.time, STOCK, self.hidden)

    def attempt(self, mishaps: dict[int, str] | None = None) -> Receipt | None:
        """One attempt; None when it failed. Afterwards the promise has to hold, whatever happened."""
        plan = self.plan = Plan(mishaps or {})
        buyer = Buyer(
            self.platform.client(plan),
            OrderBook(MortalRoot(self.documents, plan), "ocp_default"),
            policy=Policy(settle=timedelta(seconds=SETTLE), batch_size=2),
            clock=self.time,
            sleep=self.time.pass_by,
        )
        receipt = None
        try:
            receipt = buyer.fulfil(self.wishes, order_id=ORDER)
        except OrderHeld as held:
            self.time.pass_by(held.retry_after)
        except (Killed, OcpError):
            self.time.pass_by(5)
        self.check(receipt)
        return receipt

    @property
    def events(self) -> int:
        """How many calls and writes the last attempt made."""
        return self.plan.events

    def check(self, receipt: Receipt | None) -> None:
        bought = {owned.number for owned in self.platform.bought}
        assert len(bought) <= self.wishes.wanted
        if self.wishes.max_total_price is not None:
            assert self.platform.spent <= self.wishes.max_total_price
        if receipt is not None:
            assert bought <= {*receipt.numbers, *receipt.unknown}
            assert {*receipt.bought, *receipt.adopted} <= bought
            assert receipt.outcome != "complete" or len(receipt.numbers) == self.wishes.wanted
            assert receipt.outcome == "complete" or problem(receipt) is not None

    def lose_data_root(self) -> None:
        self.documents.clear()

    def rival_buys(self, nth: int) -> None:
        on_sale = sorted(self.platform.stock)
        if on_sale:
            self.platform.buy([on_sale[nth % len(on_sale)]], "rival", ours=False)


def wish(kind: str, quantity: int, budget: Decimal | None) -> Wishes:
    place = {"provider": "telnova", "group": GROUP, "country_code": "US", "prefix": "+1212"}
    offers = [Offer(number=number, price=price) for number, price in STOCK.items()]
    contents: dict[str, dict[str, Any]] = {
        "quantity": {"quantity": quantity},
        "numbers": {"numbers": [offer.number for offer in offers[:quantity]]},
        "offers": {"offers": offers[:quantity], "spares": offers[quantity : quantity + 4]},
    }
    return Wishes.model_validate({**place, **contents[kind], "max_total_price": budget})


wishes = st.builds(
    wish, st.sampled_from(["quantity", "numbers", "offers"]), st.integers(1, 5), st.sampled_from([None, Decimal(10)])
)
mishaps = st.dictionaries(st.integers(0, 30), st.sampled_from(MISHAPS), max_size=4)
happenings = st.one_of(
    mishaps.map(lambda plan: ("attempt", plan)),
    st.just(("lose data root", None)),
    st.integers(0, 11).map(lambda nth: ("rival", nth)),
    st.sampled_from([1, 30, 70, 300]).map(lambda seconds: ("time", seconds)),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wishes=wishes, hidden=st.sampled_from([0, 5, 40, HIDDEN]), happenings=st.lists(happenings, max_size=8))
def test_whatever_happens_the_promise_holds_and_calm_brings_the_order_to_its_end(
    wishes: Wishes, hidden: float, happenings: list[tuple[str, Any]]
) -> None:
    world = World(wishes, hidden)
    for what, detail in happenings:
        if what == "attempt":
            world.attempt(detail)
        elif what == "lose data root":
            world.lose_data_root()
        elif what == "rival":
            world.rival_buys(detail)
        else:
            world.time.pass_by(detail)

    receipts = [world.attempt() for _ in range(4)]

    assert all(receipt is None or not receipt.unknown for receipt in receipts[1:])
    accounts = [receipt for receipt in receipts if receipt is not None]
    assert accounts or not world.platform.bought
    if accounts:
        assert {owned.number for owned in world.platform.bought} == {*accounts[-1].bought, *accounts[-1].adopted}


def events_of_a_calm_run(wishes: Wishes, hidden: float) -> int:
    world = World(wishes, hidden)
    assert world.attempt() is not None
    return world.events


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("kind", ["quantity", "offers"])
def test_each_single_mishap_at_each_event_ends_complete(mishap: str, kind: str) -> None:
    events = events_of_a_calm_run(wish(kind, 3, Decimal(10)), HIDDEN)
    assert events > 10
    for event in range(events):
        world = World(wish(kind, 3, Decimal(10)), HIDDEN)
        world.attempt({event: mishap})
        final = [world.attempt() for _ in range(3)][-1]
        assert final is not None
        assert (final.outcome, len(world.platform.bought)) == ("complete", 3), f"{mishap} at event {event}"
        assert final.spent == world.platform.spent


@pytest.mark.parametrize("kind", ["quantity", "numbers", "offers"])
def test_losing_the_data_root_after_a_kill_at_each_event_ends_with_all_numbers(kind: str) -> None:
    for event in range(events_of_a_calm_run(wish(kind, 3, None), HIDDEN)):
        world = World(wish(kind, 3, None), HIDDEN)
        world.attempt({event: "killed after"})
        world.lose_data_root()
        final = [world.attempt() for _ in range(3)][-1]
        assert final is not None
        assert (final.outcome, len(final.numbers), len(world.platform.bought)) == ("complete", 3, 3), event
