"""What was bought: the orders of an environment in figures, and the money that they spent by month and region."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from threading import Lock
from urllib.parse import unquote

from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.errors import OrderCorrupt
from ocp_numbers.ordering import OrderBook, State
from ocp_numbers.ordering.book import FOLDER
from ocp_numbers.ordering.order import Order
from ocp_numbers.ordering.stamps import order_id


@dataclass(frozen=True)
class Account:
    """An order as the pages list it.

    ``region`` is what it was bought for, ``spent`` what was paid in each month (``2026-11``), ``at_risk`` what would be
    added if all numbers of unknown outcome are ours, ``unpriced`` how many numbers have no known price.
    """

    order_id: str
    region: str
    area: str
    group: str
    opened_at: datetime
    outcome: str
    wanted: int
    owned: tuple[str, ...]
    in_doubt: tuple[str, ...]
    spent: dict[str, Decimal]
    at_risk: Decimal
    unpriced: int
    asked_by: str

    @property
    def total(self) -> Decimal:
        """What it spent in all."""
        return sum(self.spent.values(), Decimal(0))


@dataclass(frozen=True)
class Ledger:
    """The orders of an environment, newest first, and the files among them that cannot be read, each with its fault."""

    accounts: tuple[Account, ...]
    faults: tuple[str, ...]

    def months(self) -> dict[str, dict[str, Decimal]]:
        """What was spent in each month and region, the months in order."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for account in self.accounts:
            for month, spent in account.spent.items():
                sums[month][account.region] += spent
        return {month: dict(sums[month]) for month in sorted(sums)}

    def spent_in(self, month: str) -> Decimal:
        """What was spent in one month."""
        return sum((account.spent.get(month, Decimal(0)) for account in self.accounts), Decimal(0))

    @property
    def in_doubt(self) -> tuple[Account, ...]:
        """Orders with numbers of which nobody knows whether they are ours."""
        return tuple(account for account in self.accounts if account.in_doubt)

    def brought(self, number: str) -> tuple[Account, ...]:
        """The orders that ``number`` is one of, oldest first."""
        return tuple(each for each in reversed(self.accounts) if number in each.owned or number in each.in_doubt)


class Purchases:
    """Reads orders, closed ones once: they never change again."""

    def __init__(self, root: DataRoot) -> None:
        self._root = root
        self._closed: dict[str, Account] = {}
        self._lock = Lock()

    def of(self, environment: str) -> Ledger:
        """The orders of one environment."""
        book = OrderBook(self._root, environment)
        start = f"{FOLDER}/{segment(f'{order_id(environment)}/')}"
        accounts, faults = [], []
        with self._lock:
            for key in self._root.keys(FOLDER):
                if not (key.startswith(start) and key.endswith(".json")):
                    continue
                account = self._closed.get(key)
                if account is None:
                    try:
                        order = _read(book, key)
                    except OrderCorrupt as fault:
                        faults.append(str(fault))
                        continue
                    if order is None:  # withdrawn since the listing
                        continue
                    account = _account(order)
                    if not order.is_open:
                        self._closed[key] = account
                accounts.append(account)
        accounts.sort(key=lambda each: each.opened_at, reverse=True)
        return Ledger(tuple(accounts), tuple(faults))

    def order(self, environment: str, order_id: str) -> Order | None:
        """One order, whole; ``None`` where there is none.

        :raises OrderCorrupt: when it cannot be read.
        """
        return OrderBook(self._root, environment).read(order_id)


def place_of(order_id: str) -> tuple[str, ...]:
    """What an order is for, of its id: group and set of a region, or DAG, run and task."""
    parts = [unquote(part) for part in order_id.split("/")[1:]]
    return tuple(parts[:-1] if len(parts) > 2 and parts[-1].isdigit() else parts)


def _account(order: Order) -> Account:
    spent: dict[str, Decimal] = defaultdict(Decimal)
    owned = [line for line in order.lines_in(State.OWNED) if line.paid_by_order]
    for line in owned:
        spent[f"{line.charged_at or order.opened_at:%Y-%m}"] += line.price or Decimal(0)
    place = place_of(order.order_id)
    by = order.requested_by
    return Account(
        order_id=order.order_id,
        region=" / ".join(place) if len(place) == 2 else f"{order.wishes.group} / {order.wishes.area}",
        area=order.wishes.area,
        group=order.wishes.group,
        opened_at=order.opened_at,
        outcome=order.outcome or "open",
        wanted=order.wanted,
        owned=order.numbers,
        in_doubt=tuple(line.number for line in order.in_doubt),
        spent=dict(spent),
        at_risk=order.committed - order.spent,
        unpriced=len(order.unpriced),
        asked_by=by.user or by.dag_id or "",
    )


def _read(book: OrderBook, key: str) -> Order | None:
    name = key.removeprefix(f"{FOLDER}/").removesuffix(".json")
    if "=" not in name:
        return book.read(unquote(name))
    # A long id is cut in the file's name and stands in the document only.
    return next((order for order in book.orders(damaged=lambda *_: None) if book.key(order.order_id) == key), None)
