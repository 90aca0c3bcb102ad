"""What the sensors wait for, and how long."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSensorTimeout, TaskDeferred
from airflow.serialization.serialized_objects import DagSerialization

import ocp_numbers.sensors
from ocp_numbers.errors import AccessRefused, InvalidInput, LoginRefused, NotFound
from ocp_numbers.get_provider_info import get_provider_info
from ocp_numbers.sensors import NumbersOwnedSensor, SetAttachedSensor
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World, connect

TO_COME = "+16465559999"
Sensor = NumbersOwnedSensor | SetAttachedSensor


def owned(*numbers: str, **fields: Any) -> NumbersOwnedSensor:
    return NumbersOwnedSensor(task_id="wait", numbers=list(numbers), **fields)


def attached(world: World, set_id: str, **fields: Any) -> SetAttachedSensor:
    return SetAttachedSensor(task_id="wait", set_id=set_id, mini_app_id=world.app, **fields)


def test_owned_numbers_are_not_waited_for(world: World, run: Run) -> None:
    assert run(owned(*world.add(3))) is None


def test_what_is_not_owned_yet_is_waited_for_in_the_triggerer(world: World, run: Run) -> None:
    with pytest.raises(TaskDeferred) as waiting:
        run(owned(*world.add(1), TO_COME))

    assert waiting.value.trigger.wanted["numbers"][-1] == TO_COME
    assert waiting.value.timeout <= timedelta(hours=1)


def test_a_number_in_another_group_is_not_owned_there(world: World, run: Run) -> None:
    numbers = world.add(1, group="ocp-qa")

    with pytest.raises(TaskDeferred):
        run(owned(*numbers, group=GROUP))
    assert run(owned(*numbers, group="ocp-qa")) is None


def test_a_set_is_attached_once_all_of_its_numbers_are(world: World, run: Run) -> None:
    set_id, _ = world.add_set(numbers=3, mini_app_id=world.app, locale="en-US")
    assert run(attached(world, set_id, quantity=3, locale="en-US")) is None

    world.add(1, set_id=set_id)
    with pytest.raises(TaskDeferred):
        run(attached(world, set_id, quantity=3))


@pytest.mark.parametrize("fields", [{"quantity": 4}, {"locale": "el-GR"}, {"application_tag": "vip"}])
def test_a_set_that_lacks_something_of_it_is_not_attached_yet(world: World, run: Run, fields: dict[str, Any]) -> None:
    set_id, _ = world.add_set(numbers=3, mini_app_id=world.app, locale="en-US")

    with pytest.raises(TaskDeferred):
        run(attached(world, set_id, **fields))


def test_an_empty_set_is_never_attached(world: World, run: Run) -> None:
    set_id, _ = world.add_set()

    with pytest.raises(TaskDeferred):
        run(attached(world, set_id))


class TestAfterTheTrigger:
    def test_it_looks_again_itself(self, world: World, run: Run) -> None:
        sensor = owned(TO_COME)
        with pytest.raises(TaskDeferred) as waiting:
            run(sensor)
        until = waiting.value.trigger.until

        with pytest.raises(TaskDeferred) as again:
            sensor.execute_complete({}, {"until": until})
        assert again.value.trigger.until == until

        world.sandbox.edit.add_number(TO_COME, GROUP)
        sensor.execute_complete({}, {"until": until})

    def test_its_time_does_not_begin_anew(self, world: World, run: Run) -> None:
        sensor = owned(TO_COME)
        with pytest.raises(TaskDeferred):
            run(sensor)

        with pytest.raises(AirflowSensorTimeout, match="not so after 60 min"):
            sensor.execute_complete({}, {"until": time.time() - 1})


class TestWithoutTheTriggerer:
    def test_it_pokes_and_gives_up_in_time(self, world: World, run: Run) -> None:
        with pytest.raises(AirflowSensorTimeout):
            run(owned(TO_COME, deferrable=False, timeout=0.0, poke_interval=0.0))

    def test_it_ends_as_soon_as_it_is_so(self, world: World, run: Run) -> None:
        assert run(owned(*world.add(1), deferrable=False)) is None


def test_a_platform_that_is_away_is_waited_for(world: World, run: Run) -> None:
    numbers = world.add(1)
    world.sandbox.faults.add(Fault("POST", "/api/numbers/search", status=503))

    with pytest.raises(TaskDeferred):
        run(owned(*numbers))


def test_a_wrong_password_is_not_waited_for(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, world.sandbox, "other", password="wrong")

    with pytest.raises(LoginRefused):
        run(owned(TO_COME, ocp_conn_id="other"))


def test_a_set_that_does_not_exist_is_not_waited_for(world: World, run: Run) -> None:
    with pytest.raises(NotFound):
        run(attached(world, "no-such-set"))


def test_wrong_literals_are_refused_while_the_dag_file_is_read(world: World) -> None:
    with pytest.raises(InvalidInput, match="numbers"):
        owned("1212")
    with pytest.raises(InvalidInput, match="quantity"):
        attached(world, "set-1", quantity=0)


def test_it_only_looks_whatever_the_connection_allows(world: World) -> None:
    sensor = owned(TO_COME)

    with pytest.raises(AccessRefused):
        sensor.client.numbers.detach([TO_COME])
    sensor.hook.close()


def test_a_dag_with_the_sensors_survives_serialization(world: World) -> None:
    with DAG("d", schedule=None) as dag:
        owned(TO_COME)
        SetAttachedSensor(task_id="set", set_id="{{ ti.xcom_pull('set')['set_id'] }}", mini_app_id="app")

    restored: Any = DagSerialization.from_dict(DagSerialization.to_dict(dag))

    assert set(restored.task_dict) == {"wait", "set"}


def test_every_sensor_is_exported_and_airflow_is_told_of_its_module() -> None:
    told = get_provider_info()

    assert told["sensors"][0]["python-modules"] == ["ocp_numbers.sensors.awaiting"]
    assert told["triggers"][0]["python-modules"] == ["ocp_numbers.triggers.await_trigger"]
    assert "airflow-provider-ocp-numbers" in ProvidersManager().providers  # type: ignore[no-untyped-call]
    assert {getattr(ocp_numbers.sensors, name).__module__ for name in ocp_numbers.sensors.__all__} == {
        "ocp_numbers.sensors.awaiting"
    }
    with pytest.raises(AttributeError, match="NoSuchSensor"):
        _ = ocp_numbers.sensors.NoSuchSensor
