from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import Shell
from commands.test_records import buy
from ocp_numbers import deployment, health
from ocp_numbers.client import without_waiting
from ocp_numbers.client.transport import Transport
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Forbidden, OutcomeUnknown
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_numbers.ordering import Buyer, OrderBook, Policy, Wishes
from ocp_sandbox import Fault, Sandbox, Settings, User
from operators.conftest import run
from operators.world import GROUP, Run, World, connect

__all__ = ["run"]


def findings(shell: Shell) -> dict[str, Any]:
    return {finding["check"]: finding for finding in shell.json("doctor")}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    """An Airflow database with as much as the doctor looks at."""
    file = tmp_path / "airflow.db"
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{file}")
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("CREATE TABLE slot_pool (pool TEXT, slots INTEGER)")
    return database


def test_a_sound_deployment_is_found_sound(
    world: World, shell: Shell, database: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("INSERT INTO slot_pool VALUES ('ocp_writes', 1)")
    (tmp_path / "told.yaml").write_text(
        "all: [{notifier: airflow.providers.http.notifications.http.HttpNotifier, http_conn_id: chat}]"
    )
    monkeypatch.setenv("OCP_NUMBERS_NOTIFICATIONS", str(tmp_path / "told.yaml"))
    shell("export")

    moods = {check: finding["mood"] for check, finding in findings(shell).items()}

    assert moods == dict.fromkeys(
        ["connection", "access", "clock", "data root", "inventory", "orders", "licences", "pools", "notifications"],
        "good",
    )
    assert shell("doctor") == 0


def test_it_leaves_nothing_behind(world: World, shell: Shell) -> None:
    shell("doctor")

    assert DataRoot.from_environment().keys() == []


@pytest.mark.parametrize(
    ("rows", "seen"), [([], "does not exist"), ([("ocp_writes", 8)], "has 8 slots")], ids=["missing", "too wide"]
)
def test_a_pool_that_lets_a_run_hang_or_race_is_wrong_with_the_command_that_mends_it(
    world: World, shell: Shell, database: sqlite3.Connection, rows: list[tuple[str, int]], seen: str
) -> None:
    database.executemany("INSERT INTO slot_pool VALUES (?, ?)", rows)

    pool = findings(shell)["pools"]

    assert (pool["mood"], seen in pool["seen"]) == ("bad", True)
    assert "airflow pools set ocp_writes 1" in pool["fix"]
    assert shell("doctor") == 1


def test_without_airflows_database_the_pool_is_not_guessed(
    world: World, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{tmp_path}/nothing.db")

    assert findings(shell)["pools"]["mood"] == "warning"
    assert not (tmp_path / "nothing.db").exists()


def test_a_platform_that_does_not_say_what_time_it_is_leaves_the_clock_to_a_person(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Transport.send

    def silent(*arguments: Any, **fields: Any) -> Any:
        reply = send(*arguments, **fields)
        object.__setattr__(reply, "headers", {name: value for name, value in reply.headers.items() if name != "Date"})
        return reply

    monkeypatch.setattr(Transport, "send", silent)

    clock = findings(shell)["clock"]
    assert (clock["mood"], clock["fix"]) == ("warning", "Compare the clock by hand.")


@pytest.mark.parametrize(("seconds", "mood"), [(-120, "bad"), (120, "bad"), (0, "good"), (2, "good")])
def test_a_clock_that_is_off_is_wrong(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch, seconds: int, mood: str
) -> None:
    send = Transport.send

    def shifted(*arguments: Any, **fields: Any) -> Any:
        reply = send(*arguments, **fields)
        date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)
        object.__setattr__(reply, "headers", {**reply.headers, "Date": date})
        return reply

    monkeypatch.setattr(Transport, "send", shifted)

    assert findings(shell)["clock"]["mood"] == mood


def test_a_platform_that_is_away_hides_none_of_the_other_findings(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", '{"conn_type": "ocp", "host": "http://127.0.0.1:9"}')

    found = findings(shell)

    assert found["connection"]["mood"] == "bad"
    assert found["data root"]["mood"] == "good"


def test_a_data_root_that_cannot_be_written_is_wrong(
    world: World, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "file"))

    found = findings(shell)

    assert (found["data root"]["mood"], "OCP_NUMBERS_DATA" in found["data root"]["fix"]) == ("bad", True)
    assert {found[check]["seen"] for check in ("inventory", "orders")} == {"not looked at"}


@pytest.mark.parametrize("error", [PermissionError("may not write"), RuntimeError("no credentials")])
def test_a_store_that_refuses_in_a_way_of_its_own_is_wrong_with_its_words(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(DataRoot, "write", refuse)

    found = findings(shell)["data root"]
    assert (found["mood"], str(error) in found["seen"]) == ("bad", True)


def test_a_store_that_shows_what_was_there_before_is_found_out(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DataRoot, "read", lambda self, key: b"1")

    assert "is read as it was before" in findings(shell)["data root"]["seen"]


def test_a_data_root_that_nobody_named_is_good_for_one_machine_only(
    world: World, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OCP_NUMBERS_DATA")
    monkeypatch.setattr(deployment, "project", lambda: tmp_path)

    found = findings(shell)["data root"]
    assert (found["mood"], "OCP_NUMBERS_DATA is not set" in found["seen"]) == ("warning", True)
    assert "name a place that all of them share" in found["fix"]


def test_an_old_inventory_is_told_with_its_age(world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("export")
    assert findings(shell)["inventory"]["mood"] == "good"

    monkeypatch.setattr(health, "OLD", timedelta(0))

    found = findings(shell)["inventory"]
    assert (found["mood"], "0 h old" in found["seen"]) == ("warning", True)


def test_a_purchase_in_doubt_is_told_with_what_to_do_and_not_to_do(world: World, shell: Shell, run: Run) -> None:
    world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_before"))
    with pytest.raises(OutcomeUnknown):
        run(buy(order_id="third"))
    world.sandbox.faults.clear()

    found = findings(shell)["orders"]
    assert (found["mood"], found["seen"]) == ("warning", "2 numbers are in doubt in ocp_default/third")
    assert "Do not buy the rest by hand" in found["fix"]


def test_a_store_that_does_not_create_exclusively_is_found_out(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DataRoot, "create", lambda self, key, content: True)

    assert "not exclusive" in findings(shell)["data root"]["seen"]


def test_pools_of_single_environments_have_to_exist(
    world: World, shell: Shell, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute("INSERT INTO slot_pool VALUES ('ocp_writes', 1)")
    monkeypatch.setenv("OCP_NUMBERS_POOLS", "ocp_eu=eu_reads")

    assert findings(shell)["pools"]["seen"].startswith("eu_reads do not exist")


def test_a_wrong_list_of_pools_is_wrong_and_not_taken_for_a_missing_database(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCP_NUMBERS_POOLS", "ocp_eu")

    found = findings(shell)["pools"]
    assert (found["mood"], "'ocp_eu' is not connection=pool" in found["seen"]) == ("bad", True)


def test_a_purchase_that_met_no_licence_is_named_until_it_is_bought(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    wishes = Wishes(provider="telnova", group=GROUP, country_code="US", prefix="+1212", quantity=1)
    book = OrderBook(DataRoot.from_environment(), "ocp_default")
    with Sandbox(Settings(numbers=5, licences=0, users=[User("ops", "secret")])) as full, without_waiting():
        connect(monkeypatch, full)
        with OcpNumbersHook() as hook, pytest.raises(Forbidden):
            Buyer(hook.client, book, policy=Policy(settle=timedelta(0))).fulfil(wishes, order_id="ocp_default/desk")

        assert findings(shell)["licences"]["seen"] == "OCP had none left for ocp_default/desk"

    with Sandbox(Settings(numbers=5, users=[User("ops", "secret")])) as more, without_waiting():
        connect(monkeypatch, more)
        with OcpNumbersHook() as hook:
            Buyer(hook.client, book, policy=Policy(settle=timedelta(0))).fulfil(wishes, order_id="ocp_default/desk")

        assert findings(shell)["licences"]["mood"] == "good"


def test_a_missing_connection_is_named_with_the_way_to_define_it(world: World, shell: Shell) -> None:
    (found,) = [each for each in shell.json("doctor", "--conn-id", "ocp_eu") if each["check"] == "connection"]

    assert (found["mood"], "there is no such connection" in found["seen"]) == ("bad", True)
    assert "AIRFLOW_CONN_OCP_EU" in found["fix"]


def test_nobody_being_told_is_mentioned_and_a_wrong_file_is_wrong(
    world: World, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OCP_NUMBERS_NOTIFICATIONS", raising=False)
    assert findings(shell)["notifications"]["mood"] == "warning"

    (tmp_path / "told.yaml").write_text("drfit: []")
    monkeypatch.setenv("OCP_NUMBERS_NOTIFICATIONS", str(tmp_path / "told.yaml"))
    assert "did you mean drift?" in findings(shell)["notifications"]["seen"]
