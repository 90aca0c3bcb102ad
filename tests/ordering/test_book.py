from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OrderConflict, OrderCorrupt
from ocp_numbers.ordering import Order, OrderBook, Requester, order_id
from ocp_numbers.ordering.opening import Choice, opened
from ocp_numbers.ordering.transitions import sent
from ocp_numbers.ordering.wishes import Offer
from ordering.platform_model import MortalRoot, Plan
from ordering.shop import wish

NOW = datetime(2026, 3, 10, tzinfo=timezone.utc)


def new_order(key: str, environment: str = "ocp_default", **fields: str) -> Order:
    choice = Choice(offers=(Offer.model_validate({"number": "+12125550001", "price": "2.50"}),))
    return opened(wish(1, **fields), choice, order_id=key, environment=environment, requested_by=Requester(), now=NOW)


@pytest.fixture
def book(tmp_path: Path) -> OrderBook:
    return OrderBook(DataRoot(tmp_path), "ocp_default")


notes = st.text(max_size=50).filter(lambda text: "order" not in text.lower())


@given(name=st.text(min_size=1, max_size=300), note=notes)
def test_what_is_written_is_read_again_whatever_it_is_called(name: str, note: str) -> None:
    book = OrderBook(MortalRoot({}, Plan()), "ocp_default")
    order = new_order(order_id("ocp_default", name), note=note)

    book.write(order)

    assert book.read(order.order_id) == order
    assert list(book.orders()) == [order]


def test_a_document_is_made_for_people_and_holds_no_float(book: OrderBook) -> None:
    order = new_order("ocp_default/trial")
    book.write(order)

    content = (book.data_root.read(book.key(order.order_id)) or b"").decode()

    assert book.key(order.order_id) == "orders/ocp_default%2Ftrial.json"
    assert '\n  "order_id": "ocp_default/trial",' in content
    assert '"price": "2.50"' in content


def test_orders_of_other_environments_are_not_counted(book: OrderBook) -> None:
    book.write(new_order("ocp_default/trial"))
    OrderBook(book.data_root, "ocp_default2").write(new_order("ocp_default2/trial", "ocp_default2"))

    assert [order.order_id for order in book.orders()] == ["ocp_default/trial"]


def test_a_family_is_all_generations_in_order_and_nobody_else(book: OrderBook) -> None:
    base = order_id("ocp_default", "retail-us", "new york")
    for generation in (10, 2, 1):
        book.write(new_order(order_id("ocp_default", "retail-us", "new york", generation=generation)))
    book.write(new_order(f"{base}/desk"))
    book.write(new_order(f"{base}2/1"))

    assert [order.order_id for order in book.family(base)] == [f"{base}/1", f"{base}/2", f"{base}/10"]


def test_an_order_that_cannot_be_read_is_never_left_out_of_a_sum(book: OrderBook) -> None:
    book.data_root.write(book.key("ocp_default/trial"), b"{}")

    with pytest.raises(OrderCorrupt, match=r"trial\.json is not a whole order document"):
        list(book.orders())


def test_only_an_order_that_was_never_sent_can_be_removed(book: OrderBook) -> None:
    order = new_order("ocp_default/trial")
    touched = sent(order, ["+12125550001"], NOW)
    book.write(touched)

    with pytest.raises(OrderConflict, match="has reached OCP"):
        book.remove(touched)
    book.remove(order)

    assert book.read(order.order_id) is None


def test_a_book_is_begun_once(book: OrderBook) -> None:
    assert book.begin(NOW) == NOW
    assert book.begin(NOW + timedelta(days=3)) == NOW


def test_a_beginning_that_cannot_be_read_is_named(book: OrderBook) -> None:
    book.data_root.write("orders/begun/ocp_default.json", b"?")

    with pytest.raises(OrderCorrupt, match=r"orders/begun/ocp_default\.json"):
        book.begin(NOW)
