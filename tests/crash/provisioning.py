"""The scenario ``provision``: the whole DAG provision_region; one number can be reused, two have to be bought."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from ocp_sandbox import Settings
from ocp_sandbox.seed import STORE_LOCATOR

from .buying import CONNECTION, VARIANTS, account, account_published, begun_book, connect_clocks, environment
from .scenario import Account, Results, Scenario
from .world import World

DAGS = Path(__file__).resolve().parents[2] / "dags"
GROUP, SET_NAME, LOCALE = "retail-us", "front-desk", "en-US"
FREE = "+12125550100"
QUANTITY, MAX_UNIT_PRICE, MAX_TOTAL_PRICE = 3, 3, 5


def provisioning() -> Scenario:
    """Provision a region of three numbers with an approval; the cheapest two on offer cost 3."""
    return Scenario(
        name="provision",
        dag=lambda: dag_of("provision_region"),
        wanted=QUANTITY - 1,
        budget=Decimal(MAX_TOTAL_PRICE),
        account=_account,
        environment=environment,
        conf={
            "ocp_conn_id": CONNECTION,
            "group": GROUP,
            "provider": "telnova",
            "country_code": "US",
            "prefix": "+1212",
            "quantity": QUANTITY,
            "set_name": SET_NAME,
            "mini_app_id": STORE_LOCATOR,
            "locale": LOCALE,
            "max_unit_price": MAX_UNIT_PRICE,
            "max_total_price": MAX_TOTAL_PRICE,
            "require_approval": True,
        },
        settings=Settings(numbers=0, stock=20),
        variants=VARIANTS,
        worlds=((), ("delayed",)),
        furnish=_furnish,
        prepare=connect_clocks,
        check=_as_wanted,
        check_failed=account_published,
    )


def provisioning_unasked() -> Scenario:
    """The same without the approval."""
    scenario = provisioning()
    return replace(scenario, conf={**scenario.conf, "require_approval": False})


def dag_of(name: str) -> DAG:
    """The DAG from its file."""
    spec = importlib.util.spec_from_file_location(name, DAGS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: DAG = module.dag
    return dag


def _furnish(world: World) -> None:
    begun_book(world)
    world.sandbox.edit.add_number(FREE, GROUP)


def _account(world: World) -> Account:
    """The orders', and what a plan found to be ours already: where orders were lost, earlier purchases are that."""
    orders = account(world)
    plans = [json.loads(path.read_bytes()) for path in (world.data / "regions").rglob("plan-*.json")]
    found = {number for plan in plans for number in _named(plan)} - {FREE} - orders.owned - orders.doubtful
    return replace(
        orders,
        owned=orders.owned | found,
        spent=orders.spent + MAX_UNIT_PRICE * len(found),
        estimated=orders.estimated or bool(found),
    )


def _named(plan: dict[str, Any]) -> Iterator[str]:
    """The numbers that a plan takes for ours."""
    yield from (*plan["right"], *plan["attach"], *plan["left_alone"])
    yield from (entry["number"] for entry in (*plan["reuse"], *plan["reassign"]))


def _as_wanted(world: World, results: Results) -> Iterator[str]:
    numbers = {row["number"]: row for row in world.sandbox.numbers()}
    wanted = {FREE, *(line.number for line in world.bought())}
    inside = {number for number, row in numbers.items() if row["setName"] == SET_NAME}
    if inside != wanted:
        yield f"the set holds {sorted(inside)}, wanted are {sorted(wanted)}"
    for number in sorted(wanted):
        row = numbers[number]
        if (row["groupId"], row["miniAppId"], row["locale"]) != (GROUP, STORE_LOCATOR, LOCALE):
            yield f"{number} is attached to {row['miniAppId']} with {row['locale']} in {row['groupId']}"
    if len([found for found in world.sandbox.sets() if found["name"] == SET_NAME]) != 1:
        yield f"there is not one set {SET_NAME}"
    if results["verify"]["return_value"]["attached"] != QUANTITY:
        yield f"verify returned {results['verify']['return_value']}"
