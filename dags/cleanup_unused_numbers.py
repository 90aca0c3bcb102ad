"""### Cleanup of unused numbers

Every Monday at 06:00: finds numbers that are attached to no miniApp and in no set, marks them in their note and puts
them into the set `unused - quarantine` of their group. What was marked `grace_days` ago and is still unused is shown to
a person and, once approved, given up **for good**. A number that is used again loses its mark. The word *keep* in a
note keeps a number. One that waits in quarantine is used again by attaching it: the next run clears its mark.

**Scheduled runs are dry runs** until `include/cleanup.yaml` says `dry_run: false`; a run by hand is one unless you
switch it off in its form. A dry run does all but writing. Every decision, number by number with its reason, is in the
data root in `cleanup/<run>/numbers.csv`, what was approved in `plan.json`, each change with its `before` in `journal/`.
To undo what is not final, trigger `apply_number_changes` with `cleanup_unused_numbers/<run>` under *Undo*.

| task | when it fails |
|---|---|
| `select`: no inventory, or an old one | Trigger `nightly_inventory_export`, then clear `select`. |
| `select`: limit exceeded | Look through `numbers.csv`. Write *keep* into notes, or trigger with a higher limit. |
| `select`: a field cannot be used | Correct `include/cleanup.yaml` or the run's parameters. |
| `mark` | Clear it: it looks first and does what is still missing. Nothing here is lost for good. |
| `approve` waits | Answer under Required Actions. A refusal, or silence for three days, gives nothing up. |
| `release`: not as approved | Somebody changed a number or the policy. Nothing is lost; trigger a new run. |
| `release`: outcome unknown | It tries again by itself and finds out first. |
| `verify` | It names each number that is not as planned. `result.json` has the whole account. |
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable, Param, chain

from ocp_numbers import deployment
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.operators.approval import ApprovePlanOperator
from ocp_numbers.operators.cleanup import (
    MarkUnusedNumbersOperator,
    ReleaseUnusedNumbersOperator,
    SelectUnusedNumbersOperator,
    VerifyCleanupOperator,
)

TIMEZONE = deployment.timezone()
POLICY = Path(__file__).resolve().parents[1] / "include" / "cleanup.yaml"

with DAG(
    "cleanup_unused_numbers",
    description="Marks unused numbers, and gives up those that stayed unused, after approval",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 * * MON", timezone=TIMEZONE, run_immediately=deployment.MISSED),
    catchup=False,
    max_active_runs=1,
    tags=["ocp", "cleanup"],
    default_args={"owner": "ocp-numbers", "retries": 3, "retry_delay": timedelta(minutes=2)},
    params={
        "ocp_conn_id": Param(
            "ocp_default",
            type="string",
            minLength=1,
            title="Environment",
            description="The connection of type OCP.",
            section="Where",
        ),
        **{name: Param(**schema) for name, schema in CleanupPolicy.form().items()},
        "dry_run": Param(
            True,
            type="boolean",
            title="Dry run",
            description="Do all but writing, and show what would happen and why. Scheduled runs do as the file says.",
            section="This run",
        ),
    },
) as dag:
    common = {"ocp_conn_id": "{{ params.ocp_conn_id }}", "timezone": TIMEZONE}
    select = SelectUnusedNumbersOperator(
        task_id="select", policy_file=str(POLICY), overrides="{{ dict(params) | tojson }}", **common
    )
    mark = MarkUnusedNumbersOperator(task_id="mark", plan=select.output, pool="ocp_writes", **common)
    approve = ApprovePlanOperator(
        task_id="approve",
        plan=select.output,
        response_timeout=timedelta(days=3),
        ignore_downstream_trigger_rules=False,  # what was marked is verified also when nothing is given up
    )
    release = ReleaseUnusedNumbersOperator(task_id="release", plan=approve.output, pool="ocp_writes", **common)
    verify = VerifyCleanupOperator(
        task_id="verify", plan=select.output, released=release.output, trigger_rule="none_failed", **common
    )
    chain(select, mark, approve, release, verify)
