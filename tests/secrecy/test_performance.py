"""Nothing that this project says, stores or shows holds a secret, whatever happens to it.

Everything is done once, at DEBUG, on platforms that work and on some that do not, in a process and an Airflow of its
own; then all that it left behind is searched.
"""

from __future__ import annotations

import pytest

from ocp_numbers import operators
from ocp_numbers.commands.main import COMMANDS
from secrecy.canaries import ALL, TOLD, leaks, leaks_below
from secrecy.conftest import Performance

PLACES = {
    "output.txt": "what the components print, tracebacks of failed tasks included",
    "home": "Airflow's database and files: task instances, XCom, rendered fields, notes, task state, audit log",
    "data": "the data root",
    "temporary": "temporary files",
    "triggers.txt": "the rows of Airflow's triggers, in clear",
    "lineage.jsonl": "what OpenLineage is told of every task, its attributes and its errors",
    "pages": "pages and downloads of the dashboard",
    "told.txt": "reprs, error messages and tracebacks of hooks, clients and their parts",
    "pickles": "whatever of them can be pickled",
}
EXAMINING = "CheckDeploymentOperator"
"""Finds fault with an Airflow that was set up for a test, and says so."""


def test_everything_was_done_and_much_of_it_failed_as_well(performance: Performance) -> None:
    """Else nothing below would prove anything."""
    states = performance.account["runs"]
    done = {operator for operator, ended in states.items() if "success" in ended}
    failed = {operator for operator, ended in states.items() if "failed" in ended}
    assert done >= {*operators.__all__, "NumbersOwnedSensor", "SetAttachedSensor"} - {"OcpOperator", EXAMINING}
    assert EXAMINING in done | failed
    assert failed >= {f"{name}Operator" for name in ("BuyNumbers", "AttachSet", "SearchNumbers", "ExportNumbers")}
    codes = performance.account["commands"]
    assert codes.keys() == COMMANDS.keys()
    assert all(of_the_good_one in (0, 1) for of_the_good_one, *_ in codes.values())
    assert {code for of_all in codes.values() for code in of_all} >= {0, 1, 2, 3}
    pages = performance.account["pages"]
    assert {status for page, status in pages.items() if "findings" not in page and "nowhere" not in page} == {200}
    assert {status for page, status in pages.items() if "nowhere" in page} <= {400, 404, 422}
    assert performance.account["logs"] == {"ocp_default": "success", "ocp_echoing": "failed"}
    waited = performance.account["triggers"]
    still = {"ocp_default", "ocp_broken_port", "ocp_broken_gateway"}
    assert {name: state for name, state in waited.items() if state != "scheduled"} == dict.fromkeys(still, "deferred")
    assert len(list(performance.folder.glob("home/logs/**/*.trigger.*.log"))) >= len(waited)
    lineage = (performance.folder / "lineage.jsonl").read_text()
    assert '"namespace": "ocp://' in lineage
    assert '"errorMessage"' in lineage
    told = performance.account["hooks"]
    assert [told[f"{conn_id} tested"][:19] for conn_id in ("ocp_default", "ocp_totp", "ocp_pat")] == [
        "(True, 'Logged in a"
    ] * 3


def test_every_secret_was_on_its_way(performance: Performance) -> None:
    sent = performance.proxy.text + performance.echoing.text + performance.refusing.text
    assert {leak.canary for leak in leaks(sent)} == {canary.name for canary in ALL} - {"one-time code secret"}


def test_what_a_careless_task_tells_is_found(performance: Performance) -> None:
    found = {leak.where for leak in leaks_below(performance.folder, [TOLD])}
    assert found >= {"output.txt", "home/airflow.db", "triggers.txt", "lineage.jsonl"}
    assert leaks(performance.chat.text, canaries=[TOLD])
    assert leaks(performance.mails.text, canaries=[TOLD])


@pytest.mark.parametrize("place", PLACES, ids=PLACES.get)
def test_no_secret_is_in(performance: Performance, place: str) -> None:
    path = performance.folder / place
    assert path.exists()
    assert (leaks_below(path) if path.is_dir() else leaks(path.read_bytes())) == []


def test_no_secret_is_in_any_other_file(performance: Performance) -> None:
    assert leaks_below(performance.folder) == []


def test_no_secret_is_in_what_people_are_told(performance: Performance) -> None:
    assert performance.chat.heard
    assert leaks(performance.chat.text) == []


def test_no_secret_is_in_mails(performance: Performance) -> None:
    assert "nightly_inventory_export is late" in performance.mails.text
    assert leaks(performance.mails.text) == []


def test_no_secret_is_in_names_values_and_tags_of_metrics(performance: Performance) -> None:
    told = "\n".join(performance.metrics.readings)
    assert "ocp_numbers.bought,environment=ocp_default" in told
    assert "ocp_numbers.api_calls,environment=ocp_echoing" in told
    assert leaks(told) == []


def test_no_secret_is_in_the_names_and_command_lines_of_processes(performance: Performance) -> None:
    assert performance.command_lines
    assert leaks("\n".join(performance.command_lines)) == []
