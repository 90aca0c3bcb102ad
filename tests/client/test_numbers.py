"""``client.numbers`` against the sandbox: each method does what it says, and the two conveniences are exact."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from client.conftest import NewClient, Serve
from client.raw_server import answer
from ocp_numbers.client import OcpClient
from ocp_numbers.errors import BadRequest, IncompleteSnapshot, NotFound
from ocp_sandbox import Fault, Sandbox, Settings, User

NUMBER = "+12125550123"
LONGER = "+121255501234"


@pytest.fixture
def own(sandbox: Sandbox) -> str:
    """A number of ours, unattached."""
    sandbox.edit.add_number(NUMBER, "retail-us", note="front desk")
    return NUMBER


def truth(sandbox: Sandbox, number: str) -> dict[str, object]:
    return next(row for row in sandbox.numbers() if row["number"] == number)


def test_a_page_of_the_list(sandbox: Sandbox, client: OcpClient, own: str) -> None:
    page = client.numbers.list(search_term="%front desk%", page_size=5, order_by="number", direction="DESC")
    assert [row.number for row in page.items] == [own]
    assert (page.page, page.all_numbers) == (1, 1)
    second = client.numbers.list(page=2, page_size=50)
    assert (second.page, second.page_size, second.number_of_pages, second.all_numbers) == (2, 50, 3, 121)


def test_offers_come_with_their_prices(sandbox: Sandbox, client: OcpClient) -> None:
    offers = client.numbers.search_available(provider="telnova", code="US", group="retail-us", prefix="+1212")
    prices = {row["number"]: Decimal(row["price"]) for row in sandbox.stock("telnova", "US")}
    assert offers
    assert {offer.number: offer.price for offer in offers}.items() <= prices.items()


def test_buying_reports_what_was_bought_and_what_was_not(sandbox: Sandbox, client: OcpClient, own: str) -> None:
    offer = sandbox.stock("telnova", "US")[0]["number"]
    purchase = client.numbers.buy(provider="telnova", numbers=[offer, own], group="retail-us", note="new line")
    assert [bought.number for bought in purchase.purchased] == [offer]
    assert purchase.failed == (own,)
    assert truth(sandbox, offer)["note"] == "new line"


def test_group_note_attachment_change_and_change_back(sandbox: Sandbox, client: OcpClient, own: str) -> None:
    app = next(app["id"] for app in sandbox.miniapps() if app["group"] == "retail-us")
    assert client.numbers.update_note(own, note='a, "b"\n☎').success
    assert client.numbers.attach([own], mini_app_id=app, locale="en-US", application_tag="night").success
    seen = client.numbers.find([own])[own]
    assert (seen.note, seen.mini_app_id, seen.locale, seen.application_tag) == ('a, "b"\n☎', app, "en-US", "night")
    assert client.numbers.detach([own]).success
    assert client.numbers.find([own])[own].mini_app_id is None
    assert client.numbers.update_group([own], group="banking-eu").success
    assert client.numbers.find([own])[own].group_id == "banking-eu"


def test_adding_and_deleting_a_number_of_ones_own(sandbox: Sandbox, client: OcpClient) -> None:
    assert client.numbers.add_direct([NUMBER], group="retail-us", country="US", log_ani=True, note="ported").success
    assert truth(sandbox, NUMBER)["note"] == "ported"
    assert client.numbers.delete(NUMBER).success
    assert client.numbers.find([NUMBER]) == {}


def test_the_csv_goes_out_and_comes_in(sandbox: Sandbox, client: OcpClient, own: str) -> None:
    text = client.numbers.export_csv(number=own)
    header, row = text.splitlines()
    assert own in row
    changed = f"{header},OPERATION\r\n{row.replace('front desk', 'back desk')},Update\r\n"
    assert client.numbers.import_csv(changed.encode()).success
    assert truth(sandbox, own)["note"] == "back desk"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda client: client.numbers.attach([NUMBER], mini_app_id="no.app", locale="en-US"), "no.app"),
        (lambda client: client.numbers.update_group([NUMBER], group="no-group"), "no-group"),
        (lambda client: client.numbers.delete(LONGER), LONGER),
        (lambda client: client.numbers.search_available(provider="no-one", code="US", group="retail-us"), "no-one"),
    ],
)
def test_what_does_not_exist_is_named_by_the_vendors_answer(
    call: Callable[[OcpClient], object], said: str, client: OcpClient, own: str
) -> None:
    with pytest.raises((NotFound, BadRequest), match=said.replace("+", r"\+")):
        call(client)


# iterate


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 120])
@pytest.mark.parametrize("cap", [None, 20])
def test_every_number_comes_once_and_in_order_whatever_the_page(
    count: int, cap: int | None, new_client: NewClient
) -> None:
    with Sandbox(Settings(numbers=count, stock=0, page_cap=cap, users=[User("ops", "open-sesame-4711")])) as sandbox:
        numbers = [row.number for row in new_client(sandbox.url).numbers.iterate(page_size=50)]
        assert numbers == [row["number"] for row in sandbox.numbers()]


def test_only_what_matches_the_filters_comes(sandbox: Sandbox, client: OcpClient) -> None:
    rows = list(client.numbers.iterate(groups=["retail-us"], page_size=7))
    assert {row.number for row in rows} == {row["number"] for row in sandbox.numbers() if row["groupId"] == "retail-us"}


def test_a_fault_on_a_page_is_lived_with(sandbox: Sandbox, client: OcpClient, no_waiting: None) -> None:
    sandbox.faults.add(Fault(kind="truncated", path="/api/numbers/search", every=2))
    assert len(list(client.numbers.iterate(page_size=30))) == 120


def page(number: int, of: int, total: int, *numbers: str) -> bytes:
    rows = ", ".join(f'{{"number": "{each}"}}' for each in numbers)
    counts = f'"page": {number}, "pageSize": 2, "numberOfPages": {of}, "allNumbers": {total}'
    return answer(body=f'{{"numbers": [{rows}], {counts}}}'.encode())


@pytest.mark.parametrize(
    ("pages", "problem"),
    [
        ([page(1, 2, 4, "+1", "+2"), page(2, 2, 4, "+3")], "4 numbers were announced and 3 came"),
        ([page(1, 2, 4, "+1", "+2"), page(2, 2, 3, "+4")], "the total went from 4 to 3"),
        ([page(1, 2, 4, "+1", "+2"), page(2, 2, 4, "+2", "+3")], r"page 2 repeats \+2"),
        ([page(1, 3, 6, "+1", "+2"), page(2, 3, 6)], "6 numbers were announced and 2 came"),
        ([page(1, 1, 0, "+1", "+2")], "0 numbers were announced and 2 came"),
        ([page(1, 999, 5, "+1", "+2"), page(2, 999, 5, "+3", "+4")] * 9, "5 numbers were announced and 6 came"),
    ],
)
def test_an_inventory_that_moves_while_it_is_read_is_not_passed_off_as_whole(
    pages: list[bytes], problem: str, serve: Serve, by_token: NewClient
) -> None:
    client = by_token(serve(*pages).url)
    with pytest.raises(IncompleteSnapshot, match=problem):
        list(client.numbers.iterate())


# find


def test_a_number_is_found_exactly_though_the_search_is_not(sandbox: Sandbox, client: OcpClient, own: str) -> None:
    sandbox.edit.add_number(LONGER, "retail-us")
    assert client.numbers.search(number=NUMBER).all_numbers == 2
    assert list(client.numbers.find([NUMBER, "+12125550999"])) == [NUMBER]


def test_few_numbers_are_searched_and_many_are_picked_out_of_the_list(sandbox: Sandbox, new_client: NewClient) -> None:
    every = [row["number"] for row in sandbox.numbers()]
    few = new_client(sandbox.url, page_size=10)
    assert list(few.numbers.find(every[:3])) == every[:3]
    assert sum(call["path"] == "/api/numbers/search" for call in sandbox.calls()) == 3
    sandbox.clear_calls()
    many = new_client(sandbox.url, page_size=60)
    assert list(many.numbers.find([*every[::2], NUMBER])) == every[::2]
    assert sum(call["path"] == "/api/numbers/search" for call in sandbox.calls()) == 2


def test_what_a_moving_list_may_have_hidden_is_searched_one_by_one(serve: Serve, by_token: NewClient) -> None:
    one, other = "+12125550001", "+12125550002"
    server = serve(page(1, 1, 1, one), page(1, 1, 2, one), page(1, 1, 1, other))
    assert list(by_token(server.url).numbers.find([other, one])) == [other, one]
