"""Other people go on working while a cleanup runs: what they touch before it is given up is not given up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cleanup.scene import EDITS, Scene
from ocp_numbers.client import Effect, Operation
from ocp_numbers.errors import ApiError, PlanChanged

MakeScene = Callable[[], AbstractContextManager[Scene]]


@given(
    at=st.integers(1, 70),
    edit=st.sampled_from(sorted(EDITS)),
    case=st.sampled_from(["due bought", "due bought too", "due entered", "due abroad", "due entered abroad"]),
)
@example(at=27, edit="moved to another group", case="due entered abroad")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_somebody_changes_up_to_the_last_look_stays(make_scene: MakeScene, at: int, edit: str, case: str) -> None:
    with make_scene() as scene:
        plan = scene.plan()
        calls, gone_before = 0, None
        fetch = scene.client.transport.fetch

        def interfered(operation: Operation[Any], *args: Any, **kwargs: Any) -> Any:
            nonlocal calls, gone_before
            calls += 1
            # Between the last look and the call itself nobody can help; anywhere else the look comes after the edit.
            if calls >= at and gone_before is None and operation.effect is not Effect.DESTRUCTIVE:
                gone_before = scene.gone()
                if row := scene.now(case):
                    scene.sandbox.edit.change_number(scene.numbers[case], **EDITS[edit](scene, row))
            return fetch(operation, *args, **kwargs)

        scene.client.transport.fetch = interfered  # type: ignore[method-assign]
        with suppress(PlanChanged, ApiError):  # stopping is right; what matters is what went
            scene.carry_out(plan)
        assert set(scene.gone()) <= set(scene.due)
        if gone_before is not None and scene.numbers[case] not in gone_before:
            assert scene.numbers[case] not in scene.gone()
