from __future__ import annotations

from typing import Any

import pytest

from ocp_numbers.errors import Conflict, InvalidInput, NotFound, NumberInUse
from ocp_numbers.operators import (
    AddNumbersToSetOperator,
    AttachSetOperator,
    DetachSetOperator,
    EnsureSetOperator,
    RemoveNumbersFromSetOperator,
    UpdateSetOperator,
)
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World


def attach(world: World, set_id: str, **fields: Any) -> AttachSetOperator:
    return AttachSetOperator(task_id="attach", set_id=set_id, **{"mini_app_id": world.app, "locale": "en-US", **fields})


class TestEnsureSet:
    def test_creates_it_once(self, world: World, run: Run) -> None:
        operator = EnsureSetOperator(task_id="set", name="Front desk", group=GROUP)

        first, second = run(operator), run(operator)

        assert first["created"] is True
        assert second == {"set_id": first["set_id"], "created": False}
        assert [one["name"] for one in world.sandbox.sets()].count("Front desk") == 1

    def test_a_name_that_only_resembles_is_another_set(self, world: World, run: Run) -> None:
        world.add_set("front desk")

        assert run(EnsureSetOperator(task_id="set", name="Front desk", group=GROUP))["created"] is True

    def test_a_set_of_that_name_in_another_group_stops_it(self, world: World, run: Run) -> None:
        world.add_set("Front desk", group="ocp-qa")

        with pytest.raises(InvalidInput, match=r"exists in group ocp-qa, not in retail-us"):
            run(EnsureSetOperator(task_id="set", name="Front desk", group=GROUP))

        assert world.writes() == {}

    def test_of_two_sets_of_that_name_none_is_guessed(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_id, _ = world.add_set("Front desk")
        operator = EnsureSetOperator(task_id="set", name="Front desk", group=GROUP)
        there = operator.client.sets.get(set_id)
        twin = there.model_copy(update={"id": "its-twin"})
        monkeypatch.setattr(operator.client.sets, "list_for_group", lambda group: [there, twin])

        with pytest.raises(InvalidInput, match=rf"has 2 sets named 'Front desk' \(ids {set_id}, its-twin\); rename"):
            run(operator)

        assert world.writes() == {}

    def test_someone_who_creates_it_meanwhile_is_no_failure(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator = EnsureSetOperator(task_id="set", name="Front desk", group=GROUP)
        create = operator.client.sets.create

        def create_second(**fields: str) -> object:
            world.add_set("Front desk")
            return create(**fields)

        monkeypatch.setattr(operator.client.sets, "create", create_second)

        assert run(operator)["set_id"] in {one["id"] for one in world.sandbox.sets()}
        assert [one["name"] for one in world.sandbox.sets()].count("Front desk") == 1

    def test_a_conflict_that_nothing_explains_is_told(self, world: World, run: Run) -> None:
        world.sandbox.faults.add(Fault("POST", "/api/numbers-set", kind="status", status=409))

        with pytest.raises(Conflict):
            run(EnsureSetOperator(task_id="set", name="Front desk", group=GROUP))

    def test_an_unknown_group_is_the_vendors_answer(self, world: World, run: Run) -> None:
        with pytest.raises(NotFound, match="no-such-group"):
            run(EnsureSetOperator(task_id="set", name="Front desk", group="no-such-group"))


class TestUpdateSet:
    def test_renames(self, world: World, run: Run) -> None:
        set_id, _ = world.add_set()
        operator = UpdateSetOperator(task_id="update", set_id=set_id, name="Back desk")

        assert [run(operator)["changed"], run(operator)["changed"]] == [True, False]
        assert {"Back desk"} == {one["name"] for one in world.sandbox.sets() if one["id"] == set_id}

    def test_moves_with_its_numbers(self, world: World, run: Run) -> None:
        set_id, numbers = world.add_set(numbers=2)

        run(UpdateSetOperator(task_id="update", set_id=set_id, group="ocp-qa"))

        assert {world[number]["groupId"] for number in numbers} == {"ocp-qa"}

    def test_nothing_to_update_is_refused_while_the_dag_file_is_read(self) -> None:
        with pytest.raises(InvalidInput, match="name, group: both are empty"):
            UpdateSetOperator(task_id="update", set_id="some-set")

    def test_nothing_to_update_after_rendering_is_refused_before_any_call(self, world: World, run: Run) -> None:
        with pytest.raises(InvalidInput, match="name, group: both are empty"):
            run(UpdateSetOperator(task_id="update", set_id="some-set", name="{{ nothing }}"), nothing="")

        assert world.sandbox.calls() == []

    def test_an_unknown_set_is_the_vendors_answer(self, world: World, run: Run) -> None:
        with pytest.raises(NotFound, match=r"sets.get \(GET /api/numbers-set/no-such-set\)"):
            run(UpdateSetOperator(task_id="update", set_id="no-such-set", name="Back desk"))


class TestAddNumbersToSet:
    def test_adds_what_is_outside(self, world: World, run: Run) -> None:
        set_id, inside = world.add_set(numbers=1)
        outside = world.add(2)

        added = run(AddNumbersToSetOperator(task_id="add", set_id=set_id, numbers=[*inside, *outside]))

        assert added == {"changed": 2, "unchanged": 1}
        assert {world[number]["setId"] for number in outside} == {set_id}

    def test_never_takes_a_number_out_of_another_set(self, world: World, run: Run) -> None:
        set_id, _ = world.add_set("Front desk")
        other_id, (taken,) = world.add_set("Back desk", numbers=1)

        with pytest.raises(NumberInUse, match=rf"\{taken} \(set {other_id}\)"):
            run(AddNumbersToSetOperator(task_id="add", set_id=set_id, numbers=[taken]))

        assert world.writes() == {}

    def test_an_unknown_number_is_the_vendors_answer(self, world: World, run: Run) -> None:
        set_id, _ = world.add_set()

        with pytest.raises(NotFound, match=r"\+16465559999"):
            run(AddNumbersToSetOperator(task_id="add", set_id=set_id, numbers=["+16465559999"]))


class TestRemoveNumbersFromSet:
    def test_removes_what_is_inside_and_keeps_the_numbers(self, world: World, run: Run) -> None:
        set_id, inside = world.add_set(numbers=2)
        outside = world.add(1)

        removed = run(RemoveNumbersFromSetOperator(task_id="remove", set_id=set_id, numbers=[*inside, *outside]))

        assert removed == {"changed": 2, "unchanged": 1}
        assert {world[number]["setId"] for number in inside} == {None}


class TestAttachSet:
    def test_attaches_all_of_it(self, world: World, run: Run) -> None:
        set_id, numbers = world.add_set(numbers=3)

        assert run(attach(world, set_id)) == {"changed": 3, "unchanged": 0}
        assert {world[number]["miniAppId"] for number in numbers} == {world.app}

    def test_attaches_the_numbers_named(self, world: World, run: Run) -> None:
        set_id, (one, other) = world.add_set(numbers=2)

        assert run(attach(world, set_id, numbers=[one])) == {"changed": 1, "unchanged": 0}
        assert world[other]["miniAppId"] is None

    def test_an_empty_set_is_nothing_to_do(self, world: World, run: Run) -> None:
        set_id, _ = world.add_set()

        assert run(attach(world, set_id)) == {"changed": 0, "unchanged": 0}
        assert world.writes() == {}

    def test_a_number_outside_the_set_is_refused(self, world: World, run: Run) -> None:
        set_id, _ = world.add_set(numbers=1)
        (stranger,) = world.add(1)

        with pytest.raises(InvalidInput, match=rf"numbers: \{stranger} not in set"):
            run(attach(world, set_id, numbers=[stranger]))

    def test_never_takes_a_number_from_another_mini_app(self, world: World, run: Run) -> None:
        set_id, _ = world.add_set(numbers=1)
        (taken,) = world.add(1, set_id=set_id, mini_app_id=world.other_app, locale="en-US")

        with pytest.raises(NumberInUse, match=rf"\{taken} "):
            run(attach(world, set_id))

        assert world.writes() == {}
        assert run(attach(world, set_id, allow_reassign=[taken]))["changed"] == 2

    def test_a_number_that_joins_meanwhile_is_not_swept_along(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_id, _ = world.add_set(numbers=1)
        operator = attach(world, set_id)
        send, joined = operator.client.sets.attach, []

        def send_late(*args: Any, **fields: Any) -> object:
            joined.extend(world.add(1, set_id=set_id, mini_app_id=world.other_app, locale="en-US"))
            return send(*args, **fields)

        monkeypatch.setattr(operator.client.sets, "attach", send_late)

        with pytest.raises(NumberInUse):
            run(operator)
        assert world[joined[0]]["miniAppId"] == world.other_app


class TestDetachSet:
    def test_detaches_all_of_it_in_one_call(self, world: World, run: Run) -> None:
        set_id, numbers = world.add_set(numbers=120, mini_app_id=world.app, locale="en-US")
        world.add(1, set_id=set_id)

        assert run(DetachSetOperator(task_id="detach", set_id=set_id)) == {"changed": 120, "unchanged": 1}
        assert {world.all()[number]["miniAppId"] for number in numbers} == {None}
        assert sum(world.writes().values()) == 1

    def test_detaches_from_the_expected_mini_app_only(self, world: World, run: Run) -> None:
        set_id, (number,) = world.add_set(numbers=1, mini_app_id=world.other_app, locale="en-US")

        with pytest.raises(NumberInUse, match=rf"\{number} "):
            run(DetachSetOperator(task_id="detach", set_id=set_id, expected_mini_app_id=world.app))

        assert world.writes() == {}
