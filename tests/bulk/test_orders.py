"""An order belongs to its numbers and not to the run that opened it: the next table that names them meets it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bulk.conftest import MakeScene
from bulk.scene import ENVIRONMENT, Scene
from ocp_numbers.bulk import ChangePlan, Limits
from ocp_numbers.bulk.page import page, subject
from ocp_numbers.errors import InvalidInput, OutcomeUnknown, OverBudget
from ocp_numbers.ordering import Order, OrderBook
from ocp_sandbox import Fault

BUY = ("PUT", "/api/numbers")
FIRST, SECOND = "+12125559000", "+12125559001"


class Lost(BaseException):
    """The process died here."""


@pytest.fixture(autouse=True)
def offers(scene: Scene) -> None:
    for number in (FIRST, SECOND):
        scene.sandbox.edit.add_offer(number, "telnova", "US", "2")


def rows(scene: Scene, *numbers: str, **cells: str) -> list[dict[str, str]]:
    about = {"PROVIDER": "telnova", "GROUP_ID": "us", "COUNTRY": "US", **cells}
    return [scene.wish("Create", number, **about) for number in numbers]


def orders(scene: Scene) -> list[Order]:
    return list(OrderBook(scene.root, ENVIRONMENT).orders())


def bought(scene: Scene) -> int:
    return int(scene.sandbox.ledger()["totals"]["bought"])


def die_in_the_purchase(scene: Scene, plan: ChangePlan, monkeypatch: pytest.MonkeyPatch, *, sent: bool) -> None:
    """Carry ``plan`` out until the purchase, and die with it; ``sent`` says whether OCP still gets it."""
    buy = scene.client.numbers.buy

    def dying(**wanted: object) -> None:
        if sent:
            buy(**wanted)  # type: ignore[arg-type]
        raise Lost

    with monkeypatch.context() as patched:
        patched.setattr(scene.client.numbers, "buy", dying)
        with pytest.raises(Lost):
            scene.apply(plan)


def test_two_plans_of_the_same_numbers_are_one_order_whatever_their_runs(scene: Scene) -> None:
    plans = [scene.plan(rows(scene, *numbers), run=f"run {numbers}") for numbers in ((FIRST, SECOND), (SECOND, FIRST))]
    assert len({plan.purchases[0].order_id for plan in plans}) == 1
    assert [scene.apply(plan).done for plan in plans] == [2, 2]
    assert (bought(scene), len(orders(scene))) == (2, 1)


def test_numbers_that_were_given_up_are_ordered_anew(scene: Scene) -> None:
    scene.do(*rows(scene, FIRST), run="first")
    scene.sandbox.edit.remove_number(FIRST)
    scene.sandbox.edit.add_offer(FIRST, "telnova", "US", "2")
    assert scene.do(*rows(scene, FIRST), run="second").done == 1
    assert [order.order_id.rpartition("/")[2] for order in orders(scene)] == ["1", "2"]


def test_a_new_run_closes_the_order_of_numbers_that_were_bought_after_all(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_in_the_purchase(scene, scene.plan(rows(scene, FIRST), run="first"), monkeypatch, sent=True)
    plan = scene.plan(rows(scene, FIRST), run="second", limits=Limits())
    assert (plan.total, plan.bought, plan.unchanged, plan.needs_a_person) == (0, 0, 1, False)
    assert "is finished first. Nothing is left to be bought for it." in page(plan)

    account = scene.apply(plan)
    assert (account.bought, account.spent, account.problem) == (1, Decimal(2), None)
    assert [order.outcome for order in orders(scene)] == ["complete"]
    assert bought(scene) == 1
    assert scene.plan(rows(scene, FIRST), run="third").purchases == ()


@pytest.mark.parametrize("sent", [True, False])
def test_a_new_run_goes_on_with_an_order_in_doubt(
    make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch, sent: bool
) -> None:
    with make_scene(visibility_delay=30) as slow:
        slow.sandbox.edit.add_offer(FIRST, "telnova", "US", "2")
        first = slow.plan(rows(slow, FIRST, NOTE="desk"), run="first")
        die_in_the_purchase(slow, first, monkeypatch, sent=sent)
        plan = slow.plan(rows(slow, FIRST, NOTE="desk"), run="second")
        assert plan.purchases[0].order_id == first.purchases[0].order_id
        assert (plan.bought, plan.cost) == (1, Decimal(2))
        assert "is finished first, at the prices approved for it." in page(plan)

        account = slow.apply(plan)
        assert (account.done, account.bought, account.problem) == (1, 1, None)
        assert bought(slow) == 1


def test_what_was_not_bought_is_bought_by_the_same_order(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scene.plan(rows(scene, FIRST, SECOND), run="first")
    die_in_the_purchase(scene, first, monkeypatch, sent=False)
    assert scene.do(*rows(scene, FIRST, SECOND), run="second").done == 2
    assert [order.outcome for order in orders(scene)] == ["complete"]


class TestAnotherTable:
    @pytest.fixture
    def left_open(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> ChangePlan:
        plan = scene.plan(rows(scene, FIRST, SECOND), run="first")
        die_in_the_purchase(scene, plan, monkeypatch, sent=False)
        return plan

    def test_with_fewer_rows_shows_what_the_order_buys_besides(self, scene: Scene, left_open: ChangePlan) -> None:
        plan = scene.plan(rows(scene, FIRST), run="second")
        assert plan.purchases[0].besides == (SECOND,)
        assert f"Not in this table, and bought as well if they are not yet:** `{SECOND}`" in page(plan)
        assert "2 bought for at most 4" in subject(plan)
        assert scene.apply(plan).bought == 2

    def test_with_more_rows_opens_an_order_for_those(self, scene: Scene, left_open: ChangePlan) -> None:
        third = "+12125559002"
        scene.sandbox.edit.add_offer(third, "telnova", "US", "2")
        plan = scene.plan(rows(scene, FIRST, SECOND, third), run="second")
        assert [(order.continues, len(order.left)) for order in plan.purchases] == [(True, 2), (False, 1)]
        assert scene.apply(plan).done == bought(scene) == 3

    @pytest.mark.parametrize(
        ("limits", "why"),
        [
            (Limits(Decimal(1), Decimal(9)), "dearer than max_unit_price 1"),
            (Limits(Decimal(9), Decimal(3)), "1 more than max_total_price 3"),
        ],
    )
    def test_has_to_allow_what_the_order_may_still_spend(
        self, scene: Scene, left_open: ChangePlan, limits: Limits, why: str
    ) -> None:
        with pytest.raises(OverBudget, match=why):
            scene.plan(rows(scene, FIRST), run="second", limits=limits)

    def test_with_higher_limits_buys_for_no_more_than_was_approved(self, scene: Scene, left_open: ChangePlan) -> None:
        scene.sandbox.edit.remove_offer(FIRST)
        scene.sandbox.edit.add_offer(FIRST, "telnova", "US", "3")
        account = scene.do(*rows(scene, FIRST, SECOND), run="second")
        assert (account.done, account.refused) == (1, 1)
        assert "costs 3 now, approved is 2" in account.wrong[0]
        assert scene.do(*rows(scene, FIRST, SECOND), run="third").bought == 1

    def test_for_another_group_is_a_fault(self, scene: Scene, left_open: ChangePlan) -> None:
        with pytest.raises(InvalidInput, match="open, buys it from telnova for group us in US; write that"):
            scene.plan(rows(scene, FIRST, GROUP_ID="eu"), run="second")

    def test_that_names_none_of_its_numbers_leaves_it_alone(self, scene: Scene, left_open: ChangePlan) -> None:
        assert scene.plan([scene.wish("Update", "free", NOTE="desk")], run="second").purchases == ()

    def test_without_limits_says_that_the_order_may_still_buy(self, scene: Scene, left_open: ChangePlan) -> None:
        scene.sandbox.edit.add_number(FIRST, "us")
        with pytest.raises(InvalidInput, match="max_unit_price, max_total_price: not both given, and orders"):
            scene.plan(rows(scene, FIRST), run="second", limits=Limits())


def test_a_number_in_two_open_orders_is_bought_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [scene.plan(rows(scene, *numbers), run=numbers[0]) for numbers in ((FIRST, SECOND), (SECOND,))]
    for plan in plans:
        die_in_the_purchase(scene, plan, monkeypatch, sent=False)
    plan = scene.plan(rows(scene, FIRST, SECOND), run="third")
    assert [order.continues for order in plan.purchases] == [True, True]

    assert scene.apply(plan).done == bought(scene) == 2
    assert sorted(str(order.outcome) for order in orders(scene)) == ["complete", "short"]


class TestNotesOfBoughtNumbers:
    def test_are_as_the_row_says_without_the_stamp(self, scene: Scene) -> None:
        wishes = rows(scene, FIRST, NOTE="desk")
        scene.do(*wishes, run="first")
        assert scene.now(FIRST)["note"].startswith("desk [order ")
        assert scene.plan(wishes, run="second").unchanged == 1

    @pytest.mark.parametrize("operation", ["Attach", "Detach", "Delete"])
    def test_may_stand_in_a_row_that_does_not_change_them(self, scene: Scene, operation: str) -> None:
        cells = {"MINIAPP_ID": scene.sales, "LOCALE": "en-US"} if operation == "Attach" else {}
        assert scene.plan([scene.wish(operation, "bought", NOTE="roof", **cells)]).refused == 0
        with pytest.raises(InvalidInput, match="is not what OCP shows"):
            scene.plan([scene.wish(operation, "bought", NOTE="cellar", **cells)])


def test_a_purchase_that_ocp_never_answered_is_made_by_the_next_run(scene: Scene) -> None:
    scene.sandbox.faults.add(Fault(*BUY, kind="status", status=503))
    with pytest.raises(OutcomeUnknown):
        scene.do(*rows(scene, FIRST), run="first")
    scene.sandbox.faults.clear()
    assert scene.do(*rows(scene, FIRST), run="second").done == bought(scene) == 1
    assert [order.outcome for order in orders(scene)] == ["complete"]
