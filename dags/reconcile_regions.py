"""### Reconcile declared regions

Every night at 03:00, an hour after the export: compares each region that a file in `include/regions/` declares with
what is there, and says what is missing. **It changes nothing itself.** Where a region has drifted, a person is asked
under *Required Actions*, with the plan; *Provision* triggers `provision_region`, which looks again and asks for
approval before the first cent. Silence for 20 hours leaves all as it is, and the run ends green. A file with `apply:
on_approval` triggers `provision_region` at once, and only that one asks.

To declare a region, copy `include/regions/new-york-front-desk.yaml.example` to a name that ends in `.yaml`. Without
such a file nothing is declared and nothing happens. The last report is `reconciliation/drift.json` in the data root.
The time zone is `OCP_NUMBERS_TIMEZONE`, UTC if not set.

| task | when it fails |
|---|---|
| `declared` | A file is not as it should be: the message names file, field, value and fix. Correct it, then clear. |
| `compare`: in use, over budget, ... | It cannot be made as declared: remove what is in the way, or change the file. |
| `compare`: cannot connect, 5xx | It tries again by itself. If it stays, test the connection (Admin, Connections). |
| `drift` | The data root cannot be written to. Clear it when it can. |
| `ask` waits | Answer under Required Actions, or leave it. |
| `ask`: plan changed | The task was cleared after it had asked. Trigger a new run. |
| `provision`: is paused | Unpause `provision_region`, then clear the task. What it triggers has a runbook of its own. |

One region that fails holds none of the others. It goes by the clock and not by the export's asset: it reads OCP
itself, so that a night without an export still has its comparison, and an export by hand at noon starts none.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, XComArg, chain, task_group

from ocp_numbers import deployment
from ocp_numbers.operators.reconciling import (
    AskToProvisionOperator,
    CompareRegionOperator,
    PublishDriftOperator,
    ReadDeclaredRegionsOperator,
    TriggerProvisioningOperator,
)

INCLUDE = Path(__file__).resolve().parents[1] / "include"
TIMEZONE = deployment.timezone()
ANSWER_WITHIN = timedelta(hours=20)

with DAG(
    "reconcile_regions",
    description="Compares every declared region with reality, and has drifted ones provisioned where a person asks",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 3 * * *", timezone=TIMEZONE, run_immediately=deployment.MISSED),
    catchup=False,
    max_active_runs=1,
    tags=["ocp", "provisioning"],
    default_args={"owner": "ocp-numbers", "retries": 3, "retry_delay": timedelta(minutes=2)},
    params={
        "report_only": Param(
            False,
            type="boolean",
            title="Only report",
            description="Publish the drift; ask nobody and trigger nothing.",
            section="This run",
        )
    },
) as dag:
    declared = ReadDeclaredRegionsOperator(task_id="declared", folder=str(INCLUDE / "regions"))

    @task_group(prefix_group_id=False)
    def region(declaration: Any) -> None:
        """Compare one region; ask; have it provisioned."""
        compare = CompareRegionOperator(
            task_id="compare",
            region=declaration,
            policy_file=str(INCLUDE / "cleanup.yaml"),
            map_index_template="{{ task.region.name }}",
            max_active_tis_per_dagrun=4,
        )
        ask = AskToProvisionOperator(
            task_id="ask",
            plan=compare.output,
            report_only="{{ params.report_only }}",
            response_timeout=ANSWER_WITHIN,
            map_index_template="{{ task.plan.name }}",
        )
        provision = TriggerProvisioningOperator(
            task_id="provision", plan=ask.output, map_index_template="{{ task.plan.name }}"
        )
        chain(compare, ask, provision)

    region.expand(declaration=declared.output)
    PublishDriftOperator(
        task_id="drift", declared=declared.output, found=XComArg(dag.get_task("compare")), trigger_rule="all_done"
    )
