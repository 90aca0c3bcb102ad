"""Ordering: buying numbers exactly once and inside the budget, whatever crashes and whenever.

An order is a document, saved before each step that depends on it. Its stamp in the notes of its numbers lets the truth
be rebuilt from OCP alone. Which step comes next is decided by a pure function; a buyer carries it out, under a lease.
"""

from ocp_numbers.ordering.book import OrderBook
from ocp_numbers.ordering.buyer import Buyer, problem
from ocp_numbers.ordering.order import Line, Order, Receipt, Requester, State
from ocp_numbers.ordering.reservations import Claim, Reservations, Taken
from ocp_numbers.ordering.stamps import check_note, order_id, stamp, stamp_family, stamps_in
from ocp_numbers.ordering.steps import Policy, View, next_step
from ocp_numbers.ordering.wishes import Caps, Offer, Wishes

__all__ = [
    "Buyer",
    "Caps",
    "Claim",
    "Line",
    "Offer",
    "Order",
    "OrderBook",
    "Policy",
    "Receipt",
    "Requester",
    "Reservations",
    "State",
    "Taken",
    "View",
    "Wishes",
    "check_note",
    "next_step",
    "order_id",
    "problem",
    "stamp",
    "stamp_family",
    "stamps_in",
]
