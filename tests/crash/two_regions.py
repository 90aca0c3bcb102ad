"""The scenario ``two-regions``: two regions of one area, both planned before the first is carried out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from airflow.sdk import DAG, chain

from ocp_sandbox.seed import STORE_LOCATOR

from .buying import CONNECTION
from .provisioning import FREE, GROUP, LOCALE, MAX_UNIT_PRICE, provisioning_unasked
from .scenario import Results, Scenario
from .world import World

NAMES = ("north", "south")
QUANTITY = 2


def two_regions() -> Scenario:
    """Two numbers each: one number can be reused by one of them, three have to be bought."""
    wanted = len(NAMES) * QUANTITY - 1
    return replace(
        provisioning_unasked(),
        name="two-regions",
        dag=_dag,
        wanted=wanted,
        budget=Decimal(MAX_UNIT_PRICE * wanted),
        conf={},
        worlds=((),),
        check=_as_wanted,
        check_failed=lambda world, results: (),
    )


def _dag() -> DAG:
    from ocp_numbers.operators.regions import (
        ApproveRegionOperator,
        BuyPlannedNumbersOperator,
        FillSetOperator,
        PlanRegionOperator,
        VerifyRegionOperator,
    )
    from ocp_numbers.operators.sets import AttachSetOperator

    with DAG("two_regions", schedule=None, default_args={"retries": 3}) as dag:
        plans = [PlanRegionOperator(task_id=f"search_{name}", region=_region(name)) for name in NAMES]
        rest: list[Any] = []
        for name, plan in zip(NAMES, plans, strict=True):
            approve = ApproveRegionOperator(task_id=f"approve_{name}", plan=plan.output)
            buy = BuyPlannedNumbersOperator(task_id=f"buy_{name}", plan=approve.output)
            numbers = f"{{{{ ti.xcom_pull('buy_{name}')['for_set'] | tojson }}}}"
            fill = FillSetOperator(
                task_id=f"set_{name}", ocp_conn_id=CONNECTION, name=name, group=GROUP, numbers=numbers
            )
            attach = AttachSetOperator(
                task_id=f"attach_{name}",
                ocp_conn_id=CONNECTION,
                set_id=f"{{{{ ti.xcom_pull('set_{name}')['set_id'] }}}}",
                mini_app_id=STORE_LOCATOR,
                locale=LOCALE,
                numbers=numbers,
            )
            verify = VerifyRegionOperator(task_id=f"verify_{name}", plan=approve.output, bought=buy.output)
            rest += [approve, buy, fill, attach, verify]
        chain(*plans, *rest)
    return dag


def _region(name: str) -> dict[str, Any]:
    changes = {"quantity": QUANTITY, "set_name": name, "max_total_price": MAX_UNIT_PRICE * QUANTITY}
    return {**provisioning_unasked().conf, **changes}


def _as_wanted(world: World, results: Results) -> Iterator[str]:
    numbers = {row["number"]: row for row in world.sandbox.numbers()}
    held = Counter(row["setName"] for row in numbers.values() if row["setName"])
    if held != dict.fromkeys(NAMES, QUANTITY):
        yield f"the sets hold {dict(held)}, wanted are {QUANTITY} each"
    for number in (FREE, *(line.number for line in world.bought())):
        row = numbers[number]
        if row["setName"] not in NAMES or (row["miniAppId"], row["locale"]) != (STORE_LOCATOR, LOCALE):
            yield f"{number} is in set {row['setName']}, attached to {row['miniAppId']} with {row['locale']}"
