"""What of a number comes back, what stays as somebody else left it, and what cannot."""

from __future__ import annotations

from typing import Any

import pytest

from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.restoring.deciding import BLIND, STAYS, Former, Known, Undoing, undo

NUMBER = "+12125550123"
SETS = {
    "s1": NumberSet(id="s1", name="Front desk", group_id="east"),
    "s2": NumberSet(id="s2", name="Back desk", group_id="east"),
    "w1": NumberSet(id="w1", name="Front desk", group_id="west"),
}


def now(**fields: Any) -> PhoneNumber:
    return PhoneNumber.model_validate({"number": NUMBER, "country": "US", "group_id": "east", **fields})


def undone(number: PhoneNumber, *, set_name: str | None = None, **fields: Former) -> Undoing:
    return undo(Known(fields, set_name), number, SETS)


def steps(undoing: Undoing) -> list[tuple[str, dict[str, str | None]]]:
    return [(change.operation, change.after) for change in undoing.changes]


def reasons(undoing: Undoing) -> list[tuple[str, str]]:
    return [(fault.column, fault.problem) for fault in undoing.faults]


def test_what_is_as_it_was_needs_nothing() -> None:
    assert undone(now(note="lobby"), note=Former("lobby", ("gate",))) == Undoing()


def test_what_stands_as_it_was_left_is_undone_with_its_state_on_record() -> None:
    (change,) = undone(now(note="gate"), note=Former("lobby", ("gate",)), group_id=Former("east", ("west",))).changes
    assert (change.operation, change.before, change.after) == ("update", {"note": "gate"}, {"note": "lobby"})


def test_what_somebody_changed_since_stays_and_is_named() -> None:
    undoing = undone(now(note="their own"), note=Former("lobby", ("gate",)))
    assert steps(undoing) == []
    assert reasons(undoing) == [
        ("NOTE", "was changed again since: it was left 'gate' and is 'their own' now; it stays so")
    ]


def test_unless_it_is_to_be_put_back_all_the_same() -> None:
    assert steps(undone(now(note="their own"), note=Former("lobby"))) == [("update", {"note": "lobby"})]


def test_a_run_that_broke_off_may_have_left_any_value_that_it_wrote() -> None:
    former = Former("s1", (None, "s2"))
    for left in (None, "s2"):
        assert steps(undone(now(set_id=left), set_id=former)) == [("update", {"set_id": "s1"})]


class TestBinding:
    def test_it_comes_back_whole(self) -> None:
        undoing = undone(
            now(),
            mini_app_id=Former("app", (None,)),
            locale=Former("en-US", (None,)),
            application_tag=Former("gold", (None,)),
        )
        assert steps(undoing) == [("attach", {"mini_app_id": "app", "locale": "en-US", "application_tag": "gold"})]

    def test_what_was_attached_is_detached(self) -> None:
        undoing = undone(
            now(mini_app_id="app", locale="en-US"), mini_app_id=Former(None, ("app",)), locale=Former(None, ("en-US",))
        )
        assert steps(undoing) == [("detach", {"mini_app_id": None, "locale": None, "application_tag": None})]

    def test_a_tag_alone_comes_back_with_the_binding_that_is(self) -> None:
        undoing = undone(
            now(mini_app_id="app", locale="en-US", application_tag="x"), application_tag=Former(None, ("x",))
        )
        assert steps(undoing) == [("attach", {"mini_app_id": "app", "locale": "en-US", "application_tag": None})]

    def test_what_serves_another_miniapp_by_now_is_left_to_it(self) -> None:
        undoing = undone(
            now(mini_app_id="theirs", locale="en-US"),
            mini_app_id=Former("app", (None,)),
            locale=Former("en-US", (None,)),
        )
        assert steps(undoing) == []
        assert [column for column, _ in reasons(undoing)] == ["MINIAPP_ID"]

    def test_a_locale_that_stays_behind_a_detach_is_no_conflict(self) -> None:
        undoing = undone(now(locale="en-US"), mini_app_id=Former("app", (None,)), locale=Former("en-US", (None,)))
        assert steps(undoing) == [("attach", {"mini_app_id": "app", "locale": "en-US", "application_tag": None})]

    def test_without_a_locale_nothing_can_be_attached(self) -> None:
        undoing = undone(now(), mini_app_id=Former("app", (None,)))
        assert steps(undoing) == []
        assert "needs a locale" in reasons(undoing)[0][1]


class TestGroupAndSet:
    def test_they_come_back_together(self) -> None:
        undoing = undone(
            now(group_id="west", set_id="w1"), group_id=Former("east", ("west",)), set_id=Former("s1", ("w1",))
        )
        assert steps(undoing) == [("update", {"group_id": "east", "set_id": "s1"})]

    def test_a_set_that_moved_away_is_named_with_what_to_do(self) -> None:
        undoing = undone(now(), set_id=Former("w1", (None,)))
        assert steps(undoing) == []
        assert reasons(undoing) == [
            ("PHONE_NUMBER_SET_ID", "belongs to group west by now; move the set back, then restore again")
        ]

    def test_a_number_stays_in_the_group_of_a_set_that_it_joined_since(self) -> None:
        undoing = undone(now(group_id="west", set_id="w1", set_name="Front desk"), group_id=Former("east", ("west",)))
        assert steps(undoing) == []
        assert reasons(undoing) == [("GROUP_ID", "is not the group of its set Front desk; move the set, or empty it")]

    def test_a_set_of_the_same_name_stands_in_for_one_that_is_gone(self) -> None:
        undoing = undone(now(), set_name="Front desk", set_id=Former("deleted", (None,)))
        assert steps(undoing) == [("update", {"set_id": "s1"})]
        assert undoing.successor
        again = undone(now(set_id="s1"), set_name="Front desk", set_id=Former("deleted", (None,)))
        assert again == Undoing()

    @pytest.mark.parametrize("name", [None, "Lobby"])
    def test_a_set_that_is_gone_is_named_with_what_to_do(self, name: str | None) -> None:
        undoing = undone(now(), set_name=name, set_id=Former("deleted", (None,)))
        assert steps(undoing) == []
        assert reasons(undoing) == [
            ("PHONE_NUMBER_SET_ID", "is gone; create a set of that name in east, then restore again")
        ]

    def test_a_set_that_this_login_does_not_see_is_no_fault_as_long_as_the_number_is_in_it(self) -> None:
        assert undone(now(set_id="hidden"), set_name="Lobby", set_id=Former("hidden", ("s1",))) == Undoing()

    @pytest.mark.parametrize("field", ["group_id", "country"])
    def test_what_ocp_cannot_empty_stays(self, field: str) -> None:
        undoing = undo(Known({field: Former(None)}), now(), SETS)
        assert steps(undoing) == []
        assert "no way to empty it" in reasons(undoing)[0][1]


def test_a_number_that_came_or_was_not_shown_is_named() -> None:
    assert reasons(undo(Known(brought=True), now(), SETS)) == [("", STAYS)]
    assert reasons(undo(Known(blind=True), now(), SETS)) == [("", BLIND)]
