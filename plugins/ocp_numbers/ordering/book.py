"""The order book: the orders of one environment as documents in the data root, each proving that it is whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

from pydantic import ValidationError

from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.documents import digest
from ocp_numbers.errors import OrderConflict, OrderCorrupt, OrderHeld
from ocp_numbers.lease import Lease
from ocp_numbers.ordering.order import Order
from ocp_numbers.ordering.stamps import order_id

FOLDER = "orders"
_SAFE_PREFIX = 100
"""Characters of a path segment that are the text's own even where a long one ends in a hash."""


class OrderBook:
    """Reads and writes orders, one JSON file each: ``orders/<order id as a segment>.json``.

    :param environment: the connection id; an order of another one is refused.
    """

    def __init__(self, data_root: DataRoot, environment: str) -> None:
        self.data_root = data_root
        self.environment = environment

    def key(self, order_id: str) -> str:
        """Where the order lives in the data root."""
        return f"{FOLDER}/{segment(order_id)}.json"

    def lease(self, order_id: str, *, clock: Callable[[], datetime]) -> Lease:
        """The order's lease, not yet acquired."""
        return Lease(self.data_root, f"{FOLDER}/{segment(order_id)}.lease", clock=clock, held=OrderHeld)

    def read(self, order_id: str) -> Order | None:
        """The order, or None where there is no document.

        :raises OrderCorrupt: when the document is not a whole order of this id and environment.
        """
        key = self.key(order_id)
        content = self.data_root.read(key)
        if content is None:
            return None
        order = _parse(key, content)
        if (order.environment, order.order_id) != (self.environment, order_id):
            raise OrderCorrupt(
                f"{key} holds order {order.order_id} of environment {order.environment}; expected was order {order_id} "
                f"of environment {self.environment}. Nothing was sent. Put the right document in its place."
            )
        return order

    def write(self, order: Order, lease: Lease | None = None) -> None:
        """Make ``order`` durable; when this returns a crash cannot undo it.

        :param lease: the order's, where others may write it as well.
        :raises OrderHeld: the lease was lost; what others wrote stays.
        """
        content = order.model_dump(mode="json")
        content["digest"] = digest(order)
        put = lease.write if lease else self.data_root.write
        put(self.key(order.order_id), json.dumps(content, indent=2, ensure_ascii=False).encode())

    def register(self, order: Order, now: datetime) -> None:
        """List ``order`` among those that may spend money this month; done before it does, so that none is missed."""
        self.data_root.create(f"{self._month(now)}/{segment(order.order_id)}", order.order_id.encode())

    def registered(self, now: datetime) -> Iterator[Order]:
        """The orders that may have spent money in this month, as they stand.

        :raises OrderCorrupt: when one of them cannot be read.
        """
        for key in self.data_root.keys(self._month(now)):
            try:
                order = self.read((self.data_root.read(key) or b"").decode())
            except ValueError as error:
                raise OrderCorrupt(
                    f"{key} does not name an order ({error}). Nothing was sent. Remove the file."
                ) from None
            if order is not None:
                yield order

    def remove(self, order: Order) -> None:
        """Withdraw an order of which nothing was ever sent: it leaves no trace and may be opened anew.

        :raises OrderConflict: when something was.
        """
        if not order.untouched:
            raise OrderConflict(f"order {order.order_id} has reached OCP; it can be closed, not removed")
        self.data_root.delete(self.key(order.order_id))

    def family(self, base: str) -> tuple[Order, ...]:
        """All generations of an order that exist, in order: those whose id is ``base``, ``/`` and a number."""
        found = {}
        for order in self.orders(f"{base}/"):
            above, _, generation = order.order_id.rpartition("/")
            if above == base and generation.isascii() and generation.isdigit():
                found[int(generation)] = order
        return tuple(found[generation] for generation in sorted(found))

    def begin(self, at: datetime) -> datetime:
        """Begin the environment's book unless that was done; the time when it was.

        What was bought before may not be visible yet and is not in the book: an order that finds the book new waits for
        it. Whoever sets up a new installation may begin the book in its name, with an earlier time.

        :raises OrderCorrupt: when the book's beginning cannot be read.
        """
        key = f"{FOLDER}/begun/{segment(self.environment)}.json"
        self.data_root.create(key, json.dumps({"at": at.isoformat()}).encode())
        try:
            return datetime.fromisoformat(json.loads(self.data_root.read(key) or b"")["at"]).astimezone(timezone.utc)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise OrderCorrupt(f"{key} cannot be read. Nothing was sent. Remove the file.") from None

    def orders(
        self, prefix: str = "", *, damaged: Callable[[str, OrderCorrupt], None] | None = None
    ) -> Iterator[Order]:
        """All orders of the environment whose ids begin with ``prefix``, by key; each is read.

        :param damaged: told of a document that cannot be read, by its key; the others come all the same.
        :raises OrderCorrupt: when one of them cannot be read and nobody is to be told.
        """
        prefix = prefix or f"{order_id(self.environment)}/"
        start = f"{FOLDER}/{segment(prefix)[:_SAFE_PREFIX]}"
        for key in self.data_root.keys(FOLDER):
            if not (key.startswith(start) and key.endswith(".json")):
                continue
            content = self.data_root.read(key)
            if content is None:  # withdrawn since the listing
                continue
            try:
                order = _parse(key, content)
            except OrderCorrupt as error:
                if damaged is None:
                    raise
                damaged(key, error)
                continue
            if order.order_id.startswith(prefix):
                yield order

    def _month(self, now: datetime) -> str:
        return f"{FOLDER}/months/{segment(self.environment)}/{now:%Y-%m}"


def _parse(key: str, content: bytes) -> Order:
    try:
        document = json.loads(content)
        written = document.pop("digest")
        order = Order.model_validate(document)
        whole = digest(order) == written
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise _corrupt(key, f"{where}: {fault['msg']}") from None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise _corrupt(key, f"{type(error).__name__}: {error}") from None
    if not whole:
        raise _corrupt(key, "its content does not match its digest; it was changed by hand or half restored")
    return order


def _corrupt(key: str, fault: str) -> OrderCorrupt:
    return OrderCorrupt(
        f"{key} is not a whole order document: {fault}. Nothing was sent. Restore it from a backup, or move it away: "
        f"what OCP shows with the order's stamp is then adopted."
    )
