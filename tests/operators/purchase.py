"""A purchase of three numbers, in a data root that was taken into service long ago."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ocp_numbers.data_root import DataRoot
from ocp_numbers.operators import BuyNumbersOperator
from ocp_numbers.ordering import OrderBook
from operators.world import GROUP

ORDER_ID = "ocp_default/front desk"


def begun_book(root: DataRoot) -> OrderBook:
    """The order book of ``ocp_default``, begun a day ago: no order has to wait for earlier purchases to show."""
    book = OrderBook(root, "ocp_default")
    book.begin(datetime.now(timezone.utc) - timedelta(days=1))
    return book


def buy() -> BuyNumbersOperator:
    """The task that buys them."""
    return BuyNumbersOperator(
        task_id="buy",
        provider="telnova",
        group=GROUP,
        country_code="US",
        prefix="+1212",
        quantity=3,
        max_total_price=1000,
        order_id="front desk",
        settle_seconds=0.05,
    )
