"""Each operation has a client method, a sandbox route, a call in this file, and an operator or a reason for none.

A new line in the client's table of operations fails here until all of these exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.bases.operator import ExecutorSafeguard

from ocp_numbers import operators as ops
from ocp_numbers.client import OPERATIONS, OcpClient, Operation, without_waiting
from ocp_numbers.hooks import ocp
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_numbers.operators.base import OcpOperator
from ocp_sandbox import Sandbox, Settings
from ocp_sandbox.api.routes import ROUTES
from operators.world import GROUP, World, connect

DOCUMENTED = 24


class Scene(World):
    """A world with one of everything that the operations act on."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.free = self.add(2)
        self.attached = self.add(2, mini_app_id=self.app, locale="en-US")
        self.set_id, self.members = self.add_set("Front desk", numbers=2)
        self.attached_set_id, _ = self.add_set("Lobby", numbers=2, mini_app_id=self.app, locale="en-US")
        self.purchased_set_id, self.purchased = self.add_set("Bought", numbers=2, purchased=True)
        self.empty_set_id, _ = self.add_set("Empty")
        self.offer = sandbox.stock("telnova", "US")[0]["number"]
        self.csv = f"OPERATION,NUMBER,NOTE\nUpdate,{self.free[0]},lobby\n"


@dataclass(frozen=True)
class Cover:
    """How an operation is called by the client, and which operator calls it, or why none has to."""

    client: Callable[[OcpClient, Scene], object]
    operator: Callable[[Scene], OcpOperator] | str


COVERS: dict[str, Cover] = {
    "numbers.list": Cover(
        lambda client, _: client.numbers.list(),
        lambda scene: ops.DetachNumbersOperator(task_id="t", numbers=scene.attached),
    ),
    "numbers.search_available": Cover(
        lambda client, _: client.numbers.search_available(provider="telnova", code="US", group=GROUP),
        lambda _: ops.SearchAvailableNumbersOperator(task_id="t", provider="telnova", country_code="US", group=GROUP),
    ),
    "numbers.buy": Cover(
        lambda client, scene: client.numbers.buy(provider="telnova", numbers=[scene.offer], group=GROUP),
        lambda scene: ops.BuyNumbersOperator(
            task_id="t",
            provider="telnova",
            group=GROUP,
            country_code="US",
            numbers=[scene.offer],
            max_total_price=100,
            order_id="cover",
            settle_seconds=0,
        ),
    ),
    "numbers.update_group": Cover(
        lambda client, scene: client.numbers.update_group(scene.free, group="ocp-qa"),
        lambda scene: ops.UpdateNumbersGroupOperator(task_id="t", numbers=scene.free, group="ocp-qa"),
    ),
    "numbers.attach": Cover(
        lambda client, scene: client.numbers.attach(scene.free, mini_app_id=scene.app, locale="en-US"),
        lambda scene: ops.AttachNumbersOperator(task_id="t", numbers=scene.free, mini_app_id=scene.app, locale="en-US"),
    ),
    "numbers.detach": Cover(
        lambda client, scene: client.numbers.detach(scene.attached),
        lambda scene: ops.DetachNumbersOperator(task_id="t", numbers=scene.attached),
    ),
    "numbers.update_note": Cover(
        lambda client, scene: client.numbers.update_note(scene.free[0], note="lobby"),
        lambda scene: ops.UpdateNumberNoteOperator(task_id="t", number=scene.free[0], note="lobby"),
    ),
    "numbers.search": Cover(
        lambda client, _: client.numbers.search(groups=[GROUP]),
        lambda _: ops.SearchNumbersOperator(task_id="t", groups=[GROUP]),
    ),
    "numbers.export_csv": Cover(
        lambda client, _: client.numbers.export_csv(groups=[GROUP]),
        "ExportNumbersOperator asks for it in its full check, which its own tests cover",
    ),
    "numbers.import_csv": Cover(
        lambda client, scene: client.numbers.import_csv(scene.csv.encode()),
        lambda scene: ops.ImportNumbersCsvOperator(task_id="t", content=scene.csv),
    ),
    "numbers.add_direct": Cover(
        lambda client, _: client.numbers.add_direct(["+16465550901"], group=GROUP),
        lambda _: ops.AddNumbersOperator(task_id="t", numbers=["+16465550901"], group=GROUP),
    ),
    "numbers.delete": Cover(
        lambda client, scene: client.numbers.delete(scene.free[0]),
        lambda scene: ops.DeleteNumbersOperator(task_id="t", numbers=scene.free[:1]),
    ),
    "sets.create": Cover(
        lambda client, _: client.sets.create(name="Back desk", group_id=GROUP),
        lambda _: ops.EnsureSetOperator(task_id="t", name="Back desk", group=GROUP),
    ),
    "sets.list": Cover(
        lambda client, _: client.sets.list(),
        lambda _: ops.EnsureSetOperator(task_id="t", name="Back desk", group=GROUP),
    ),
    "sets.list_for_group": Cover(
        lambda client, _: client.sets.list_for_group(GROUP),
        lambda _: ops.EnsureSetOperator(task_id="t", name="Back desk", group=GROUP),
    ),
    "sets.get": Cover(
        lambda client, scene: client.sets.get(scene.set_id),
        lambda scene: ops.UpdateSetOperator(task_id="t", set_id=scene.set_id, name="Back desk"),
    ),
    "sets.update": Cover(
        lambda client, scene: client.sets.update(scene.set_id, name="Back desk"),
        lambda scene: ops.UpdateSetOperator(task_id="t", set_id=scene.set_id, name="Back desk"),
    ),
    "sets.numbers": Cover(
        lambda client, scene: client.sets.numbers(scene.set_id),
        lambda scene: ops.DetachSetOperator(task_id="t", set_id=scene.set_id),
    ),
    "sets.add_numbers": Cover(
        lambda client, scene: client.sets.add_numbers(scene.set_id, numbers=scene.free),
        lambda scene: ops.AddNumbersToSetOperator(task_id="t", set_id=scene.set_id, numbers=scene.free),
    ),
    "sets.remove_numbers": Cover(
        lambda client, scene: client.sets.remove_numbers(scene.set_id, numbers=scene.members),
        lambda scene: ops.RemoveNumbersFromSetOperator(task_id="t", set_id=scene.set_id, numbers=scene.members),
    ),
    "sets.attach": Cover(
        lambda client, scene: client.sets.attach(scene.set_id, mini_app_id=scene.app, locale="en-US"),
        lambda scene: ops.AttachSetOperator(task_id="t", set_id=scene.set_id, mini_app_id=scene.app, locale="en-US"),
    ),
    "sets.detach": Cover(
        lambda client, scene: client.sets.detach(scene.attached_set_id),
        lambda scene: ops.DetachSetOperator(task_id="t", set_id=scene.attached_set_id),
    ),
    "sets.release_numbers": Cover(
        lambda client, scene: client.sets.release_numbers(scene.purchased_set_id),
        lambda scene: ops.ReleaseSetNumbersOperator(
            task_id="t", set_id=scene.purchased_set_id, expected_numbers=scene.purchased
        ),
    ),
    "sets.delete": Cover(
        lambda client, scene: client.sets.delete(scene.empty_set_id),
        lambda scene: ops.DeleteSetOperator(task_id="t", set_id=scene.empty_set_id),
    ),
}


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Scene]:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
    monkeypatch.setattr(ExecutorSafeguard, "test_mode", True)
    monkeypatch.setattr(ocp, "mask_secret", lambda _: None)
    with without_waiting(), Sandbox(Settings(numbers=20)) as sandbox:
        connect(monkeypatch, sandbox)
        yield Scene(sandbox)


