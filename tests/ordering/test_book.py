from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OrderConflict, OrderCorrupt, OrderHeld
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


def test_a_document_keeps_the_letters_that_people_wrote(book: OrderBook) -> None:
    book.write(new_order("ocp_default/trial", note="Empfang Köln, 受付"))

    assert "Empfang Köln, 受付" in (book.data_root.read(book.key("ocp_default/trial")) or b"").decode()


def test_orders_of_other_environments_are_not_counted(book: OrderBook) -> None:
    book.write(new_order("ocp_default/trial"))
    OrderBook(book.data_root, "ocp_default2").write(new_order("ocp_default2/trial", "ocp_default2"))

    assert [order.order_id for order in book.orders()] == ["ocp_default/trial"]


def test_a_family_is_all_generations_in_order_and_nobody_else(book: OrderBook) -> None:
    base = order_id("ocp_default", "retail-us", "new york")
    for generation in (10, 2, 1):
        book.write(new_order(order_id("ocp_default", "retail-us", "new york", generation=generation)))
    book.write(new_order(f"{base}/desk"))
    book.write(new_order(f"{base}/desk/3"))
    book.write(new_order(f"{base}2/1"))

    assert [order.order_id for order in book.family(base)] == [f"{base}/1", f"{base}/2", f"{base}/10"]


class TestDamaged:
    """A document that is not whole is named, with what is wrong with it, and is never left out of a sum."""

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"{}", "KeyError: 'digest'"),
            (b"{", "JSONDecodeError: Expecting property name"),
            (b"[]", "TypeError: "),
            (b"7", "AttributeError: "),
            (b'{"digest": ""}', "order_id: Field required"),
        ],
    )
    def test_its_key_and_its_fault_are_named(self, book: OrderBook, content: bytes, fault: str) -> None:
        book.data_root.write(book.key("ocp_default/trial"), content)
        fault = rf"^orders/ocp_default%2Ftrial\.json is not a whole order document: {re.escape(fault)}"

        with pytest.raises(OrderCorrupt, match=fault):
            book.read("ocp_default/trial")
        with pytest.raises(OrderCorrupt, match=fault):
            list(book.orders())

    def test_a_field_that_is_wrong_is_named(self, book: OrderBook) -> None:
        order = new_order("ocp_default/trial")
        book.write(order)
        content = book.data_root.read(book.key(order.order_id)) or b""
        book.data_root.write(book.key(order.order_id), content.replace(b'"planned"', b'"plant"'))

        with pytest.raises(OrderCorrupt, match=r"json is not a whole order document: lines\.0\.state: Input should be"):
            book.read(order.order_id)

    def test_the_document_of_another_order_is_not_taken_for_this_one(self, book: OrderBook) -> None:
        book.write(new_order("ocp_default/other"))
        content = book.data_root.read(book.key("ocp_default/other")) or b""
        book.data_root.write(book.key("ocp_default/trial"), content)

        with pytest.raises(OrderCorrupt, match=r"trial\.json holds order ocp_default/other of environment ocp_default"):
            book.read("ocp_default/trial")

    def test_who_wants_to_be_told_gets_all_others(self, book: OrderBook) -> None:
        for name in ("a", "c"):
            book.write(new_order(f"ocp_default/{name}"))
        book.data_root.write(book.key("ocp_default/b"), b"{}")
        told: list[tuple[str, str]] = []

        orders = book.orders(damaged=lambda key, error: told.append((key, str(error))))

        assert [order.order_id for order in orders] == ["ocp_default/a", "ocp_default/c"]
        assert [key for key, _ in told] == ["orders/ocp_default%2Fb.json"]
        assert told[0][1].startswith("orders/ocp_default%2Fb.json is not a whole order document")


def test_what_else_lies_beside_the_orders_is_passed_over(book: OrderBook) -> None:
    book.begin(NOW)
    for name in ("a", "b"):
        book.write(new_order(f"ocp_default/{name}"))
        book.register(new_order(f"ocp_default/{name}"), NOW)
    book.data_root.write("orders/ocp_default%2Fa.lease/00000001", b"{}")
    book.data_root.write("orders/.DS_Store", b"")

    assert [order.order_id for order in book.orders()] == ["ocp_default/a", "ocp_default/b"]


