from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import (
    AccessRefused,
    Interrupted,
    InvalidInput,
    NotEnoughNumbers,
    OrderConflict,
    OrderCorrupt,
    OrderHeld,
    OutcomeUnknown,
    OverBudget,
    TooManyRequests,
)
from ocp_numbers.lease import Lease
from ocp_numbers.operators.buy import BuyNumbersOperator
from ocp_numbers.ordering import Order, OrderBook, Requester, order_id, stamp
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World, connect

PLACE = {"provider": "telnova", "group": GROUP, "country_code": "US", "prefix": "+1212"}


class TaskInstance:
    """What the operator asks a task instance for, and what it publishes there."""

    def __init__(self, run_id: str = "manual__2026-03-10", map_index: int = -1, try_number: int = 1) -> None:
        self.dag_id, self.run_id, self.task_id = "buy_numbers", run_id, "buy"
        self.map_index, self.try_number = map_index, try_number
        self.published: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.published[key] = json.loads(json.dumps(value))


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OrderBook:
    """The order book that the operator writes to, begun long ago."""
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    book = OrderBook(DataRoot(tmp_path / "data"), "ocp_default")
    book.begin(datetime.now(timezone.utc) - timedelta(days=1))
    return book


def buy(**fields: Any) -> BuyNumbersOperator:
    return BuyNumbersOperator(task_id="buy", **{**PLACE, "settle_seconds": 0.05, **fields})


def test_an_order_that_cannot_be_read_stops_the_task_before_it_looks_for_numbers(
    world: World, run: Run, book: OrderBook
) -> None:
    """Whoever cannot read what was sent may not send anything; and no account is published that is none."""
    ti = TaskInstance()
    book.data_root.write(book.key("ocp_default/desk"), b'{"half": ')

    with pytest.raises(OrderCorrupt, match="not a whole order document"):
        run(buy(quantity=2, order_id="desk"), ti=ti)

    assert world.writes() == {}
    assert "return_value" not in ti.published


def bought(world: World) -> dict[str, Decimal]:
    return {
        entry["number"]: Decimal(str(entry["price"]))
        for entry in world.sandbox.ledger()["entries"]
        if entry["kind"] == "bought"
    }


class TestBuying:
    def test_returns_what_it_bought_and_spent(self, world: World, run: Run, book: OrderBook) -> None:
        result = run(buy(quantity=3, note="front desk", max_total_price="100"), ti=TaskInstance())

        assert set(result["numbers"]) == set(bought(world))
        assert Decimal(result["spent"]) == sum(bought(world).values())
        assert {name: result[name] for name in ("outcome", "wanted", "bought", "missing", "unknown")} == {
            "outcome": "complete",
            "wanted": 3,
            "bought": 3,
            "missing": 0,
            "unknown": [],
        }
        assert json.loads(json.dumps(result)) == result
        assert world[result["numbers"][0]]["note"] == f"front desk {stamp(result['order_id'])}"

    def test_a_retry_and_a_clear_meet_the_same_order(self, world: World, run: Run, book: OrderBook) -> None:
        first = run(buy(quantity=2), ti=TaskInstance())

        assert run(buy(quantity=2), ti=TaskInstance(try_number=2)) == first
        assert len(bought(world)) == 2
        assert first["order_id"] == "ocp_default/buy_numbers/manual__2026-03-10/buy"

    def test_another_run_is_another_order(self, world: World, run: Run, book: OrderBook) -> None:
        run(buy(quantity=2), ti=TaskInstance())
        run(buy(quantity=2), ti=TaskInstance(run_id="manual__2026-03-11"))

        assert len(bought(world)) == 4

    def test_inputs_may_come_from_templates_as_strings(self, world: World, run: Run, book: OrderBook) -> None:
        offers = run_search(world)[:2]
        operator = buy(
            offers="{{ offers | tojson }}",
            spares="{{ [] | tojson }}",
            max_unit_price="{{ limit }}",
            max_total_price="",
            order_id="{{ key }}",
            allow_unknown_price="False",
        )

        result = run(operator, offers=offers, limit="99.5", key=order_id("ocp_default", GROUP, "ny", generation=1))

        assert set(result["numbers"]) == {offer["number"] for offer in offers} == set(bought(world))
        assert result["order_id"] == "ocp_default/retail-us/ny/1"

    def test_an_empty_plan_buys_nothing(self, world: World, run: Run, book: OrderBook) -> None:
        result = run(buy(offers="[]", order_id="x"))

        assert (result["numbers"], result["spent"], result["outcome"]) == ([], "0", "complete")
        assert world.sandbox.calls() == []

    def test_an_order_id_belongs_to_its_environment(self, world: World, run: Run, book: OrderBook) -> None:
        assert run(buy(quantity=1, order_id="berlin"))["order_id"] == "ocp_default/berlin"
        assert run(buy(quantity=1, order_id="ocp_default/berlin"))["outcome"] == "complete"
        assert len(bought(world)) == 1

    def test_the_document_says_who_asked(self, world: World, run: Run, book: OrderBook) -> None:
        class DagRun:
            triggering_user_name = "ada"

        result = run(buy(quantity=1), ti=TaskInstance(), dag_run=DagRun())

        order = book.read(result["order_id"])
        assert order is not None
        assert order.requested_by == Requester(
            dag_id="buy_numbers", run_id="manual__2026-03-10", task_id="buy", user="ada"
        )


