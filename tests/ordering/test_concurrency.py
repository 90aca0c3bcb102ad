"""Two at once: on one order, and on two orders over the same stock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from ocp_numbers.errors import OrderHeld
from ocp_numbers.ordering import Buyer, Policy, Receipt, Wishes
from ordering.shop import ENVIRONMENT, Shop, wish


def attempts(shop: Shop, wishes: Wishes, *keys: str) -> list[Receipt | OrderHeld]:
    """One buyer for each key, all at once, each with a client of its own and the real clock."""
    shop.book.begin(shop.clock.now)

    def attempt(key: str) -> Receipt | OrderHeld:
        with shop.log_in() as client:
            try:
                policy = Policy(settle=timedelta(seconds=5), batch_size=2)
                return Buyer(client, shop.book, policy=policy).fulfil(wishes, order_id=f"{ENVIRONMENT}/{key}")
            except OrderHeld as held:
                return held

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(attempt, keys))


def test_of_many_attempts_at_one_order_one_buys_and_the_others_are_told_to_wait(shop: Shop) -> None:
    outcomes = attempts(shop, wish(6), *["trial"] * 6)

    receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    assert receipts
    assert all(receipt == receipts[0] and receipt.outcome == "complete" for receipt in receipts)
    assert len(shop.bought()) == 6
    assert shop.agrees_with(receipts[0])


def test_orders_over_the_same_stock_end_without_overlap(shop: Shop) -> None:
    outcomes = attempts(shop, wish(4, max_unit_price=50), "one", "two", "three")

    receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    assert [receipt.outcome for receipt in receipts] == ["complete"] * 3
    assert len({number for receipt in receipts for number in receipt.bought}) == 12
    assert all(shop.agrees_with(receipt) for receipt in receipts)
    assert len(shop.bought()) == 12
