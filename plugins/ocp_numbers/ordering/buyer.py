"""The buyer: brings an order to its end, or as far as one run can, and gives its exact account."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ocp_numbers.errors import NotEnoughNumbers, OutcomeUnknown, OverBudget, Stopped, shown
from ocp_numbers.ordering.attempt import Attempt, Surroundings
from ocp_numbers.ordering.book import OrderBook
from ocp_numbers.ordering.order import Receipt, Requester
from ocp_numbers.ordering.steps import Policy
from ocp_numbers.ordering.wishes import Caps, Wishes

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


class Buyer:
    """Fulfils orders: no number twice, no cent over budget, whatever ended an earlier attempt.

    :param client: with access ``paid``.
    :param book: where the orders are kept.
    :param policy: how patient and how bold.
    :param between: called before each call, each save and while waiting; what it raises ends the run there.
    :param clock: the time in UTC. :param sleep: lets seconds pass.
    """

    def __init__(
        self,
        client: OcpClient,
        book: OrderBook,
        *,
        policy: Policy | None = None,
        between: Callable[[], object] = lambda: None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._book = book
        self._around = Surroundings(client, book, policy or Policy(), between, clock, sleep)

    def fulfil(
        self, wishes: Wishes, *, order_id: str, caps: Caps | None = None, requested_by: Requester | None = None
    ) -> Receipt:
        """Bring the order of this id to its end, or as far as this run can, and give its account.

        A closed order gives its receipt again. An empty list of offers buys nothing and leaves no document. Whether the
        account is the one hoped for is for the caller to ask: see :func:`problem`.

        :raises InvalidInput: the wishes are not consistent; nothing was looked up.
        :raises OrderConflict: the id belongs to other wishes.
        :raises OrderHeld: another writer is at work.
        :raises OrderCorrupt: its document, or another one that a cap has to count, cannot be read.
        :raises OverBudget: a limit or a cap would be broken; nothing was sent.
        :raises NotEnoughNumbers: too few fitting numbers are on offer; nothing was sent.
        :raises ApiError, NoAnswer: a call failed; the order is saved, and the next run goes on from there. A purchase
            that OCP refused was read back first: what the account does not list as ours was not bought.
        """
        wishes.check()
        if wishes.wanted == 0:
            return Receipt(order_id=order_id, outcome="complete", wanted=0, reason="nothing to buy")
        lease = self._book.lease(order_id, clock=self._around.clock)
        with lease.held():
            attempt = Attempt(self._around, lease, wishes, caps or Caps())
            order = attempt.resume(order_id) or attempt.open(order_id, requested_by or Requester())
            order = attempt.finish(order)
            if not order.is_open:
                lease.end()
        receipt = Receipt.of(order)
        log.info("%s", receipt)
        return receipt

    def account(self, order_id: str) -> Receipt | None:
        """The account of the order as its document has it; None where there is none."""
        order = self._book.read(order_id)
        return Receipt.of(order) if order else None


def problem(receipt: Receipt) -> Stopped | None:
    """What is wrong with an account, as the error to raise once it is published; None for a complete order."""
    if receipt.unknown:
        cause = f" ({receipt.reason})" if receipt.reason else ""
        return OutcomeUnknown(
            f"{receipt} In doubt: {shown(receipt.unknown)}{cause}. OCP does not show them yet. Nothing new is "
            f"bought for this order until they are settled: run the task again to go on finding out.",
            numbers=receipt.unknown,
        )
    if receipt.outcome == "complete":
        return None
    kind = OverBudget if receipt.outcome == "over budget" else NotEnoughNumbers
    return kind(
        f"{receipt} {receipt.missing} missing: {receipt.reason}. The order is closed and what it bought stays ours; "
        f"order the rest anew."
    )
