"""The platform's ledger against our own records: to the number and to the cent."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal

from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import OrderBook
from ocp_sandbox import Sandbox

ENVIRONMENT = "ocp_default"


def gone(sandbox: Sandbox) -> list[str]:
    """What the ledger says was released or deleted."""
    return [entry["number"] for entry in sandbox.ledger()["entries"] if entry["kind"] in ("released", "deleted")]


def differences(sandbox: Sandbox, root: DataRoot, released: Collection[str]) -> Iterator[str]:
    """What does not agree, in sentences.

    :param released: the numbers that our cleanups say they gave up.
    """
    ledger = sandbox.ledger()
    bought = [entry["number"] for entry in ledger["entries"] if entry["kind"] == "bought"]
    orders = list(OrderBook(root, ENVIRONMENT).orders())
    ours = [number for order in orders for number in order.numbers]
    if len(bought) != len(set(bought)):
        yield f"{len(bought) - len(set(bought))} numbers were bought twice"
    if sorted(ours) != sorted(bought):
        yield (
            f"the ledger has {len(bought)} purchases and our orders {len(ours)}: "
            f"{len(set(bought) - set(ours))} are in no order, {len(set(ours) - set(bought))} in no purchase"
        )
    spent = sum((order.spent for order in orders), Decimal(0))
    if spent != Decimal(ledger["totals"]["spent"]):
        yield f"the ledger says {ledger['totals']['spent']} were spent, our orders {spent:f}"
    still_open = [order.order_id for order in orders if order.is_open]
    if still_open:
        yield f"{len(still_open)} orders were never closed: {still_open[:3]}"
    left = gone(sandbox)
    if sorted(left) != sorted(released):
        yield f"the ledger has {len(left)} releases, our cleanups {len(released)}"
