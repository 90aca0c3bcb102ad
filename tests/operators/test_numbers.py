from __future__ import annotations

from typing import Any

import pytest

from ocp_numbers.errors import BadRequest, InvalidInput, LimitExceeded, NotFound, NumberInUse
from ocp_numbers.operators import (
    AddNumbersOperator,
    AttachNumbersOperator,
    DetachNumbersOperator,
    SearchAvailableNumbersOperator,
    SearchNumbersOperator,
    UpdateNumberNoteOperator,
    UpdateNumbersGroupOperator,
)
from ocp_sandbox import Fault
from operators.world import GROUP, Run, World

REGION = "[order 0c51d8e29a77/2]"


def attach(world: World, numbers: list[str], **fields: Any) -> AttachNumbersOperator:
    return AttachNumbersOperator(
        task_id="attach", numbers=numbers, **{"mini_app_id": world.app, "locale": "en-US", **fields}
    )


class TestSearchAvailableNumbers:
    def test_offers_come_with_number_and_price_as_the_purchase_takes_them(self, world: World, run: Run) -> None:
        found = run(
            SearchAvailableNumbersOperator(
                task_id="search", provider="telnova", country_code="US", group=GROUP, prefix="+1212"
            )
        )

        stock = {offer["number"]: str(offer["price"]) for offer in world.sandbox.stock("telnova", "US")}
        assert found["count"] == len(found["offers"]) > 0
        assert all(stock[offer["number"]] == offer["price"] for offer in found["offers"])
        assert all(offer["number"].startswith("+1212") for offer in found["offers"])

    def test_an_unknown_provider_is_the_vendors_answer_with_the_operation(self, world: World, run: Run) -> None:
        operator = SearchAvailableNumbersOperator(task_id="search", provider="nobody", country_code="US", group=GROUP)

        with pytest.raises((NotFound, BadRequest), match=r"numbers.search_available .*nobody"):
            run(operator)

    def test_wrong_literals_are_refused_while_the_dag_file_is_read_all_at_once(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            SearchAvailableNumbersOperator(task_id="search", provider="", country_code="usa", group=GROUP, prefix="+1a")

        assert [problem.split(":")[0] for problem in refused.value.problems] == ["provider", "country_code", "prefix"]


class TestSearchNumbers:
    def test_finds_by_filters(self, world: World, run: Run) -> None:
        numbers = world.add(3, note="lobby")

        found = run(SearchNumbersOperator(task_id="search", note="lobby", groups=[GROUP]))

        assert found == {"count": 3, "numbers": numbers}

    def test_nothing_found_is_an_answer(self, world: World, run: Run) -> None:
        assert run(SearchNumbersOperator(task_id="search", note="no such note")) == {"count": 0, "numbers": []}

    def test_stops_instead_of_cutting_off(self, world: World, run: Run) -> None:
        world.add(3, note="lobby")

        with pytest.raises(LimitExceeded, match="limit: 3 numbers match, 2 may be returned"):
            run(SearchNumbersOperator(task_id="search", note="lobby", limit=2))


class TestUpdateNumbersGroup:
    def test_moves_only_what_is_elsewhere(self, world: World, run: Run) -> None:
        here, there = world.add(2), world.add(3, group="ocp-qa")

        moved = run(UpdateNumbersGroupOperator(task_id="move", numbers=[*here, *there], group="ocp-qa"))

        assert moved == {"changed": 2, "unchanged": 3}
        assert {world[number]["groupId"] for number in [*here, *there]} == {"ocp-qa"}

    def test_an_unknown_group_is_the_vendors_answer(self, world: World, run: Run) -> None:
        numbers = world.add(1)

        with pytest.raises(NotFound, match=r"numbers.update_group .*no-such-group"):
            run(UpdateNumbersGroupOperator(task_id="move", numbers=numbers, group="no-such-group"))


class TestAttachNumbers:
    def test_attaches_what_is_not_attached_so(self, world: World, run: Run) -> None:
        fresh, done = world.add(2), world.add(1, mini_app_id=world.app, locale="en-US")
        other_locale = world.add(1, mini_app_id=world.app, locale="es-US")
        numbers = [*fresh, *done, *other_locale]

        assert run(attach(world, numbers)) == {"changed": 3, "unchanged": 1}
        assert {(world[number]["miniAppId"], world[number]["locale"]) for number in numbers} == {(world.app, "en-US")}

    def test_a_tag_that_differs_is_set(self, world: World, run: Run) -> None:
        numbers = world.add(1, mini_app_id=world.app, locale="en-US", application_tag="blue")

        assert run(attach(world, numbers, application_tag="green")) == {"changed": 1, "unchanged": 0}
        assert world[numbers[0]]["applicationTag"] == "green"

    def test_a_tag_left_out_leaves_tags_alone(self, world: World, run: Run) -> None:
        numbers = world.add(1, mini_app_id=world.app, locale="en-US", application_tag="blue")

        assert run(attach(world, numbers)) == {"changed": 0, "unchanged": 1}
        assert world[numbers[0]]["applicationTag"] == "blue"

    def test_never_takes_a_number_from_another_mini_app(self, world: World, run: Run) -> None:
        free, (taken,) = world.add(1), world.add(1, mini_app_id=world.other_app, locale="en-US")

        with pytest.raises(NumberInUse, match=rf"\{taken} .*Nothing was changed"):
            run(attach(world, [*free, taken]))

        assert world.writes() == {}
        assert world[taken]["miniAppId"] == world.other_app

    @pytest.mark.parametrize("allowed", ["number", "mini_app"])
    def test_takes_it_when_allowed_by_name(self, world: World, run: Run, allowed: str) -> None:
        (taken,) = world.add(1, mini_app_id=world.other_app, locale="en-US")
        name = taken if allowed == "number" else world.other_app

        assert run(attach(world, [taken], allow_reassign=[name]))["changed"] == 1
        assert world[taken]["miniAppId"] == world.app

    def test_allowing_one_number_does_not_allow_another(self, world: World, run: Run) -> None:
        one, other = world.add(2, mini_app_id=world.other_app, locale="en-US")

        with pytest.raises(NumberInUse) as refused:
            run(attach(world, [one, other], allow_reassign=[one]))

        assert other in str(refused.value)
        assert one not in str(refused.value)

    def test_an_unknown_mini_app_is_the_vendors_answer_with_its_id(self, world: World, run: Run) -> None:
        with pytest.raises(NotFound, match=r"numbers.attach \(PUT /api/numbers/attach\).*no-such-app"):
            run(attach(world, world.add(1), mini_app_id="no-such-app"))

    def test_an_unknown_number_is_the_vendors_answer_with_the_number(self, world: World, run: Run) -> None:
        with pytest.raises(NotFound, match=r"\+16465559999"):
            run(attach(world, ["+16465559999"]))

    def test_a_list_longer_than_a_call_takes_goes_in_batches(self, world: World, run: Run) -> None:
        numbers = world.add(250)

        assert run(attach(world, numbers))["changed"] == 250
        assert world.writes() == {"PUT /api/numbers/attach": 3}

    def test_a_failure_between_batches_costs_no_call_twice(self, world: World, run: Run) -> None:
        numbers = world.add(250)
        world.sandbox.faults.add(Fault("PUT", "/api/numbers/attach", kind="drop_after", nth=2))

        assert run(attach(world, numbers))["changed"] == 250
        assert world.writes() == {"PUT /api/numbers/attach": 3}

    def test_a_locale_with_a_list_of_wrong_numbers_is_refused_naming_each(self) -> None:
        with pytest.raises(InvalidInput) as refused:
            AttachNumbersOperator(
                task_id="attach",
                numbers=["12125550123", "+1 212", "+12125550123", "+12125550123"],
                mini_app_id="app",
                locale="english",
            )

        assert len(refused.value.problems) == 4
        assert all(text in str(refused.value) for text in ("'12125550123'", "'+1 212'", "2 times", "'english'"))


class TestDetachNumbers:
    def test_detaches_what_is_attached(self, world: World, run: Run) -> None:
        attached, free = world.add(2, mini_app_id=world.app, locale="en-US"), world.add(1)

        assert run(DetachNumbersOperator(task_id="detach", numbers=[*attached, *free])) == {
            "changed": 2,
            "unchanged": 1,
        }
        assert {world[number]["miniAppId"] for number in attached} == {None}

    def test_detaches_from_the_expected_mini_app_only(self, world: World, run: Run) -> None:
        mine = world.add(1, mini_app_id=world.app, locale="en-US")
        (other,) = world.add(1, mini_app_id=world.other_app, locale="en-US")

        with pytest.raises(NumberInUse, match=rf"\{other} "):
            run(DetachNumbersOperator(task_id="detach", numbers=[*mine, other], expected_mini_app_id=world.app))

        assert world.writes() == {}
        run(DetachNumbersOperator(task_id="detach", numbers=mine, expected_mini_app_id=world.app))
        assert world[mine[0]]["miniAppId"] is None


class TestAddNumbers:
    NEW = ("+16465550901", "+16465550902")

    def test_adds_what_is_absent_with_everything_given(self, world: World, run: Run) -> None:
        operator = AddNumbersOperator(
            task_id="add",
            numbers=list(self.NEW),
            group=GROUP,
            country="US",
            mini_app_id=world.app,
            locale="en-US",
            log_ani="True",
            log_dnis=False,
            note="ported",
            application_tag="blue",
        )

        assert run(operator) == {"changed": 2, "unchanged": 0}
        added = world[self.NEW[0]]
        assert (added["groupId"], added["miniAppId"], added["note"]) == (GROUP, world.app, "ported")
        assert (added["logAni"], added["logDnis"], added["applicationTag"]) == (True, False, "blue")
        assert world.sandbox.ledger()["totals"]["bought"] == 0

    def test_a_number_of_another_group_stops_it(self, world: World, run: Run) -> None:
        (taken,) = world.add(1, group="ocp-qa")

        with pytest.raises(NumberInUse, match=r"group ocp-qa"):
            run(AddNumbersOperator(task_id="add", numbers=[*self.NEW, taken], group=GROUP))

        assert world.writes() == {}

    def test_a_number_there_already_but_attached_elsewhere_stops_it(self, world: World, run: Run) -> None:
        taken = world.add(1, mini_app_id=world.other_app, locale="en-US")

        with pytest.raises(NumberInUse, match="attached to another miniApp"):
            run(AddNumbersOperator(task_id="add", numbers=taken, group=GROUP, mini_app_id=world.app, locale="en-US"))


class TestUpdateNumberNote:
    def test_writes_the_note(self, world: World, run: Run) -> None:
        (number,) = world.add(1, note="old")

        assert run(UpdateNumberNoteOperator(task_id="note", number=number, note="new ☎")) == {
            "changed": 1,
            "unchanged": 0,
        }
        assert world[number]["note"] == "new ☎"

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("old [order 7f3a9c2e1b40]", "new", "new [order 7f3a9c2e1b40]"),
            (f"{REGION} [unused since 2026-11-23]", "new", f"new {REGION} [unused since 2026-11-23]"),
            ("old [order 7f3a9c2e1b40]", "", "[order 7f3a9c2e1b40]"),
            ("old [order 7f3a9c2e1b40]", "new [order 7f3a9c2e1b40]", "new [order 7f3a9c2e1b40]"),
            ("old [a person's brackets]", "new", "new"),
        ],
    )
    def test_keeps_the_marks_that_the_truth_about_money_is_rebuilt_from(
        self, world: World, run: Run, old: str, new: str, expected: str
    ) -> None:
        (number,) = world.add(1, note=old)
        operator = UpdateNumberNoteOperator(task_id="note", number=number, note=new)

        run(operator)
        assert world[number]["note"] == expected
        assert run(operator) == {"changed": 0, "unchanged": 1}

    def test_invents_no_mark_of_an_order(self, world: World, run: Run) -> None:
        (number,) = world.add(1, note="old [order 7f3a9c2e1b40]")

        with pytest.raises(InvalidInput, match=r"note: \[order 0c51d8e29a77/2\] is the stamp of an order"):
            run(UpdateNumberNoteOperator(task_id="note", number=number, note=f"new {REGION}"))

        assert world.writes() == {}

    def test_an_unknown_number_is_the_vendors_answer(self, world: World, run: Run) -> None:
        with pytest.raises(NotFound, match=r"numbers.update_note .*\+16465559999"):
            run(UpdateNumberNoteOperator(task_id="note", number="+16465559999", note="hello"))
