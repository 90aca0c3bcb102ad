"""The way from a task into OCP's own console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class OcpConsoleLink(BaseOperatorLink):
    """Opens the console of the OCP environment that the task's connection names."""

    name = "OCP console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the console. Airflow asks for it in the worker, once the task has run."""
        return str(operator.hook.settings.host)  # type: ignore[attr-defined]
