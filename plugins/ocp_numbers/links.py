"""Ways from a task to where its work can be seen: OCP's own console, the dashboard's pages, the run that it triggered.

Airflow asks for each address in the worker, once the task has run or failed, and shows no button where it is empty. An
operator says what it worked on in its ``worked_on``: ``set`` (an id), ``order`` (an id), ``date`` (of a snapshot) or
``page`` (of the dashboard).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowException, AirflowRuntimeError

from ocp_numbers.errors import OcpError

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import RuntimeTaskInstanceProtocol, TaskInstanceKey

DASHBOARD = "ocp-numbers"


class OcpConsoleLink(BaseOperatorLink):
    """Opens the console of the OCP environment that the task's connection names."""

    name = "OCP console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the console; none where the connection cannot be read, which the task itself has told of."""
        try:
            return str(operator.hook.settings.host)  # type: ignore[attr-defined]
        except (AirflowException, AirflowRuntimeError, OcpError):
            return ""


class SetLink(BaseOperatorLink):
    """Opens the dashboard's table of the numbers in the set that a task worked on."""

    name = "Numbers of the set"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the table."""
        set_id = _worked_on(operator).get("set") or getattr(operator, "set_id", None)
        return dashboard(operator, "numbers", set=set_id) if set_id else ""


class OrderLink(BaseOperatorLink):
    """Opens the dashboard's page of the order that a task fulfilled, or tried to."""

    name = "Order"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the order's page."""
        order_id = _worked_on(operator).get("order")
        return dashboard(operator, f"orders/{quote(order_id)}") if order_id else ""


class ReportLink(BaseOperatorLink):
    """Opens the report of the night that a task exported."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the report."""
        day = _worked_on(operator).get("date")
        return dashboard(operator, f"snapshots/{quote(day)}/report.html") if day else ""


class DashboardLink(BaseOperatorLink):
    """Opens the dashboard at the page that belongs to a task's work, of the environment that it worked in."""

    name = "Dashboard"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the page; of the overview where the task names none."""
        return dashboard(operator, _worked_on(operator).get("page", ""))


class ProvisioningRunLink(BaseOperatorLink):
    """Opens the run of ``provision_region`` that a task triggered."""

    name = "Provisioning run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the run."""
        run_id: str = operator.triggered_run_id  # type: ignore[attr-defined]
        return run_address(operator.triggered_dag_id, run_id) if run_id else ""  # type: ignore[attr-defined]


def dashboard(operator: BaseOperator, page: str, **query: str) -> str:
    """Address of a page of the dashboard for the environment that the operator's connection is; "" without one."""
    environment: str = getattr(operator, "ocp_conn_id", "")
    return dashboard_address(environment, page, **query) if environment and "{{" not in environment else ""


def dashboard_address(environment: str, page: str = "", **query: str) -> str:
    """Address of a page of the dashboard.

    :param environment: the connection's id.
    :param page: path of the page below the environment's overview, its parts quoted already.
    """
    address = f"{_airflow()}/{DASHBOARD}/{quote(environment, safe='')}/{page}"
    return f"{address}?{urlencode(query)}" if query else address


def run_address(dag_id: str, run_id: str) -> str:
    """Address of a run in Airflow's UI."""
    return f"{_airflow()}/dags/{dag_id}/runs/{quote(run_id)}"


def required_actions_address(ti: RuntimeTaskInstanceProtocol) -> str:
    """Address of the page on which a waiting task is answered."""
    mapped = "" if ti.map_index in (None, -1) else f"/mapped/{ti.map_index}"
    return f"{run_address(ti.dag_id, ti.run_id)}/tasks/{ti.task_id}{mapped}/required_actions"


def _airflow() -> str:
    return str(conf.get("api", "base_url", fallback="/")).rstrip("/")


def _worked_on(operator: BaseOperator) -> Mapping[str, Any]:
    return getattr(operator, "worked_on", {})
