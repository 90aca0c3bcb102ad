"""Whatever happens to the calls of an operator that changes something, and however often it runs: it converges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ocp_numbers.errors import Interrupted, Refused, ServerFault, VerificationFailed
from ocp_numbers.operators import (
    AddNumbersOperator,
    AddNumbersToSetOperator,
    AttachNumbersOperator,
    AttachSetOperator,
    DetachNumbersOperator,
    DetachSetOperator,
    EnsureSetOperator,
    OcpOperator,
    RemoveNumbersFromSetOperator,
    UpdateNumberNoteOperator,
    UpdateNumbersGroupOperator,
    UpdateSetOperator,
    converge,
)
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World


@dataclass
class Case:
    """An operator, the call it changes things with, and whether things are as wanted."""

    operator: OcpOperator
    method: str
    path: str
    done: Callable[[World], bool]


def every(numbers: list[str], **shown: Any) -> Callable[[World], bool]:
    return lambda world: all(world[number][field] == value for number in numbers for field, value in shown.items())


def update_group(world: World) -> Case:
    numbers = world.add(2)
    operator = UpdateNumbersGroupOperator(task_id="t", numbers=numbers, group="ocp-qa")
    return Case(operator, "PUT", "/api/numbers/group", every(numbers, groupId="ocp-qa"))


def attach(world: World) -> Case:
    numbers = world.add(2)
    operator = AttachNumbersOperator(task_id="t", numbers=numbers, mini_app_id=world.app, locale="en-US")
    return Case(operator, "PUT", "/api/numbers/attach", every(numbers, miniAppId=world.app, locale="en-US"))


def detach(world: World) -> Case:
    numbers = world.add(2, mini_app_id=world.app, locale="en-US")
    operator = DetachNumbersOperator(task_id="t", numbers=numbers)
    return Case(operator, "PUT", "/api/numbers/detach", every(numbers, miniAppId=None))


def note(world: World) -> Case:
    numbers = world.add(1)
    operator = UpdateNumberNoteOperator(task_id="t", number=numbers[0], note="lobby")
    return Case(operator, "PUT", "/api/number/note", every(numbers, note="lobby"))


def add(world: World) -> Case:
    numbers = ["+16465550901", "+16465550902"]
    operator = AddNumbersOperator(task_id="t", numbers=numbers, group=GROUP)
    return Case(operator, "POST", "/api/numbers/direct", lambda world: set(numbers) <= set(world.all()))


def ensure_set(world: World) -> Case:
    operator = EnsureSetOperator(task_id="t", name="Front desk", group=GROUP)
    return Case(
        operator,
        "POST",
        "/api/numbers-set",
        lambda world: [one["name"] for one in world.sandbox.sets()].count("Front desk") == 1,
    )


def update_set(world: World) -> Case:
    set_id, _ = world.add_set()
    operator = UpdateSetOperator(task_id="t", set_id=set_id, name="Back desk")
    return Case(
        operator,
        "PATCH",
        "/api/numbers-set/*",
        lambda world: {"Back desk"} == {one["name"] for one in world.sandbox.sets() if one["id"] == set_id},
    )


def add_to_set(world: World) -> Case:
    set_id, _ = world.add_set()
    numbers = world.add(2)
    operator = AddNumbersToSetOperator(task_id="t", set_id=set_id, numbers=numbers)
    return Case(operator, "POST", "/api/numbers-set/*/numbers", every(numbers, setId=set_id))


def remove_from_set(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2)
    operator = RemoveNumbersFromSetOperator(task_id="t", set_id=set_id, numbers=numbers)
    return Case(operator, "DELETE", "/api/numbers-set/*/numbers", every(numbers, setId=None))


def attach_set(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2)
    operator = AttachSetOperator(task_id="t", set_id=set_id, mini_app_id=world.app, locale="en-US")
    return Case(operator, "PUT", "/api/numbers-set/*/attach", every(numbers, miniAppId=world.app, locale="en-US"))


def detach_set(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2, mini_app_id=world.app, locale="en-US")
    operator = DetachSetOperator(task_id="t", set_id=set_id)
    return Case(operator, "PUT", "/api/numbers-set/*/detach", every(numbers, miniAppId=None))


CASES = [
    update_group,
    attach,
    detach,
    note,
    add,
    ensure_set,
    update_set,
    add_to_set,
    remove_from_set,
    attach_set,
    detach_set,
]
FAULTS: dict[str, tuple[dict[str, Any], int]] = {
    "dropped before": ({"kind": "drop_before"}, 2),
    "dropped after": ({"kind": "drop_after"}, 1),
    "503, not processed": ({"kind": "status", "status": 503}, 2),
    "500, processed": ({"kind": "status_after", "status": 500}, 1),
    "429": ({"kind": "status", "status": 429, "retry_after": "1"}, 2),
    "401": ({"kind": "unauthorized"}, 2),
    "half an answer": ({"kind": "truncated"}, 1),
    "broken JSON": ({"kind": "broken_json"}, 1),
    "a login page": ({"kind": "html"}, 2),
}
"""What goes wrong with the first call, and how many calls it takes then in all."""
NO = '{"success": false, "message": "not on Mondays"}'


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
class TestEachOperatorThatChangesSomething:
    def test_a_second_run_changes_nothing(self, world: World, run: Run, make: Callable[[World], Case]) -> None:
        case = make(world)

        run(case.operator)
        assert case.done(world)
        assert sum(world.writes().values()) == 1

        run(case.operator)
        assert case.done(world)
        assert sum(world.writes().values()) == 1

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_fault_costs_no_more_than_a_repeat(
        self, world: World, run: Run, make: Callable[[World], Case], fault: str
    ) -> None:
        case = make(world)
        rule, calls = FAULTS[fault]
        world.sandbox.faults.add(Fault(case.method, case.path, nth=1, **rule))

        run(case.operator)

        assert case.done(world)
        assert sum(world.writes().values()) == calls

    def test_a_refusal_is_told_and_not_repeated(self, world: World, run: Run, make: Callable[[World], Case]) -> None:
        case = make(world)
        world.sandbox.faults.add(Fault(case.method, case.path, kind="refuse", message="not on Mondays"))

        with pytest.raises(Refused, match="not on Mondays"):
            run(case.operator)

        assert sum(world.writes().values()) == 1

    def test_a_refusal_of_what_took_effect_all_the_same_is_no_failure(
        self, world: World, run: Run, make: Callable[[World], Case]
    ) -> None:
        case = make(world)
        world.sandbox.faults.add(Fault(case.method, case.path, kind="status_after", status=200, body=NO))

        run(case.operator)

        assert case.done(world)
        assert sum(world.writes().values()) == 1

    def test_answers_that_stay_away_end_in_the_vendors_fault(
        self, world: World, run: Run, make: Callable[[World], Case]
    ) -> None:
        case = make(world)
        world.sandbox.faults.add(Fault(case.method, case.path, kind="status", status=503))

        with pytest.raises(ServerFault):
            run(case.operator)

        assert sum(world.writes().values()) == len(converge.PAUSES)


def test_a_yes_that_changes_nothing_is_a_difference_named(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = attach(world)
    monkeypatch.setattr(case.operator.client.numbers, "attach", lambda *_args, **_fields: None)

    with pytest.raises(VerificationFailed) as failed:
        run(case.operator)

    assert failed.value.differences == case.operator.numbers  # type: ignore[attr-defined]


def test_a_refusal_half_carried_out_is_told_with_what_is_missing_and_a_second_run_does_only_that(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = world.add(3)
    operator = AttachNumbersOperator(task_id="t", numbers=numbers, mini_app_id=world.app, locale="en-US")
    send = operator.client.numbers.attach
    monkeypatch.setattr(operator.client.numbers, "attach", lambda batch, **fields: send(batch[:2], **fields))
    world.sandbox.faults.add(Fault("PUT", "/api/numbers/attach", kind="status_after", status=200, body=NO, nth=1))

    with pytest.raises(Refused, match="not on Mondays"):
        run(operator)
    assert f"not so for {numbers[2]}" in capsys.readouterr().out

    again = AttachNumbersOperator(task_id="t", numbers=numbers, mini_app_id=world.app, locale="en-US")
    assert run(again) == {"changed": 1, "unchanged": 2}


def test_a_kill_ends_between_two_calls_and_the_next_attempt_does_the_rest(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = world.add(3)
    monkeypatch.setattr(converge, "BATCH", 1)
    operator = AttachNumbersOperator(task_id="t", numbers=numbers, mini_app_id=world.app, locale="en-US")
    send = operator.client.numbers.attach

    def killed_meanwhile(*args: Any, **fields: Any) -> Any:
        operator.on_kill()
        return send(*args, **fields)

    monkeypatch.setattr(operator.client.numbers, "attach", killed_meanwhile)

    with pytest.raises(Interrupted):
        run(operator)
    assert world[numbers[0]]["miniAppId"] == world.app
    assert world[numbers[1]]["miniAppId"] is None

    again = AttachNumbersOperator(task_id="t", numbers=numbers, mini_app_id=world.app, locale="en-US")
    assert run(again) == {"changed": 2, "unchanged": 1}
