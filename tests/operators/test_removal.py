from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ocp_numbers.errors import (
    AccessRefused,
    Conflict,
    InvalidInput,
    NumberInUse,
    OutcomeUnknown,
    PlanChanged,
    Refused,
    VerificationFailed,
)
from ocp_numbers.operators import DeleteNumbersOperator, DeleteSetOperator, ReleaseSetNumbersOperator
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World, connect


def delete(numbers: list[str], **fields: Any) -> DeleteNumbersOperator:
    return DeleteNumbersOperator(task_id="delete", numbers=numbers, **fields)


def release(set_id: str, expected: list[str], **fields: Any) -> ReleaseSetNumbersOperator:
    return ReleaseSetNumbersOperator(task_id="release", set_id=set_id, expected_numbers=expected, **fields)


def before_each_call(operator: DeleteNumbersOperator, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Somebody else does something just before a number's deletion is sent."""
    send = operator.client.numbers.delete

    def overtaken(number: str) -> object:
        act()
        return send(number)

    monkeypatch.setattr(operator.client.numbers, "delete", overtaken)


class TestDeleteNumbers:
    def test_deletes_and_a_second_run_finds_nothing(self, world: World, run: Run) -> None:
        numbers = world.add(2)

        assert run(delete(numbers)) == {"changed": 2, "unchanged": 0}
        assert run(delete(numbers)) == {"changed": 0, "unchanged": 2}
        assert not set(numbers) & set(world.all())
        assert sum(world.writes().values()) == 2

    @pytest.mark.parametrize("use", ["attached", "in a set"])
    def test_one_number_in_use_refuses_the_whole_list(self, world: World, run: Run, use: str) -> None:
        free = world.add(1)
        if use == "attached":
            (used,) = world.add(1, mini_app_id=world.app, locale="en-US")
        else:
            _, (used,) = world.add_set(numbers=1)

        with pytest.raises(NumberInUse, match=rf"\{used} .*Nothing was given up"):
            run(delete([*free, used]))

        assert world.writes() == {}
        assert run(delete([used], allow_in_use=[used]))["changed"] == 1

    def test_a_number_that_comes_into_use_meanwhile_is_spared(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = world.add(2)
        operator = delete([first, second])
        edit = world.sandbox.edit
        before_each_call(
            operator, monkeypatch, lambda: edit.change_number(second, mini_app_id=world.app, locale="en-US")
        )

        with pytest.raises(NumberInUse, match=rf"\{second} "):
            run(operator)
        assert second in world.all()

    def test_an_answer_lost_after_the_deletion_is_found_out(self, world: World, run: Run) -> None:
        numbers = world.add(2)
        world.sandbox.faults.add(Fault("DELETE", "/api/numbers/delete/*", kind="drop_after", nth=1))

        assert run(delete(numbers)) == {"changed": 2, "unchanged": 0}
        assert sum(world.writes().values()) == 2

    def test_an_unknown_outcome_is_red_and_sent_once_and_a_retry_resolves_it(self, world: World, run: Run) -> None:
        numbers = world.add(2)
        world.sandbox.faults.add(Fault("DELETE", "/api/numbers/delete/*", kind="drop_before", nth=1))

        with pytest.raises(OutcomeUnknown, match="sent once") as unknown:
            run(delete(numbers))

        assert unknown.value.numbers == (numbers[0],)
        assert sum(world.writes().values()) == 1
        assert run(delete(numbers)) == {"changed": 2, "unchanged": 0}

    @pytest.mark.parametrize(
        ("answer", "error", "told"),
        [
            ('{"success": false, "message": "not today"}', Refused, "not today"),
            ('{"success": true}', VerificationFailed, "OCP said yes, but still shows"),
        ],
    )
    def test_what_ocp_goes_on_showing_is_not_taken_for_deleted_whatever_it_said(
        self, world: World, run: Run, answer: str, error: type[Exception], told: str
    ) -> None:
        numbers = world.add(1)
        world.sandbox.faults.add(Fault("DELETE", "/api/numbers/delete/*", kind="status", status=200, body=answer))

        with pytest.raises(error, match=told):
            run(delete(numbers))

        assert sum(world.writes().values()) == 1
        assert numbers[0] in world.all()

    def test_a_number_that_somebody_else_deletes_meanwhile_is_not_asked_for_again(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = world.add(2)
        operator = delete([first, second])
        before_each_call(operator, monkeypatch, lambda: world.sandbox.edit.remove_number(second))

        assert run(operator) == {"changed": 2, "unchanged": 0}
        assert sum(world.writes().values()) == 1

    def test_a_purchased_number_is_the_vendors_refusal(self, world: World, run: Run) -> None:
        numbers = world.add(1, purchased=True)

        with pytest.raises(Conflict, match=r"numbers.delete"):
            run(delete(numbers))

    def test_a_connection_for_writing_only_may_not_delete(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, world.sandbox, extra={"access": "write"})

        with pytest.raises(AccessRefused):
            run(delete(world.add(1)))


class TestReleaseSetNumbers:
    def test_gives_up_the_purchased_and_keeps_the_others(self, world: World, run: Run) -> None:
        set_id, bought = world.add_set(numbers=2, purchased=True)
        ported = world.add(1, set_id=set_id)

        released = run(release(set_id, [*bought, *ported]))

        assert released == {"released": bought, "kept": ported}
        assert set(world.all()).isdisjoint(bought)
        assert world.sandbox.ledger()["totals"]["released"] == 2

    @pytest.mark.parametrize("change", ["one came in", "one went elsewhere"])
    def test_other_content_than_approved_stops_it(self, world: World, run: Run, change: str) -> None:
        set_id, numbers = world.add_set(numbers=2, purchased=True)
        if change == "one came in":
            (changed,) = world.add(1, set_id=set_id, purchased=True)
        else:
            changed = numbers[1]
            world.sandbox.edit.change_number(changed, set_id=None)

        with pytest.raises(PlanChanged, match=rf"\{changed} "):
            run(release(set_id, numbers))

        assert world.writes() == {}

    def test_an_attached_number_stops_it(self, world: World, run: Run) -> None:
        set_id, numbers = world.add_set(numbers=2, purchased=True, mini_app_id=world.app, locale="en-US")

        with pytest.raises(NumberInUse, match="attached to miniApp"):
            run(release(set_id, numbers))

        assert world.writes() == {}
        assert run(release(set_id, numbers, allow_in_use=numbers))["released"] == numbers

    @pytest.mark.parametrize(("kind", "calls"), [("drop_after", 1), ("truncated", 1), ("broken_json", 1)])
    def test_an_answer_lost_after_the_release_is_found_out(self, world: World, run: Run, kind: Any, calls: int) -> None:
        set_id, numbers = world.add_set(numbers=2, purchased=True)
        world.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", kind=kind, nth=1))

        assert run(release(set_id, numbers)) == {"released": numbers, "kept": []}
        assert sum(world.writes().values()) == calls

    def test_an_unknown_outcome_is_red_and_sent_once_and_a_retry_resolves_it(self, world: World, run: Run) -> None:
        set_id, numbers = world.add_set(numbers=2, purchased=True)
        world.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", kind="drop_before", nth=1))

        with pytest.raises(OutcomeUnknown) as unknown:
            run(release(set_id, numbers))

        assert unknown.value.numbers == tuple(numbers)
        assert sum(world.writes().values()) == 1
        assert run(release(set_id, numbers)) == {"released": numbers, "kept": []}
        assert run(release(set_id, numbers)) == {"released": numbers, "kept": []}
        assert sum(world.writes().values()) == 2

    def test_an_empty_expectation_is_refused_while_the_dag_file_is_read(self) -> None:
        with pytest.raises(InvalidInput, match="expected_numbers: the list is empty"):
            release("some-set", [])


class TestDeleteSet:
    def test_deletes_an_empty_set_and_a_second_run_finds_nothing(self, world: World, run: Run) -> None:
        set_id, _ = world.add_set()
        operator = DeleteSetOperator(task_id="delete", set_id=set_id)

        assert [run(operator)["deleted"], run(operator)["deleted"]] == [True, False]
        assert set_id not in {one["id"] for one in world.sandbox.sets()}

    def test_a_set_with_numbers_is_refused_unless_allowed(self, world: World, run: Run) -> None:
        set_id, (number,) = world.add_set(numbers=1)

        with pytest.raises(NumberInUse, match=rf"still holds \{number}"):
            run(DeleteSetOperator(task_id="delete", set_id=set_id))

        assert world.writes() == {}
        assert run(DeleteSetOperator(task_id="delete", set_id=set_id, allow_members="true"))["deleted"] is True
        assert world[number]["setId"] is None
        assert world[number]["groupId"] == GROUP

    @pytest.mark.parametrize(("kind", "unknown"), [("drop_after", False), ("drop_before", True)])
    def test_a_lost_answer_is_resolved_by_looking(self, world: World, run: Run, kind: Any, unknown: bool) -> None:
        set_id, _ = world.add_set()
        world.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*", kind=kind, nth=1))
        operator = DeleteSetOperator(task_id="delete", set_id=set_id)

        if unknown:
            with pytest.raises(OutcomeUnknown):
                run(operator)
            assert sum(world.writes().values()) == 1
        assert run(operator)["deleted"] is True
