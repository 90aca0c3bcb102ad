"""### Nightly inventory export

Exports all phone numbers of each environment at 02:00, and publishes them only when they are proven complete: every
page is read twice, and both readings have to agree. In the data root, `inventory/environment=<connection>/date=<date>/`
then holds `numbers.parquet`, `numbers.csv.gz`, `rejects.jsonl` and, written last, `manifest.json`. Readers go by the
manifest and see the old snapshot or the new one, never a mixture. `changes.parquet` tells what is new since the night
before, and `report.html` shows it all on one page. Snapshots older than 400 days are deleted, but never the last seven.
Nothing is changed on the platform.

**The books**: `balance.json` says whether every number that came or went since the night before is on record, in an
order or in the journal of a run, and every purchase and release on record in the inventory. Where not, `findings.csv`
lists each *orphan* (came from elsewhere), *stranger* (on record otherwise than it is) and *unknown* (a call that may or
may not have taken effect), and `balance` is red. The snapshot is published all the same.

**Run it by hand** at any time; today's snapshot is replaced as a whole. Some groups, or the numbers that a search
finds, are exported beside the whole inventory, not instead of it: in a folder of their own, compared with what was
found there before, without a balance, and no other DAG takes them for the inventory. The nights export the connections
that `OCP_NUMBERS_ENVIRONMENTS` lists, `ocp_default` if it is not set. The time zone is `OCP_NUMBERS_TIMEZONE`, UTC if
not set.

**Out of sight** is a group that had numbers in the last snapshot and that the login may not look at any more: its
numbers are `hidden` among the changes, not `gone`, and `seen` once it may again. See the login's rights in OCP.

**A pool for each environment**: create the pools, then set `OCP_NUMBERS_POOLS` to, say,
`ocp_eu=eu_reads,ocp_us=us_reads`. Each pool has an `export_in_...` task of its own; environments that are not named
there stay in the default pool.

| task | when it fails |
|---|---|
| `environments` | A parameter is not what the form says: correct it and trigger again. |
| `export`: cannot connect, 5xx | It tries again by itself. If it stays, test the connection under Admin, Connections. |
| `export`: never held still | Somebody changes numbers all the time. Trigger again when they have finished. |
| `export`: rows are not records of numbers | See the `rejects.jsonl` that the message names; correct them there. |
| `export`: is being written by another run | Wait for that run. A killed one frees its place within 6 minutes. |
| `export` is late | Told after two hours. Its log says what it waits for; the last snapshot stays the latest. |
| `export` waits for a person | There are far more or fewer numbers than last time, or none: accept, or find out why. |
| `balance`: orphans | Bought in OCP's console? From the next night on they are on the books. |
| `balance`: strangers | See the order or run that is named: was something bought or given up outside of it? |
| `balance`: unknowns | Clear the task of the order or run that is named: it finds out first. |
| `balance`: out of sight | The login lost a group: give it back in OCP, or leave it; it is told once. |
| `balance`: upstream failed | Another environment was not exported: clear that `export`, and this follows. |
| `export_in_...` stays *scheduled* | Its pool is missing or has no free slot: see Admin, Pools. |
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from ocp_numbers import deployment
from ocp_numbers.operators.balancing import CheckBalanceOperator
from ocp_numbers.operators.export import ExportNumbersOperator

NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}
SEARCHED = {
    "number": ("Number", "Only numbers with these digits in them, such as `+4420`; `%` stands for any."),
    "note": ("Note", "Only numbers with this text in their note."),
    "locale": ("Locale", "Only numbers of this locale, such as `en-US`."),
    "mini_app_name": ("Name of the miniApp", "Only numbers of miniApps with this text in their name."),
    "mini_app_type": ("Type of the miniApp", "Only numbers of miniApps of this type, such as `Flow`."),
    "set_id": ("Id of the set", "Only numbers of this set."),
}
KEEP_DAYS = 400
LATE_AFTER = timedelta(hours=2)
TIMEZONE = deployment.timezone()
DEFAULT_POOL = "default_pool"
POOLS = deployment.pools(os.environ.get("OCP_NUMBERS_POOLS"))

with DAG(
    "nightly_inventory_export",
    description="Proven complete inventory of each environment, every night, as Parquet and CSV",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 2 * * *", timezone=TIMEZONE, run_immediately=deployment.MISSED),
    catchup=False,
    max_active_runs=1,
    deadline=DeadlineAlert(
        name="The export is late",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,  # a run by hand has no logical date to count from
        interval=LATE_AFTER,
        callback=AsyncCallback("ocp_numbers.notifications.late.tell_late_export"),
    ),
    tags=["ocp", "inventory"],
    default_args={"owner": "ocp-numbers", "retries": 3, "retry_delay": timedelta(minutes=2)},
    params={
        "ocp_conn_ids": Param(
            deployment.environments(),
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
        **{
            name: Param(None, told, title=title, type=["null", "string"], section="Only some numbers")
            for name, (title, told) in SEARCHED.items()
        },
    },
) as dag:

    @task
    def environments(pool: str, params: dict[str, Any]) -> list[str]:
        """Give each environment of this pool a task."""
        return [each for each in params["ocp_conn_ids"] if POOLS.get(each, DEFAULT_POOL) == pool]

    # Airflow knows one pool for all that a task is mapped over: each pool has a mapped task of its own.
    for pool in (DEFAULT_POOL, *sorted({*POOLS.values()} - {DEFAULT_POOL})):
        suffix = "" if pool == DEFAULT_POOL else f"_in_{pool}"
        export = ExportNumbersOperator.partial(
            task_id=f"export{suffix}",
            pool=pool,
            groups="{{ params.groups | tojson }}",
            filters={name: f"{{{{ params.{name} or '' }}}}" for name in SEARCHED},
            formats="{{ params.formats | tojson }}",
            timezone=TIMEZONE,
            full_check="{{ params.full_check }}",
            keep_days=KEEP_DAYS,
            map_index_template="{{ task.ocp_conn_id }}",
        ).expand(ocp_conn_id=environments.override(task_id=f"environments{suffix}")(pool))  # type: ignore[call-arg,misc]
        CheckBalanceOperator.partial(task_id=f"balance{suffix}", map_index_template="{{ task.ocp_conn_id }}").expand(
            export=export.output
        )