def answered(scene: Scene, operation: Operation[Any]) -> bool:
    """Whether the sandbox has answered such a call with a success."""
    path = re.compile("(/integrations)?" + re.sub(r"\{\w+\}", "[^/]+", operation.path))
    return any(
        call["method"] == operation.method and path.fullmatch(call["path"]) and call["status"] in (200, 201, 204)
        for call in scene.sandbox.calls()
    )


def test_every_operation_is_covered_and_no_other() -> None:
    assert len(OPERATIONS) == DOCUMENTED
    assert set(COVERS) == set(OPERATIONS)


def test_the_sandbox_has_a_route_for_each_and_no_other() -> None:
    def shapes(calls: Any) -> list[tuple[str, str]]:
        return sorted((call.method, re.sub(r"\{\w+\}", "{}", call.path)) for call in calls)

    assert shapes(ROUTES) == shapes(OPERATIONS.values())


@pytest.mark.parametrize("name", COVERS)
def test_its_client_method_calls_it(scene: Scene, name: str) -> None:
    with OcpNumbersHook() as hook:
        COVERS[name].client(hook.client, scene)

    assert answered(scene, OPERATIONS[name])


@pytest.mark.parametrize("name", [name for name, cover in COVERS.items() if not isinstance(cover.operator, str)])
def test_its_operator_calls_it(scene: Scene, name: str) -> None:
    make = COVERS[name].operator
    assert callable(make)

    make(scene).execute({})

    assert answered(scene, OPERATIONS[name])


def test_a_missing_operator_has_its_reason() -> None:
    reasons = {name: cover.operator for name, cover in COVERS.items() if isinstance(cover.operator, str)}

    assert all(len(reason.split()) > 5 for reason in reasons.values())
