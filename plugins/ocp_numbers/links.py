"""Ways from a task to where its work can be seen: OCP's own console, and the run that it triggered."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class OcpConsoleLink(BaseOperatorLink):
    """Opens the console of the OCP environment that the task's connection names."""

    name = "OCP console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the console. Airflow asks for it in the worker, once the task has run."""
        return str(operator.hook.settings.host)  # type: ignore[attr-defined]


class ProvisioningRunLink(BaseOperatorLink):
    """Opens the run of ``provision_region`` that a task triggered."""

    name = "Provisioning run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the run. Airflow asks for it in the worker, once the task has run."""
        run_id: str = operator.triggered_run_id  # type: ignore[attr-defined]
        if not run_id:
            return ""
        base = conf.get("api", "base_url", fallback="/").rstrip("/")
        return f"{base}/dags/{operator.triggered_dag_id}/runs/{quote(run_id)}"  # type: ignore[attr-defined]
