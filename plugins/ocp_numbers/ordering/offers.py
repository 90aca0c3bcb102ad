"""What is on offer: searches that reach beyond the platform's cap on one answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from os.path import commonprefix
from typing import TYPE_CHECKING

from ocp_numbers.models import E164, AvailableNumber
from ocp_numbers.ordering.wishes import Wishes

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

MOST_SEARCHES = 200
"""How many searches one question may take."""
SMALLEST_CAP = 10
"""A shorter answer is taken to be whole: OCP documents no cap on an answer, but may have one."""


def search_offers(
    client: OcpClient, wishes: Wishes, *, enough: Callable[[Collection[AvailableNumber]], bool]
) -> dict[str, AvailableNumber]:
    """Offers in the area of ``wishes``, by number: at least ``enough`` of them, or all that can be found.

    An answer may be capped. While it does not suffice, the prefix of an answer as long as the longest one is continued
    by each digit; the longest prefixes come first, because they show the most that is new.
    """
    found: dict[str, AvailableNumber] = {}
    largest = SMALLEST_CAP
    prefixes = [f"+{wishes.prefix.removeprefix('+')}" if wishes.prefix else ""]
    for _ in range(MOST_SEARCHES):
        if not prefixes or enough(found.values()):
            break
        prefix = prefixes.pop()
        offers = _fitting(client, wishes, prefix)
        found.update(offers)
        if len(offers) >= largest:
            largest = len(offers)
            prefixes.extend(f"{prefix or '+'}{digit}" for digit in reversed("0123456789"))
    return found


def quote(client: OcpClient, wishes: Wishes, numbers: Collection[str]) -> dict[str, AvailableNumber]:
    """Those of ``numbers`` that are on offer.

    Asks for the digits that they have in common, then more closely for those that an answer did not show: it may have
    been capped. A number counts as gone when a search for all its digits does not show it.
    """
    found: dict[str, AvailableNumber] = {}
    questions = deque([sorted(set(numbers))] if numbers else [])
    while questions:
        sought = questions.popleft()
        shared = commonprefix(sought)  # noqa: RUF071 - digits, not a path
        offers = _fitting(client, wishes, shared)
        found.update((number, offers[number]) for number in sought if number in offers)
        missing = [number for number in sought if number not in offers and number != shared]
        for digit in sorted({number[len(shared)] for number in missing}):
            questions.append([number for number in missing if number[len(shared)] == digit])
    return found


def _fitting(client: OcpClient, wishes: Wishes, prefix: str) -> dict[str, AvailableNumber]:
    """The answer to one search, without what does not belong into it."""
    answer = client.numbers.search_available(
        provider=wishes.provider, code=wishes.country_code, group=wishes.group, prefix=prefix or None
    )
    return {offer.number: offer for offer in answer if E164.fullmatch(offer.number) and wishes.includes(offer.number)}
