from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest

from dashboard.records import ENVIRONMENT, NOW, order
from ocp_numbers.dashboard.approvals import approval_of
from ocp_numbers.dashboard.purchases import Purchases, place_of
from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import OrderBook


def at(month: int, day: int = 10) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=timezone.utc)


def test_money_is_added_up_by_month_and_region(root: DataRoot) -> None:
    order(root, ["+12120000001", "+12120000002"], at=at(1), price=Decimal("2.50"))
    order(root, ["+12120000003"], at=at(2), generation=2)
    order(root, ["+12120000004"], at=at(2), set_name="Miami")
    ledger = Purchases(root).of(ENVIRONMENT)
    assert ledger.months() == {
        "2026-01": {"retail / Athens": Decimal("5.00")},
        "2026-02": {"retail / Athens": Decimal(5), "retail / Miami": Decimal(5)},
    }
    assert ledger.spent_in("2026-02") == 10
    assert [account.opened_at.month for account in ledger.accounts] == [2, 2, 1]


def test_what_is_unknown_is_at_risk_and_not_spent(root: DataRoot) -> None:
    order(root, ["+12120000001"], unknown=["+12120000002"])
    (account,) = Purchases(root).of(ENVIRONMENT).in_doubt
    assert (account.outcome, account.total, account.at_risk) == ("open", Decimal(5), Decimal(5))
    assert account.in_doubt == ("+12120000002",)


def test_a_number_without_a_price_is_counted_as_such(root: DataRoot) -> None:
    order(root, ["+12120000001"], price=None)
    (account,) = Purchases(root).of(ENVIRONMENT).accounts
    assert (account.total, account.unpriced) == (Decimal(0), 1)


def test_an_order_that_cannot_be_read_hides_no_other(root: DataRoot) -> None:
    order(root, ["+12120000001"])
    whole = order(root, ["+12120000002"], set_name="Miami")
    key = OrderBook(root, ENVIRONMENT).key(whole.order_id)
    document = json.loads(root.read(key) or b"")
    root.write(key, json.dumps(document | {"note": "changed by hand"}).encode())
    ledger = Purchases(root).of(ENVIRONMENT)
    assert len(ledger.accounts) == 1
    assert "does not match its digest" in ledger.faults[0]


def test_an_id_too_long_for_a_file_name_is_read_like_any_other(root: DataRoot) -> None:
    written = order(root, ["+12120000001"], set_name="Θεσσαλονίκη " * 12)
    (account,) = Purchases(root).of(ENVIRONMENT).accounts
    assert account.order_id == written.order_id


def test_closed_orders_are_read_once_and_open_ones_each_time(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    order(root, ["+12120000001"])
    open_ = order(root, [], unknown=["+12120000002"], set_name="Miami")
    purchases = Purchases(root)
    purchases.of(ENVIRONMENT)
    read: list[str] = []
    original = OrderBook.read

    def reading(book: OrderBook, order_id: str) -> object:
        read.append(order_id)
        return original(book, order_id)

    monkeypatch.setattr(OrderBook, "read", reading)
    assert len(purchases.of(ENVIRONMENT).accounts) == 2
    assert read == [open_.order_id]


def test_another_environments_orders_are_not_shown(root: DataRoot) -> None:
    order(root, ["+12120000001"])
    assert Purchases(root).of("ocp_defaul").accounts == ()


def test_a_number_leads_to_its_order_and_that_to_its_approval(root: DataRoot) -> None:
    order(root, ["+12120000001"], at=NOW)
    purchases = Purchases(root)
    (account,) = purchases.of(ENVIRONMENT).brought("+12120000001")
    found = purchases.order(ENVIRONMENT, account.order_id)
    assert found is not None
    answer = approval_of(root, found)
    assert answer is not None
    assert (answer.approved_by, answer.requested_by) == ("nikos", "maria")


def test_an_approval_of_another_run_is_not_taken_for_the_orders_own(root: DataRoot) -> None:
    first = order(root, ["+12120000001"], at=at(1))
    order(root, ["+12120000002"], at=at(2), generation=2, approved_by="somebody else")
    answer = approval_of(root, first)
    assert answer is not None
    assert answer.approved_by == "nikos"


def test_an_answer_that_cannot_be_read_hides_no_other(root: DataRoot) -> None:
    written = order(root, ["+12120000001"])
    root.write(f"regions/{ENVIRONMENT}/retail/Athens/approvals/000-broken.json", b"{")
    answer = approval_of(root, written)
    assert answer is not None
    assert answer.approved_by == "nikos"


def test_an_order_of_a_task_on_its_own_came_of_no_plan(root: DataRoot) -> None:
    alone = order(root, ["+12120000001"]).model_copy(update={"order_id": f"{ENVIRONMENT}/dag/run/task"})
    assert approval_of(root, alone) is None


def test_an_order_that_is_withdrawn_while_they_are_read_is_left_out(
    root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = order(root, ["+12120000001"]), order(root, ["+12120000002"], set_name="Miami")
    book = OrderBook(root, ENVIRONMENT)
    listed = root.keys()
    root.delete(book.key(gone.order_id))
    monkeypatch.setattr(DataRoot, "keys", lambda self, prefix="": listed)
    ledger = Purchases(root).of(ENVIRONMENT)
    assert ([account.order_id for account in ledger.accounts], ledger.faults) == ([kept.order_id], ())


@pytest.mark.parametrize(
    ("order_id", "place"),
    [
        ("env/retail/Athens/3", ("retail", "Athens")),
        ("env/retail/Athens", ("retail", "Athens")),
        ("env/a%2Fb/%CE%A3/1", ("a/b", "Σ")),
        ("env/dag/run/task", ("dag", "run", "task")),
    ],
)
def test_an_order_id_says_what_it_is_for(order_id: str, place: tuple[str, ...]) -> None:
    assert place_of(order_id) == place
