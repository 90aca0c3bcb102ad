"""### Apply changes to many numbers

Carries out a table of changes, in the shape of the export plus a column OPERATION (Create, Update, Attach, Detach or
Delete), or with just the columns that matter: CSV or XLSX, from the data root or pasted into the form. It reads every
row and looks at every number first, names **all** faults at once, shows what would change, asks a person, and reads
every number back. Or it undoes an earlier run, or all that happened since a night's export.

A blank cell leaves a field as it is; `<empty>` empties a note, a tag or the set. A row without an operation asks for
nothing. Update changes group, set, note, country, locale and tag; Attach and Detach the miniApp. What a row says and
its operation does not change must be as OCP shows it, so that a table of last week is found out.

What buys, deletes or takes a number from another miniApp is always put before a person. A row buys when it is a Create
with a PROVIDER, and only within both price limits; what an earlier run left open of its purchase is finished first.
Everything about a run is in the data root under `bulk/environment=<connection>/<run>/`: `plan.json`, `changes.jsonl`,
`faults.csv`, `restore-<digest>.csv` (the way back, one for each plan that was carried out), `results.csv`.

| task | when it fails |
|---|---|
| `plan`: faults, with row and column | Nothing was changed. Correct the table (see `faults.csv`), trigger anew. |
| `plan`: over budget | Nothing was bought. The message has the figures: take rows out, or raise a limit. |
| `plan`: access | The connection may not import files: its *Access* has to be `paid`. |
| `approve` waits | Answer under Required Actions. A refusal, or silence for a day, changes nothing. |
| `apply`: refused or different | All else is done. `results.csv` has the reasons; trigger anew with those rows. |
| `apply`: outcome unknown, 5xx | It tries again by itself, and finds out first. Nothing is bought or deleted twice. |
| `apply`: one after the other refused | See to the cause in the message, then clear the task: it does the rest. |
| `apply` stays *scheduled* | The pool `ocp_writes` is missing or taken: create it with one slot under Admin, Pools. |
| It was a mistake | Trigger anew with this run under *Undo*, or with its `restore-<digest>.csv` as the file. |
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, chain

from ocp_numbers.operators.approval import ApprovePlanOperator
from ocp_numbers.operators.bulk import ROWS_PER_CALL, ApplyChangesOperator, PlanChangesOperator

MONEY: dict[str, Any] = {"type": ["null", "number"], "minimum": 0, "maximum": 1_000_000}
WHAT, MONEY_SECTION, HOW = "What to change", "Money, for rows that buy", "This run"

with DAG(
    "apply_number_changes",
    description="Carries out a table of changes to numbers: checked whole, shown, approved, sent, read back",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["ocp", "bulk"],
    default_args={"owner": "ocp-numbers", "retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "ocp_conn_id": Param(
            "ocp_default", "The connection of type OCP.", type="string", minLength=1, title="Environment", section=WHAT
        ),
        "file": Param(
            None,
            "A CSV or XLSX in the data root, such as uploads/moves.xlsx.",
            type=["null", "string"],
            title="File",
            section=WHAT,
        ),
        "upload": Param(
            None,
            "The table itself: paste the CSV with its header, or an XLSX in Base64.",
            type=["null", "string"],
            format="multiline",
            title="Table",
            section=WHAT,
        ),
        "restore": Param(
            None,
            "Undo a run (such as cleanup_unused_numbers/manual__1), or go back to a night's export (its date).",
            type=["null", "string"],
            title="Undo",
            section=WHAT,
        ),
        "overwrite": Param(
            False,
            "When undoing, also put back what somebody changed again since.",
            type="boolean",
            title="Undo later changes too",
            section=WHAT,
        ),
        "max_unit_price": Param(
            None, "The most that one number may cost.", title="A number", **MONEY, section=MONEY_SECTION
        ),
        "max_total_price": Param(
            None, "The most that all may cost together.", title="In all", **MONEY, section=MONEY_SECTION
        ),
        "require_approval": Param(
            True,
            "Ask a person. What buys, deletes or takes over is asked for in any case.",
            type="boolean",
            title="Approval",
            section=HOW,
        ),
        "skip_faulty": Param(
            False,
            "Leave rows with a fault alone, instead of refusing the whole table.",
            type="boolean",
            title="Skip faulty rows",
            section=HOW,
        ),
        "rows_per_call": Param(
            ROWS_PER_CALL,
            "Rows sent at once; installations have limits of their own.",
            type="integer",
            minimum=1,
            maximum=10_000,
            title="Rows per call",
            section=HOW,
        ),
        "dry_run": Param(False, "Only show what would be changed.", type="boolean", title="Dry run", section=HOW),
    },
) as dag:
    plan = PlanChangesOperator(
        task_id="plan",
        ocp_conn_id="{{ params.ocp_conn_id }}",
        file="{{ params.file or '' }}",
        upload="{{ params.upload or '' }}",
        restore="{{ params.restore or '' }}",
        overwrite="{{ params.overwrite }}",
        max_unit_price="{{ '' if params.max_unit_price is none else params.max_unit_price }}",
        max_total_price="{{ '' if params.max_total_price is none else params.max_total_price }}",
        skip_faulty="{{ params.skip_faulty }}",
        require_approval="{{ params.require_approval }}",
        plan_only="{{ params.dry_run }}",
    )
    approve = ApprovePlanOperator(task_id="approve", plan=plan.output, response_timeout=timedelta(days=1))
    apply = ApplyChangesOperator(
        task_id="apply", plan=approve.output, rows_per_call="{{ params.rows_per_call }}", pool="ocp_writes"
    )
    chain(plan, approve, apply)
