from __future__ import annotations

from typing import Any

import pytest

from bulk import scene
from ocp_numbers.errors import InvalidInput, NumberInUse, OutcomeUnknown, VerificationFailed
from ocp_numbers.operators import ImportNumbersCsvOperator
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World, connect


def file_of(*rows: dict[str, str]) -> str:
    return scene.table(*rows).decode()


def operator_of(*rows: dict[str, str], **fields: Any) -> ImportNumbersCsvOperator:
    return ImportNumbersCsvOperator(task_id="import", content=file_of(*rows), **fields)


def every_operation(world: World) -> tuple[list[dict[str, str]], dict[str, dict[str, str | None]]]:
    """One row of each operation, and what the numbers show afterwards."""
    (free, noted), (attached,), (gone,) = (
        world.add(2),
        world.add(1, mini_app_id=world.app, locale="en-US"),
        world.add(1),
    )
    rows = [
        {"OPERATION": "Create", "NUMBER": "+16465550901", "GROUP_ID": GROUP, "NOTE": 'a "quoted", note\nof two lines'},
        {"OPERATION": "update", "NUMBER": noted, "NOTE": "lobby", "UNKNOWN": "kept"},
        {"OPERATION": "ATTACH", "NUMBER": free, "MINIAPP_ID": world.app, "LOCALE": "en-US"},
        {"OPERATION": "Detach", "NUMBER": attached},
        {"OPERATION": "Delete", "NUMBER": gone},
    ]
    after: dict[str, dict[str, str | None]] = {
        "+16465550901": {"note": 'a "quoted", note\nof two lines', "groupId": GROUP},
        noted: {"note": "lobby"},
        free: {"miniAppId": world.app, "locale": "en-US"},
        attached: {"miniAppId": None},
    }
    return rows, after


def test_carries_out_every_operation_and_a_second_run_finds_nothing(world: World, run: Run) -> None:
    rows, after = every_operation(world)
    operator = operator_of(*rows, allow_delete=[rows[-1]["NUMBER"]])

    assert run(operator) == {"changed": 5, "unchanged": 0}
    assert run(operator) == {"changed": 0, "unchanged": 5}
    assert world.writes() == {"PUT /api/numbers/csv": 5}
    assert rows[-1]["NUMBER"] not in world.all()
    for number, shown in after.items():
        assert {field: world[number][field] for field in shown} == shown


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "truncated", "broken_json"])
def test_a_lost_answer_is_resolved_by_reading_back(world: World, run: Run, kind: Any) -> None:
    rows, _ = every_operation(world)
    world.sandbox.faults.add(Fault("PUT", "/api/numbers/csv", kind=kind, nth=1))

    assert run(operator_of(*rows[:-1])) == {"changed": 4, "unchanged": 0}


def test_an_unknown_delete_is_red_and_sent_once_and_a_retry_resolves_it(world: World, run: Run) -> None:
    (number,) = world.add(1)
    operator = operator_of({"OPERATION": "Delete", "NUMBER": number}, allow_delete=[number])
    world.sandbox.faults.add(Fault("PUT", "/api/numbers/csv", kind="drop_before", nth=1))

    with pytest.raises(OutcomeUnknown) as unknown:
        run(operator)

    assert unknown.value.numbers == (number,)
    assert sum(world.writes().values()) == 1
    assert run(operator)["changed"] == 1


@pytest.mark.parametrize("size", [2, "2"])
def test_goes_in_chunks_as_small_as_the_installation_wants_them(world: World, run: Run, size: Any) -> None:
    rows = [{"OPERATION": "Update", "NUMBER": number, "NOTE": "lobby"} for number in world.add(5)]

    assert run(operator_of(*rows, rows_per_call=size))["changed"] == 5
    assert world.writes() == {"PUT /api/numbers/csv": 3}


