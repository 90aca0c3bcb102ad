"""The scenario ``buy``: BuyNumbersOperator alone, three numbers, a budget with little to spare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from airflow.sdk import DAG

from ocp_numbers import holder
from ocp_numbers.client.clock import Clock
from ocp_numbers.ordering import Buyer
from ocp_sandbox import Settings

from .attempt import WorldClock
from .scenario import Account, Results, Scenario, Variant
from .world import World, connection

CONNECTION = "ocp_crash"
WANTED = 3
BUDGET = Decimal(6)


def buying() -> Scenario:
    """Buy the three cheapest numbers; the cheapest three cost 5."""
    return Scenario(
        name="buy",
        dag=_dag,
        wanted=WANTED,
        budget=BUDGET,
        account=account,
        environment=environment,
        settings=Settings(numbers=4, stock=20),
        variants=VARIANTS,
        worlds=((), *((name,) for name in VARIANTS)),
        furnish=begun_book,
        prepare=connect_clocks,
        check=_published,
        check_failed=account_published,
    )


def _dag() -> DAG:
    from ocp_numbers.operators.buy import BuyNumbersOperator

    with DAG("buy_three", schedule=None) as dag:
        BuyNumbersOperator(
            task_id="buy",
            ocp_conn_id=CONNECTION,
            provider="telnova",
            group="retail-us",
            country_code="US",
            prefix="+1212",
            quantity=WANTED,
            max_unit_price=2,
            max_total_price=BUDGET,
            note="front desk",
            order_id="front desk",
            retries=2,
        )
    return dag


def environment(url: str, world: World) -> Mapping[str, str]:
    """The connection and the data root, as Airflow and the program find them."""
    return {
        f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(connection(url)),
        "OCP_NUMBERS_DATA": str(world.data),
    }


def account(world: World) -> Account:
    """What the order documents say, read without any code of the program."""
    lines = [line for order in world.documents("orders").values() for line in order["lines"]]
    ours = [line for line in lines if line["state"] == "owned" and line["origin"] != "already ours"]
    return Account(
        owned=frozenset(line["number"] for line in ours),
        doubtful=frozenset(line["number"] for line in lines if line["state"] in ("sent", "unknown")),
        spent=sum((Decimal(line["price"] or 2) for line in ours), Decimal(0)),
        estimated=any(line["price"] is None for line in ours),
    )


def begun_book(world: World) -> None:
    """An order book that has been there for long: a new one waits for what an earlier one may have bought."""
    folder = world.data / "orders" / "begun"
    folder.mkdir(parents=True)
    (folder / f"{CONNECTION}.json").write_text('{"at": "2020-01-01T00:00:00+00:00"}', encoding="utf-8")


def _lose_book(world: World) -> None:
    for path in (world.data / "orders" / "begun").iterdir():
        path.unlink()


VARIANTS = {
    "delayed": Variant(settings=lambda settings: replace(settings, visibility_delay=25)),
    "elsewhere": Variant(many_machines=True),
    "new-book": Variant(furnish=_lose_book),
}
"""``delayed``: what was bought shows 25 s later. ``elsewhere``: no attempt can see that the process of the last one is
dead. ``new-book``: the data root was never used before."""


_place = holder._place


def connect_clocks(clock: WorldClock, machine: str) -> None:
    """The program's clocks and pauses follow the world's clock; no wait takes time."""
    Buyer.__init__.__kwdefaults__.update(  # type: ignore[union-attr]
        clock=clock.now, sleep=clock.sleep
    )
    Clock.wall = lambda self: clock.now().timestamp()  # type: ignore[method-assign]
    Clock.monotonic = lambda self: clock.monotonic()  # type: ignore[method-assign]
    Clock.sleep = lambda self, seconds: clock.sleep(seconds)  # type: ignore[method-assign]
    holder._place = (lambda: machine) if machine else _place


def account_published(world: World, results: Results) -> Iterator[str]:
    """What is wrong with the account that the buying task published before it failed."""
    said = results["buy"].get("account")
    if said is None:
        return
    bought = {line.number for line in world.bought()}
    if missing := bought - {*said["numbers"], *said["unknown"]}:
        yield f"the failed task's account lacks {', '.join(sorted(missing))}"
    if claimed := set(said["numbers"]) - bought:
        yield f"the failed task's account claims {', '.join(sorted(claimed))}"


def _published(world: World, results: Results) -> Iterator[str]:
    said, true = results["buy"]["return_value"], account(world)
    if sorted(said["numbers"]) != sorted(true.owned):
        yield f"the task returned {said['numbers']}"
    if Decimal(said["spent"]) != true.spent:
        yield f"the task returned {said['spent']} as spent, the order says {true.spent}"
