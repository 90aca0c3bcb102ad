"""Reading many numbers with few calls: all of them through the listing, or those of a plan by where they stood in it.

A number that was found at a place once is there again, or near it, as long as few come and go. One that is not is
searched by itself, so that a wrong place costs a call and never an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.models import PhoneNumber, check_told
from ocp_numbers.threads import Threads

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

FEW = 100
"""So many numbers are searched one by one rather than picked out of a listing."""

READINGS = 3
"""How often the listing is read again when it moves meanwhile."""

CHANGEABLE = ("group_id", "mini_app_id", "locale", "application_tag", "set_id", "note")
"""What a change compares with and a restore brings back: OCP has to tell it, be it that there is none."""

Seen = tuple[PhoneNumber, "int | None"]


class Look:
    """Looks at numbers as OCP shows them now.

    :param connect: gives the client for the next call, or raises when the task has to end.
    """

    def __init__(self, connect: Callable[[], OcpClient]) -> None:
        self._connect = connect
        self._page_size = 0

    def pages(self) -> Iterator[list[Seen]]:
        """All numbers with their places, some at a time, in the order of the numbers.

        :raises IncompleteSnapshot: when the listing moved while it was read; what came is right nevertheless. Also when
            OCP does not tell of each number what a change is made from.
        """
        client = self._connect()
        held: list[Seen] = []
        for place, row in enumerate(client.numbers.iterate()):
            check_told((row,), *CHANGEABLE)
            held.append((row, place))
            if len(held) >= client.settings.page_size:
                self._connect()
                yield held
                held = []
        yield held

    def at(self, places: Mapping[str, int | None]) -> dict[str, PhoneNumber]:
        """Those of the numbers that are in the inventory, looked for at their places first."""
        known = {number: place for number, place in places.items() if place is not None}
        found = {row.number: row for row in self._at(known) if row.number in known}
        return found | self.find([number for number in places if number not in found])

    def find(self, numbers: Sequence[str]) -> dict[str, PhoneNumber]:
        """Those of ``numbers`` that are in the inventory, wherever they stand.

        :raises IncompleteSnapshot: when OCP does not tell of each what a change is made from.
        """
        found = self._find(numbers) if numbers else {}
        check_told(found.values(), *CHANGEABLE)
        return found

    def _find(self, numbers: Sequence[str]) -> dict[str, PhoneNumber]:
        client = self._connect()
        if len(numbers) > FEW:
            return client.numbers.find(numbers)
        with Threads(client.settings.max_concurrency) as pool:
            singly = pool.map(lambda number: client.numbers.find([number]), numbers)
            return {number: row for found in singly for number, row in found.items()}

    def _at(self, places: Mapping[str, int]) -> Iterator[PhoneNumber]:
        if len(places) < 2:
            return
        client = self._connect()
        # How many numbers a page really holds, whatever was asked for.
        self._page_size = self._page_size or max(1, len(client.numbers.list(order_by="number").items))
        pages = sorted({place // self._page_size + 1 for place in places.values()})
        if len(pages) < len(places):
            with Threads(client.settings.max_concurrency) as pool:
                read = pool.map(lambda page: client.numbers.list(page=page, order_by="number").items, pages)
                yield from check_told((row for rows in read for row in rows), *CHANGEABLE)


def read_all(look: Look, *, pages: int = READINGS) -> Iterator[list[Seen]]:
    """All numbers, read again from the start when the listing moves; a number may come more than once.

    :raises IncompleteSnapshot: when it never held still.
    """
    for turn in range(pages):
        try:
            yield from look.pages()
        except IncompleteSnapshot:
            if turn == pages - 1:
                raise
        else:
            return
