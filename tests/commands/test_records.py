"""``orders`` and ``balance``: what the data root knows, without asking OCP."""

from __future__ import annotations

from typing import Any

import pytest

from commands.conftest import Shell
from ocp_numbers.errors import OutcomeUnknown
from ocp_numbers.operators.buy import BuyNumbersOperator
from ocp_sandbox import Fault
from operators.conftest import run
from operators.world import GROUP, Run, World

__all__ = ["run"]


def buy(**fields: Any) -> BuyNumbersOperator:
    return BuyNumbersOperator(
        task_id="buy", provider="telnova", group=GROUP, country_code="US", prefix="+1212", quantity=2,
        settle_seconds=0, **fields
    )  # fmt: skip


class TestOrders:
    def test_none_is_said_so(self, world: World, shell: Shell) -> None:
        assert shell("orders") == 0
        assert shell.out == "No orders of ocp_default.\n"

    def test_all_are_listed_with_what_they_brought_and_cost(self, world: World, shell: Shell, run: Run) -> None:
        account = run(buy(order_id="first"))

        (order,) = shell.json("orders")
        assert (order["order_id"], order["state"], order["owned"]) == ("ocp_default/first", "complete", 2)
        assert order["spent"] == account["spent"]
        assert shell("orders") == 0
        assert "ocp_default/first" in shell.out

    def test_one_is_shown_with_its_numbers_and_its_history(self, world: World, shell: Shell, run: Run) -> None:
        account = run(buy(order_id="first"))

        assert shell("orders", "ocp_default/first") == 0
        assert all(number in shell.out for number in account["numbers"])
        assert "2 of 2 numbers in US/+1212" in shell.out

    def test_a_purchase_in_doubt_is_not_all_well(self, world: World, shell: Shell, run: Run) -> None:
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_before"))
        with pytest.raises(OutcomeUnknown):
            run(buy(order_id="second"))
        world.sandbox.faults.clear()

        assert shell("orders", "--open") == 1
        assert "Do not buy the rest by hand" in shell.out
        assert shell("orders", "ocp_default/second") == 1

    def test_one_that_does_not_exist_is_said_with_the_way_to_those_that_do(self, world: World, shell: Shell) -> None:
        assert shell("orders", "nothing") == 2
        assert "'ocp-numbers orders --conn-id ocp_default' lists those that are" in shell.err


class TestBalance:
    def test_without_an_export_there_is_none(self, world: World, shell: Shell) -> None:
        assert shell("balance") == 2
        assert "there is no snapshot of ocp_default" in shell.err

    def test_some_groups_have_no_books(self, world: World, shell: Shell) -> None:
        shell("export", "--group", GROUP)

        assert shell("balance") == 2

    def test_a_snapshot_of_before_there_were_books_has_none(
        self, world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shell("export")
        monkeypatch.setattr("ocp_numbers.balance.read", lambda snapshot: None)

        assert shell("balance") == 2
        assert "was exported without an account; export again" in shell.err

    def test_where_there_are_many_findings_the_first_are_shown_and_counted(
        self, world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ocp_numbers.balance.checking.SHOWN", 2)
        shell("export", "--date", "2026-03-30")
        world.add(3)
        shell("export", "--date", "2026-03-31")

        assert shell("balance") == 1
        assert "The first 2 of 3." in shell.out

    def test_the_first_export_opens_the_books(self, world: World, shell: Shell) -> None:
        shell("export", "--date", "2026-03-30")

        assert shell("balance") == 0
        assert "The books open with" in shell.out

    def test_what_nobody_bought_is_found_and_named(self, world: World, shell: Shell) -> None:
        shell("export", "--date", "2026-03-30")
        (orphan,) = world.add(1)
        shell("export", "--date", "2026-03-31")

        assert shell("balance") == 1
        assert "1 orphan" in shell.out
        assert orphan in shell.out
        assert shell.json("balance")["orphans"] == 1
