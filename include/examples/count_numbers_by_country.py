"""### Example: another team's DAG that runs after each export

Put a copy of this file into your own DAG folder. It runs once for each environment and day, as soon as that night's
inventory is published complete, and never for a part of one. Its partition key says which: `ocp_default|2026-03-31`.

Who needs one environment only, and no partitions, schedules on `Asset(name="ocp_default inventory",
uri="ocp://ocp_default/inventory")` instead; the event's `extra` has counts, digest and path.

| task | when it fails |
|---|---|
| `count` | The snapshot was replaced or deleted meanwhile: clear it, it reads the newest of that day. |
"""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, get_current_context, task

INVENTORY = Asset(name="ocp_inventory_by_day", uri="ocp://inventory/by-day")

with DAG(
    "count_numbers_by_country",
    description="Counts each night's numbers by country, for each environment",
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=INVENTORY),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["example", "ocp"],
):

    @task
    def count() -> dict[str, int]:
        """Count the night's numbers by country, from its manifest alone."""
        from datetime import date

        from ocp_numbers.data_root import DataRoot
        from ocp_numbers.errors import IncompleteSnapshot
        from ocp_numbers.inventory import load, partition_of

        environment, _, day = str(get_current_context()["partition_key"]).rpartition("|")
        snapshot = load(DataRoot.from_environment(), partition_of(environment, date.fromisoformat(day)))
        if snapshot is None:
            raise IncompleteSnapshot(f"there is no snapshot of {environment} for {day} any more; export it again")
        return snapshot.manifest.counts.by_country

    count()