def test_a_purchase_without_limits_is_refused_and_one_within_them_is_an_order(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, world.sandbox, extra={"settle_seconds": 0})
    offer = world.sandbox.stock("telnova", "US")[0]["number"]
    row = {"OPERATION": "Create", "NUMBER": offer, "GROUP_ID": GROUP, "COUNTRY": "US", "PROVIDER": "telnova"}

    with pytest.raises(InvalidInput, match="buys a number; give max_unit_price and max_total_price"):
        run(operator_of(row))
    assert world.writes() == {}

    assert run(operator_of(row, max_unit_price=100, max_total_price=100))["changed"] == 1
    assert world.writes() == {"PUT /api/numbers": 1}
    assert "[order " in world[offer]["note"]


def test_never_takes_a_number_from_another_miniapp_unless_that_is_allowed(world: World, run: Run) -> None:
    (number,) = world.add(1, mini_app_id=world.other_app, locale="en-US")
    row = {"OPERATION": "Attach", "NUMBER": number, "MINIAPP_ID": world.app, "LOCALE": "en-US"}

    with pytest.raises(NumberInUse, match=rf"\{number} .*allow_reassign"):
        run(operator_of(row))

    assert world.writes() == {}
    assert run(operator_of(row, allow_reassign=[world.other_app]))["changed"] == 1


def test_never_deletes_what_is_not_named_or_in_use(world: World, run: Run) -> None:
    (free,), (used,) = world.add(1), world.add(1, mini_app_id=world.app, locale="en-US")

    with pytest.raises(InvalidInput, match=rf"would delete \{free} for good; name them in allow_delete"):
        run(operator_of({"OPERATION": "Delete", "NUMBER": free}))
    with pytest.raises(InvalidInput, match=r"is attached to .*; detach it first"):
        run(operator_of({"OPERATION": "Delete", "NUMBER": used}, allow_delete=[used]))
    assert world.writes() == {}


def test_a_refused_row_is_named_with_the_vendors_answer(world: World, run: Run) -> None:
    with pytest.raises(VerificationFailed, match=r"\+16465550901 refused: OCP refused it: .*no-such-group"):
        run(operator_of({"OPERATION": "Create", "NUMBER": "+16465550901", "GROUP_ID": "no-such-group"}))


def test_a_new_note_keeps_the_marks_of_the_old_one(world: World, run: Run) -> None:
    (number,) = world.add(1, note="old [order 7f3a9c2e1b40]")
    operator = operator_of({"NOTE": "new", "OPERATION": "Update", "NUMBER": number})

    assert [run(operator)["changed"], run(operator)["changed"]] == [1, 0]
    assert world[number]["note"] == "new [order 7f3a9c2e1b40]"


def test_a_byte_order_mark_is_read_over(world: World, run: Run) -> None:
    (number,) = world.add(1)
    content = "\ufeff" + file_of({"OPERATION": "Update", "NUMBER": number, "NOTE": "lobby"})

    assert run(ImportNumbersCsvOperator(task_id="import", content=content))["changed"] == 1


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("NUMBER\n+12125550123\n", ["it needs a column OPERATION"]),
        ("OPERATION,NUMBER\n", ["OPERATION: has no rows below it"]),
        ("\n", ["is empty"]),
        ("OPERATION,NUMBER\n\n\nBuy,12\n", ["faults: 2.", "row 4, NUMBER: '12'", "row 4, OPERATION: 'Buy'"]),
        ("OPERATION,NUMBER\nUpdate\n", ["faults: 1.", "row 2: has fewer cells than the header, 1 instead of 2"]),
    ],
)
def test_every_fault_of_a_file_is_named_and_nothing_is_sent(
    world: World, run: Run, content: str, problems: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(ImportNumbersCsvOperator(task_id="import", content=content))

    assert len(refused.value.problems) == len(problems)
    assert all(part in whole for part, whole in zip(problems, refused.value.problems, strict=True))
    assert world.writes() == {}
