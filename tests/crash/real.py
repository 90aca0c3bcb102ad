"""The same cases under the whole of Airflow: scheduler's rules, execution API and database, by ``dag.test()``.

A program of its own, ``python -m crash.real CASE...``, because it needs a database and an Airflow home of its own.
Prints, as JSON, what became of each case: all effects, the numbers bought, whether the last run ended complete.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from .accidents import Accident, Case, Effect
from .attempt import WorldClock, be_quiet
from .effects import Tell, Watch
from .provisioning import DAGS, provisioning_unasked
from .scenario import Scenario
from .world import Platform, World, scratch
from .zygote import Zygote

DAG_ID = "provision_region"
Piece = tuple[str, Path, dict[str, str], tuple[Accident, ...]]
"""URL of the platform, data root, environment, accidents."""


def carry_out(lines: list[str]) -> list[dict[str, Any]]:
    """Each case in a world of its own: a run in which the accident happens, then another one if it did not end well."""
    with tempfile.TemporaryDirectory() as home, scratch() as folder:
        _begin_airflow(Path(home))
        scenario = provisioning_unasked()
        zygote = Zygote(lambda piece, tell: _run(scenario, piece, tell), prepare=be_quiet)
        platform = Platform()
        try:
            return [
                _carry_out(scenario, Case.parse(line), zygote, platform, folder / str(number))
                for number, line in enumerate(lines)
            ]
        finally:
            zygote.close()
            platform.close()


def _carry_out(scenario: Scenario, case: Case, zygote: Zygote, platform: Platform, folder: Path) -> dict[str, Any]:
    world = World(folder, scenario.settings)
    scenario.furnish(world)
    platform.show(world.sandbox)
    environment = dict(scenario.environment(platform.url, world))
    effects: list[Effect] = []
    states: dict[str, str] = {}
    for accidents in (case.accidents, ()):
        for name, value in zygote.run((platform.url, world.data, environment, accidents)):
            if name == "effect":
                effects.append(value)
            elif name == "states":
                states = value
            elif name == "broke":
                raise RuntimeError(value)
        if states and set(states.values()) == {"success"}:
            break
    bought = [line.number for line in world.bought()]
    world.close()
    return {"effects": effects, "bought": bought, "complete": set(states.values()) == {"success"}}


def _run(scenario: Scenario, piece: Piece, tell: Tell) -> None:
    url, data, environment, accidents = piece
    os.environ.update(environment)
    settings: Any = import_module("airflow.settings")
    settings.dispose_orm()
    settings.configure_orm()
    dag: DAG = import_module("airflow.dag_processing.dagbag").DagBag(DAGS / f"{DAG_ID}.py").dags[DAG_ID]
    watch = Watch(data, url, accidents, 0, tell)
    clock = WorldClock(0, watch)
    watch.before_call = clock.settle
    scenario.prepare(clock, "")
    with watch.on():
        run = dag.test(run_conf=dict(scenario.conf))
    tell("states", {instance.task_id: str(instance.state) for instance in run.get_task_instances()})


def _begin_airflow(home: Path) -> None:
    """An empty database."""
    settings: Any = import_module("airflow.settings")
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
    )
    settings.configure_vars()
    settings.dispose_orm()
    settings.configure_orm()
    import_module("airflow.utils.db").initdb()


if __name__ == "__main__":
    json.dump(carry_out(sys.argv[1:]), sys.stdout)
