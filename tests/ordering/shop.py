"""A sandbox, a data root and a clock: the world in which tests let orders happen, and its true books."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import Buyer, Caps, Offer, Order, OrderBook, Policy, Receipt, Requester, Wishes, stamp
from ocp_sandbox import Fault, Sandbox

ENVIRONMENT = "ocp_default"
PROVIDER, GROUP, COUNTRY, PREFIX = "telnova", "retail-us", "US", "+1212"
BUY = ("PUT", "/api/numbers")
SETTLE = timedelta(seconds=60)


class Clock:
    """Time that passes only when somebody waits; the sandbox's passes with it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.now = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc)
        self.slept = 0.0
        self._sandbox = sandbox

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._sandbox.clock.advance(seconds)


class Shop:
    """Orders numbers in a sandbox and looks at what truly came of it."""

    def __init__(self, sandbox: Sandbox, root: Path) -> None:
        self.sandbox = sandbox
        self.root = root
        self.clock = Clock(sandbox)
        self.client = self.log_in()
        # The book is old enough for nobody to wait for what was bought before it.
        self.book.begin(self.clock.now - timedelta(days=1))

    def __enter__(self) -> Shop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def log_in(self, **settings: Any) -> OcpClient:
        return OcpClient(ClientSettings(host=self.sandbox.url, login="ops", password="secret", **settings))

    @property
    def book(self) -> OrderBook:
        return OrderBook(DataRoot(self.root), ENVIRONMENT)

    def buyer(self, *, between: Callable[[], object] = lambda: None, **policy: Any) -> Buyer:
        return Buyer(
            self.client,
            self.book,
            policy=Policy(settle=SETTLE, **policy),
            between=between,
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def order(
        self,
        wishes: Wishes | None = None,
        *,
        order_id: str = f"{ENVIRONMENT}/trial",
        caps: Caps | None = None,
        requested_by: Requester | None = None,
        **policy: Any,
    ) -> Receipt:
        """Fulfil an order as one attempt of a task would."""
        return self.buyer(**policy).fulfil(wishes or wish(), order_id=order_id, caps=caps, requested_by=requested_by)

    def document(self, order_id: str = f"{ENVIRONMENT}/trial") -> Order:
        order = self.book.read(order_id)
        assert order is not None
        return order

    def fault(self, kind: Any, *, call: tuple[str, str] = BUY, **when: Any) -> None:
        """Let calls go wrong; by default the first purchase."""
        self.sandbox.faults.add(Fault(*call, kind=kind, **(when or {"nth": 1})))

    def offers(self, count: int, start: int = 0) -> tuple[Offer, ...]:
        """The cheapest offers of the area, as a plan would list them."""
        stock = self.sandbox.stock(PROVIDER, COUNTRY)
        fitting = [offer for offer in stock if offer["number"].startswith(PREFIX)]
        fitting.sort(key=lambda offer: (Decimal(str(offer["price"])), offer["number"]))
        return tuple(
            Offer(number=offer["number"], price=Decimal(str(offer["price"])))
            for offer in fitting[start : start + count]
        )

    def lose_data_root(self) -> None:
        shutil.rmtree(self.root)

    def bought(self, order_id: str | None = None) -> list[dict[str, Any]]:
        """The ledger's purchases; with an order's id only those with its stamp."""
        return [
            entry
            for entry in self.sandbox.ledger()["entries"]
            if entry["kind"] == "bought" and (order_id is None or stamp(order_id) in (entry["note"] or ""))
        ]

    def spent(self, order_id: str | None = None) -> Decimal:
        return sum((Decimal(str(entry["price"])) for entry in self.bought(order_id)), Decimal(0))

    def purchases_sent(self) -> int:
        return sum((call["method"], call["path"].removeprefix("/integrations")) == BUY for call in self.sandbox.calls())

    def agrees_with(self, receipt: Receipt) -> bool:
        """Whether the ledger holds exactly what the receipt claims to have been bought, at that sum."""
        entries = self.bought(receipt.order_id)
        return (
            sorted(entry["number"] for entry in entries) == sorted(receipt.bought + receipt.adopted)
            and self.spent(receipt.order_id) == receipt.spent
        )


def wish(quantity: int | None = 5, **fields: Any) -> Wishes:
    """Five numbers in New York, unless told otherwise."""
    place = {"provider": PROVIDER, "group": GROUP, "country_code": COUNTRY, "prefix": PREFIX}
    if "numbers" in fields or "offers" in fields:
        quantity = None
    return Wishes.model_validate({**place, "quantity": quantity, **fields})
