"""The trigger looks until it is true, holds no secret, and leaves nothing open."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

import pytest

from ocp_numbers.sensors import NumbersOwnedSensor
from ocp_numbers.triggers.await_trigger import AwaitTrigger
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World, connect

TO_COME = "+16465559999"
ResultT = TypeVar("ResultT")


def trigger(conn_id: str = "ocp_default", *, poke_interval: float = 0.01, **wanted: Any) -> AwaitTrigger:
    return AwaitTrigger(
        ocp_conn_id=conn_id,
        kind="numbers owned",
        wanted=wanted or {"numbers": [TO_COME]},
        poke_interval=poke_interval,
        until=time.time() + 60,
    )


async def fired(trigger: AwaitTrigger) -> Any:
    try:
        async for event in trigger.run():
            return event.payload
    finally:
        await trigger.cleanup()


def within(seconds: float, work: Awaitable[ResultT]) -> ResultT:
    async def bounded() -> ResultT:
        return await asyncio.wait_for(work, seconds)

    return asyncio.run(bounded())


@pytest.fixture(autouse=True)
def _no_waiting(run: Run) -> None:
    """Pauses between attempts of one call are skipped."""


def test_fires_when_it_is_so(world: World) -> None:
    waited = trigger(numbers=world.add(2))

    assert within(20, fired(waited)) == {"until": waited.until}


def test_looks_again_until_it_is_so(world: World) -> None:
    async def arrives() -> None:
        await asyncio.sleep(0.2)
        world.sandbox.edit.add_number(TO_COME, GROUP)

    async def both() -> Any:
        payload, _ = await asyncio.gather(fired(trigger()), arrives())
        return payload

    assert "until" in within(20, both())


def test_one_login_serves_all_looks_and_is_logged_out_in_the_end(world: World) -> None:
    async def for_a_while() -> None:
        task = asyncio.create_task(fired(trigger()))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    within(20, for_a_while())

    paths = [call["path"].rpartition("/")[2] for call in world.sandbox.calls()]
    assert (paths.count("token"), paths.count("logout")) == (1, 1)
    assert len(paths) > 3


def test_goes_on_while_the_platform_is_away(world: World) -> None:
    numbers = world.add(1)
    world.sandbox.faults.add(Fault("POST", "/api/numbers/search", status=503, times=8))

    assert "until" in within(30, fired(trigger(numbers=numbers)))


def test_leaves_what_is_wrong_for_good_to_the_task(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, world.sandbox, "other", password="wrong")

    assert "until" in within(20, fired(trigger("other")))
    assert "until" in within(20, fired(trigger("no_such_connection")))


@pytest.mark.parametrize("how", ["it is so", "it is wrong for good", "there is no connection"])
def test_fires_once_and_is_over(world: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    connect(monkeypatch, world.sandbox, "other", password="wrong")
    conn_id = {"it is so": "ocp_default", "it is wrong for good": "other"}.get(how, "no_such_connection")
    waited = trigger(conn_id, numbers=world.add(1))

    async def to_the_end() -> int:
        return len([event async for event in waited.run()])

    assert within(20, to_the_end()) == 1
    within(20, waited.cleanup())


def test_one_that_never_looked_has_nothing_to_close(world: World) -> None:
    within(20, trigger().cleanup())
    assert world.sandbox.calls() == []


def test_carries_no_secret(world: World) -> None:
    path, fields = trigger().serialize()

    written = json.dumps(fields)
    assert path == "ocp_numbers.triggers.await_trigger.AwaitTrigger"
    assert "secret" not in written
    assert "ops" not in written
    assert set(fields) == {"ocp_conn_id", "kind", "wanted", "poke_interval", "until"}


def test_is_the_same_after_a_restart_of_the_triggerer(world: World) -> None:
    first = trigger()
    path, fields = first.serialize()

    assert AwaitTrigger(**fields).serialize() == (path, fields)


def test_the_sensor_and_its_trigger_mean_the_same(world: World, run: Run) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as waiting:
        run(NumbersOwnedSensor(task_id="t", numbers=[TO_COME]))
    waiting.value.trigger.poke_interval = 0.01
    world.sandbox.edit.add_number(TO_COME, GROUP)

    assert "until" in within(20, fired(waiting.value.trigger))
