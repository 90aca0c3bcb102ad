"""Every operator that changes something has it in the journal before: who, which numbers, how they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OutcomeUnknown, ServerFault
from ocp_numbers.journal import Entry, entries
from ocp_numbers.operators import (
    AddNumbersOperator,
    AddNumbersToSetOperator,
    AttachNumbersOperator,
    AttachSetOperator,
    DeleteNumbersOperator,
    DeleteSetOperator,
    DetachNumbersOperator,
    DetachSetOperator,
    EnsureSetOperator,
    ImportNumbersCsvOperator,
    OcpOperator,
    ReleaseSetNumbersOperator,
    RemoveNumbersFromSetOperator,
    UpdateNumberNoteOperator,
    UpdateNumbersGroupOperator,
    UpdateSetOperator,
)
from ocp_numbers.operators.regions import FillSetOperator
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World

Changes = dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]]
Case = tuple[OcpOperator, str, Changes]
"""An operator, what its journal calls it, and the fields that change of each number, before and after."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataRoot:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    return DataRoot(tmp_path / "data")


def bound(world: World, locale: str = "en-US", tag: str | None = None) -> dict[str, Any]:
    return {"mini_app_id": world.app, "locale": locale, "application_tag": tag}


def each(numbers: list[str], before: dict[str, Any] | None, after: dict[str, Any] | None) -> Changes:
    return dict.fromkeys(numbers, (before, after))


def group(world: World) -> Case:
    numbers = world.add(2)
    operator = UpdateNumbersGroupOperator(task_id="t", numbers=numbers, group="ocp-qa")
    return operator, "group", each(numbers, {"group_id": GROUP}, {"group_id": "ocp-qa"})


def attach(world: World) -> Case:
    numbers = world.add(2, mini_app_id=world.other_app, locale="de-DE", application_tag="gold")
    operator = AttachNumbersOperator(
        task_id="t", numbers=numbers, mini_app_id=world.app, locale="en-US", allow_reassign=[world.other_app]
    )
    before = {"mini_app_id": world.other_app, "locale": "de-DE", "application_tag": "gold"}
    return operator, "attach", each(numbers, before, bound(world))


def detach(world: World) -> Case:
    numbers = world.add(2, mini_app_id=world.app, locale="en-US")
    after = {"mini_app_id": None, "locale": None}
    return (
        DetachNumbersOperator(task_id="t", numbers=numbers),
        "detach",
        each(numbers, dict(list(bound(world).items())[:2]), after),
    )


def note(world: World) -> Case:
    numbers = world.add(1, note="lobby [order 0123456789ab]")
    operator = UpdateNumberNoteOperator(task_id="t", number=numbers[0], note="gate")
    after = {"note": "gate [order 0123456789ab]"}
    return operator, "note", each(numbers, {"note": "lobby [order 0123456789ab]"}, after)


def add(world: World) -> Case:
    operator = AddNumbersOperator(task_id="t", numbers=["+16465550901"], group=GROUP, note="new")
    unbound = {"mini_app_id": None, "locale": None, "application_tag": None}
    return operator, "add", each(["+16465550901"], None, {"group_id": GROUP, "note": "new"} | unbound)


def put_into_set(world: World) -> Case:
    set_id, _ = world.add_set()
    numbers = world.add(2)
    operator = AddNumbersToSetOperator(task_id="t", set_id=set_id, numbers=numbers)
    return operator, "put into set", each(numbers, {"set_id": None}, {"set_id": set_id})


def fill_set(world: World) -> Case:
    set_id, _ = world.add_set()
    numbers = world.add(2)
    operator = FillSetOperator(task_id="t", name="Front desk", group=GROUP, numbers=numbers)
    return operator, "put into set", each(numbers, {"set_id": None}, {"set_id": set_id})


def take_out_of_set(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2)
    operator = RemoveNumbersFromSetOperator(task_id="t", set_id=set_id, numbers=numbers)
    return operator, "take out of set", each(numbers, {"set_id": set_id}, {"set_id": None})


def attach_set(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2)
    operator = AttachSetOperator(task_id="t", set_id=set_id, mini_app_id=world.app, locale="en-US")
    after = {"mini_app_id": world.app, "locale": "en-US"}
    return operator, "attach", each(numbers, {"mini_app_id": None, "locale": None}, after)


def detach_set(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2, mini_app_id=world.app, locale="en-US", application_tag="gold")
    after = {"mini_app_id": None, "locale": None, "application_tag": None}
    return DetachSetOperator(task_id="t", set_id=set_id), "detach", each(numbers, bound(world, tag="gold"), after)


def delete(world: World) -> Case:
    numbers = world.add(1, note="old")
    return DeleteNumbersOperator(task_id="t", numbers=numbers), "delete", each(numbers, {"note": "old"}, None)


def give_up(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2, purchased=True)
    operator = ReleaseSetNumbersOperator(task_id="t", set_id=set_id, expected_numbers=numbers)
    return operator, "give up", each(numbers, {"set_id": set_id}, None)


def delete_set(world: World) -> Case:
    set_id, numbers = world.add_set(numbers=2)
    operator = DeleteSetOperator(task_id="t", set_id=set_id, allow_members=True)
    return operator, "delete set", each(numbers, {"set_id": set_id}, {"set_id": None})


def import_csv(world: World) -> Case:
    numbers = world.add(1, note="old")
    operator = ImportNumbersCsvOperator(task_id="t", content=f"OPERATION,NUMBER,NOTE\nUpdate,{numbers[0]},new\n")
    return operator, "update", each(numbers, {"note": "old"}, {"note": "new"})


