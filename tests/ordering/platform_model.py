"""A platform in a few lines, a data root that dies with its process, and a plan of what goes wrong where.

Fast enough for thousands of scenarios; the sandbox, which is the real thing, is too slow for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import AnswerLost, Forbidden, Refused, ServerFault, TooManyRequests
from ocp_numbers.models import AvailableNumber, PhoneNumber, Purchase, PurchasedNumber

GROUP = "retail-us"


MOST_EVENTS = 2000
"""More than any order here takes in one attempt: who calls, saves or waits more often never ends."""


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Time:
    """A clock that passes when somebody waits."""

    now: datetime = datetime(2026, 3, 10, 12, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Plan:
    """What happens at the n-th event - a call or a write to the data root - of one attempt, counted from 0."""

    mishaps: dict[int, str] = field(default_factory=dict)
    dead: bool = False
    events: int = 0
    calls: list[str] = field(default_factory=list)

    def during(self, act: Callable[[], Any], *, call: str | None = None) -> Any:
        """Do ``act`` as the plan wants it."""
        if self.dead:
            raise Killed
        assert self.events < MOST_EVENTS, "it runs in circles"
        mishap = self.mishaps.get(self.events, "")
        self.events += 1
        if call:
            self.calls.append(call)
        if mishap == "killed before":
            self.dead = True
            raise Killed
        if call and mishap in ("lost before", "429", "500 before", "403", "refused before"):
            raise _error(mishap, call)
        result = act()
        if mishap == "killed after":
            self.dead = True
            raise Killed
        if call and mishap in ("lost after", "500 after", "refused after"):
            raise _error(mishap, call)
        return result


MISHAPS = (
    *("killed before", "killed after", "lost before", "lost after", "429", "500 before", "500 after", "403"),
    *("refused before", "refused after"),
)


def _error(mishap: str, call: str) -> Exception:
    if mishap.startswith("lost"):
        return AnswerLost(operation=call, call=call, reason="the connection broke")
    if mishap.startswith("refused"):
        return Refused(operation=call, call=call, status=200, message="no")
    kind = {"429": TooManyRequests, "403": Forbidden}.get(mishap, ServerFault)
    return kind(operation=call, call=call, status=int(mishap[:3]), message="no")


class MortalRoot(DataRoot):
    """A data root in memory, as one process has it: what the process does after it was killed does not happen."""

    def __init__(self, documents: dict[str, bytes], plan: Plan) -> None:
        super().__init__("memory://unused")
        self._documents = documents
        self._plan = plan

    def read(self, key: str) -> bytes | None:
        return self._documents.get(key)

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(key for key in self._documents if not prefix or key.startswith(f"{prefix}/"))

    def write(self, key: str, content: bytes) -> None:
        self._plan.during(lambda: self._documents.update({key: content}))

    def create(self, key: str, content: bytes) -> bool:
        return bool(self._plan.during(lambda: self._documents.setdefault(key, content) is content))

    def move(self, source: str, target: str) -> None:
        def act() -> None:
            if source not in self._documents:
                raise FileNotFoundError(source)
            self._documents[target] = self._documents.pop(source)

        self._plan.during(act)

    def delete(self, key: str) -> None:
        self._plan.during(lambda: self._documents.pop(key, None))


@dataclass
class Owned:
    number: str
    price: Decimal
    note: str
    visible_at: datetime
    ours: bool


class Platform:
    """Sells numbers, and shows them some time later.

    :param cap: how many offers one answer shows. :param looks: the groups and notes that were searched for.
    """

    def __init__(self, time: Time, prices: dict[str, Decimal], hidden: float = 0, cap: int = 1000) -> None:
        self.time = time
        self.stock = dict(prices)
        self.hidden = timedelta(seconds=hidden)
        self.cap = cap
        self.owned: dict[str, Owned] = {}
        self.looks: list[tuple[tuple[str, ...], str]] = []

    def buy(self, numbers: Sequence[str], note: str, *, ours: bool = True) -> Purchase:
        sold = [number for number in numbers if number in self.stock]
        for number in sold:
            price = self.stock.pop(number)
            self.owned[number] = Owned(number, price, note, self.time() + self.hidden, ours)
        failed = tuple(number for number in numbers if number not in sold)
        return Purchase(failed=failed, purchased=tuple(PurchasedNumber(number=number) for number in sold))

    def visible(self) -> dict[str, PhoneNumber]:
        return {
            owned.number: PhoneNumber(number=owned.number, group_id=GROUP, note=owned.note)
            for owned in self.owned.values()
            if owned.ours and owned.visible_at <= self.time()
        }

    def client(self, plan: Plan) -> Any:
        """The client of one process."""
        return SimpleNamespace(numbers=_Numbers(self, plan))

    @property
    def bought(self) -> list[Owned]:
        return [owned for owned in self.owned.values() if owned.ours]

    @property
    def spent(self) -> Decimal:
        return sum((owned.price for owned in self.bought), Decimal(0))


class _Numbers:
    def __init__(self, platform: Platform, plan: Plan) -> None:
        self._platform = platform
        self._plan = plan

    def search_available(self, *, prefix: str | None = None, **_: Any) -> tuple[AvailableNumber, ...]:
        def act() -> tuple[AvailableNumber, ...]:
            fitting = [
                AvailableNumber(number=number, country="US", price=price)
                for number, price in self._platform.stock.items()
                if number.startswith(prefix or "+")
            ]
            return tuple(fitting[: self._platform.cap])

        return tuple(self._plan.during(act, call="numbers.search_available"))

    def buy(self, *, numbers: Sequence[str], note: str, **_: Any) -> Purchase:
        purchase: Purchase = self._plan.during(lambda: self._platform.buy(numbers, note), call="numbers.buy")
        return purchase

    def iterate(self, *, groups: Sequence[str], note: str) -> Iterator[PhoneNumber]:
        def act() -> list[PhoneNumber]:
            self._platform.looks.append((tuple(groups), note))
            return [row for row in self._platform.visible().values() if note in (row.note or "")]

        yield from self._plan.during(act, call="numbers.search")

    def find(self, numbers: Sequence[str]) -> dict[str, PhoneNumber]:
        def act() -> dict[str, PhoneNumber]:
            return {number: row for number, row in self._platform.visible().items() if number in numbers}

        found: dict[str, PhoneNumber] = self._plan.during(act, call="numbers.search")
        return found
