"""Answers that lack a field are in the way of those who would act on its being empty, and of nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from ocp_numbers import operators as ops
from ocp_numbers.bulk.looking import Look
from ocp_numbers.errors import IncompleteSnapshot, NumberInUse
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World


def without(world: World, field: str, to: str = "") -> None:
    """Let every answer with numbers come without the field, or with it under another name."""
    world.sandbox.faults.add(Fault(path="*/numbers*", kind="drift", field=field, to=to))


def attach(world: World, numbers: list[str]) -> Any:
    return ops.AttachNumbersOperator(task_id="t", numbers=numbers, mini_app_id=world.app, locale="en-US")


def delete(world: World, numbers: list[str]) -> Any:
    return ops.DeleteNumbersOperator(task_id="t", numbers=numbers)


def release(world: World, numbers: list[str]) -> Any:
    return ops.ReleaseSetNumbersOperator(task_id="t", set_id=world[numbers[0]]["setId"], expected_numbers=numbers)


def put_into_set(world: World, numbers: list[str]) -> Any:
    set_id = world.sandbox.edit.add_set("Back desk", GROUP)
    return ops.AddNumbersToSetOperator(task_id="t", set_id=set_id, numbers=numbers)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (attach, "miniAppId"),
        (delete, "miniAppId"),
        (delete, "phoneNumberSetId"),
        (release, "miniAppId"),
        (put_into_set, "phoneNumberSetId"),
    ],
)
def test_who_would_act_on_its_being_empty_stops_before_anything_is_changed(
    world: World, run: Run, make: Any, field: str
) -> None:
    _, numbers = world.add_set(numbers=1, purchased=True)
    operator = make(world, numbers)
    without(world, field)

    with pytest.raises(IncompleteSnapshot, match=field):
        run(operator)

    assert world.writes() == {}


@pytest.mark.parametrize("to", ["miniappid", "mini_app_id", "MiniAppId"])
def test_a_field_in_another_spelling_protects_as_it_does_in_its_own(world: World, run: Run, to: str) -> None:
    used = world.add(1, mini_app_id=world.app, locale="en-US")
    without(world, "miniAppId", to)

    with pytest.raises(NumberInUse):
        run(delete(world, used))

    assert world.writes() == {}


def test_what_does_not_need_it_goes_on(world: World, run: Run) -> None:
    (number,) = world.add(1)
    without(world, "miniAppId")

    run(ops.UpdateNumberNoteOperator(task_id="t", number=number, note="lobby"))

    assert world[number]["note"] == "lobby"


@pytest.mark.parametrize(
    "look",
    [
        lambda look, numbers: look.find(numbers),
        lambda look, numbers: list(look.pages()),
        lambda look, numbers: look.at(dict.fromkeys(numbers, 0)),
    ],
    ids=["find", "pages", "at"],
)
@pytest.mark.parametrize("field", ["miniAppId", "locale", "note"])
def test_no_change_is_made_from_what_is_not_told(world: World, look: Any, field: str) -> None:
    numbers = world.add(2)
    without(world, field)

    with OcpNumbersHook() as hook, pytest.raises(IncompleteSnapshot, match=field):
        look(Look(lambda: hook.client), numbers)
