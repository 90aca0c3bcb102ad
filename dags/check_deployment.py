"""### Check the deployment

Every hour, at 17 past: looks at each environment as a worker sees it - connection, access, clock, data root, age of the
inventory, orders in doubt, licences, notifications - and is red where something is wrong, with how to mend it. It
changes nothing, asks nobody, and takes a few seconds. `ocp-numbers doctor` looks at the same on a machine of your
choice; there it sees the pools as well, which no task can.

It also sends the metrics that say how things stand, such as the age of the latest snapshot: they come when the export
does not. The environments are those that `OCP_NUMBERS_ENVIRONMENTS` lists, `ocp_default` if it is not set.

| task | when it fails |
|---|---|
| `environments` | A parameter is not what the form says: correct it and trigger again. |
| `examine`: connection | Its message names the field of the connection to correct (Admin, Connections). |
| `examine`: clock | Switch time synchronisation on, on the worker that the log names. |
| `examine`: data root | It cannot be reached or does not keep what it must: see `OCP_NUMBERS_DATA` on that worker. |
| `examine`: notifications | The file that routes them is not as it should be: the message says where. |

When it is mended, trigger a run instead of waiting for the hour.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Param, task

from ocp_numbers import deployment
from ocp_numbers.operators.examining import CheckDeploymentOperator

with DAG(
    "check_deployment",
    description="Says every hour what is wrong with connections, clocks and the data root, as a worker sees them",
    doc_md=__doc__,
    schedule="17 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["ocp", "health"],
    default_args={"owner": "ocp-numbers", "retries": 1, "retry_delay": timedelta(minutes=2)},
    params={
        "ocp_conn_ids": Param(
            deployment.environments(),
            "Connections of type OCP; each is looked at by its own task.",
            title="Environments",
            type="array",
            items={"type": "string", "minLength": 1},
            uniqueItems=True,
        )
    },
) as dag:

    @task
    def environments(params: dict[str, list[str]]) -> list[str]:
        """Give each environment a task."""
        return params["ocp_conn_ids"]

    CheckDeploymentOperator.partial(task_id="examine", map_index_template="{{ task.ocp_conn_id }}").expand(
        ocp_conn_id=environments()  # type: ignore[call-arg,misc]
    )
