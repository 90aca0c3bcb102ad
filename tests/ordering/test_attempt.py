"""What one run does for one order: its calls, its saves, its waiting, and where it ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from ocp_numbers.errors import (
    IncompleteSnapshot,
    Interrupted,
    NotEnoughNumbers,
    OrderConflict,
    OrderHeld,
    OverBudget,
    TooManyRequests,
)
from ocp_numbers.models import PhoneNumber, Purchase
from ocp_numbers.ordering import Buyer, Caps, Order, OrderBook, Policy, Receipt, Requester, State, Wishes, stamp
from ocp_numbers.ordering.attempt import LOOKS_AT_A_MOVING_INVENTORY
from ordering.examples import A, B, C, D, offer
from ordering.platform_model import MortalRoot, Plan, Platform, Time
from ordering.shop import GROUP, wish

ORDER = "ocp/trial"
STAMP = stamp(ORDER)


class Root(MortalRoot):
    """Keeps each version of each document that was put in its place."""

    def __init__(self, documents: dict[str, bytes]) -> None:
        super().__init__(documents, Plan())
        self.versions: list[tuple[str, bytes]] = []

    def move(self, source: str, target: str) -> None:
        super().move(source, target)
        self.versions.append((target, self.read(target) or b""))


class Desk:
    """Runs at orders over a platform in memory. Its book is old enough for nobody to wait, unless told otherwise."""

    def __init__(self, *prices: int, hidden: float = 0, cap: int = 1000, new_book: bool = False) -> None:
        self.time = Time()
        stock = {f"+1212555{n:04d}": Decimal(price) for n, price in enumerate(prices, 1)}
        self.platform = Platform(self.time, stock, hidden, cap)
        self.plan = Plan()
        self.client = self.platform.client(self.plan)
        self.root = Root({})
        self.naps: list[float] = []
        if not new_book:
            self.begin_book()

    def begin_book(self) -> None:
        self.book.begin(self.time() - timedelta(days=1))

    @property
    def book(self) -> OrderBook:
        return OrderBook(self.root, "ocp")

    def order(
        self,
        wishes: Wishes,
        *,
        order_id: str = ORDER,
        caps: Caps | None = None,
        between: Callable[[], object] = lambda: None,
        **policy: Any,
    ) -> Receipt:
        policy = {"settle": timedelta(seconds=60), **policy}
        buyer = Buyer(
            self.client, self.book, policy=Policy(**policy), between=between, clock=self.time, sleep=self.sleep
        )
        return buyer.fulfil(wishes, order_id=order_id, caps=caps, requested_by=Requester(dag_id="d", run_id="r"))

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.plan.during(lambda: self.time.pass_by(seconds))

    def document(self, order_id: str = ORDER) -> Order:
        order = self.book.read(order_id)
        assert order is not None
        return order

    def lose_data_root(self) -> None:
        for key in self.root.keys(""):
            self.root.delete(key)
        self.begin_book()

    def instead_of_buying(self, act: Callable[..., Purchase]) -> None:
        """Purchases end as ``act`` has it."""
        self.client.numbers.buy = act

    @property
    def events(self) -> list[str]:
        return [event.what for event in self.document().history]


class TestCalls:
    @pytest.mark.parametrize(
        ("wishes", "looks"),
        [
            pytest.param(wish(3), 3, id="a quantity, whose prices were just seen"),
            pytest.param(wish(offers=[offer(A, 1), offer(B, 1)]), 3, id="an approved list"),
            pytest.param(wish(numbers=[A, B]), 4, id="numbers, which are looked up in the inventory before"),
        ],
    )
    def test_a_calm_order_takes_one_search_one_purchase_and_no_waiting(self, wishes: Wishes, looks: int) -> None:
        desk = Desk(1, 1, 1)

        assert desk.order(wishes).outcome == "complete"

        assert Counter(desk.plan.calls) == {
            "numbers.search": looks,
            "numbers.search_available": 1,
            "numbers.buy": 1,
        }
        assert desk.naps == []

    def test_each_look_is_for_the_stamp_in_the_orders_own_group(self) -> None:
        desk = Desk(1, 1, 1)

        desk.order(wish(3))

        assert set(desk.platform.looks) == {((GROUP,), STAMP)}

    @pytest.mark.parametrize(("cap", "once"), [(11, True), (10, False)])
    def test_a_quantity_is_searched_for_until_it_and_its_spares_are_found(self, cap: int, once: bool) -> None:
        desk = Desk(*[1] * 40, cap=cap)

        desk.order(wish(1, prefix="+1212"))

        assert (Counter(desk.plan.calls)["numbers.search_available"] == 1) is once
        assert len(desk.document().spares) == 10

    def test_what_carries_the_stamp_need_not_be_found_again(self) -> None:
        desk = Desk(*[1] * 40, cap=11)
        desk.platform.buy([A], STAMP)

        receipt = desk.order(wish(2))

        assert (receipt.adopted, len(receipt.bought)) == ((A,), 1)
        assert Counter(desk.plan.calls)["numbers.search_available"] == 1


class TestSaves:
    @pytest.mark.parametrize("hidden", [0, 30])
    @pytest.mark.parametrize("wishes", [wish(3), wish(offers=[offer(A, 1), offer(B, 1), offer(C, 1)])])
    def test_only_what_changed_is_saved(self, wishes: Wishes, hidden: float) -> None:
        desk = Desk(1, 1, 1, hidden=hidden)

        desk.order(wishes, batch_size=2)

        saved = [content for key, content in desk.root.versions if key == desk.book.key(ORDER)]
        assert len(saved) > 3
        assert all(before != after for before, after in pairwise(saved))

    def test_a_run_that_overslept_a_call_leaves_the_document_to_who_took_over(self) -> None:
        desk = Desk(1)

        def oversleep(**call: Any) -> Purchase:
            desk.time.pass_by(3600)
            desk.book.lease(ORDER, clock=desk.time).acquire()
            return desk.platform.buy(call["numbers"], call["note"])

        desk.instead_of_buying(oversleep)

        with pytest.raises(OrderHeld):
            desk.order(wish(1))

        assert [line.state for line in desk.document().lines] == [State.SENT], "as it was when the lease was lost"

    def test_a_call_without_effect_is_written_down_with_its_reason(self) -> None:
        desk = Desk(1)

        def refuse(**_: Any) -> Purchase:
            raise TooManyRequests(operation="numbers.buy", call="PUT /api/numbers", status=429, message="slow down")

        desk.instead_of_buying(refuse)

        with pytest.raises(TooManyRequests):
            desk.order(wish(1))

        assert desk.events[-1].startswith("no effect: ")
        assert "slow down" in desk.events[-1]
        assert [line.state for line in desk.document().lines] == [State.PLANNED]

    def test_it_is_the_refusal_that_is_raised_where_looking_fails_as_well(self) -> None:
        desk = Desk(1)

        def refuse(**_: Any) -> Purchase:
            desk.client.numbers.iterate = moving(desk, times=99)
            raise TooManyRequests(operation="numbers.buy", call="PUT /api/numbers", status=429, message="slow down")

        desk.instead_of_buying(refuse)

        with pytest.raises(TooManyRequests):
            desk.order(wish(1))

    def test_a_price_that_rose_is_refused_at_that_time(self) -> None:
        desk = Desk(5, 1, 1)

        receipt = desk.order(wish(offers=[offer(A, 4), offer(B, 1)], spares=[offer(C, 1)]))

        refused = desk.document().lines[0]
        assert (receipt.outcome, receipt.refused, receipt.bought) == ("complete", (A,), (B, C))
        assert (refused.remark, refused.settled_at) == ("costs 5 now, approved is 4", desk.time())


class TestWaiting:
    """In naps, so that whoever asks the run to end need not wait."""

    @pytest.mark.parametrize(("settle", "naps"), [(2, [1, 1]), (2.5, [1, 1, 0.5]), (0, [])])
    def test_a_new_book_waits_for_what_was_bought_before_it(self, settle: float, naps: list[float]) -> None:
        desk = Desk(1, new_book=True)

        assert desk.order(wish(1), settle=timedelta(seconds=settle)).outcome == "complete"

        assert desk.naps == naps

    def test_it_looks_again_after_the_longest_pause_and_waits_no_more_once_all_is_found(self) -> None:
        desk = Desk(1, hidden=8, new_book=True)
        desk.platform.buy([A], STAMP)

        receipt = desk.order(wish(1), longest_pause=timedelta(seconds=5))

        assert receipt.adopted == (A,)
        assert sum(desk.naps) == 10

    def test_a_time_from_another_machines_future_is_not_waited_for(self) -> None:
        desk = Desk(1, new_book=True)
        desk.book.begin(desk.time() + timedelta(days=1))

        desk.order(wish(1))

        assert sum(desk.naps) == 60

    def test_a_run_that_is_asked_to_end_ends_between_two_naps(self) -> None:
        desk = Desk(1, new_book=True)

        def end() -> None:
            if sum(desk.naps) >= 3:
                raise Interrupted("asked to end")

        with pytest.raises(Interrupted):
            desk.order(wish(1), between=end)

        assert sum(desk.naps) == 3

    def test_an_inventory_that_moves_is_looked_at_again_after_the_shortest_pause(self) -> None:
        desk = Desk(1)
        desk.client.numbers.iterate = moving(desk, times=LOOKS_AT_A_MOVING_INVENTORY - 1)

        assert desk.order(wish(1), shortest_pause=timedelta(seconds=1)).outcome == "complete"

        assert desk.naps == [1] * (LOOKS_AT_A_MOVING_INVENTORY - 1)

    def test_one_that_never_comes_to_rest_ends_the_run_before_anything_is_sent(self) -> None:
        desk = Desk(1)
        desk.client.numbers.iterate = moving(desk, times=LOOKS_AT_A_MOVING_INVENTORY)

        with pytest.raises(IncompleteSnapshot):
            desk.order(wish(1))

        assert desk.platform.bought == []
        assert desk.book.read(ORDER) is None


def moving(desk: Desk, *, times: int) -> Callable[..., Iterator[PhoneNumber]]:
    """A listing that cannot be read whole so many times."""
    iterate, left = desk.client.numbers.iterate, list(range(times))

    def listing(*, groups: Collection[str], note: str) -> Iterator[PhoneNumber]:
        if left:
            left.pop()
            raise IncompleteSnapshot("the pages overlap")
        rows: Iterator[PhoneNumber] = iterate(groups=groups, note=note)
        return rows

    return listing


class TestAdopted:
    def test_what_was_found_again_counts_in_the_month(self) -> None:
        desk = Desk(2, 2, 2)
        desk.order(wish(2, max_unit_price=2))
        desk.lose_data_root()
        assert len(desk.order(wish(2, max_unit_price=2)).adopted) == 2

        with pytest.raises(OverBudget, match="4 of March 2026 are spent"):
            desk.order(wish(1), order_id="ocp/other", caps=Caps(max_total_per_month=Decimal(5)))

    @pytest.mark.parametrize(
        ("limits", "outcome", "reason"),
        [
            ({"quantity": 4}, "short", "only 1 are on offer"),
            ({"quantity": 3, "max_unit_price": 2}, "over budget", r"only 0 of the 1 on offer"),
        ],
    )
    def test_it_is_accounted_for_where_the_rest_cannot_be_had(
        self, limits: dict[str, Any], outcome: str, reason: str
    ) -> None:
        desk = Desk(1, 2, 3)
        desk.platform.buy([A, B], STAMP)

        receipt = desk.order(wish(**limits))

        assert (receipt.outcome, receipt.adopted, receipt.bought) == (outcome, (A, B), ())
        assert reason in str(receipt.reason)
        assert "numbers.buy" not in desk.plan.calls
        assert desk.document().closed_at == desk.time()
        assert [line.settled_at for line in desk.document().lines] == [desk.time()] * 2

    def test_a_stamp_on_numbers_that_were_not_asked_for_stops_the_order_and_is_named(self) -> None:
        desk = Desk(1, 1)
        desk.platform.buy([B], STAMP)

        with pytest.raises(OrderConflict, match=re.escape(f"shows {B} with the stamp {STAMP}")):
            desk.order(wish(numbers=[A]))

    def test_without_anything_adopted_what_cannot_be_had_leaves_no_document(self) -> None:
        desk = Desk(1)

        with pytest.raises(NotEnoughNumbers):
            desk.order(wish(2))

        assert desk.book.read(ORDER) is None

    def test_what_it_makes_needless_is_given_up_not_bought(self) -> None:
        desk = Desk(1, 1, 1)

        def lose(**_: Any) -> Purchase:
            # The answer is lost, nothing is bought, and an earlier run's purchase shows only now.
            desk.platform.buy([D], STAMP)
            return Purchase()

        desk.platform.stock[D] = Decimal(1)
        desk.instead_of_buying(lose)

        receipt = desk.order(wish(1))

        assert (receipt.outcome, receipt.adopted, receipt.refused) == ("complete", (D,), (A,))
        assert desk.document().lines[0].refusal == "not needed"
        assert len(desk.platform.bought) == 1


class TestTheEnd:
    def test_numbers_that_are_all_ours_already_make_a_complete_order(self) -> None:
        desk = Desk(1)
        desk.platform.buy([A], "front desk")

        receipt = desk.order(wish(numbers=[A]))

        assert (receipt.outcome, receipt.already_ours) == ("complete", (A,))
        assert not desk.document().is_open

    def test_an_order_that_was_let_through_is_not_stopped_by_later_ones(self) -> None:
        desk = Desk(*[1] * 9)

        def open_another() -> None:
            if desk.platform.bought and desk.book.read("ocp/other") is None:
                desk.order(wish(3), order_id="ocp/other")

        receipt = desk.order(wish(4), caps=Caps(max_per_run=4), batch_size=2, between=open_another)

        assert (receipt.outcome, len(receipt.bought)) == ("complete", 4)
