"""A company whose tasks buy, add and give up numbers, step by step, while its inventory is exported in between.

Each deed is a generator that can be left alone between two of its steps, as a task can be overtaken by the night.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from inventory.estate import DAY, NOON, Estate, row
from ocp_numbers.balance import FINDINGS, Balance, read
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.journal import Actor, Journal, NumberEdit
from ocp_numbers.models import PhoneNumber
from ocp_numbers.ordering import Line, Order, OrderBook, Requester, State, Wishes, order_id, stamp

ENVIRONMENT = "ocp_default"
Deed = Iterator[None]
Found = set[tuple[str, str]]
"""Kind and number of each finding."""


class Company:
    def __init__(self, root: DataRoot, seed: int = 0, numbers: int = 12) -> None:
        self.root = root
        self.chance = random.Random(seed)
        self.now = NOON
        self.estate = Estate([row(place) for place in range(numbers)], before=self._call)
        self.book = OrderBook(root, ENVIRONMENT)
        self._next = 1000
        self._tasks = 0
        self._under_way: list[tuple[Deed, set[str]]] = []
        self._disturbing = 0
        self.busy: set[str] = set()
        """Numbers that nobody touches any more."""
        self._held: set[str] = set()
        """Numbers of the deed at work: our own tasks do not take each other's away."""

    # What tasks do, and what they put on record

    def order(
        self, numbers: list[str], state: State, *, name: str = "", at: datetime | None = None, **line: Any
    ) -> str:
        """Put an order on record; its id."""
        if not name:
            self._tasks += 1
        key = name or order_id(ENVIRONMENT, "dag", f"run {self._tasks}", "buy")
        settled = {"settled_at": at or self.now} if state in (State.OWNED, State.REFUSED) else {}
        fields: dict[str, Any] = {"price": Decimal(1), "sends": (at or self.now,), "state": state} | settled | line
        self.book.write(
            Order(
                order_id=key,
                environment=ENVIRONMENT,
                wishes=Wishes(provider="telnova", group="g", country_code="US", quantity=len(numbers)),
                wishes_digest="0",
                stamp=stamp(key),
                note=stamp(key),
                ceiling=None,
                budget=None,
                approved=None,
                requested_by=Requester(),
                opened_at=at or self.now,
                lines=tuple(Line(number=number, **fields) for number in numbers),
                spares=(),
                outcome="complete" if state is State.OWNED else None,
            )
        )
        return key

    def journal(self) -> Journal:
        self._tasks += 1
        by = Actor(dag_id="dag", run_id=f"run {self._tasks}", task_id="task")
        return Journal(self.root, ENVIRONMENT, by, now=lambda: self.now)

    def arrive(self, numbers: list[str]) -> None:
        self.estate.rows = sorted(
            [*self.estate.rows, *(row(0, number=number) for number in numbers)], key=lambda each: each["number"]
        )

    def leave(self, numbers: list[str]) -> None:
        self.estate.rows = [each for each in self.estate.rows if each["number"] not in numbers]

    def new(self, count: int = 2) -> list[str]:
        self._next += count
        numbers = [f"+1212{place:07}" for place in range(self._next - count, self._next)]
        self._held.update(numbers)
        return numbers

    def some(self, count: int = 2) -> list[str]:
        """Numbers that are ours, and that no other task is at work on."""
        taken = self.busy.union(*(held for _, held in self._under_way))
        free = [each["number"] for each in self.estate.rows if each["number"] not in taken]
        numbers = self.chance.sample(free, min(count, len(free)))
        self._held.update(numbers)
        return numbers

    def gone(self, numbers: list[str]) -> list[NumberEdit]:
        return [NumberEdit.gone(PhoneNumber(number=number)) for number in numbers]

    # Deeds

    def buy(self) -> Deed:
        yield from self._bought(self.new())

    def _bought(self, numbers: list[str]) -> Deed:
        key = self.order(numbers, State.SENT)
        yield
        self.arrive(numbers)
        yield
        if self.chance.random() < 0.3:  # the answer was lost
            self.order(numbers, State.UNKNOWN, name=key, doubted=True)
            yield
        self.order(numbers, State.OWNED, name=key)

    def buy_in_vain(self) -> Deed:
        numbers = self.new()
        key = self.order(numbers, State.SENT)
        yield
        self.order(numbers, State.REFUSED, name=key, refusal="not sold")

    def want_what_is_ours(self) -> Deed:
        self.order(self.some(), State.OWNED, origin="already ours", sends=())
        yield

    def add(self) -> Deed:
        numbers, journal = self.new(), self.journal()
        intent = journal.intend("add", [NumberEdit.unseen(number, group_id="g") for number in numbers])
        yield
        self.arrive(numbers)
        yield
        journal.confirm(intent)

    def give_up(self) -> Deed:
        numbers, journal = self.some(3), self.journal()
        kept = numbers[:1]
        intent = journal.intend("give up", self.gone(numbers))
        yield
        self.leave(numbers[1:])
        yield
        journal.confirm(intent, without=kept)

    def delete_though_killed(self) -> Deed:
        """Killed before the call, or after it: the next attempt looks first."""
        numbers, journal = self.some(), self.journal()
        journal.intend("delete", self.gone(numbers))
        yield
        if self.chance.random() < 0.5:
            self.leave(numbers)
            yield
            return
        intent = journal.intend("delete", self.gone(numbers))
        self.leave(numbers)
        yield
        journal.confirm(intent)

    def delete_in_vain(self) -> Deed:
        numbers, journal = self.some(), self.journal()
        intent = journal.intend("delete", self.gone(numbers))
        yield
        journal.confirm(intent, without=numbers)

    def give_up_and_buy_again(self) -> Deed:
        numbers, journal = self.some(1), self.journal()
        intent = journal.intend("give up", self.gone(numbers))
        self.leave(numbers)
        yield
        journal.confirm(intent)
        self.now += timedelta(seconds=5)
        yield from self._bought(numbers)

    def buy_and_give_up(self) -> Deed:
        numbers = self.new(1)
        yield from self._bought(numbers)
        self.now += timedelta(seconds=5)
        journal = self.journal()
        intent = journal.intend("give up", self.gone(numbers))
        yield
        self.leave(numbers)
        journal.confirm(intent)

    def rewrite_notes(self) -> Deed:
        journal = self.journal()
        intent = journal.intend(
            "note", [NumberEdit.of(PhoneNumber(number=number), note="new") for number in self.some()]
        )
        yield
        journal.confirm(intent)

    @property
    def deeds(self) -> list[Callable[[], Deed]]:
        return [
            self.buy,
            self.buy_in_vain,
            self.want_what_is_ours,
            self.add,
            self.give_up,
            self.delete_though_killed,
            self.delete_in_vain,
            self.give_up_and_buy_again,
            self.buy_and_give_up,
            self.rewrite_notes,
        ]

    # Days and nights

    def day(self, deeds: int = 6) -> None:
        """A day of deeds, some of which are still under way in the evening, and go on during the night."""
        evening = self.now + timedelta(hours=12)
        for _ in range(deeds):
            self.now += timedelta(minutes=self.chance.randint(1, 60))
            self._begin()
            for _ in range(self.chance.randint(0, 6)):
                self._step()
        self.finish()
        self.now = max(self.now, evening)
        for _ in range(2):
            self.now += timedelta(minutes=self.chance.randint(0, 10))
            self._begin()
            self._step()

    def night(self, day: date) -> CompleteSnapshot:
        """Export, while what is under way goes on."""
        self._disturbing = 3
        snapshot = Export(
            source=self.estate,
            root=self.root,
            scope=Scope(environment=ENVIRONMENT),
            day=day,
            holder="export",
            page_size=7,
            concurrency=1,
            attempts=12,
            max_change_percent=1_000_000,
            clock=lambda: self.now,
        ).run()
        self.finish()
        self.now += timedelta(hours=12)
        return snapshot

    def nights(self, count: int, start: date = DAY) -> Iterator[CompleteSnapshot]:
        for place in range(count):
            yield self.night(start + timedelta(place))
            self.day()

    def _call(self, _: int) -> None:
        self.now += timedelta(seconds=1)
        if self._disturbing and self.chance.random() < 0.3:
            self._disturbing -= 1
            self._step()

    def _begin(self) -> None:
        self._under_way.append((self.chance.choice(self.deeds)(), set()))
        self._go_on(self._under_way[-1])

    def _step(self) -> None:
        if self._under_way:
            self.now += timedelta(seconds=self.chance.randint(0, 30))
            self._go_on(self.chance.choice(self._under_way))

    def _go_on(self, under_way: tuple[Deed, set[str]]) -> None:
        deed, self._held = under_way
        if next(deed, self) is self:
            self._under_way.remove(under_way)

    def finish(self) -> None:
        while self._under_way:
            self._step()


def balance_of(snapshot: CompleteSnapshot) -> Balance:
    balance = read(snapshot)
    assert balance is not None
    return balance


def found(snapshot: CompleteSnapshot) -> Found:
    """All findings of a night, as its file lists them."""
    if FINDINGS not in snapshot.manifest.files:
        return set()
    with snapshot.open(FINDINGS) as stream:
        rows = list(csv.DictReader(io.TextIOWrapper(stream, newline="")))
    listed = {(each["finding"], each["number"]) for each in rows}
    assert len(listed) == len(rows) == balance_of(snapshot).findings
    return listed
