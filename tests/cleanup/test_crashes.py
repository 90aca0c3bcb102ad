"""Killed anywhere, or left without an answer anywhere: only due numbers go, and going on finishes the work.

To have died after a step is to have died before the next one, so each step is tried once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress

import pytest

from cleanup.scene import Fuse, Killed, Scene
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.errors import ApiError, NoAnswer, OutcomeUnknown, Refused
from ocp_sandbox import Fault

MakeScene = Callable[[], AbstractContextManager[Scene]]

WRITES = [
    ("PUT", "/api/number/note"),
    ("POST", "/api/numbers-set"),
    ("POST", "/api/numbers-set/*/numbers"),
    ("DELETE", "/api/numbers-set/*/numbers"),
    ("DELETE", "/api/numbers-set/*/delete"),
    ("DELETE", "/api/numbers/delete/*"),
    ("DELETE", "/api/numbers-set/????????-*-????????????"),
]


def killed_at_each_step(make_scene: MakeScene) -> Iterator[tuple[int, Scene, CleanupPlan]]:
    """A scene whose first run died after its first step, one where after its second, and so on."""
    with make_scene() as scene:
        plan = scene.plan()
        fuse = Fuse()
        scene.arm(fuse)
        scene.carry_out(plan)
        assert fuse.steps > 50
    for at in range(1, fuse.steps + 1):
        with make_scene() as scene:
            plan = scene.plan()
            scene.arm(Fuse(at))
            with pytest.raises(Killed):
                scene.carry_out(plan)
            assert set(scene.gone()) <= set(scene.due), at
            scene.arm(Fuse())
            yield at, scene, plan


def go_on(scene: Scene, tries: int) -> None:
    """Carry the plan out as Airflow would: again after an error that time heals."""
    plan = scene.plan()
    for _ in range(tries):
        try:
            scene.carry_out(plan)
        except (NoAnswer, OutcomeUnknown):
            continue
        except ApiError as error:
            if error.settled:
                raise
            continue
        return
    pytest.fail(f"not done after {tries} attempts")


def check_done(scene: Scene, at: object = None) -> None:
    assert scene.gone() == scene.due, at
    names = sorted(row["name"] for row in scene.sandbox.sets())
    assert names == ["front desk", "unused - quarantine", "unused - quarantine"], at
    assert scene.now("used again")["note"] == "hot", at
    assert scene.now("used again")["setName"] is None, at
    for case in ("new", "blank", "new abroad", "stray", "early"):
        assert scene.now(case)["setName"] == "unused - quarantine", (at, case)
    left = scene.plan("afterwards").counts
    assert left["mark"] + left["quarantine"] + left["clear"] == 0, at


def test_killed_at_any_step_the_same_run_started_again_finishes(make_scene: MakeScene) -> None:
    for at, scene, plan in killed_at_each_step(make_scene):
        scene.carry_out(plan)
        check_done(scene, at)


def test_killed_at_any_step_new_runs_put_things_right(make_scene: MakeScene) -> None:
    for at, scene, _ in killed_at_each_step(make_scene):
        # What the killed run had in its hands goes back into quarantine, and is due again in the run after that.
        for run in ("second", "third"):
            plan = scene.plan(run)
            allowed = {line.number for line in plan.releases}
            before = set(scene.gone())
            scene.carry_out(plan)
            assert set(scene.gone()) - before == allowed, at
        assert scene.gone() == sorted({*scene.due, *scene.of("stray")}), at
        assert not any(row["name"].startswith("unused - release") for row in scene.sandbox.sets()), at


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "status", "status_after", "broken_json", "html"])
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_one_write_gone_wrong_is_made_good(scene: Scene, method: str, path: str, kind: str) -> None:
    scene.sandbox.faults.add(Fault(method, path, kind=kind, nth=1))
    go_on(scene, tries=2)
    assert scene.sandbox.faults.listed()[0]["fired"] == 1
    check_done(scene)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_after_a_refusal_the_same_run_started_again_finishes(scene: Scene, method: str, path: str) -> None:
    plan = scene.plan()
    scene.sandbox.faults.add(Fault(method, path, kind="refuse", nth=1, message="Not today"))
    with suppress(Refused):
        scene.carry_out(plan)
    assert scene.sandbox.faults.listed()[0]["fired"] == 1
    assert set(scene.gone()) <= set(scene.due)
    scene.carry_out(plan)
    check_done(scene)


@pytest.mark.parametrize("seed", range(8))
def test_on_a_bad_day_the_work_gets_done_in_the_end(scene: Scene, seed: int) -> None:
    kinds = ["drop_before", "drop_after", "status_after", "broken_json", "unauthorized", "html"]
    scene.sandbox.faults.add(
        *(Fault(kind=kind, path="/api/*", probability=0.03, seed=seed * 10 + n) for n, kind in enumerate(kinds))
    )
    go_on(scene, tries=40)
    assert sum(rule["fired"] for rule in scene.sandbox.faults.listed()) > 0
    scene.sandbox.faults.clear()
    check_done(scene)
