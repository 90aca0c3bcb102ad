"""### Nightly inventory export

Exports all phone numbers of each environment at 02:00, and publishes them only when they are proven complete: every
page is read twice, and both readings have to agree. In the data root, `inventory/environment=<connection>/date=<date>/`
then holds `numbers.parquet`, `numbers.csv.gz`, `rejects.jsonl` and, written last, `manifest.json`. Readers go by the
manifest and see the old snapshot or the new one, never a mixture. `changes.parquet` tells what is new since the night
before, and `report.html` shows it all on one page. Snapshots older than 400 days are deleted, but never the last seven.
Nothing is changed on the platform.

**Run it by hand** at any time; today's snapshot is replaced as a whole. Groups, if some are named, are exported beside
the whole inventory, not instead of it. The time zone is `OCP_NUMBERS_TIMEZONE`, UTC if not set.

| task | when it fails |
|---|---|
| `environments` | A parameter is not what the form says: correct it and trigger again. |
| `export`: cannot connect, 5xx | It tries again by itself. If it stays, test the connection under Admin, Connections. |
| `export`: never held still | Somebody changes numbers all the time. Trigger again when they have finished. |
| `export`: rows are not records of numbers | See the `rejects.jsonl` that the message names; correct them there. |
| `export`: is being written by another run | Wait for that run. A killed one frees its place within 15 minutes. |
| `export` waits for a person | There are far more or fewer numbers than last time: accept, or find out why. |
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, Param, task

from ocp_numbers.operators import ExportNumbersOperator

NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
KEEP_DAYS = 400
TIMEZONE = os.environ.get("OCP_NUMBERS_TIMEZONE", "UTC")

with DAG(
    "nightly_inventory_export",
    description="Proven complete inventory of each environment, every night, as Parquet and CSV",
    doc_md=__doc__,
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    tags=["ocp", "inventory"],
    default_args={"owner": "ocp-numbers", "retries": 3, "retry_delay": timedelta(minutes=2)},
    params={
        "ocp_conn_ids": Param(
            ["ocp_default"],
            "Connections of type OCP; each is exported by its own task.",
            title="Environments",
            **NAMES,
        ),
        "groups": Param(
            [], "Only the numbers of these groups; leave empty for the whole inventory.", title="Groups", **NAMES
        ),
        "formats": Param(
            ["parquet", "csv"],
            "Files to write. Parquet has to be among them; a spreadsheet takes longer and holds a million numbers.",
            title="Formats",
            type="array",
            items={"type": "string", "enum": ["parquet", "csv", "xlsx"]},
            examples=["parquet", "csv", "xlsx"],
            uniqueItems=True,
        ),
        "full_check": Param(
            False,
            "Compare with the platform's own CSV as well; it is held in memory.",
            title="Full check",
            type="boolean",
        ),
    },
) as dag:

    @task
    def environments(params: dict[str, list[str]]) -> list[str]:
        """Give each environment a task."""
        return params["ocp_conn_ids"]

    ExportNumbersOperator.partial(
        task_id="export",
        groups="{{ params.groups | tojson }}",
        formats="{{ params.formats | tojson }}",
        timezone=TIMEZONE,
        full_check="{{ params.full_check }}",
        keep_days=KEEP_DAYS,
        map_index_template="{{ task.ocp_conn_id }}",
    ).expand(ocp_conn_id=environments())  # type: ignore[call-arg,misc]
