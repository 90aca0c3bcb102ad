"""From the journal of a run, or a snapshot, to a plan that says what comes back and what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ocp_numbers.errors import InvalidInput
from ocp_numbers.journal import NumberEdit, SetEdit
from ocp_numbers.models import NumberSet
from restoring.estate import DAY, Estate, differences


def test_a_run_is_undone_and_nothing_but_the_run(estate: Estate) -> None:
    before = estate.rows()
    one, two, three = estate.numbers[:3]
    journal = estate.journal("manual__1")
    rows = [before[one], before[two]]
    intent = journal.intend("attach", [NumberEdit.of(row, mini_app_id=estate.apps[0], locale="en-US") for row in rows])
    estate.client.numbers.attach([one, two], mini_app_id=estate.apps[0], locale="en-US")
    journal.confirm(intent)
    estate.client.numbers.update_note(three, note="somebody else's")

    restored = estate.restore("edits/manual__1")

    assert restored.plan.counts == {"detach": 2}
    assert restored.plan.source == "restore of run edits/manual__1"
    assert restored.impossible == set()
    assert restored.account.done == 2
    assert differences(before, estate.rows()) == {(three, "note")}


def test_a_number_changed_several_times_goes_back_to_the_first_state(estate: Estate) -> None:
    (number, *_), before = estate.numbers, estate.rows()
    for hour, task, note in ((1, "z", "one"), (2, "a", "two"), (3, "m", "three")):
        estate.journal("r", task, hour=hour).intend("note", [NumberEdit.of(estate.rows()[number], note=note)])
        estate.client.numbers.update_note(number, note=note)

    restored = estate.restore("edits/r")

    assert differences(before, estate.rows()) == set()
    assert "3 calls of the run were never read back" in restored.plan.remarks[0]


def test_a_restore_can_be_undone(estate: Estate) -> None:
    (number, *_), before = estate.numbers, estate.rows()
    estate.journal("r").intend("note", [NumberEdit.of(before[number], note="new")])
    estate.client.numbers.update_note(number, note="new")
    after = estate.rows()

    restored = estate.restore("edits/r")
    assert differences(before, estate.rows()) == set()
    estate.restore(f"apply_number_changes/{restored.plan.run}")
    assert differences(after, estate.rows()) == set()


def test_a_second_restore_finds_nothing_to_do(estate: Estate) -> None:
    (number, *_), before = estate.numbers, estate.rows()
    estate.journal("r").intend("note", [NumberEdit.of(before[number], note="new")])
    estate.client.numbers.update_note(number, note="new")
    estate.restore("edits/r")
    plan = estate.plan("edits/r")
    assert (plan.total, plan.refused, plan.unchanged) == (0, 0, 1)


def test_what_the_run_never_did_is_not_undone(estate: Estate) -> None:
    """Killed between journal and call."""
    (number, *_), before = estate.numbers, estate.rows()
    estate.journal("r").intend("note", [NumberEdit.of(before[number], note="new")])
    assert (estate.plan("edits/r").total, estate.reasons(estate.plan("edits/r"))) == (0, [])


def test_what_cannot_come_back_is_listed_with_the_reason(estate: Estate) -> None:
    (gone, kept, blind), added = estate.numbers[:3], "+16465550901"
    rows = estate.rows()
    journal = estate.journal("r")
    journal.intend("delete", [NumberEdit.gone(rows[gone]), NumberEdit.gone(rows[kept])])
    journal.intend("add", [NumberEdit.unseen(added, group_id="east")])
    journal.intend("attach", [NumberEdit.unseen(blind, mini_app_id="app")])
    journal.intend("create set", [SetEdit(after=NumberSet(id="", name="Front desk", group_id="east"))])
    deleted = NumberSet(id="deleted", name="Lobby", group_id="east")
    journal.intend("delete set", [SetEdit.gone(deleted)])
    renamed = estate.client.sets.get(estate.sets[1])
    journal.intend("update set", [SetEdit(before=renamed.model_copy(update={"name": "Old"}), after=renamed)])
    estate.sandbox.edit.remove_number(gone)
    estate.sandbox.edit.add_number(added, "east")

    plan = estate.plan("edits/r")

    assert plan.total == 0
    assert estate.impossible(plan) >= {(gone, ""), (added, ""), (blind, "")}
    assert kept not in {number for number, _ in estate.impossible(plan)}
    told = " ".join(plan.first_refused)
    for part in ("a set that the run made", "a set that the run deleted", "rename it back to 'Old'"):
        assert part in told


class TestWhatARunDidToSets:
    def test_one_that_was_moved_is_named_with_the_way_back(self, estate: Estate) -> None:
        west = estate.client.sets.get(estate.sets[2])
        before = west.model_copy(update={"group_id": "east"})
        estate.journal("r").intend("update set", [SetEdit(before=before, after=west)])

        (told,) = estate.plan("edits/r").first_refused
        assert f"{west.name}" in told
        assert "is a set that the run moved; move it back to group east" in told

    def test_what_no_longer_stands_is_not_told(self, estate: Estate) -> None:
        """Made and gone again, renamed and named as before, moved and moved back."""
        front = estate.client.sets.get(estate.sets[0])
        elsewhere, renamed = (front.model_copy(update=fields) for fields in ({"group_id": "west"}, {"name": "Hall"}))
        made = NumberSet(id="", name="Lobby", group_id="east")
        journal = estate.journal("r")
        journal.intend("create set", [SetEdit(after=made)])
        journal.intend("update set", [SetEdit(before=front, after=renamed), SetEdit(before=front, after=elsewhere)])
        journal.intend("delete set", [SetEdit.gone(front)])

        assert estate.reasons(estate.plan("edits/r")) == []

    def test_a_number_goes_back_into_the_set_that_took_the_name_of_its_former_one(self, estate: Estate) -> None:
        """Which the entry about the number tells, although none is about the set."""
        (number, *_), old = estate.numbers, estate.client.sets.get(estate.sets[0])
        estate.client.sets.add_numbers(old.id, numbers=[number])
        before = estate.rows()[number]
        estate.journal("r").intend("empty set", [NumberEdit.of(before, set_id=None)])
        estate.client.sets.remove_numbers(old.id, numbers=[number])
        estate.client.sets.delete(old.id)
        new = estate.client.sets.create(name=old.name, group_id="east")

        restored = estate.restore("edits/r")

        assert restored.impossible == set()
        assert estate.rows()[number].set_id == new.id != old.id


def test_a_damaged_part_of_the_journal_is_named_and_the_rest_is_undone(estate: Estate) -> None:
    one, two = estate.numbers[:2]
    before, journal = estate.rows(), estate.journal("r")
    for number in (one, two):
        journal.intend("note", [NumberEdit.of(before[number], note="new")])
        estate.client.numbers.update_note(number, note="new")
    key = next(key for key in estate.root.keys("journal") if key.endswith("000001.json"))
    estate.root.write(key, b"{")

    restored = estate.restore("edits/r")

    assert differences(before, estate.rows()) == {(one, "note")}
    assert "cannot be read" in restored.plan.first_refused[0]


def test_later_changes_are_overwritten_when_asked(estate: Estate) -> None:
    (number, *_), before = estate.numbers, estate.rows()
    estate.journal("r").intend("note", [NumberEdit.of(before[number], note="new")])
    estate.client.numbers.update_note(number, note="somebody else's")
    assert estate.plan("edits/r").total == 0
    estate.restore("edits/r", overwrite=True)
    assert differences(before, estate.rows()) == set()


def test_a_deleted_set_comes_back_once_a_set_of_its_name_is_there(estate: Estate) -> None:
    numbers, old = estate.numbers[:3], estate.client.sets.get(estate.sets[0])
    estate.client.sets.add_numbers(old.id, numbers=numbers)
    snapshot = estate.export()
    estate.client.sets.delete(old.id)

    plan = estate.plan(DAY.isoformat())
    assert (plan.total, plan.refused) == (0, 3)
    assert "create a set of that name in east" in plan.first_refused[0]

    estate.client.sets.create(name=old.name, group_id="east")
    restored = estate.restore(snapshot.date.isoformat())
    assert restored.plan.remarks == ("3 numbers go into the set that has the name of their former one, which is gone.",)
    assert {estate.rows()[number].set_name for number in numbers} == {old.name}


def test_many_numbers_are_found_with_few_calls(estate: Estate) -> None:
    numbers = [f"+1312555{place:04}" for place in range(150)]
    for number in numbers:
        estate.sandbox.edit.add_number(number, "east", note="before")
    rows = estate.rows()
    estate.journal("r").intend("note", [NumberEdit.of(rows[number], note="after") for number in numbers])
    for number in numbers:
        estate.sandbox.edit.change_number(number, note="after")
    estate.sandbox.clear_calls()

    plan = estate.plan("edits/r")

    assert plan.counts == {"update": 150}
    assert len(estate.sandbox.calls()) < 10


class TestWhatToRestore:
    def test_a_run_may_be_named_without_its_dag(self, estate: Estate) -> None:
        estate.journal("manual__1").intend("note", [])
        assert estate.plan("manual__1").source == "restore of run edits/manual__1"

    def test_an_unknown_run_is_refused_with_those_that_there_are(self, estate: Estate) -> None:
        estate.journal("manual__1").intend("note", [])
        with pytest.raises(InvalidInput, match=r"restore: 'manual__2' is no run .* edits/manual__1"):
            estate.plan("manual__2")

    @pytest.mark.parametrize("name", ["", "../..", "a/b/c", "none"])
    def test_no_text_reaches_beyond_the_journal(self, estate: Estate, name: str) -> None:
        with pytest.raises(InvalidInput, match=r"^restore: "):
            estate.plan(name)

    @pytest.mark.parametrize("day", [(DAY + timedelta(1)).isoformat(), "2026-13-01"])
    def test_a_date_without_a_snapshot_is_refused_with_those_that_there_are(self, estate: Estate, day: str) -> None:
        estate.export()
        with pytest.raises(InvalidInput, match=f"no snapshot of ocp_default of {day}; there are {DAY}"):
            estate.plan(day)
