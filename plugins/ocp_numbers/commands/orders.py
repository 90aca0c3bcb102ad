"""``ocp-numbers orders``: the orders in the data root; needs neither OCP nor Airflow."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ocp_numbers.commands.arguments import add_connection
from ocp_numbers.commands.screen import Screen
from ocp_numbers.errors import InvalidInput

if TYPE_CHECKING:
    from ocp_numbers.ordering import Line, Order

HEAD = ("Order", "Opened (UTC)", "State", "Wanted", "Owned", "In doubt", "Spent")
LINES = ("Number", "State", "Price", "Remark")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    add_connection(parser)
    parser.add_argument("order", nargs="?", help="id of one order, to see its numbers and history")
    parser.add_argument("--open", action="store_true", help="only orders that are not closed yet")


def run(options: argparse.Namespace, screen: Screen) -> int:
    """List the orders, or show one; 1 where the outcome of a purchase is not known."""
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.ordering import OrderBook

    book = OrderBook(DataRoot.from_environment(), options.conn_id)
    if options.order:
        order = book.read(options.order)
        if order is None:
            raise InvalidInput(
                f"order: {options.order!r} is not in the data root {book.data_root.uri}; 'ocp-numbers orders --conn-id "
                f"{options.conn_id}' lists those that are"
            )
        screen.show(order.model_dump(mode="json"), told=lambda: _tell_one(screen, order))
        return 1 if order.in_doubt else 0
    found = [order for order in book.orders() if order.is_open or not options.open]
    found.sort(key=lambda order: order.opened_at, reverse=True)
    screen.show([_document(order) for order in found], told=lambda: _tell_all(screen, found, options.conn_id))
    return 1 if any(order.in_doubt for order in found) else 0


def _document(order: Order) -> dict[str, object]:
    return {
        "order_id": order.order_id,
        "opened_at": order.opened_at.isoformat(),
        "state": _state(order),
        "wanted": order.wanted,
        "owned": len(order.numbers),
        "in_doubt": [line.number for line in order.in_doubt],
        "spent": f"{order.spent:f}",
        "committed": f"{order.committed:f}",
    }


def _tell_all(screen: Screen, orders: list[Order], environment: str) -> None:
    if not orders:
        screen.say(f"No orders of {environment}.")
        return
    rows = [
        (
            order.order_id,
            f"{order.opened_at:%Y-%m-%d %H:%M}",
            _state(order),
            order.wanted,
            len(order.numbers),
            len(order.in_doubt),
            f"{order.spent:f}",
        )
        for order in orders
    ]
    screen.table(HEAD, rows, figures=HEAD[3:])
    doubtful = sum(1 for order in orders if order.in_doubt)
    if doubtful:
        screen.say(
            f"{doubtful} orders have numbers whose purchase is in doubt: run their task again, which finds out first. "
            "Do not buy the rest by hand.",
            "warning",
        )


def _tell_one(screen: Screen, order: Order) -> None:
    who = order.requested_by
    screen.say(f"{order.order_id}: {_state(order)}")
    screen.say(
        f"{len(order.numbers)} of {order.wanted} numbers in {order.wishes.area} of {order.wishes.provider} for group "
        f"{order.wishes.group}; spent {order.spent:f}, at most {order.committed:f} if all that is in doubt was bought"
    )
    screen.say(f"Asked for by {who.user or 'nobody by name'}: {who.dag_id or '-'}, {who.run_id or '-'}")
    if order.reason:
        screen.say(f"Closed because: {order.reason}")
    screen.table(
        LINES, [(line.number, line.state.value, line.price, _remark(line)) for line in order.lines], figures=["Price"]
    )
    for event in order.history:
        screen.say(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.what}")


def _state(order: Order) -> str:
    return "open" if order.is_open else str(order.outcome)


def _remark(line: Line) -> str:
    told = [line.refusal or "", line.remark or "", f"in place of {line.replaces}" if line.replaces else ""]
    return "; ".join(filter(None, told))
