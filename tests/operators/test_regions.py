"""Provisioning a region task by task against a platform: exactly what was approved, exactly once, nothing stolen."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import DownstreamTasksSkipped, TaskAwaitingInput

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import (
    AnswerLost,
    InvalidInput,
    NotEnoughNumbers,
    NumberInUse,
    OcpError,
    OrderConflict,
    OverBudget,
    PlanChanged,
    VerificationFailed,
)
from ocp_numbers.operators.regions import ApproveRegionOperator, PlanRegionOperator
from ocp_sandbox import Fault
from operators.provisioning import Provisioning, followed
from operators.world import GROUP, Run, World


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataRoot:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
    return DataRoot(tmp_path)


@pytest.fixture
def task(run: Run, world: World) -> Provisioning:
    return Provisioning(run, world)


def ours(world: World, note: str | None = None) -> str:
    """A free number that fits the region."""
    number = f"+1212555{len(world.all()):04d}"
    world.sandbox.edit.add_number(number, GROUP, note=note)
    return number


def in_set(world: World) -> list[dict[str, Any]]:
    (set_id,) = [found["id"] for found in world.sandbox.sets() if found["name"] == "new-york"]
    return [row for row in world.sandbox.numbers() if row["setId"] == set_id]


def bought(world: World) -> list[str]:
    return [entry["number"] for entry in world.sandbox.ledger()["entries"] if entry["kind"] == "bought"]


class TestTheWholeWay:
    def test_a_new_region_is_bought_attached_and_accounted_for(self, task: Provisioning, world: World) -> None:
        outcome = task.whole()
        ledger = world.sandbox.ledger()["totals"]
        assert (outcome["bought"], outcome["attached"]) == (5, 5)
        assert Decimal(outcome["spent"]) == Decimal(ledger["spent"])
        assert ledger["bought"] == 5
        assert outcome["summary"].startswith(f"Bought 5 of 5 in US/+1212 for {outcome['spent']}")
        assert [(row["miniAppId"], row["locale"]) for row in in_set(world)] == [(world.app, "en-US")] * 5

    def test_a_second_run_changes_nothing_and_says_so(self, run: Run, task: Provisioning, world: World) -> None:
        task.whole()
        world.sandbox.clear_calls()
        again = Provisioning(run, world, run_id="again")
        plan = again.search()
        assert not plan["ask"]
        assert again.apply(again.approve(plan))["summary"].startswith("Nothing to do")
        assert not world.writes()

    def test_what_is_ours_and_free_is_used_before_money_is_spent(self, task: Provisioning, world: World) -> None:
        free = ours(world)
        assert task.whole()["bought"] == 4
        assert free in {row["number"] for row in in_set(world)}

    @pytest.mark.parametrize(
        "note",
        ["keep for the mayor", "lobby [unused since 2026-01-01]", "lobby [order 0123456789ab]", "EMERGENCY line"],
    )
    def test_a_free_number_that_is_spoken_for_stays_free(self, task: Provisioning, world: World, note: str) -> None:
        spoken_for = ours(world, note=note)
        assert task.whole()["bought"] == 5
        assert world[spoken_for]["setId"] is None

    def test_growing_a_region_buys_the_difference(self, run: Run, task: Provisioning, world: World) -> None:
        task.whole()
        outcome = Provisioning(run, world, run_id="again", quantity=7).whole()
        assert outcome["bought"] == 2
        assert len(in_set(world)) == len(bought(world)) == 7

    def test_the_names_of_who_asked_and_who_approved_are_kept(self, task: Provisioning, data_root: DataRoot) -> None:
        task.whole()
        (key,) = [key for key in data_root.keys("regions") if "/approvals/" in key]
        answer = json.loads(data_root.read(key) or b"")
        assert (answer["requested_by"], answer["approved_by"], answer["approved"]) == ("olivia", "anna", True)


class TestBesideOtherRegions:
    def test_thirty_regions_of_one_area_at_once_each_get_their_own(
        self, run: Run, world: World, data_root: DataRoot
    ) -> None:
        """All plan and wait for approval before the first buys; some numbers are ours and free, the rest is bought."""
        for _ in range(30):
            ours(world)
        places = [
            Provisioning(run, world, run_id=f"run-{place}", set_name=f"desk-{place}", quantity=3, max_total_price=500)
            for place in range(30)
        ]
        for place in places:
            place.region["max_unit_price"] = 100
        with ThreadPoolExecutor(8) as pool:
            plans = list(pool.map(Provisioning.search, places))
            outcomes = list(pool.map(lambda place, plan: place.apply(place.approve(plan)), places, plans))
        held: dict[str, set[str]] = {}
        for row in world.sandbox.numbers():
            if (row["setName"] or "").startswith("desk-"):
                held.setdefault(row["setName"], set()).add(row["number"])
        assert {name: len(numbers) for name, numbers in held.items()} == {f"desk-{place}": 3 for place in range(30)}
        ledger = world.sandbox.ledger()["totals"]
        assert len(bought(world)) == len(set(bought(world))) == sum(outcome["bought"] for outcome in outcomes) == 60
        assert sum(Decimal(outcome["spent"]) for outcome in outcomes) == Decimal(ledger["spent"])

    def test_what_a_waiting_plan_counts_on_is_shown_to_nobody_else(self, run: Run, world: World) -> None:
        free = ours(world)
        first = Provisioning(run, world, run_id="one", quantity=1)
        second = Provisioning(run, world, run_id="two", quantity=1, set_name="other")
        plan = first.search()
        assert free in plan["body"]
        assert free not in second.search()["body"]
        assert first.apply(first.approve(plan))["bought"] == 0

    def test_a_rejected_plan_frees_its_numbers_at_once(self, run: Run, world: World) -> None:
        free = ours(world)
        first = Provisioning(run, world, run_id="one", quantity=1)
        operator = followed(ApproveRegionOperator, task_id="approve", plan=first.search())
        event = {"chosen_options": ["Reject"], "params_input": {}, "responded_by_user": None}
        with pytest.raises(DownstreamTasksSkipped):
            first.complete(operator, {**event, "responded_at": datetime.now(timezone.utc)})
        assert free in Provisioning(run, world, run_id="two", quantity=1, set_name="other").search()["body"]

    def test_a_dry_run_reserves_nothing(self, run: Run, world: World, data_root: DataRoot) -> None:
        ours(world)
        with pytest.raises(DownstreamTasksSkipped):
            Provisioning(run, world, dry_run=True).search()
        assert not data_root.keys("reservations")

    def test_numbers_that_went_to_another_plan_meanwhile_stop_the_run_before_the_first_cent(
        self, run: Run, world: World, data_root: DataRoot
    ) -> None:
        """The data root was lost while the first waited: the second could not know."""
        first = Provisioning(run, world, run_id="one", quantity=2)
        approved = first.approve(first.search())
        data_root.delete_folder("reservations")
        Provisioning(run, world, run_id="two", quantity=2, set_name="other").search()
        with pytest.raises(
            PlanChanged, match=r"its reservation ran out.*set other of group retail-us.*Nothing was bought"
        ):
            first.buy(approved)
        assert not bought(world)

    def test_an_order_that_is_begun_is_finished_although_its_reservation_was_lost(
        self, run: Run, world: World, data_root: DataRoot
    ) -> None:
        first = Provisioning(run, world, run_id="one", quantity=2)
        approved = first.approve(first.search())
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="status", status=400, times=1, every=1))
        with pytest.raises(OcpError):
            first.buy(approved)
        data_root.delete_folder("reservations")
        Provisioning(run, world, run_id="two", quantity=2, set_name="other").search()
        assert first.apply(approved)["bought"] == 2


class TestBeforeTheFirstCent:
    @pytest.mark.parametrize(
        ("wish", "error", "figure"),
        [
            ({"quantity": 0}, InvalidInput, "quantity: 0"),
            ({"prefix": "+12a"}, InvalidInput, "prefix"),
            ({"max_unit_price": "0.5"}, OverBudget, "at most 0.5"),
            ({"max_total_price": 4}, OverBudget, "4 \\(max_total_price\\)"),
            ({"quantity": 900, "max_total_price": 5000}, NotEnoughNumbers, "900 numbers"),
        ],
    )
    def test_a_wish_that_cannot_be_met_stops_with_the_figures(
        self, run: Run, world: World, wish: dict[str, Any], error: type[OcpError], figure: str
    ) -> None:
        with pytest.raises(error, match=figure):
            Provisioning(run, world, **wish).search()
        assert not world.writes()

    def test_a_set_of_another_group_stops_the_run(self, task: Provisioning, world: World) -> None:
        world.sandbox.edit.add_set("new-york", "banking-eu")
        with pytest.raises(InvalidInput, match="banking-eu"):
            task.search()

    def test_a_number_of_another_miniapp_is_never_stolen(self, run: Run, world: World) -> None:
        _, (victim,) = world.add_set("new-york", 1, mini_app_id=world.other_app, locale="en-US")
        with pytest.raises(NumberInUse, match=victim[1:]):
            Provisioning(run, world).search()
        assert Provisioning(run, world, allow_reassign=[victim]).whole()["bought"] == 4
        assert world[victim]["miniAppId"] == world.app

    def test_a_literal_fault_is_found_while_the_dag_file_is_read(self, task: Provisioning) -> None:
        with pytest.raises(InvalidInput, match="locale"):
            PlanRegionOperator(task_id="search", region={**task.region, "locale": "english"})

    def test_a_dry_run_shows_the_plan_and_writes_nothing(self, run: Run, world: World, data_root: DataRoot) -> None:
        task = Provisioning(run, world, dry_run=True)
        with pytest.raises(DownstreamTasksSkipped):
            task.search()
        assert task.ti.pushed["return_value"]["summary"].endswith("5 to buy for at most 5.")
        assert not world.writes()
        assert data_root.keys() == []


class TestApproval:
    def test_the_question_names_the_digest(self, task: Provisioning, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: dict[str, Any] = {}
        monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **question: asked.update(question))
        plan = task.search()
        with pytest.raises(TaskAwaitingInput):
            run(ApproveRegionOperator(task_id="approve", plan=plan), **task.context)
        assert asked["options"] == [f"Approve {plan['digest'][:12]}", "Reject"]
        assert asked["defaults"] == ["Reject"]
        assert "to buy" in asked["subject"]
        assert "**Total: at most 5**" in asked["body"]

    def test_nobody_is_asked_where_the_run_says_so(self, run: Run, world: World) -> None:
        task = Provisioning(run, world, require_approval=False)
        approved = task.approve(task.search())
        assert (approved["approved"], approved["approved_by"]) == (True, None)

    @pytest.mark.parametrize("by", ["anna", None])
    def test_a_rejection_and_a_silence_skip_all_that_follows(
        self, task: Provisioning, by: str | None, world: World, data_root: DataRoot
    ) -> None:
        plan = task.search()
        operator = followed(ApproveRegionOperator, task_id="approve", plan=plan)
        user = {"id": by, "name": by} if by else None
        event = {"chosen_options": ["Reject"], "params_input": {}, "responded_by_user": user}
        with pytest.raises(DownstreamTasksSkipped):
            task.complete(operator, {**event, "responded_at": datetime.now(timezone.utc)})
        (key,) = [key for key in data_root.keys("regions") if "/approvals/" in key]
        assert json.loads(data_root.read(key) or b"")["approved"] is False
        assert not world.writes()

    def test_a_rejection_in_a_mapped_task_where_airflow_skips_nothing_is_never_taken_for_an_approval(
        self, task: Provisioning, world: World
    ) -> None:
        plan = task.search()
        task.ti.map_index = 0
        operator = followed(ApproveRegionOperator, task_id="approve", plan=plan)
        event = {"chosen_options": ["Reject"], "params_input": {}, "responded_at": datetime.now(timezone.utc)}
        answer = task.complete(operator, {**event, "responded_by_user": None})
        assert answer["approved"] is False
        with pytest.raises(PlanChanged, match="was not approved"):
            task.buy(answer)
        assert not bought(world)

    def test_an_answer_to_an_older_plan_is_not_taken_for_this_one(self, task: Provisioning) -> None:
        with pytest.raises(PlanChanged, match="Trigger a new run"):
            task.approve(task.search(), answer="Approve 000000000000")

    def test_a_plan_that_was_not_approved_is_not_bought(self, task: Provisioning, world: World) -> None:
        approved = task.approve(task.search())
        with pytest.raises(PlanChanged, match="was not approved"):
            task.buy({**approved, "approved": False})
        with pytest.raises(InvalidInput, match="not an approved plan"):
            task.buy({"plan": approved["plan"]})
        assert not bought(world)

    def test_a_plan_that_was_tampered_with_is_not_bought(
        self, task: Provisioning, world: World, data_root: DataRoot
    ) -> None:
        approved = task.approve(task.search())
        document = data_root.read(approved["plan"]) or b""
        data_root.write(approved["plan"], document.replace(b'"+1212"', b'"+1646"'))
        with pytest.raises(PlanChanged, match="digest"):
            task.buy(approved)
        data_root.write(approved["plan"], b"{}")
        with pytest.raises(PlanChanged, match="cannot be read"):
            task.buy(approved)
        data_root.delete(approved["plan"])
        with pytest.raises(PlanChanged, match="not in the data root"):
            task.buy(approved)
        assert not bought(world)


class TestTheWorldMoves:
    def test_a_reused_number_that_somebody_took_stops_before_the_first_cent(
        self, task: Provisioning, world: World
    ) -> None:
        free = ours(world)
        approved = task.approve(task.search())
        world.sandbox.edit.change_number(free, mini_app_id=world.other_app)
        with pytest.raises(PlanChanged, match="was free and is now attached"):
            task.buy(approved)
        assert not bought(world)

    def test_a_number_that_came_into_the_set_stops_before_the_first_cent(
        self, task: Provisioning, world: World
    ) -> None:
        set_id, _ = world.add_set("new-york")
        approved = task.approve(task.search())
        world.add(1, set_id=set_id)
        with pytest.raises(PlanChanged, match="has come into the set"):
            task.buy(approved)
        assert not bought(world)

    def test_a_number_sold_meanwhile_is_replaced_at_the_approved_price(self, task: Provisioning, world: World) -> None:
        approved = task.approve(task.search())
        cheapest = min(world.sandbox.stock("telnova", "US"), key=_demo_price)["number"]
        world.sandbox.edit.remove_offer(cheapest)
        outcome = task.apply(approved)
        assert outcome["bought"] == 5
        assert cheapest not in bought(world)

    def test_verify_names_each_difference(self, task: Provisioning, world: World) -> None:
        approved = task.approve(task.search())
        account = task.buy(approved)
        task.attach(task.fill(account), account)
        gone, moved = account["numbers"][:2]
        world.sandbox.edit.change_number(gone, set_id=None)
        world.sandbox.edit.change_number(moved, mini_app_id=world.other_app)
        with pytest.raises(VerificationFailed) as failed:
            task.verify(approved, account)
        assert f"{gone} is not in the set" in failed.value.differences
        assert any(said.startswith(f"{moved} is attached to {world.other_app}") for said in failed.value.differences)


class TestTwiceAndAtOnce:
    def test_a_lost_answer_is_found_out_and_nothing_is_bought_twice(self, task: Provisioning, world: World) -> None:
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_after", nth=1))
        approved = task.approve(task.search())
        try:
            outcome = task.apply(approved)
        except (AnswerLost, OcpError):
            outcome = task.apply(approved)
        assert outcome["attached"] == 5
        assert len(bought(world)) == 5

    @pytest.mark.parametrize("crashed_after", ["buy", "set", "attach"])
    def test_a_new_run_after_a_crash_finishes_with_what_was_bought(
        self, run: Run, task: Provisioning, world: World, crashed_after: str
    ) -> None:
        account = task.buy(task.approve(task.search()))
        if crashed_after != "buy":
            filled = task.fill(account)
            if crashed_after == "attach":
                task.attach(filled, account)
        Provisioning(run, world, run_id="again").whole()
        assert len(bought(world)) == len(in_set(world)) == 5

    def test_each_task_can_run_again(self, task: Provisioning, world: World) -> None:
        approved = task.approve(task.search())
        first = task.apply(approved)
        assert task.apply(approved) == first
        assert len(bought(world)) == 5

    def test_a_lost_data_root_does_not_buy_again(
        self, run: Run, task: Provisioning, world: World, data_root: DataRoot
    ) -> None:
        task.buy(task.approve(task.search()))
        for key in data_root.keys(""):
            data_root.delete(key)
        Provisioning(run, world, run_id="again").whole()
        assert len(bought(world)) == len(in_set(world)) == 5

    def test_two_runs_for_one_region_at_once_buy_it_once(self, run: Run, world: World) -> None:
        runs = [Provisioning(run, world, run_id=name) for name in ("one", "two")]
        with ThreadPoolExecutor(2) as pool:
            plans = list(pool.map(Provisioning.search, runs))
            approved = [one.approve(plan) for one, plan in zip(runs, plans, strict=True)]
            outcomes = list(pool.map(lambda pair: _attempts(*pair), zip(runs, approved, strict=True)))
        assert any(outcomes)
        assert len(bought(world)) == len(in_set(world)) == 5

    def test_two_regions_over_the_same_stock_get_different_numbers(self, run: Run, world: World) -> None:
        runs = [Provisioning(run, world, run_id=name, set_name=name) for name in ("uptown", "downtown")]
        plans = [one.approve(one.search()) for one in runs]
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda pair: _attempts(*pair), zip(runs, plans, strict=True)))
        assert all(outcomes)
        assert len(bought(world)) == len(set(bought(world))) == 10

    def test_an_open_order_is_not_bent_by_another_run(self, run: Run, task: Provisioning, world: World) -> None:
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="status", status=500, times=9, every=1))
        approved = task.approve(task.search())
        with pytest.raises(OcpError):
            task.buy(approved)
        world.sandbox.faults.clear()
        with pytest.raises(OrderConflict, match="7 are missing"):
            Provisioning(run, world, run_id="again", quantity=7).search()
        assert Provisioning(run, world, run_id="again").whole()["attached"] == 5
        assert len(bought(world)) == 5


def _demo_price(offer: dict[str, Any]) -> tuple[bool, Decimal, str]:
    return not offer["number"].startswith("+1212"), Decimal(str(offer["price"])), offer["number"]


def _attempts(one: Provisioning, approved: dict[str, Any]) -> bool:
    """Whether the run comes to its end, tried as Airflow would: another writer may hold the order meanwhile."""
    for _ in range(20):
        try:
            one.apply(approved)
        except PlanChanged:
            return False
        except OcpError:
            continue
        return True
    return False
