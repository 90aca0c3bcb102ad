"""Every operator and sensor that asks OCP, one after the other, each whatever became of the one before."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, chain, task

from ocp_numbers import operators
from ocp_numbers.notifications import OcpNotifier
from ocp_numbers.sensors import NumbersOwnedSensor, SetAttachedSensor

SCENE: dict[str, Any] = json.loads(Path(os.environ["SECRECY_SCENE"]).read_text(encoding="utf-8"))
TOLD = os.environ["SECRECY_TOLD"]
NUMBERS, SETS, APP, GROUP = SCENE["numbers"], SCENE["sets"], SCENE["app"], "retail-us"
MONEY = {"max_unit_price": 10, "max_total_price": 10}
SHORT: dict[str, Any] = {"timeout": timedelta(seconds=1), "poke_interval": 0.2}

STEPS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    name: (getattr(operators, f"{name}Operator"), given)
    for name, given in {
        "SearchAvailableNumbers": {"provider": "telnova", "country_code": "US", "group": GROUP},
        "SearchNumbers": {"number": "+1646555"},
        "UpdateNumbersGroup": {"numbers": NUMBERS[:1], "group": "delivery-us"},
        "AttachNumbers": {"numbers": NUMBERS[1:2], "mini_app_id": APP, "locale": "en-US"},
        "DetachNumbers": {"numbers": NUMBERS[1:2]},
        "UpdateNumberNote": {"number": NUMBERS[1], "note": "Front desk"},
        "AddNumbers": {"numbers": ["+16465559999"], "group": GROUP},
        "DeleteNumbers": {"numbers": ["+16465559999"]},
        "ImportNumbersCsv": {"content": f"OPERATION;NUMBER;NOTE\nUpdate;{NUMBERS[1]};moved\n"},
        "EnsureSet": {"name": "Concierge", "group": GROUP},
        "UpdateSet": {"set_id": SETS["one"], "name": "Reception"},
        "AddNumbersToSet": {"set_id": SETS["one"], "numbers": NUMBERS[2:3]},
        "AttachSet": {"set_id": SETS["one"], "mini_app_id": APP, "locale": "en-US"},
        "DetachSet": {"set_id": SETS["one"]},
        "RemoveNumbersFromSet": {"set_id": SETS["one"], "numbers": NUMBERS[2:3]},
        "DeleteSet": {"set_id": SETS["one"]},
        "ReleaseSetNumbers": {"set_id": SETS["bought"], "expected_numbers": SCENE["bought"]},
        "BuyNumbers": {
            "provider": "telnova", "country_code": "US", "group": GROUP, "quantity": 1, "settle_seconds": 0, **MONEY,
        },
    }.items()
}  # fmt: skip
STEPS |= {
    "NumbersOwned": (NumbersOwnedSensor, {"numbers": NUMBERS[:2], **SHORT}),
    "SetAttached": (
        SetAttachedSensor,
        {"set_id": "{{ params.set_id }}", "mini_app_id": "{{ params.app }}", **SHORT},
    ),
    "PlanRestore": (operators.PlanRestoreOperator, {"restore": "{{ ds }}", "plan_only": True}),
}

with DAG(
    "every_operator",
    schedule=None,
    catchup=False,
    params={"conn": Param("ocp_default"), "set_id": Param(SETS["late"]), "app": Param(APP)},
) as dag:

    @task(trigger_rule="all_done", on_success_callback=OcpNotifier(kind="drift", subject="a find", text=TOLD))
    def careless() -> str:
        """Tell what is none of the project's secrets, as a colleague's debugging would: it has to be found."""
        print("and the value is", TOLD)
        return TOLD

    steps = [
        kind(task_id=name, ocp_conn_id="{{ params.conn }}", trigger_rule="all_done", **given)
        for name, (kind, given) in STEPS.items()
    ]
    # one that only plans skips what follows
    chain(*steps[:-1], careless(), steps[-1])
