"""### Provision a region

Makes one sentence true: *set S in group G holds N numbers attached to miniApp M with locale L*. It looks first, reuses
free numbers that are ours, buys only what is missing within the price limits, and asks a person before the first cent.
Run it again at any time: a region that is as wanted is left as it is, and the run says so.

The answer is given under *Required Actions*, for exactly the plan that is shown; silence for a day is a no. What was
approved, by whom, and every order with its numbers are kept in the data root under `regions/` and `orders/`.

| task | when it fails |
|---|---|
| `search` | Nothing was changed. The message names field, number or sum: correct it and trigger a new run. |
| `search`: order conflict | An earlier order is unfinished: run the region with the wishes shown first. |
| `approve`: rejected, or no answer | Nothing was changed and nothing follows. Trigger a new run to ask again. |
| `approve`, `buy`: plan changed | Somebody changed set or numbers meanwhile. Nothing was bought. Trigger a new run. |
| `buy`: outcome unknown | It tries again by itself and finds out first. Never buy the rest by hand meanwhile. |
| `buy`: too few, over budget | The message has the account; what was bought is used by the next run. |
| `buy` stays *scheduled* | The pool `ocp_writes` is missing or taken: create it with one slot under Admin, Pools. |
| `set`, `attach` | Clear the task: it looks first and does what is missing. *In use*: somebody took the number. |
| `verify` | It names each difference. Trigger a new run: it repairs what it may. |
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, Param, chain

from ocp_numbers.operators.regions import (
    ApproveRegionOperator,
    BuyPlannedNumbersOperator,
    FillSetOperator,
    PlanRegionOperator,
    VerifyRegionOperator,
)
from ocp_numbers.operators.sets import AttachSetOperator
from ocp_numbers.regions.spec import RegionSpec

POLICY = Path(__file__).resolve().parents[1] / "include" / "cleanup.yaml"
EXAMPLE = {
    "ocp_conn_id": "ocp_default",
    "group": "retail-us",
    "provider": "telnova",
    "country_code": "US",
    "prefix": "+1212",
    "quantity": 5,
    "set_name": "new-york-front-desk",
    "locale": "en-US",
    "max_unit_price": 10,
    "max_total_price": 50,
}

APPROVED = "{{ ti.xcom_pull('approve') | tojson }}"
BOUGHT = "{{ ti.xcom_pull('buy') | tojson }}"
NUMBERS = "{{ ti.xcom_pull('buy')['for_set'] | tojson }}"
REGION = "{{ ti.xcom_pull('approve')['region']['%s'] or '' }}"

with DAG(
    "provision_region",
    description="Search, approve, buy, put into a set, attach, verify: a region's numbers in one run",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=8,
    tags=["ocp", "provisioning"],
    default_args={"owner": "ocp-numbers", "retries": 3, "retry_delay": timedelta(minutes=1)},
    params={name: Param(**schema) for name, schema in RegionSpec.form(EXAMPLE).items()},
) as dag:
    search = PlanRegionOperator(task_id="search", region="{{ dict(params) | tojson }}", policy_file=str(POLICY))
    approve = ApproveRegionOperator(task_id="approve", plan=search.output, response_timeout=timedelta(days=1))
    buy = BuyPlannedNumbersOperator(task_id="buy", plan=approve.output, pool="ocp_writes")
    fill = FillSetOperator(
        task_id="set",
        ocp_conn_id=REGION % "ocp_conn_id",
        name=REGION % "set_name",
        group=REGION % "group",
        numbers=NUMBERS,
    )
    attach = AttachSetOperator(
        task_id="attach",
        ocp_conn_id=REGION % "ocp_conn_id",
        set_id="{{ ti.xcom_pull('set')['set_id'] }}",
        mini_app_id=REGION % "mini_app_id",
        locale=REGION % "locale",
        application_tag=REGION % "application_tag",
        allow_reassign="{{ ti.xcom_pull('approve')['region']['allow_reassign'] | tojson }}",
        numbers=NUMBERS,
    )
    verify = VerifyRegionOperator(task_id="verify", plan=APPROVED, bought=BOUGHT)
    chain(search, approve, buy, fill, attach, verify)
