"""One attempt at an order under its lease: carries out one step after the other, saving before what depends on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ocp_numbers.documents import digest
from ocp_numbers.errors import (
    ApiError,
    IncompleteSnapshot,
    NoAnswer,
    NotEnoughNumbers,
    OcpError,
    OrderConflict,
    OverBudget,
    Refused,
    shown,
)
from ocp_numbers.lease import Lease
from ocp_numbers.models import AvailableNumber, PhoneNumber
from ocp_numbers.ordering import transitions
from ocp_numbers.ordering.book import OrderBook
from ocp_numbers.ordering.caps import check_caps
from ocp_numbers.ordering.offers import quote, search_offers
from ocp_numbers.ordering.opening import Choice, affordable, choose, opened, spares_for
from ocp_numbers.ordering.order import Order, Outcome, Requester
from ocp_numbers.ordering.reservations import Reservations
from ocp_numbers.ordering.stamps import stamp
from ocp_numbers.ordering.steps import Close, Desist, Drop, Look, Pause, Policy, Quote, Replace, Send, View, next_step
from ocp_numbers.ordering.transitions import Seen
from ocp_numbers.ordering.wishes import Caps, Wishes

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

log = logging.getLogger(__name__)

LOOKS_AT_A_MOVING_INVENTORY = 5
LONGEST_NAP = 1.0
"""Seconds between two times that a waiting run asks whether it is to end."""


@dataclass(frozen=True)
class Surroundings:
    """What an attempt works with; see :class:`~ocp_numbers.ordering.buyer.Buyer`."""

    client: OcpClient
    book: OrderBook
    policy: Policy
    between: Callable[[], object]
    clock: Callable[[], datetime]
    sleep: Callable[[float], object]


class Attempt:
    """What one run does for one order."""

    def __init__(self, around: Surroundings, lease: Lease, wishes: Wishes, caps: Caps) -> None:
        self._around = around
        self._lease = lease
        self._wishes = wishes
        self._caps = caps
        self._view = View(started=around.clock())
        self._within_caps = False

    def resume(self, order_id: str) -> Order | None:
        """The order as an earlier run left it; None where there is none.

        :raises OrderConflict: it was opened for other wishes.
        """
        order = self._around.book.read(order_id)
        if order is None:
            return None
        if order.wishes_digest != digest(self._wishes):
            raise OrderConflict(
                f"order {order_id} was opened for {order.wishes.difference(self._wishes)}. Nothing was sent. Run it "
                f"with its own wishes, or give the new ones another order_id."
            )
        if not order.is_open:
            log.info("Order %s is closed since %s: %s.", order_id, order.closed_at, order.reason)
            return order
        log.info("Going on with order %s, opened %s.", order_id, order.opened_at)
        return transitions.recovered(order, self._now())

    def open(self, order_id: str, requested_by: Requester) -> Order:
        """Choose the numbers, and save the order before anything else.

        OCP is asked first what it holds with the order's stamp: its document may have been lost. Where the whole book
        is new it may just have been lost, and the last purchases get the time to become visible.
        """
        book, wishes = self._around.book, self._wishes
        own_stamp = stamp(order_id)
        at, adopted = self._look_before_opening(own_stamp)
        choice, trouble = Choice(), None
        try:
            choice = self._choose(own_stamp, adopted)
        except (NotEnoughNumbers, OverBudget) as error:
            if not adopted:
                raise
            trouble = error
        order = opened(
            wishes,
            choice,
            order_id=order_id,
            environment=book.environment,
            requested_by=requested_by,
            now=self._now(),
        )
        order = transitions.noted(order, self._now(), f"opened for {wishes.wanted} numbers")
        if trouble:
            # What OCP shows with the stamp needs an account, also where the rest cannot be had.
            order = transitions.observed(order, Seen(at=at, stamped=adopted), self._around.policy.settle)
            outcome: Outcome = "over budget" if isinstance(trouble, OverBudget) else "short"
            order = transitions.closed(order, outcome, str(trouble), self._now())
        self._save(order)
        self._around.book.register(order, self._now())
        log.info(
            "Opened order %s: %d numbers in %s from %s for group %s, at most %s.",
            order_id,
            wishes.wanted,
            wishes.area,
            wishes.provider,
            wishes.group,
            f"{order.reserved:f}",
        )
        return order

    def _look_before_opening(self, own_stamp: str) -> tuple[datetime, dict[str, PhoneNumber]]:
        began = self._now()
        quiet_until = min(self._around.book.begin(began), began) + self._around.policy.settle
        at, adopted = began, self._stamped(own_stamp)
        while len(adopted) < self._wishes.wanted and self._now() < quiet_until:
            left = quiet_until - self._now()
            log.info("The order book is new: waiting %.0f s for what was bought before.", left.total_seconds())
            self._wait(min(left, self._around.policy.longest_pause))
            at, adopted = self._now(), self._stamped(own_stamp)
        return at, adopted

    def _choose(self, own_stamp: str, adopted: Collection[str]) -> Choice:
        wishes = self._wishes
        owned: dict[str, PhoneNumber] = {}
        offers: dict[str, AvailableNumber] = {}
        if wishes.kind == "numbers":
            owned = self._find(wishes.numbers or ())
            offers = quote(self._client, wishes, [number for number in wishes.numbers or () if number not in owned])
        elif wishes.kind == "quantity":
            needed = wishes.wanted - len(adopted)
            reserved = self._reserved()
            found = search_offers(
                self._client,
                wishes,
                enough=lambda found: (
                    sum(offer.number not in reserved for offer in affordable(wishes, found))
                    >= needed + spares_for(needed)
                ),
            )
            offers = {number: offer for number, offer in found.items() if number not in reserved}
        self._view = replace(self._view, quoted=frozenset(offers))
        return choose(wishes, own_stamp=own_stamp, offers=offers.values(), in_inventory=owned, adopted=adopted)

    def _reserved(self) -> Collection[str]:
        """What plans count on that wait or are being carried out: chosen by nobody else."""
        book = self._around.book
        return Reservations(book.data_root, book.environment).taken().owner.keys()

    def finish(self, order: Order) -> Order:
        """Take steps until the order is closed, or nothing more can be found out in this run.

        :raises OverBudget, NotEnoughNumbers: nothing was sent and nothing will be: the order is withdrawn.
        :raises Refused: OCP refused a call as a whole, and what is missing of it was not bought; the order stays open.
        """
        while order.is_open:
            step = next_step(order, self._view, self._now(), self._around.policy)
            if isinstance(step, Pause):
                log.warning("Cannot settle %s in this run.", shown(step.numbers))
                break
            order = self._take(step, order)
        return order

    def _take(self, step: Look | Quote | Replace | Send | Drop | Desist | Close, order: Order) -> Order:
        if isinstance(step, Look):
            return self._look(step, order)
        if isinstance(step, Send):
            return self._send(step.numbers, order)
        now = self._now()
        if isinstance(step, Quote):
            offers = quote(self._client, self._wishes, step.numbers)
            prices = {number: offer.price for number, offer in offers.items()}
            self._view = replace(self._view, quoted=self._view.quoted | set(step.numbers))
            changed = transitions.quoted(order, step.numbers, prices, now)
        elif isinstance(step, Replace):
            log.info("Replacing refused numbers by %s.", shown(offer.number for offer in step.offers))
            changed = transitions.replaced(order, step.offers, now)
        elif isinstance(step, Drop):
            changed = transitions.dropped(order, step.numbers, now)
        elif isinstance(step, Desist):
            self._saved(order, transitions.declined(order, step.numbers, now))
            raise step.refusal
        else:
            if step.outcome != "complete" and order.untouched:
                self._withdraw(order)
                kind = OverBudget if step.outcome == "over budget" else NotEnoughNumbers
                raise kind(f"order {order.order_id}: {step.reason}. Nothing was sent, and the order is withdrawn.")
            changed = transitions.closed(order, step.outcome, step.reason, now)
        return self._saved(order, changed)

    def _look(self, step: Look, order: Order) -> Order:
        self._wait(step.pause)
        at = self._now()
        stamped = self._stamped(order.stamp)
        found = self._find([number for number in step.numbers if number not in stamped])
        seen = Seen(at=at, stamped=stamped, sought=frozenset(step.numbers), found=found)
        changed = transitions.observed(order, seen, self._around.policy.settle)
        self._view = replace(self._view, looked_at=at, surveyed=True, sought=seen.sought)
        if changed.in_doubt:
            log.info(
                "OCP shows %d of %d numbers; waiting for %d.", len(changed.numbers), order.wanted, len(changed.in_doubt)
            )
        return self._saved(order, changed)

    def _send(self, numbers: tuple[str, ...], order: Order) -> Order:
        if not self._within_caps:
            self._check_caps(order)
        order = self._saved(order, transitions.sent(order, numbers, self._now()))
        log.info("Buying %d numbers: %s.", len(numbers), shown(numbers))
        self._lease.keep()
        self._view = replace(self._view, looked_at=None)
        try:
            answer = self._client.numbers.buy(
                provider=order.wishes.provider, numbers=numbers, group=order.wishes.group, note=order.note
            )
        except OcpError as error:
            # What is neither an answer nor a lost one was refused on our side.
            if isinstance(error, ApiError | NoAnswer) and not error.settled:
                log.warning("%s. Finding out what happened.", error)
                if isinstance(error, Refused):
                    self._view = replace(self._view, refusals={**self._view.refusals, **dict.fromkeys(numbers, error)})
                return self._saved(order, transitions.unanswered(order, numbers, str(error), self._now()))
            order = self._saved(order, transitions.unsent(order, numbers, str(error), self._now()))
            # For the account: what earlier calls bought. The error at hand is the one to raise, come what may.
            with suppress(OcpError):
                self._look(Look(), order)
            raise
        order = self._saved(order, transitions.answered(order, numbers, answer, self._now()))
        log.info("OCP reports %d purchased, %d failed.", len(answer.purchased), len(answer.failed))
        return order

    def _check_caps(self, order: Order) -> None:
        try:
            check_caps(self._around.book, order, self._caps, self._now())
        except OverBudget:
            if order.untouched:
                self._withdraw(order)
            raise
        self._within_caps = True

    def _stamped(self, stamp: str) -> dict[str, PhoneNumber]:
        """The numbers that OCP shows with the stamp; its own matching of notes is not exact."""
        group = self._wishes.group
        for left in reversed(range(LOOKS_AT_A_MOVING_INVENTORY)):
            try:
                shown_now = list(self._client.numbers.iterate(groups=[group], note=stamp))
            except IncompleteSnapshot:
                if not left:
                    raise
                self._wait(self._around.policy.shortest_pause)
            else:
                break
        return {number.number: number for number in shown_now if stamp in (number.note or "")}

    def _find(self, numbers: Collection[str]) -> dict[str, PhoneNumber]:
        return self._client.numbers.find(list(numbers)) if numbers else {}

    def _wait(self, pause: timedelta) -> None:
        left = pause.total_seconds()
        while left > 0:
            self._around.between()
            self._lease.keep()
            self._around.sleep(min(left, LONGEST_NAP))
            left -= LONGEST_NAP

    def _saved(self, before: Order, after: Order) -> Order:
        if after != before:
            self._save(after)
        return after

    def _save(self, order: Order) -> None:
        self._around.book.write(order, self._lease)

    def _withdraw(self, order: Order) -> None:
        self._lease.keep()
        self._around.book.remove(order)

    def _now(self) -> datetime:
        return self._around.clock()

    @property
    def _client(self) -> OcpClient:
        self._around.between()
        return self._around.client
