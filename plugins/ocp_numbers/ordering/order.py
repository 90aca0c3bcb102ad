"""The order as a document: what is wanted, what was approved, and what became of each number.

Values only. What changes an order is in :mod:`~ocp_numbers.ordering.transitions`, what to do next is decided in
:mod:`~ocp_numbers.ordering.steps`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from ocp_numbers.ordering.wishes import Money, Offer, Wishes


class State(str, Enum):
    """What is known about a number of the order.

    ``planned``: to be bought, not sent, or proven to have had no effect. ``sent``: handed to OCP; with a reply of
    ``purchased`` it waits for the read-back, without one the process ended in the middle of the call. ``owned``: OCP
    shows it as ours. ``refused``: it will not be bought. ``unknown``: the answer was lost; it may be ours.
    """

    PLANNED = "planned"
    SENT = "sent"
    OWNED = "owned"
    REFUSED = "refused"
    UNKNOWN = "unknown"


Outcome: TypeAlias = Literal["complete", "short", "over budget"]
Refusal: TypeAlias = Literal["not sold", "too dear", "not on offer", "someone else's", "not needed"]


class Document(BaseModel):
    """Base of what is kept in the data root: immutable, and nothing in it that is not understood."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Requester(Document):
    """Who asked for the order: the DAG run and task, and the person who triggered it where one did."""

    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    user: str | None = None


class Line(Document):
    """One number of the order.

    :param price: what it costs; None where OCP stated none, or where it was adopted.
    :param origin: ``offer`` as chosen or approved, ``spare`` in the place of the refused number ``replaces``,
        ``adopted`` when OCP showed it with the order's stamp and the document did not know it, ``already ours`` when it
        was wanted by number and in the inventory before the order.
    :param sends: when it was sent to OCP, each time; calls proven to have had no effect are left out.
    :param doubted: whether the outcome of one of these calls was never learned.
    :param reply: what OCP said to the last call, where it said something.
    :param heard_at: when that was, or when it became clear that no answer comes: a purchase was made before, if at all.
    :param settled_at: when it became owned or refused.
    :param refusal: why it was refused. :param remark: the particulars.
    """

    number: str
    price: Money | None
    state: State = State.PLANNED
    origin: Literal["offer", "spare", "adopted", "already ours"] = "offer"
    replaces: str | None = None
    sends: tuple[datetime, ...] = ()
    doubted: bool = False
    reply: Literal["purchased", "failed"] | None = None
    heard_at: datetime | None = None
    settled_at: datetime | None = None
    refusal: Refusal | None = None
    remark: str | None = None

    @property
    def charged_at(self) -> datetime | None:
        """When the number was, or may have been, charged: at the last call for it, or when it was adopted."""
        return self.sends[-1] if self.sends else self.settled_at

    @property
    def paid_by_order(self) -> bool:
        """Whether this number's price is, or may be, money that this order spent."""
        return self.state in (State.SENT, State.UNKNOWN) or (
            self.state is State.OWNED and self.origin != "already ours"
        )


class Event(Document):
    """What happened to the order and when, in a sentence."""

    at: datetime
    what: str


