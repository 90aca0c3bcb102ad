"""What the buyer really does is on the books, whatever becomes of its calls; and what it leaves open is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from balance.company import balance_of, found
from inventory.estate import DAY
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ordering.shop import ENVIRONMENT, GROUP, PROVIDER, Shop


def night(shop: Shop, days: int) -> CompleteSnapshot:
    shop.clock.advance(3 * 3600)
    snapshot = Export(
        source=ClientSource(lambda: shop.client),
        root=DataRoot(shop.root),
        scope=Scope(environment=ENVIRONMENT),
        day=DAY + timedelta(days),
        holder="export",
        max_change_percent=1000,
        clock=shop.clock,
    ).run()
    shop.clock.advance(3 * 3600)
    return snapshot


@pytest.mark.parametrize("fault", [None, "drop_after", "drop_before", "status_after", "truncated"])
def test_an_order_is_on_the_books_whatever_became_of_its_calls(shop: Shop, fault: str | None) -> None:
    night(shop, 0)
    if fault:
        status: dict[str, Any] = {"status": 500} if fault == "status_after" else {}
        shop.fault(fault, nth=1, **status)
    receipt = shop.order()
    assert len(receipt.bought) == 5

    snapshot = night(shop, 1)

    assert found(snapshot) == set()
    assert (balance_of(snapshot).arrived, balance_of(snapshot).verdict) == (5, "balanced")


def test_an_order_killed_in_its_call_is_found_until_it_is_settled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    night(shop, 0)
    buy = shop.client.numbers.buy

    def killed(**order: Any) -> None:
        buy(**order)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shop.client.numbers, "buy", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.order()
    in_doubt = {line.number for line in shop.document().in_doubt}
    assert len(in_doubt) == 5

    assert found(night(shop, 1)) == {("unknown", number) for number in in_doubt}

    shop.order()
    assert found(night(shop, 2)) == set()


def test_what_somebody_else_bought_is_an_orphan(shop: Shop) -> None:
    night(shop, 0)
    number = shop.offers(1)[0].number
    shop.client.numbers.buy(provider=PROVIDER, numbers=[number], group=GROUP)
    assert found(night(shop, 1)) == {("orphan", number)}
