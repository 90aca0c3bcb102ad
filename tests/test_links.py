"""Where the buttons of a task lead."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from ocp_numbers.get_provider_info import get_provider_info
from ocp_numbers.links import DashboardLink, OcpConsoleLink, OrderLink, ProvisioningRunLink, ReportLink, SetLink
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.sets import DetachSetOperator

BASE = "https://airflow.example.com/team"


@pytest.fixture(autouse=True)
def _base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", f"{BASE}/")


def address(link: Any, operator: OcpOperator) -> str:
    return str(link.get_link(operator, ti_key=None))


def task(**worked_on: str) -> OcpOperator:
    operator = OcpOperator(task_id="t", ocp_conn_id="ocp_eu")
    operator.worked_on.update(worked_on)
    return operator


@pytest.mark.parametrize(
    ("link", "worked_on", "leads_to"),
    [
        (SetLink(), {"set": "a b&c"}, f"{BASE}/ocp-numbers/ocp_eu/numbers?set=a+b%26c"),
        (OrderLink(), {"order": "ocp_eu/retail/ny#1"}, f"{BASE}/ocp-numbers/ocp_eu/orders/ocp_eu/retail/ny%231"),
        (ReportLink(), {"date": "2026-03-01"}, f"{BASE}/ocp-numbers/ocp_eu/snapshots/2026-03-01/report.html"),
        (DashboardLink(), {"page": "cleanup"}, f"{BASE}/ocp-numbers/ocp_eu/cleanup"),
        (DashboardLink(), {}, f"{BASE}/ocp-numbers/ocp_eu/"),
    ],
)
def test_a_link_leads_to_what_the_task_worked_on(link: Any, worked_on: dict[str, str], leads_to: str) -> None:
    assert address(link, task(**worked_on)) == leads_to


@pytest.mark.parametrize("link", [SetLink(), OrderLink(), ReportLink()])
def test_a_task_that_came_to_nothing_has_no_button(link: Any) -> None:
    assert address(link, task()) == ""


def test_a_set_that_was_given_is_linked_even_when_the_task_failed() -> None:
    operator = DetachSetOperator(task_id="t", set_id="set-7")

    assert address(SetLink(), operator) == f"{BASE}/ocp-numbers/ocp_default/numbers?set=set-7"


def test_the_id_of_a_connection_cannot_lead_elsewhere() -> None:
    operator = OcpOperator(task_id="t", ocp_conn_id="../../evil?x")

    assert address(DashboardLink(), operator) == f"{BASE}/ocp-numbers/..%2F..%2Fevil%3Fx/"


def test_a_task_whose_templates_were_never_rendered_has_no_button() -> None:
    assert address(DashboardLink(), OcpOperator(task_id="t", ocp_conn_id="{{ params.where }}")) == ""


def test_a_connection_that_is_missing_or_wrong_gives_no_console_and_no_second_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EMPTY", '{"conn_type": "ocp"}')

    assert address(OcpConsoleLink(), OcpOperator(task_id="t", ocp_conn_id="empty")) == ""
    assert address(OcpConsoleLink(), OcpOperator(task_id="t", ocp_conn_id="no_such_connection")) == ""


def test_airflow_is_told_of_every_link() -> None:
    told = set(get_provider_info()["extra-links"])
    kinds = (DashboardLink, OcpConsoleLink, OrderLink, ProvisioningRunLink, ReportLink, SetLink)

    assert told == {f"ocp_numbers.links.{kind.__name__}" for kind in kinds}
    assert all(hasattr(import_module("ocp_numbers.links"), name.rpartition(".")[2]) for name in told)
