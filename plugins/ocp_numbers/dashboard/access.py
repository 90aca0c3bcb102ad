"""Who may see the dashboard: whoever is logged in to Airflow and may look at the nightly export's DAG."""

from __future__ import annotations

from urllib.parse import urlencode

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, Request

GUARDING_DAG = "nightly_inventory_export"
"""Its readers see the same numbers in its logs and reports: so no permission of the dashboard's own is needed."""

may_look = Depends(requires_access_dag("GET", param_dag_id=GUARDING_DAG))
"""Raises 401 without a login, 403 where the person may not."""


def login(request: Request, airflow: str) -> str:
    """Address of Airflow's login, whatever its auth manager, with the way back to what was asked for.

    :param airflow: path of Airflow itself, without a slash at its end.
    """
    wanted = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return f"{airflow}/api/v2/auth/login?{urlencode({'next': wanted})}"
