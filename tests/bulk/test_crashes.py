"""Killed before any call and any document, started again: every row is as planned, and nothing is done twice."""

from __future__ import annotations

from typing import Any

import pytest

from bulk.conftest import MakeScene
from bulk.scene import LATER, Fuse, Killed, Scene
from ocp_numbers.bulk import ChangePlan
from ocp_numbers.holder import Holder

FIELDS = ("groupId", "miniAppId", "locale", "applicationTag", "note", "setId")


def planned(scene: Scene) -> ChangePlan:
    offer = scene.sandbox.stock("telnova", "US")[0]["number"]
    about = {"PROVIDER": "telnova", "GROUP_ID": "us", "COUNTRY": "US", "NOTE": "bought"}
    return scene.plan(
        [
            scene.wish("Create", offer, **about),
            scene.wish("Create", "+12125550900", GROUP_ID="us", NOTE="new", MINIAPP_ID=scene.sales, LOCALE="en-US"),
            scene.wish("Update", "free", NOTE="<empty>", GROUP_ID="eu", PHONE_NUMBER_SET_ID=scene.abroad),
            scene.wish("Update", "in front", NOTE="desk", PHONE_NUMBER_SET_ID=scene.back),
            scene.wish("Update", "attached", APPLICATION_TAG="<empty>"),
            scene.wish("Attach", "blank", MINIAPP_ID=scene.support, LOCALE="en-US"),
            scene.wish("Detach", "attached", MINIAPP_ID=scene.sales) | {"NUMBER": scene["attached"]},
            scene.wish("Delete", "spare"),
        ]
    )


def state(scene: Scene) -> dict[str, tuple[Any, ...]]:
    """What OCP shows; a note without the order's stamp, whose digits differ between worlds."""
    sets = {each["id"]: each["name"] for each in scene.sandbox.sets()}
    shown = {}
    for number, row in scene.estate().items():
        note = (row["note"] or "").partition("[order ")[0].strip()
        values = {**row, "note": note, "setId": sets.get(row["setId"])}
        shown[number] = tuple(values[field] for field in FIELDS)
    return shown


def test_wherever_it_dies_a_second_start_completes_it(make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch) -> None:
    # The dead process is this one, which goes on living.
    monkeypatch.setattr(Holder, "certainly_dead", lambda self: False)
    with make_scene() as whole:
        before, plan, fuse = state(whole), planned(whole), Fuse()
        whole.arm(fuse)
        account = whole.apply(plan)
        wanted = state(whole)
    assert (account.done, account.problem) == (8, None)
    assert fuse.steps > 30

    for at in range(1, fuse.steps + 1):
        with make_scene() as scene:
            assert state(scene) == before
            plan = planned(scene)
            scene.arm(Fuse(at))
            with pytest.raises(Killed):
                scene.apply(plan)
            scene.disarm()

            for number, shown in state(scene).items():
                _is_on_its_way(shown, before.get(number), wanted.get(number, shown), at)
            if state(scene) != before:
                assert scene.root.read(plan.restore)

            scene.sandbox.clock.advance(LATER.total_seconds())
            again = scene.apply(plan)
            assert (again.done, again.problem) == (8, None), f"killed at step {at}"
            assert state(scene) == wanted, f"killed at step {at}"
            assert scene.sandbox.ledger()["totals"]["bought"] == 1, f"killed at step {at}"


def _is_on_its_way(shown: tuple[Any, ...], before: tuple[Any, ...] | None, wanted: tuple[Any, ...], at: int) -> None:
    """Each field is as it was, or as it is to be; a set may have been left and not yet been joined."""
    for field, now, was, then in zip(FIELDS, shown, before or [None] * len(FIELDS), wanted, strict=True):
        on_the_way = {was, then, ""} if field == "note" else {was, then}
        if field == "setId":
            on_the_way.add(None)
        assert now in on_the_way, f"killed at step {at}: {field} is {now!r}"