def run_search(world: World) -> list[dict[str, str]]:
    return [
        {"number": offer["number"], "price": str(offer["price"])}
        for offer in world.sandbox.stock("telnova", "US")
        if offer["number"].startswith("+1212")
    ]


class TestFailing:
    def test_an_unknown_outcome_is_published_then_red_and_a_retry_resolves_it(
        self, world: World, run: Run, book: OrderBook
    ) -> None:
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_before"))
        ti = TaskInstance()

        with pytest.raises(OutcomeUnknown) as unknown:
            run(buy(quantity=2), ti=ti)

        assert list(unknown.value.numbers) == ti.published["account"]["unknown"]
        assert len(unknown.value.numbers) == 2
        world.sandbox.faults.clear()
        assert run(buy(quantity=2), ti=TaskInstance())["bought"] == 2
        assert len(bought(world)) == 2

    def test_what_was_bought_before_a_call_failed_is_published(self, world: World, run: Run, book: OrderBook) -> None:
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="status", status=429, nth=2))
        ti = TaskInstance()

        with pytest.raises(TooManyRequests):
            run(buy(quantity=4, batch_size=3), ti=ti)

        account = ti.published["account"]
        assert (set(account["numbers"]), account["unknown"]) == (set(bought(world)), [])
        assert run(buy(quantity=4, batch_size=3), ti=TaskInstance())["bought"] == 4
        assert len(bought(world)) == 4

    def test_an_order_closed_short_fails_each_time_with_its_account(
        self, world: World, run: Run, book: OrderBook
    ) -> None:
        offers = run_search(world)[:2]
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="status", status=429, nth=2))
        with pytest.raises(TooManyRequests):
            run(buy(offers=offers, order_id="x", batch_size=1))
        world.sandbox.edit.remove_offer(offers[1]["number"])

        for _ in range(2):
            ti = TaskInstance()
            with pytest.raises(NotEnoughNumbers, match="1 missing"):
                run(buy(offers=offers, order_id="x"), ti=ti)
            assert ti.published["account"]["outcome"] == "short"

    def test_other_wishes_for_the_same_task_are_refused(self, world: World, run: Run, book: OrderBook) -> None:
        run(buy(quantity=1), ti=TaskInstance())

        with pytest.raises(OrderConflict, match="opened for quantity 1; wanted now: quantity 2"):
            run(buy(quantity=2), ti=TaskInstance())

    def test_a_second_attempt_beside_a_live_one_is_told_to_wait(self, world: World, run: Run, book: OrderBook) -> None:
        with (
            book.lease("ocp_default/x", clock=lambda: datetime.now(timezone.utc)).held(),
            pytest.raises(OrderHeld) as held,
        ):
            run(buy(quantity=1, order_id="x"))

        assert 0 < held.value.retry_after <= 125
        assert bought(world) == {}

    def test_limits_stop_it_before_the_first_cent(self, world: World, run: Run, book: OrderBook) -> None:
        for limit in (
            {"max_unit_price": "0.01"},
            {"max_total_price": 1},
            {"max_per_run": 1},
            {"max_total_per_month": 0},
        ):
            with pytest.raises(OverBudget, match=next(iter(limit))):
                run(buy(quantity=3, order_id="x", **limit))

        assert bought(world) == {}
        assert list(book.orders()) == []

    def test_a_connection_that_may_not_buy_sends_nothing(
        self, world: World, run: Run, book: OrderBook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, world.sandbox, extra=json.dumps({"access": "read"}))

        with pytest.raises(AccessRefused):
            run(buy(quantity=1), ti=TaskInstance())

        assert bought(world) == {}

    def test_when_airflow_ends_the_task_it_ends_between_two_calls(
        self, world: World, run: Run, book: OrderBook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator = buy(quantity=4, batch_size=2)
        original = OrderBook.write

        def write(self: OrderBook, order: Order, lease: Lease | None = None) -> None:
            original(self, order, lease)
            if any(line.reply for line in order.lines):
                operator.on_kill()

        monkeypatch.setattr(OrderBook, "write", write)
        with pytest.raises(Interrupted):
            run(operator, ti=TaskInstance())

        assert len(bought(world)) == 2
        assert run(buy(quantity=4, batch_size=2), ti=TaskInstance())["bought"] == 4
        assert len(bought(world)) == 4


class TestInputs:
    def test_wrong_literals_are_refused_while_the_dag_file_is_read_all_at_once(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            buy(provider="", country_code="usa", prefix="12a", quantity=0, max_unit_price=1.5, max_per_run=-1)

        assert [problem.split(":")[0] for problem in refused.value.problems] == [
            "provider",
            "country_code",
            "prefix",
            "quantity",
            "max_unit_price",
            "max_per_run",
        ]

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({}, "none given"),
            ({"quantity": 1, "numbers": ["+12125550001"]}, "quantity and numbers given"),
            ({"quantity": 1, "settle_seconds": -1, "batch_size": 0}, "settle_seconds: -1 is below 0.*batch_size: 0"),
            ({"offers": ["+12125550001"]}, "offers: .* is not an offer"),
            ({"offers": [{"number": "+12125550001", "price": 1.5}]}, "offers, price: 1.5 is not an amount"),
            ({"offers": [{"number": "212"}]}, "offers: '212' is not in E.164"),
        ],
    )
    def test_what_does_not_fit_together_is_refused_at_once(self, fields: dict[str, Any], problem: str) -> None:
        with pytest.raises(InvalidInput, match=rf"(?s){problem}"):
            buy(**fields)

    @pytest.mark.parametrize(
        ("rendered", "problem"),
        [("0", "quantity: 0 is"), ("2.0", "quantity: '2.0'"), ("None", "word 'None'"), ("five", "quantity: 'five'")],
    )
    def test_a_template_is_read_strictly(self, world: World, run: Run, rendered: str, problem: str) -> None:
        with pytest.raises(InvalidInput, match=problem):
            run(buy(quantity="{{ wanted }}"), wanted=rendered, ti=TaskInstance())

        assert world.sandbox.calls() == []

    def test_a_mapped_task_has_to_name_its_order(self, world: World, run: Run, book: OrderBook) -> None:
        with pytest.raises(InvalidInput, match="order_id: missing in a mapped task"):
            run(buy(quantity=1), ti=TaskInstance(map_index=0))

        assert world.sandbox.calls() == []
        assert run(buy(quantity=1, order_id="berlin"), ti=TaskInstance(map_index=0))["bought"] == 1
