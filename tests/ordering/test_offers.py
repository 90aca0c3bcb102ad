from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ocp_numbers.models import AvailableNumber
from ocp_numbers.ordering.offers import MOST_SEARCHES, quote, search_offers
from ordering.shop import wish

AREA = [f"+1212{n:07d}" for n in range(2_000_000, 9_000_000, 14_000)]


class Shelf:
    """A search that shows at most ``cap`` of what it holds, the smallest first."""

    def __init__(self, numbers: list[str], cap: int) -> None:
        self.numbers = sorted(numbers)
        self.cap = cap
        self.asked: list[dict[str, Any]] = []

    @property
    def client(self) -> Any:
        return SimpleNamespace(numbers=self)

    @property
    def searches(self) -> list[str | None]:
        return [asked["prefix"] for asked in self.asked]

    def search_available(self, *, prefix: str | None, **place: Any) -> tuple[AvailableNumber, ...]:
        self.asked.append({"prefix": prefix, **place})
        fitting = [number for number in self.numbers if number.startswith(prefix or "+")]
        return tuple(AvailableNumber(number=number, price=Decimal(1)) for number in fitting[: self.cap])


def at_least(count: int) -> Any:
    def enough(found: Collection[AvailableNumber]) -> bool:
        return len(found) >= count

    return enough


@pytest.mark.parametrize("prefix", ["", "+1212", "1212"])
def test_a_capped_answer_is_continued_until_enough_is_found(prefix: str) -> None:
    shelf = Shelf(AREA, cap=50)

    found = search_offers(shelf.client, wish(300, prefix=prefix), enough=at_least(300))

    assert len(found) >= 300
    assert len(shelf.searches) < MOST_SEARCHES


def test_one_search_is_enough_where_it_shows_enough() -> None:
    shelf = Shelf(AREA, cap=50)

    search_offers(shelf.client, wish(20), enough=at_least(20))

    assert shelf.searches == ["+1212"]


def test_each_search_is_for_the_orders_provider_country_and_group() -> None:
    shelf = Shelf([], cap=1)
    wishes = wish(1, provider="telnova", country_code="US", group="retail-us", prefix="1212")

    search_offers(shelf.client, wishes, enough=at_least(1))
    quote(shelf.client, wishes, ["+12125550001"])
    search_offers(shelf.client, wish(1, prefix=""), enough=at_least(1))

    place = {"provider": "telnova", "code": "US", "group": "retail-us"}
    assert shelf.asked == [
        {**place, "prefix": "+1212"},
        {**place, "prefix": "+12125550001"},
        {**place, "prefix": None},
    ]


def test_a_short_answer_is_whole() -> None:
    shelf = Shelf(AREA[:9], cap=50)

    assert len(search_offers(shelf.client, wish(20), enough=at_least(20))) == 9
    assert len(shelf.searches) == 1


def test_what_was_not_asked_for_is_left_out() -> None:
    shelf = Shelf(["+12125550001", "+12125550002"], cap=50)
    shelf.numbers += ["+13055550001", "12125550003"]
    answer = shelf.search_available
    shelf.search_available = lambda *, prefix, **_: answer(prefix="")  # type: ignore[method-assign]

    assert set(search_offers(shelf.client, wish(1), enough=at_least(9))) == {"+12125550001", "+12125550002"}


def test_prices_are_asked_for_in_one_search_where_that_shows_them_all() -> None:
    shelf = Shelf(AREA, cap=1000)

    assert set(quote(shelf.client, wish(1), AREA[10:40])) == set(AREA[10:40])
    assert len(shelf.searches) == 1


def test_a_number_is_gone_only_when_a_search_for_itself_does_not_show_it() -> None:
    gone = AREA[100]
    shelf = Shelf([number for number in AREA if number != gone], cap=3)
    asked = AREA[95:105]

    assert set(quote(shelf.client, wish(1), asked)) == set(asked) - {gone}
    assert gone in shelf.searches


def test_a_number_that_begins_another_one_does_not_hide_it() -> None:
    numbers = ["+4930123456", "+49301234567"]
    shelf = Shelf(numbers, cap=1)

    assert set(quote(shelf.client, wish(1, prefix=""), numbers)) == set(numbers)


def test_nothing_to_ask_asks_nothing() -> None:
    shelf = Shelf(AREA, cap=3)

    assert quote(shelf.client, wish(1), []) == {}
    assert shelf.searches == []