def test_an_order_withdrawn_while_the_others_are_read_is_passed_over(tmp_path: Path) -> None:
    class Withdrawing(DataRoot):
        def keys(self, prefix: str = "") -> list[str]:
            keys = super().keys(prefix)
            self.delete("orders/ocp_default%2Fa.json")
            return keys

    book = OrderBook(Withdrawing(tmp_path), "ocp_default")
    for name in ("a", "b"):
        book.write(new_order(f"ocp_default/{name}"))

    assert [order.order_id for order in book.orders()] == ["ocp_default/b"]


class TestRegistered:
    """The list of those that may spend in a month; from it caps are counted."""

    def test_it_holds_each_order_of_the_month_once_and_as_it_stands(self, book: OrderBook) -> None:
        old, new, other = (new_order(f"ocp_default/{name}") for name in ("old", "new", "other"))
        for order in (old, new, other):
            book.write(order)
        book.register(old, NOW - timedelta(days=10))
        for order in (new, other, new):
            book.register(order, NOW)
        changed = sent(new, ["+12125550001"], NOW)
        book.write(changed)

        assert list(book.registered(NOW.replace(day=31))) == [changed, other]

    def test_of_one_that_was_withdrawn_nothing_is_left_to_count(self, book: OrderBook) -> None:
        for name in ("a", "b"):
            book.write(new_order(f"ocp_default/{name}"))
            book.register(new_order(f"ocp_default/{name}"), NOW)
        book.remove(new_order("ocp_default/a"))

        assert [order.order_id for order in book.registered(NOW)] == ["ocp_default/b"]

    def test_other_environments_have_lists_of_their_own(self, book: OrderBook) -> None:
        other = OrderBook(book.data_root, "ocp_test")
        order = new_order("ocp_test/trial", "ocp_test")
        other.write(order)
        other.register(order, NOW)

        assert (list(book.registered(NOW)), list(other.registered(NOW))) == ([], [order])

    @pytest.mark.parametrize("content", [b"", b"\xff"])
    def test_an_entry_that_names_no_order_stops_the_count(self, book: OrderBook, content: bytes) -> None:
        book.data_root.write("orders/months/ocp_default/2026-03/trial", content)

        with pytest.raises(OrderCorrupt, match=r"^orders/months/ocp_default/2026-03/trial does not name an order"):
            list(book.registered(NOW))


class TestTheLease:
    def test_of_two_at_one_order_the_second_is_told_that_it_is_held(self, book: OrderBook) -> None:
        def clock() -> datetime:
            return NOW

        with book.lease("ocp_default/trial", clock=clock).held():
            assert book.data_root.keys("orders/ocp_default%2Ftrial.lease")
            with pytest.raises(OrderHeld, match=r"orders/ocp_default%2Ftrial\.lease"):
                book.lease("ocp_default/trial", clock=clock).acquire()
            book.lease("ocp_default/other", clock=clock).acquire()

    def test_who_lost_it_writes_nothing_over_what_others_wrote(self, book: OrderBook) -> None:
        order = new_order("ocp_default/trial")
        asleep = book.lease(order.order_id, clock=lambda: NOW)
        awake = book.lease(order.order_id, clock=lambda: NOW + timedelta(days=1))
        asleep.acquire()
        awake.acquire()
        book.write(sent(order, ["+12125550001"], NOW), awake)

        with pytest.raises(OrderHeld):
            book.write(order, asleep)

        assert book.read(order.order_id) == sent(order, ["+12125550001"], NOW)


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
    assert OrderBook(book.data_root, "ocp_test").begin(NOW + timedelta(days=3)) == NOW + timedelta(days=3)


def test_a_beginning_that_cannot_be_read_is_named(book: OrderBook) -> None:
    book.data_root.write("orders/begun/ocp_default.json", b"?")

    with pytest.raises(OrderCorrupt, match=r"orders/begun/ocp_default\.json"):
        book.begin(NOW)
