"""Carrying out the purchases of a plan: each is an order, so that nothing is bought twice, or above its price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ocp_numbers.bulk.plan import ChangePlan
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import NotEnoughNumbers, OutcomeUnknown, OverBudget
from ocp_numbers.journal import Actor
from ocp_numbers.ordering import Buyer, Caps, OrderBook, Policy, Requester, problem

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient


@dataclass
class Bought:
    """What the orders of a run brought: how many numbers, for how much, and why the others are not ours."""

    count: int = 0
    spent: Decimal = Decimal(0)
    reasons: dict[str, str] = field(default_factory=dict)


def buy(
    connect: Callable[[], OcpClient],
    root: DataRoot,
    plan: ChangePlan,
    *,
    by: Actor,
    now: Callable[[], datetime],
    sleep: Callable[[float], object],
) -> Bought:
    """Fulfil the plan's orders; one that is fulfilled already only gives its account again.

    :raises OutcomeUnknown: when a number may or may not be ours; the next attempt finds out first.
    """
    bought = Bought()
    if not plan.purchases:
        return bought
    client = connect()
    policy = Policy(settle=timedelta(seconds=client.settings.settle_seconds))
    book = OrderBook(root, plan.environment)
    buyer = Buyer(client, book, policy=policy, between=connect, clock=now, sleep=sleep)
    requester = Requester(dag_id=by.dag_id, run_id=by.run_id, task_id=by.task_id, user=by.user)
    for order in plan.purchases:
        try:
            receipt = buyer.fulfil(order.wishes, order_id=order.order_id, caps=Caps(), requested_by=requester)
        except (NotEnoughNumbers, OverBudget) as error:
            bought.reasons |= {offer.number: f"was not bought: {error}" for offer in order.offers}
            continue
        trouble = problem(receipt)
        if isinstance(trouble, OutcomeUnknown):
            raise trouble
        bought.count += len(receipt.bought) + len(receipt.adopted)
        bought.spent += receipt.spent
        reason = f"was not bought: {receipt.reason or 'its order is closed'}"
        bought.reasons |= {offer.number: reason for offer in order.offers if offer.number not in receipt.numbers}
    return bought
