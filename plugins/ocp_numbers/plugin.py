"""The Airflow plugin, found through the distribution's entry point."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from ocp_numbers.links import OcpConsoleLink


class OcpNumbersPlugin(AirflowPlugin):
    """Adds the link into OCP's own console to the tasks that act on OCP."""

    name = "ocp_numbers"
    operator_extra_links = [OcpConsoleLink()]  # noqa: RUF012 - declared so by Airflow
