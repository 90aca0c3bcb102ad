"""The books of a night, looked at by a task: green where they balance, red and with names where they do not."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from ocp_numbers.balance import FINDINGS, read
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Conflict, IncompleteSnapshot, InvalidInput, VerificationFailed
from ocp_numbers.inventory import CompleteSnapshot, Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.operators import (
    AddNumbersOperator,
    CheckBalanceOperator,
    DeleteNumbersOperator,
    ReleaseSetNumbersOperator,
)
from operators.world import GROUP, Run, World

FIRST = date(2026, 3, 1)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataRoot:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    return DataRoot(tmp_path / "data")


def night(world: World, root: DataRoot, day: date, *, hours: float = 0) -> CompleteSnapshot:
    """Export as if it were so many hours later: what was done before is clearly on one side of it."""
    settings = ClientSettings(host=world.sandbox.url, login="ops", password="secret")
    with OcpClient(settings) as client:
        return Export(
            source=ClientSource(lambda: client),
            root=root,
            scope=Scope(environment="ocp_default"),
            day=day,
            holder="export",
            clock=lambda: datetime.now(timezone.utc) + timedelta(hours=hours),
        ).run()


def check(**given: Any) -> CheckBalanceOperator:
    return CheckBalanceOperator(task_id="balance", **given)


def context(run_id: str = "manual__1") -> dict[str, Any]:
    return {"dag_run": SimpleNamespace(dag_id="by-operators", run_id=run_id, triggering_user_name="ann")}


def test_what_our_operators_did_is_on_the_books(world: World, run: Run, root: DataRoot) -> None:
    set_id, bought = world.add_set(numbers=2, purchased=True)
    kept = world.add(1, set_id=set_id)
    spare = world.add(2)
    night(world, root, FIRST, hours=-3)

    run(AddNumbersOperator(task_id="add", numbers=["+16465550901"], group=GROUP), **context())
    run(DeleteNumbersOperator(task_id="delete", numbers=spare), **context())
    run(ReleaseSetNumbersOperator(task_id="release", set_id=set_id, expected_numbers=[*bought, *kept]), **context())
    snapshot = night(world, root, FIRST + timedelta(1), hours=3)

    result = run(check())
    assert (result["verdict"], result["findings"]) == ("balanced", None)
    assert result["summary"].startswith("The books balance: 25 numbers on 2026-03-01, 1 came and 4 went")
    assert snapshot.manifest.balance == "balanced"
    assert kept[0] in {row["number"] for row in world.sandbox.numbers()}


def test_a_refused_delete_is_no_finding(world: World, run: Run, root: DataRoot) -> None:
    numbers = world.add(1, purchased=True)
    night(world, root, FIRST, hours=-3)
    with pytest.raises(Conflict):
        run(DeleteNumbersOperator(task_id="delete", numbers=numbers), **context())
    night(world, root, FIRST + timedelta(1), hours=3)

    assert run(check())["verdict"] == "balanced"


class TestWhereTheBooksDoNotBalance:
    @pytest.fixture(autouse=True)
    def history(self, world: World, root: DataRoot) -> None:
        gone = world.add(1)
        night(world, root, FIRST)
        self.orphans = world.add(2, note="bought in the console")
        world.sandbox.edit.remove_number(gone[0])
        self.stranger = gone[0]
        self.snapshot = night(world, root, FIRST + timedelta(1))

    def test_the_task_is_red_and_names_them_and_the_snapshot_is_published(
        self, world: World, run: Run, root: DataRoot
    ) -> None:
        with pytest.raises(VerificationFailed, match=r"2 orphans, 1 stranger") as failed:
            run(check())
        assert set(failed.value.differences) == {
            *(f"{number} came, and no order, adoption or run on record brought it" for number in self.orphans),
            f"{self.stranger} is gone, and no run on record gave it up",
        }
        balance = read(self.snapshot)
        assert balance is not None
        assert (balance.orphans, balance.strangers, balance.unknowns) == (2, 1, 0)
        assert self.snapshot.manifest.balance == "unbalanced"
        assert FINDINGS in self.snapshot.manifest.files

    def test_the_account_is_published_before_the_task_fails(self, run: Run) -> None:
        published: dict[str, Any] = {}
        ti = SimpleNamespace(xcom_push=lambda key, value: published.update({key: value}))
        with pytest.raises(VerificationFailed):
            run(check(), ti=ti)
        account = published["return_value"]
        assert (account["verdict"], account["orphans"], account["strangers"]) == ("unbalanced", 2, 1)
        assert account["findings"] == f"{self.snapshot.folder}/findings.csv"

    def test_the_report_shows_them(self) -> None:
        with self.snapshot.open("report.html") as stream:
            html = stream.read().decode()
        assert "The books do not balance" in html
        assert all(number in html for number in (*self.orphans, self.stranger))

    def test_what_may_be_is_chosen(self, run: Run) -> None:
        result = run(check(fail_on=["unknown"]))
        assert (result["verdict"], result["orphans"], result["strangers"]) == ("unbalanced", 2, 1)
        assert result["findings"] == f"{self.snapshot.folder}/findings.csv"
        with pytest.raises(VerificationFailed) as failed:
            run(check(fail_on='["stranger"]'))
        assert failed.value.differences == (f"{self.stranger} is gone, and no run on record gave it up",)

    def test_an_earlier_night_can_be_asked_for(self, run: Run) -> None:
        assert run(check(day=FIRST.isoformat()))["verdict"] == "opening"


class TestAfterAnExport:
    def test_it_looks_at_the_night_that_was_exported(self, world: World, run: Run, root: DataRoot) -> None:
        for day in range(2):
            night(world, root, FIRST + timedelta(day))
        export = {"environment": "ocp_default", "date": FIRST.isoformat(), "balance": "opening"}
        assert run(check(export=export))["verdict"] == "opening"

    def test_it_is_skipped_where_only_some_groups_were_exported(self, run: Run) -> None:
        with pytest.raises(AirflowSkipException):
            run(check(export={"environment": "ocp_default", "date": FIRST.isoformat(), "balance": None}))


def test_without_a_snapshot_it_says_what_to_do(world: World, run: Run, root: DataRoot) -> None:
    with pytest.raises(IncompleteSnapshot, match="Trigger nightly_inventory_export"):
        run(check())


@pytest.mark.parametrize(("field", "value"), [("day", "yesterday"), ("fail_on", ["typo"]), ("fail_on", "orphan")])
def test_a_wrong_input_is_named_while_the_dag_is_read(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        check(**{field: value})