CASES = [
    group,
    attach,
    detach,
    note,
    add,
    put_into_set,
    fill_set,
    take_out_of_set,
    attach_set,
    detach_set,
    delete,
    give_up,
    delete_set,
    import_csv,
]

CALLS = [
    ("PUT", "*"),
    ("PATCH", "*"),
    ("DELETE", "*"),
    *(("POST", path) for path in ("/api/numbers/direct", "/api/numbers-set", "/api/numbers-set/*/numbers")),
]
"""Every call that changes something."""


def context(run_id: str = "manual__1") -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(dag_id="moves", run_id=run_id, triggering_user_name="ann"),
        "ti": SimpleNamespace(map_index=0, xcom_push=lambda **_: None),
    }


def journal(root: DataRoot, run: str = "moves/manual__1") -> list[Entry]:
    return list(entries(root, "ocp_default", run))


def changes(entry: Entry) -> Changes:
    """What changes, with as much of how it was as the case speaks of."""
    return {
        edit.number: (
            None
            if edit.before is None
            else edit.before.model_dump(include=set(edit.after or edit.before.model_dump())),
            edit.after,
        )
        for edit in entry.numbers
    }


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
class TestEachOperatorThatChangesNumbers:
    def test_what_it_did_is_on_record_and_confirmed(
        self, world: World, run: Run, root: DataRoot, make: Callable[[World], Case]
    ) -> None:
        operator, operation, expected = make(world)

        run(operator, **context())

        intent, confirmation = journal(root)
        assert (intent.operation, str(intent.by), intent.by.user) == (operation, "moves/manual__1/t[0]", "ann")
        assert confirmation.confirms == (intent.entry,)
        for number, (before, after) in changes(intent).items():
            wanted_before, wanted_after = expected[number]
            assert after == wanted_after
            assert before == wanted_before or (
                before is not None and wanted_before is not None and wanted_before.items() <= before.items()
            )
        assert changes(intent).keys() == expected.keys()

    def test_a_second_run_has_nothing_to_say(
        self, world: World, run: Run, root: DataRoot, make: Callable[[World], Case]
    ) -> None:
        operator, _, _ = make(world)
        run(operator, **context())
        if not isinstance(operator, ReleaseSetNumbersOperator | DeleteNumbersOperator):
            run(operator, **context("manual__2"))
        assert journal(root, "moves/manual__2") == []

    def test_where_nothing_comes_back_the_journal_tells_what_may_have_happened(
        self, world: World, run: Run, root: DataRoot, make: Callable[[World], Case]
    ) -> None:
        operator, _, expected = make(world)
        for call in CALLS:
            world.sandbox.faults.add(Fault(*call, kind="status", status=503))

        with pytest.raises((ServerFault, OutcomeUnknown)):
            run(operator, **context())

        first, *others = journal(root)
        assert first.confirms == ()
        assert all(entry.confirms == () for entry in others)
        assert changes(first).keys() == expected.keys()


def test_sets_are_on_record_as_well(world: World, run: Run, root: DataRoot) -> None:
    made = run(EnsureSetOperator(task_id="make", name="Front desk", group=GROUP), **context())["set_id"]
    run(UpdateSetOperator(task_id="rename", set_id=made, name="Back desk", group="ocp-qa"), **context())
    run(DeleteSetOperator(task_id="remove", set_id=made), **context())

    told = {entry.operation: entry.sets[0] for entry in journal(root) if entry.sets}
    assert {
        name: (edit.before and edit.before.name, edit.after and edit.after.name) for name, edit in told.items()
    } == {
        "create set": (None, "Front desk"),
        "update set": ("Front desk", "Back desk"),
        "delete set": ("Back desk", None),
    }
    assert told["update set"].after is not None
    assert told["update set"].after.group_id == "ocp-qa"


def test_outside_of_a_dag_each_execution_is_a_run_of_its_own(world: World, run: Run, root: DataRoot) -> None:
    for text in ("one", "two"):
        run(UpdateNumberNoteOperator(task_id="t", number=world.add(1)[0], note=text))
    runs = {key.split("/")[2] for key in root.keys("journal/environment=ocp_default") if "/.days/" not in key}
    assert len(runs) == 2
    assert all(name.startswith("by-hand%2F") for name in runs)


def test_the_entry_is_there_when_the_call_is_made(
    world: World, run: Run, root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = world.add(3)
    monkeypatch.setattr("ocp_numbers.operators.converge.BATCH", 1)
    operator = DetachNumbersOperator(task_id="t", numbers=numbers)
    for number in numbers:
        world.sandbox.edit.change_number(number, mini_app_id=world.app)
    on_record: list[int] = []
    send = operator.client.numbers.detach

    def counting(batch: Any) -> Any:
        on_record.append(len(journal(root)))
        return send(batch)

    monkeypatch.setattr(operator.client.numbers, "detach", counting)
    run(operator, **context())
    assert on_record == [1, 2, 3]


def test_answers_that_stay_away_leave_it_unconfirmed(world: World, run: Run, root: DataRoot) -> None:
    numbers = world.add(1)
    world.sandbox.faults.add(Fault("PUT", "/api/numbers/group", kind="status", status=503))
    with pytest.raises(ServerFault):
        run(UpdateNumbersGroupOperator(task_id="t", numbers=numbers, group="ocp-qa"), **context())
    assert journal(root)
    assert not any(entry.confirms for entry in journal(root))
