"""What Airflow calls in the triggerer when a run of the nightly export misses its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ocp_numbers.links import run_address
from ocp_numbers.notifications.events import Event
from ocp_numbers.notifications.sending import notify


async def tell_late_export(context: Mapping[str, Any]) -> None:
    """Tell that the export is late: for ``AsyncCallback`` of a ``DeadlineAlert``.

    :param context: what Airflow hands over: the run as the API shows it, and the deadline.
    """
    run, due = context["dag_run"], context["deadline"]["deadline_time"]
    event = Event(
        kind="late_export",
        environment="",
        subject=f"{run['dag_id']} is late",
        text=f"{run['dag_run_id']} was to be done by {due}, and is {run['state']}. What was published before stays the "
        "latest, and cleanup stops where that is too old. See which of its tasks still works, waits or failed; the "
        "Docs tab of the DAG says what to do for each.",
        link=run_address(run["dag_id"], run["dag_run_id"]),
    )
    await asyncio.to_thread(notify, context, event)
