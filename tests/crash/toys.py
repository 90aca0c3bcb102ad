"""Two small programs that buy, to prove the prover: one is correct, one forgets what it was about to do.

Also the smallest example of a scenario: nothing in it is this project's but the promises.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from airflow.sdk import DAG, BaseOperator

from ocp_sandbox import Settings

from .scenario import Account, Scenario
from .world import LOGIN, PASSWORD, World

WANTED = 2
PROVIDER, COUNTRY, GROUP = "telnova", "US", "retail-us"


class CarefulBuyer(BaseOperator):
    """Writes down which numbers it is going to buy, buys those, and looks at what it owns before it believes it."""

    def execute(self, context: Any) -> dict[str, Any]:
        """Buy two numbers."""
        plan = Path(os.environ["TOY_DATA"], "plan.json")
        if not plan.exists():
            _place(plan, json.dumps(_call("POST", "/api/numbers", _search())[:WANTED]))
        offers = json.loads(plan.read_text(encoding="utf-8"))
        numbers = [offer["number"] for offer in offers]
        missing = [number for number in numbers if number not in _owned()]
        if missing:
            _call("PUT", "/api/numbers", {"provider": PROVIDER, "group": GROUP, "numbers": missing})
        if not set(numbers) <= _owned():
            raise RuntimeError("not all of them are there yet")
        return {"numbers": numbers}


class ForgetfulBuyer(CarefulBuyer):
    """Chooses anew at each attempt, and writes down afterwards what it bought."""

    def execute(self, context: Any) -> dict[str, Any]:
        """Buy two numbers, or more."""
        offers = _call("POST", "/api/numbers", _search())[:WANTED]
        numbers = [offer["number"] for offer in offers]
        _call("PUT", "/api/numbers", {"provider": PROVIDER, "group": GROUP, "numbers": numbers})
        _place(Path(os.environ["TOY_DATA"], "plan.json"), json.dumps(offers))
        return {"numbers": numbers}


def toy(buyer: type[BaseOperator]) -> Scenario:
    """A DAG of one such task, on a platform with six numbers to sell."""

    def dag() -> DAG:
        with DAG("toy", schedule=None) as made:
            buyer(task_id="buy", retries=1)
        return made

    return Scenario(
        name="toy",
        dag=dag,
        wanted=WANTED,
        budget=Decimal(100),
        account=_account,
        environment=lambda url, world: {"TOY_URL": url, "TOY_DATA": str(world.data)},
        settings=Settings(numbers=0, stock=6),
        recoveries=("retry", "clear", "recompute", "trigger"),
    )


def _account(world: World) -> Account:
    """What is planned and on the platform is owned; the toy keeps no better book."""
    plan = world.data / "plan.json"
    planned = (
        {offer["number"]: Decimal(str(offer["price"])) for offer in json.loads(plan.read_bytes())}
        if plan.exists()
        else {}
    )
    owned = planned.keys() & {row["number"] for row in world.sandbox.numbers()}
    return Account(
        owned=frozenset(owned), doubtful=frozenset(), spent=sum((planned[number] for number in owned), Decimal(0))
    )


def _search() -> dict[str, str]:
    return {"provider": PROVIDER, "code": COUNTRY, "group": GROUP}


def _owned() -> set[str]:
    return {row["number"] for row in _call("GET", "/api/numbers", None)["numbers"]}


def _call(method: str, path: str, body: dict[str, Any] | None) -> Any:
    url = os.environ["TOY_URL"]
    form = {"grant_type": "password", "client_id": "ocp", "username": LOGIN, "password": PASSWORD}
    login = requests.post(f"{url}/auth/realms/master/protocol/openid-connect/token", data=form, timeout=5)
    login.raise_for_status()
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    answer = requests.request(method, f"{url}/integrations{path}", json=body, headers=headers, timeout=5)
    answer.raise_for_status()
    return answer.json()


def _place(path: Path, text: str) -> None:
    """Put the document there whole, unless somebody else was faster."""
    staged = path.with_suffix(f".{os.getpid()}")
    staged.write_text(text, encoding="utf-8")
    with suppress(FileExistsError):
        os.link(staged, path)
    staged.unlink()
