"""What our records say about numbers that came and went: orders, and the journals of runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ocp_numbers.data_root import DataRoot
from ocp_numbers.journal import Entry, entries_since
from ocp_numbers.ordering import Order, OrderBook, State


@dataclass(frozen=True)
class Event:
    """That a number came or went, by which record and when, and whether it was read back."""

    at: datetime
    record: str
    proven: bool


@dataclass
class Past:
    """What is on record of a number: its comings, its goings, and a purchase in doubt."""

    comings: list[Event] = field(default_factory=list)
    goings: list[Event] = field(default_factory=list)
    doubted: Event | None = None

    @property
    def came(self) -> Event | None:
        """The last time that it came."""
        return max(self.comings, key=_time, default=None)

    @property
    def went(self) -> Event | None:
        """The last time that it was given up, or was about to be."""
        return max(self.goings, key=_time, default=None)


def _time(event: Event) -> datetime:
    return event.at


@dataclass
class Records:
    """What is on record since a time, by number; and the records that cannot be read, with the reason."""

    numbers: dict[str, Past] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)

    @classmethod
    def since(cls, start: datetime, *, root: DataRoot, environment: str) -> Records:
        """What orders and runs did to numbers at ``start`` or later; purchases in doubt of any age."""
        records = cls()
        for order in OrderBook(root, environment).orders(damaged=records._cannot_read):
            records._take_order(order, start)
        intents: dict[tuple[str, int], Entry] = {}
        for entry in entries_since(root, environment, start, damaged=records._cannot_read):
            if any(edit.after is None or entry.brings(edit) for edit in entry.numbers):
                intents[str(entry.by), entry.entry] = entry
                records._take_intent(entry)
            for confirmed in entry.confirms:
                if intent := intents.pop((str(entry.by), confirmed), None):
                    records._take_confirmation(intent, entry)
        return records

    def _cannot_read(self, key: str, fault: object) -> None:
        self.damaged[key] = str(fault)

    def _past(self, number: str) -> Past:
        return self.numbers.setdefault(number, Past())

    def _take_order(self, order: Order, start: datetime) -> None:
        name = f"order {order.order_id}"
        for line in order.in_doubt:
            self._past(line.number).doubted = Event(line.sends[-1] if line.sends else order.opened_at, name, False)
        for line in order.lines_in(State.OWNED):
            at = line.settled_at or order.closed_at or order.opened_at
            if line.origin != "already ours" and at >= start:
                self._past(line.number).comings.append(Event(at, name, True))

    def _take_intent(self, entry: Entry) -> None:
        for _, events in self._movements(entry):
            events.append(Event(entry.at, f"run {entry.by.run}", False))

    def _take_confirmation(self, intent: Entry, confirmation: Entry) -> None:
        begun = Event(intent.at, f"run {intent.by.run}", False)
        for number, events in self._movements(intent):
            events.remove(begun)
            if number not in confirmation.without:
                events.append(Event(confirmation.at, begun.record, True))

    def _movements(self, entry: Entry) -> Iterator[tuple[str, list[Event]]]:
        """The numbers that an entry lets come or go, each with the events of that kind."""
        for edit in entry.numbers:
            if edit.after is None:
                yield edit.number, self._past(edit.number).goings
            elif entry.brings(edit):
                yield edit.number, self._past(edit.number).comings
