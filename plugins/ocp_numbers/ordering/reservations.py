"""Reservations: numbers that a plan of ours counts on, so that no other plan picks them until it is carried out.

One document for each environment holds them all, and is changed under a lease: of two runs that decide at the same time
the second sees what the first took. This keeps our own runs out of each other's way and nothing more: what may be
bought or assigned is proven by orders and by OCP. Where the document is lost, two plans can meet at the same number
again, and the second of them stops before it changes anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.errors import Held
from ocp_numbers.lease import Lease

if TYPE_CHECKING:
    from ocp_numbers.client import Clock

log = logging.getLogger(__name__)

FOLDER = "reservations"
HOLD = timedelta(hours=26)
"""How long a plan holds its numbers: a day for the person who approves, and the time to carry it out."""
AFTERWARDS = timedelta(minutes=10)
"""How long its numbers stay out of others' plans once it is carried out: OCP may show it late."""
REMEMBERED = timedelta(hours=1)
"""How long an ended reservation is kept for those who looked at OCP before it ended and decide after."""
TERM = timedelta(seconds=30)
PATIENCE = 2 * TERM
"""How long to wait for others who change the document: longer than the term of one that died over it."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.3

DecisionT = TypeVar("DecisionT")


class Claim(BaseModel):
    """What a plan counts on.

    :param owner: what it is for, in words: a plan is never kept from numbers that another one of its owner holds.
    :param plan: its digest. :param numbers: that it buys or uses. :param spares: that may take the places of refused
        ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    plan: str
    numbers: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()


class Reservation(Claim):
    """A claim, the run that made it, and until when it holds."""

    run: str
    until: datetime


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    reservations: tuple[Reservation, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What others have reserved: the numbers they count on, each with its ``owner``, and ``spares`` they may need."""

    owner: Mapping[str, str] = field(default_factory=dict)
    spares: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Numbers and spares."""
        return self.spares.union(self.owner)


class Reservations:
    """The reservations of one environment: ``reservations/<environment>.json`` in the data root.

    :param environment: the connection id. :param clock: tells the time and lets it pass; by default the real one.
    """

    def __init__(self, data_root: DataRoot, environment: str, *, clock: Clock | None = None) -> None:
        from ocp_numbers.client import Clock

        self._root = data_root
        self._key = f"{FOLDER}/{segment(environment)}.json"
        self._folder = f"{FOLDER}/{segment(environment)}.lease"
        self._clock = clock or Clock()

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self._clock.wall(), timezone.utc)

    def taken(self, *, by_others_than: str = "", since: datetime | None = None) -> Taken:
        """What owners other than the named one hold now, or have held at ``since`` or later."""
        return _taken(self._read(), by_others_than, self.now(), since)

    def reserve(
        self,
        decide: Callable[[Taken], tuple[DecisionT, Claim | None]],
        *,
        owner: str,
        run: str,
        since: datetime,
    ) -> DecisionT:
        """Decide, and reserve what was decided on, while nobody else does either.

        The decision replaces what the same run had reserved for the same owner: an attempt at it that was cut short. Of
        that something may have been carried out, so it still counts for those who looked at OCP before.

        :param decide: from what others hold to a decision and what it counts on; must be quick.
        :param since: when what the decision rests on was begun to be looked up.
        :raises Held: others are at it for longer than anybody should be.
        """
        with self._alone(run) as write:
            present = self._read()
            decision, claim = decide(_taken(present, owner, self.now(), since))
            earlier = [
                _ending(each, self.now()) if (each.owner, each.run) == (owner, run) else each for each in present
            ]
            write([*earlier, *([self._reservation(claim, run)] if claim else [])])
        return decision

    def renew(self, claim: Claim, *, run: str) -> dict[str, str]:
        """Reserve again what an earlier task reserved, unless others count on some of it by now: then nothing is.

        :returns: these numbers, where the reservation had run out or was lost, each with its owner.
        :raises Held: as :meth:`reserve`.
        """
        with self._alone(run) as write:
            present = self._read()
            taken = _taken(present, claim.owner, self.now())
            lost = {number: taken.owner[number] for number in claim.numbers if number in taken.owner}
            if not lost:
                kept = [each for each in present if (each.owner, each.plan) != (claim.owner, claim.plan)]
                write([*kept, self._reservation(claim, run)])
        return lost

    def withdraw(self, owner: str, plan: str) -> None:
        """Free what a plan holds of which nothing was carried out, and never will be."""
        self._end(lambda each: None if (each.owner, each.plan) == (owner, plan) else each)

    def fulfil(self, owner: str) -> None:
        """Let all plans of ``owner`` end a little later, now that one of them is carried out: the others are void."""

        def ended(each: Reservation) -> Reservation:
            if each.owner != owner:
                return each
            return _ending(each, self.now() + AFTERWARDS)

        self._end(ended)

    def _end(self, change: Callable[[Reservation], Reservation | None]) -> None:
        def ending(present: Iterable[Reservation]) -> tuple[Reservation, ...]:
            return tuple(after for each in present if (after := change(each)))

        try:
            present = self._read()
            if ending(present) != present:
                with self._alone("") as write:
                    write(ending(self._read()))
        except (Held, OSError) as error:
            log.warning("Reservations are left to run out by themselves: %s", error)

    def _reservation(self, claim: Claim, run: str) -> Reservation:
        return Reservation(**claim.model_dump(), run=run, until=self.now() + HOLD)

    def _read(self) -> tuple[Reservation, ...]:
        content = self._root.read(self._key)
        if content is None:
            return ()
        try:
            return _Document.model_validate_json(content).reservations
        except ValidationError as error:
            log.warning(
                "%s cannot be read (%d faults) and is made anew: until then plans may pick the same numbers, and all "
                "but one of them stop before they change anything.",
                self._key,
                error.error_count(),
            )
            return ()

    @contextmanager
    def _alone(self, by: str) -> Iterator[Callable[[Iterable[Reservation]], None]]:
        """Keep others out, once they are done; gives what replaces the document."""
        lease = Lease(self._root, self._folder, clock=self.now, length=TERM, by=by)

        def write(reservations: Iterable[Reservation]) -> None:
            oldest = self.now() - REMEMBERED
            kept = tuple(each for each in reservations if each.until > oldest)
            lease.write(self._key, _Document(reservations=kept).model_dump_json(indent=1).encode())

        with ExitStack() as stack:
            self._patiently(lambda: stack.enter_context(lease.held()))
            yield write

    def _patiently(self, acquire: Callable[[], object]) -> None:
        patience_ends = self._clock.monotonic() + PATIENCE.total_seconds()
        pause = _SHORTEST_PAUSE
        while True:
            try:
                acquire()
            except Held:
                if self._clock.monotonic() > patience_ends:
                    raise
            else:
                return
            self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _ending(reservation: Reservation, at: datetime) -> Reservation:
    return reservation.model_copy(update={"until": min(reservation.until, at), "spares": ()})


def _taken(reservations: Iterable[Reservation], owner: str, now: datetime, since: datetime | None = None) -> Taken:
    # Who began to look at the very instant at which a reservation ended may not have seen what became of it.
    others = [
        each for each in reservations if each.owner != owner and (each.until > now or (since and each.until >= since))
    ]
    return Taken(
        owner={number: each.owner for each in others for number in each.numbers},
        spares=frozenset(number for each in others for number in each.spares),
    )