class Order(Document):
    """An order of numbers, open until it is closed as complete or short, and never opened again.

    :param note: the note that its numbers are bought with; its stamp stands at the end.
    :param ceiling: the highest price approved for a single number.
    :param budget: the most that all its numbers may cost together; None where no limit was given.
    :param approved: the sum of an approved list, which spares in the place of its numbers may not exceed either.
    :param spares: what may still take the place of a refused number, in sequence.
    """

    schema_version: Literal[1] = 1
    order_id: str
    environment: str
    wishes: Wishes
    wishes_digest: str
    stamp: str
    note: str
    ceiling: Money | None
    budget: Money | None
    approved: Money | None
    requested_by: Requester
    opened_at: datetime
    lines: tuple[Line, ...]
    spares: tuple[Offer, ...]
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    history: tuple[Event, ...] = ()

    @property
    def wanted(self) -> int:
        """How many numbers the order is for."""
        return self.wishes.wanted

    @property
    def is_open(self) -> bool:
        """Whether the order may still change."""
        return self.outcome is None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that the order has brought: bought, adopted, or ours already."""
        return tuple(line.number for line in self.lines_in(State.OWNED))

    @property
    def awaited(self) -> tuple[Line, ...]:
        """Numbers that OCP reported as purchased and has not shown yet."""
        return tuple(line for line in self.lines_in(State.SENT) if line.reply == "purchased")

    @property
    def in_doubt(self) -> tuple[Line, ...]:
        """Numbers that may or may not be ours."""
        return self.lines_in(State.SENT, State.UNKNOWN)

    @property
    def untouched(self) -> bool:
        """Whether nothing of the order can have reached OCP yet: then it may vanish without a trace."""
        return not any(line.sends or line.paid_by_order for line in self.lines)

    @property
    def spent(self) -> Decimal:
        """What the numbers that the order bought or adopted cost."""
        return self.cost(line for line in self.lines_in(State.OWNED) if line.paid_by_order)

    @property
    def committed(self) -> Decimal:
        """The worst case: as :attr:`spent`, with every number in doubt taken as bought."""
        return self.cost(line for line in self.lines if line.paid_by_order)

    @property
    def reserved(self) -> Decimal:
        """What the order may still spend on numbers not sent yet."""
        return self.cost(self.outstanding) if self.is_open else Decimal(0)

    @property
    def outstanding(self) -> tuple[Line, ...]:
        """The planned numbers that are still needed, in sequence."""
        needed = self.wanted - len(self.lines_in(State.OWNED, State.SENT, State.UNKNOWN))
        return self.lines_in(State.PLANNED)[: max(0, needed)]

    def lines_in(self, *states: State) -> tuple[Line, ...]:
        """The lines in one of ``states``, in the order's sequence."""
        return tuple(line for line in self.lines if line.state in states)

    @property
    def unpriced(self) -> tuple[Line, ...]:
        """Numbers that the order paid, or may pay, at a price that is not known."""
        return tuple(line for line in self.lines if line.paid_by_order and line.price is None)

    def excess(self, lines: Iterable[Line]) -> str | None:
        """Which limit buying ``lines`` as well would break, with the figures; None where it breaks none."""
        lines = tuple(lines)
        more = self.cost(lines)
        own = self.cost(line for line in self.lines if line.paid_by_order and line.origin != "adopted")
        if self.budget is not None and self.wishes.max_unit_price is None and self.unpriced:
            return (
                f"the price of {len(self.unpriced)} numbers is not known and no max_unit_price bounds it, so nothing "
                f"more can be bought within the budget of {self.budget:f}"
            )
        if self.budget is not None and self.committed + more > self.budget:
            return f"{self.committed:f} spent and {more:f} for {len(lines)} more exceed the budget of {self.budget:f}"
        if self.approved is not None and own + more > self.approved:
            return f"{own:f} spent and {more:f} for {len(lines)} more exceed the approved sum of {self.approved:f}"
        return None

    def cost(self, lines: Iterable[Line]) -> Decimal:
        """What ``lines`` cost together; an unknown price counts as the most that a number may cost."""
        unknown = self.wishes.max_unit_price or self.ceiling or Decimal(0)
        return sum((unknown if line.price is None else line.price for line in lines), Decimal(0))

    def committed_since(self, start: datetime) -> Decimal:
        """As :attr:`committed` plus :attr:`reserved`, but only for what was sent or adopted at ``start`` or later."""
        recent = (line for line in self.lines if line.paid_by_order and (line.charged_at or self.opened_at) >= start)
        return self.cost(recent) + self.reserved


class Receipt(Document):
    """The exact account of an order: each of its numbers in one list, and the money.

    :param bought: owned through this order's calls. :param adopted: found with its stamp, unknown to the document.
    :param already_ours: wanted by number, in the inventory before. :param refused: asked for and not got.
    :param unknown: may or may not be ours. :param missing: how many of the wanted numbers are not owned.
    :param spent: cost of bought and adopted, of which ``unpriced`` have no known price and count as the most that was
        allowed. :param at_risk: cost of the unknown ones if they turn out to be bought.
    :param reason: why it ended so; for an open order what went wrong with the last calls.
    """

    order_id: str
    outcome: Outcome | Literal["open"]
    wanted: int
    bought: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    already_ours: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    spent: Decimal = Decimal(0)
    unpriced: int = 0
    at_risk: Decimal = Decimal(0)
    reason: str | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """All that the order has brought."""
        return self.bought + self.adopted + self.already_ours

    @property
    def missing(self) -> int:
        """How many of the wanted numbers are not known to be ours."""
        return max(0, self.wanted - len(self.numbers))

    @classmethod
    def of(cls, order: Order) -> Receipt:
        """The account of ``order`` as it stands."""
        owned = order.lines_in(State.OWNED)
        going_on = order.lines_in(State.PLANNED, State.SENT, State.UNKNOWN)

        def named(lines: Iterable[Line], *origins: str) -> tuple[str, ...]:
            return tuple(line.number for line in lines if line.origin in origins)

        return cls(
            order_id=order.order_id,
            outcome=order.outcome or "open",
            wanted=order.wanted,
            bought=named(owned, "offer", "spare"),
            adopted=named(owned, "adopted"),
            already_ours=named(owned, "already ours"),
            refused=tuple(line.number for line in order.lines_in(State.REFUSED)),
            unknown=tuple(line.number for line in order.in_doubt),
            spent=order.spent,
            unpriced=sum(line.price is None for line in owned if line.paid_by_order),
            at_risk=order.committed - order.spent,
            reason=order.reason or "; ".join(sorted({line.remark for line in going_on if line.remark})) or None,
        )

    def __str__(self) -> str:
        parts = [
            f"{len(lines)} {what}"
            for what, lines in (
                ("bought", self.bought),
                ("adopted", self.adopted),
                ("already ours", self.already_ours),
                ("refused", self.refused),
                ("unknown", self.unknown),
            )
            if lines
        ]
        account = ", ".join(parts) or "nothing bought"
        unpriced = f" (the price of {self.unpriced} is not known)" if self.unpriced else ""
        at_risk = f", up to {self.at_risk:f} more if the unknown ones are ours" if self.at_risk else ""
        return f"Order {self.order_id}: {account} of {self.wanted} wanted; spent {self.spent:f}{unpriced}{at_risk}."
