"""The Airflow plugin, found through the distribution's entry point."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from ocp_numbers import run_notes
from ocp_numbers.dashboard.mounting import PREFIX, VIEW, Dashboard
from ocp_numbers.links import OcpConsoleLink


class OcpNumbersPlugin(AirflowPlugin):
    """Adds the dashboard to Airflow's navigation, links and notes to the tasks that act on OCP."""

    name = "ocp_numbers"
    operator_extra_links = [OcpConsoleLink()]  # noqa: RUF012 - declared so by Airflow
    fastapi_apps = [{"app": Dashboard(), "url_prefix": PREFIX, "name": "OCP Numbers"}]  # noqa: RUF012
    external_views = [VIEW]  # noqa: RUF012
    listeners = [run_notes]  # noqa: RUF012
