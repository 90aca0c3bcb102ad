"""What a plan says comes true, once, and is read back; what fails is named, and a second run does what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bulk.conftest import MakeScene
from bulk.scene import Scene
from ocp_numbers.bulk import applying, calling, load_plan
from ocp_numbers.errors import Held, LimitExceeded, NotAuthenticated, OutcomeUnknown, PlanChanged, ServerFault
from ocp_numbers.journal import entries
from ocp_sandbox import Fault

IMPORT = ("PUT", "/api/numbers/csv")


def every_operation(scene: Scene) -> list[dict[str, str]]:
    return [
        scene.wish("Create", "+12125550900", GROUP_ID="us", COUNTRY="US", NOTE='a "quoted", note\nof two lines'),
        scene.wish("update", "free", NOTE="desk", PHONE_NUMBER_SET_ID=scene.front),
        scene.wish("ATTACH", "blank", MINIAPP_ID=scene.support, LOCALE="en-US"),
        scene.wish("Detach", "attached"),
        scene.wish("Delete", "spare"),
    ]


def test_every_operation_comes_true_and_a_second_run_finds_nothing(scene: Scene) -> None:
    account = scene.do(*every_operation(scene))

    assert (account.done, account.refused, account.different, account.problem) == (5, 0, 0, None)
    assert scene.now("+12125550900")["note"] == 'a "quoted", note\nof two lines'
    assert (scene.now("free")["note"], scene.now("free")["setId"]) == ("desk", scene.front)
    assert (scene.now("blank")["miniAppId"], scene.now("blank")["locale"]) == (scene.support, "en-US")
    assert scene.now("attached")["miniAppId"] is None
    assert scene.now("spare") == {}
    again = scene.plan(every_operation(scene), run="again")
    assert (again.total, again.unchanged) == (0, 5)


def test_carrying_the_same_plan_out_again_sends_nothing(scene: Scene) -> None:
    plan = scene.plan(every_operation(scene))
    first = scene.apply(plan)
    scene.sandbox.clear_calls()

    assert scene.apply(plan) == first
    assert scene.writes() == []


def test_only_cells_that_change_are_sent_and_nothing_is_bought_by_a_file(scene: Scene) -> None:
    row = scene.estate()[scene["attached"]]
    cells = {
        "GROUP_ID": "us",
        "MINIAPP_ID": row["miniAppId"],
        "LOCALE": "en-US",
        "NOTE": "quiet",
        "PROVIDER": "telnova",
    }
    scene.do(scene.wish("Update", "attached", **cells))

    assert scene.files == [f"OPERATION,NUMBER,NOTE\r\nUpdate,{scene['attached']},quiet\r\n"]
    assert scene.sandbox.ledger()["totals"]["bought"] == 0


def test_columns_that_only_ocp_understands_go_along_as_they_came(scene: Scene) -> None:
    names = dict.fromkeys(("GROUP_ID", "MINIAPP_ID", "LOCALE", "MINIAPP_NAME"), "")
    scene.do(scene.wish("Update", "free", **names, NOTE="desk", LOG_ANI=" yes"))

    assert scene.files == [f"OPERATION,NUMBER,NOTE,LOG_ANI\r\nUpdate,{scene['free']},desk, yes\r\n"]


class TestEmptying:
    def test_a_note_goes_by_the_call_that_can(self, scene: Scene) -> None:
        assert scene.do(scene.wish("Update", "free", NOTE="<empty>")).problem is None
        assert not scene.now("free")["note"]
        assert scene.writes() == ["PUT /api/number/note"]

    def test_a_note_keeps_the_stamp_of_the_order_that_bought_the_number(self, scene: Scene) -> None:
        scene.do(scene.wish("Update", "bought", NOTE="<empty>"))
        assert scene.now("bought")["note"] == "[order 7f3a9c2e1b40]"

    def test_a_set_is_left(self, scene: Scene) -> None:
        assert scene.do(scene.wish("Update", "in front", PHONE_NUMBER_SET_ID="<EMPTY>")).problem is None
        assert scene.now("in front")["setId"] is None

    def test_a_tag_goes_by_a_binding_without_one(self, scene: Scene) -> None:
        assert scene.do(scene.wish("Update", "attached", APPLICATION_TAG="<empty>")).problem is None
        now = scene.now("attached")
        assert (now["miniAppId"], now["locale"], now["applicationTag"]) == (scene.sales, "en-US", None)


class TestMoving:
    def test_from_one_set_to_another(self, scene: Scene) -> None:
        assert scene.do(scene.wish("Update", "in front", PHONE_NUMBER_SET_ID=scene.back)).problem is None
        assert scene.now("in front")["setId"] == scene.back

    def test_to_a_set_of_another_group(self, scene: Scene) -> None:
        wish = scene.wish("Update", "in front", PHONE_NUMBER_SET_ID=scene.abroad, GROUP_ID="eu")
        assert scene.do(wish).problem is None
        assert (scene.now("in front")["setId"], scene.now("in front")["groupId"]) == (scene.abroad, "eu")

    def test_out_of_a_set_into_another_group(self, scene: Scene) -> None:
        assert scene.do(scene.wish("Update", "in front", PHONE_NUMBER_SET_ID="<empty>", GROUP_ID="eu")).problem is None
        assert (scene.now("in front")["setId"], scene.now("in front")["groupId"]) == (None, "eu")

    def test_to_another_locale_of_the_same_miniapp_with_its_tag(self, scene: Scene) -> None:
        assert scene.do(scene.wish("Attach", "attached", MINIAPP_ID=scene.sales, LOCALE="el-GR")).problem is None
        assert (scene.now("attached")["locale"], scene.now("attached")["applicationTag"]) == ("el-GR", "gold")


def test_a_number_in_two_rows_gets_both_its_note_and_its_miniapp(scene: Scene) -> None:
    account = scene.do(
        scene.wish("Update", "free", NOTE="desk"),
        scene.wish("Attach", "free", MINIAPP_ID=scene.sales, LOCALE="en-US"),
    )
    assert account.done == 2
    assert (scene.now("free")["note"], scene.now("free")["miniAppId"]) == ("desk", scene.sales)


class TestLostAnswers:
    @pytest.mark.parametrize("kind", ["drop_after", "drop_before", "truncated", "broken_json", "status"])
    def test_reading_back_tells_and_what_is_missing_is_sent_again(self, scene: Scene, kind: Any) -> None:
        scene.sandbox.faults.add(Fault(*IMPORT, kind=kind, nth=1))
        account = scene.do(*every_operation(scene)[:4])

        assert (account.done, account.problem) == (4, None)
        assert [call for call in scene.writes() if call not in ("PUT /api/numbers/csv",)] == []

    def test_a_delete_is_sent_once_and_the_next_attempt_finds_out(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Delete", "spare")])
        scene.sandbox.faults.add(Fault(*IMPORT, kind="drop_before", nth=1))

        with pytest.raises(OutcomeUnknown, match="Nothing was sent again") as unknown:
            scene.apply(plan)

        assert unknown.value.numbers == (scene["spare"],)
        assert scene.writes() == ["PUT /api/numbers/csv"]
        assert scene.apply(plan).done == 1

    def test_a_delete_whose_answer_is_lost_is_found_done(self, scene: Scene) -> None:
        scene.sandbox.faults.add(Fault(*IMPORT, kind="drop_after", nth=1))
        assert scene.do(scene.wish("Delete", "spare")).done == 1
        assert scene.writes() == ["PUT /api/numbers/csv"]

    def test_patience_ends_with_the_platforms_own_words(self, scene: Scene) -> None:
        scene.sandbox.faults.add(Fault(*IMPORT, kind="status", status=503))
        with pytest.raises(ServerFault, match="503"):
            scene.do(scene.wish("Update", "free", NOTE="desk"))

    @pytest.mark.parametrize(
        ("call", "wish"),
        [
            (("PUT", "/api/number/note"), {"NOTE": "<empty>"}),
            (("PUT", "/api/numbers/csv"), {"GROUP_ID": "eu"}),
        ],
    )
    def test_of_the_other_calls_as_well(self, scene: Scene, call: tuple[str, str], wish: dict[str, str]) -> None:
        scene.sandbox.faults.add(Fault(*call, kind="drop_before", nth=1))
        assert scene.do(scene.wish("Update", "free", **wish)).done == 1


class TestRefusals:
    def test_one_bad_row_is_found_among_many_and_the_others_are_done(self, scene: Scene) -> None:
        numbers = [f"+1646555{place:04}" for place in range(40)]
        for number in numbers:
            scene.sandbox.edit.add_number(number, "us")
        plan = scene.plan([*(scene.wish("Delete", number) for number in numbers), scene.wish("Delete", "bought")])
        account = scene.apply(plan)

        assert (account.done, account.refused) == (40, 1)
        assert "purchased numbers are given up through their set" in str(account.problem)
        assert set(scene.estate()) == {number for case, number in scene.numbers.items()}
        (row,) = [row for row in scene.rows(plan, "results.csv") if row["status"] == "refused"]
        assert row["number"] == scene["bought"]

    def test_an_installation_that_takes_fewer_rows_gets_fewer(self, make_scene: MakeScene) -> None:
        numbers = [f"+1646555{place:04}" for place in range(60)]
        with make_scene(csv_limits={"update": 8}) as scene:
            for number in numbers:
                scene.sandbox.edit.add_number(number, "us")
            plan = scene.plan([scene.wish("Update", number, NOTE="desk") for number in numbers])
            assert scene.apply(plan, rows_per_call=20).done == 60
        # The first chunk of 20 is narrowed down to 5, and the others come in fives.
        assert [len(sent.splitlines()) - 1 for sent in scene.files[-8:]] == [5] * 8

    def test_a_yes_that_nothing_comes_of_is_told_row_by_row(self, scene: Scene) -> None:
        scene.sandbox.faults.add(Fault(*IMPORT, kind="status", status=200, body='{"success": true, "message": "ok"}'))
        plan = scene.plan([scene.wish("Update", "free", NOTE="desk"), scene.wish("Delete", "spare")])
        account = scene.apply(plan)

        assert (account.done, account.different) == (0, 2)
        assert "different: 2" in str(account.problem)
        remarks = {row["number"]: row["remark"] for row in scene.rows(plan, "results.csv")}
        assert remarks[scene["free"]] == "OCP said yes, and does not show note desk"
        assert remarks[scene["spare"]] == "OCP said yes, and does not show that it is gone"

    def test_a_note_that_ocp_does_not_empty_is_refused_by_itself(self, scene: Scene) -> None:
        scene.sandbox.faults.add(Fault("PUT", "/api/number/note", kind="status", status=404, nth=1))
        account = scene.do(*(scene.wish("Update", case, NOTE="<empty>") for case in ("free", "in front")))

        assert (account.done, account.refused) == (1, 1)
        assert sorted(bool(scene.now(case)["note"]) for case in ("free", "in front")) == [False, True]

    def test_a_login_that_is_refused_is_no_fault_of_the_numbers(self, scene: Scene) -> None:
        scene.sandbox.faults.add(Fault(*IMPORT, kind="status", status=401))
        with pytest.raises(NotAuthenticated):
            scene.do(*(scene.wish("Update", case, NOTE="desk") for case in ("free", "blank")))

        assert scene.writes() == ["PUT /api/numbers/csv"] * 2

    def test_no_rights_at_all_ends_after_a_few(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calling, "MOST_REFUSED", 2)
        scene.sandbox.faults.add(Fault(*IMPORT, kind="status", status=403))
        with pytest.raises(LimitExceeded, match=r"3 numbers one after the other.*clear the task"):
            scene.do(*(scene.wish("Update", case, NOTE="desk") for case in ("free", "blank", "attached", "in front")))
        assert scene.now("free")["note"] == "lobby"


class TestSomebodyElse:
    def test_changed_the_number_since_it_was_planned(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Update", "free", NOTE="desk"), scene.wish("Update", "blank", NOTE="hall")])
        scene.sandbox.edit.change_number(scene["free"], note="somebody's")
        account = scene.apply(plan)

        assert (account.done, account.refused) == (1, 1)
        assert "has another NOTE since it was planned" in account.wrong[0]
        assert scene.now("free")["note"] == "somebody's"

    def test_attached_it_elsewhere_since_it_was_planned(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Attach", "free", MINIAPP_ID=scene.sales, LOCALE="en-US")])
        scene.sandbox.edit.change_number(scene["free"], mini_app_id=scene.support, locale="en-US")
        assert scene.apply(plan).refused == 1
        assert scene.now("free")["miniAppId"] == scene.support

    def test_began_to_use_a_number_that_was_to_be_deleted(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Delete", "spare")])
        scene.sandbox.edit.change_number(scene["spare"], mini_app_id=scene.sales)
        assert scene.apply(plan).refused == 1
        assert scene.now("spare")["miniAppId"] == scene.sales

    def test_gave_it_up_since_it_was_planned(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Update", "free", NOTE="desk")])
        scene.sandbox.edit.remove_number(scene["free"])
        assert "is no longer in the inventory" in str(scene.apply(plan).problem)

    def test_carries_out_a_plan_at_the_same_time(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        plan = scene.plan([scene.wish("Update", "free", NOTE="desk")])
        write = applying._write_restore
        met: list[str] = []

        def meanwhile(*given: Any) -> None:
            write(*given)
            if not met:
                with pytest.raises(Held, match="the bulk change run is at work"):
                    scene.apply(plan)
                met.append("the other one")

        monkeypatch.setattr(applying, "_write_restore", meanwhile)
        assert scene.apply(plan).done == 1
        assert met
        assert scene.writes() == ["PUT /api/numbers/csv"]


@pytest.mark.parametrize("name", ["plan.json", "changes.jsonl"])
@pytest.mark.parametrize("damage", ["is missing", "is not whole"])
def test_a_plan_that_was_damaged_since_it_was_approved_is_not_carried_out(scene: Scene, name: str, damage: str) -> None:
    plan = scene.plan([scene.wish("Update", "free", NOTE="desk")])
    key = f"{plan.folder}/{name}"
    if damage == "is missing":
        scene.root.delete(key)
    else:
        scene.root.write(key, b"{")

    with pytest.raises(PlanChanged, match=name.replace(".", r"\.")):
        scene.apply(load_plan(scene.root, plan.key, digest=plan.digest))

    assert scene.writes() == []


def test_another_plan_than_the_approved_one_is_not_carried_out(scene: Scene) -> None:
    plan = scene.plan([scene.wish("Update", "free", NOTE="desk")])
    scene.plan([scene.wish("Update", "free", NOTE="evil")])
    with pytest.raises(PlanChanged, match=r"changes\.jsonl: is not the file that the plan was made with"):
        scene.apply(plan)
    assert scene.now("free")["note"] == "lobby"


class TestRecords:
    def test_the_way_back_brings_everything_back(self, scene: Scene) -> None:
        before = scene.estate()
        wishes = [
            *every_operation(scene),
            scene.wish("Update", "in front", PHONE_NUMBER_SET_ID="<empty>", NOTE="<empty>"),
            scene.wish("Attach", "bought", MINIAPP_ID=scene.support, LOCALE="en-US"),
            scene.wish("Update", "bought", NOTE="cellar"),
        ]
        plan = scene.plan(wishes)
        assert scene.apply(plan).problem is None
        back = scene.root.read(plan.restore) or b""

        assert scene.apply(scene.plan(back, run="back")).problem is None
        assert _shown(scene.estate()) == _shown(before)

    def test_the_way_back_is_there_before_the_first_change(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Update", "free", NOTE="desk")])
        scene.sandbox.faults.add(Fault(*IMPORT, kind="status", status=400))
        scene.apply(plan)
        assert scene.rows(plan, plan.restore.rpartition("/")[2])[0]["NOTE"] == "lobby"

    def test_a_run_that_is_planned_anew_keeps_the_way_back_of_its_first_plan(self, scene: Scene) -> None:
        rows = [scene.wish("Update", "free", NOTE="desk"), scene.wish("Delete", "spare")]
        first = scene.plan(rows)
        scene.sandbox.faults.add(Fault(*IMPORT, kind="drop_before", nth=2))
        with pytest.raises(OutcomeUnknown):
            scene.apply(first)
        kept = scene.root.read(first.restore)

        second = scene.plan(rows)
        scene.apply(second)
        assert second.restore != first.restore
        assert scene.root.read(first.restore) == kept
        assert b"lobby" in (kept or b"")

    def test_a_way_back_that_is_whole_is_not_written_again_and_half_a_one_is(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Update", "free", NOTE="desk"), scene.wish("Delete", "spare")])
        scene.apply(plan)
        whole = scene.root.read(plan.restore) or b""
        path = Path(str(scene.root.path(plan.restore)))
        made = path.stat().st_ino, path.stat().st_mtime_ns
        scene.apply(plan)
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == made

        scene.root.write(plan.restore, whole[: len(whole) // 2])
        scene.apply(plan)
        assert scene.root.read(plan.restore) == whole

    def test_the_journal_has_what_was_before_each_change(self, scene: Scene) -> None:
        scene.do(*every_operation(scene))
        edits = {
            edit.number: (entry.operation, edit)
            for entry in entries(scene.root, "ocp_default", "apply_number_changes/run")
            for edit in entry.numbers
        }
        assert {operation for operation, _ in edits.values()} == {"create", "update", "attach", "detach", "delete"}
        operation, edit = edits[scene["free"]]
        assert (operation, edit.after) == ("update", {"note": "desk", "set_id": scene.front})
        assert edit.before is not None
        assert edit.before.note == "lobby"
        assert edits[scene["spare"]][1].after is None

    def test_the_results_have_a_row_for_each_change(self, scene: Scene) -> None:
        plan = scene.plan(every_operation(scene))
        account = scene.apply(plan)
        rows = scene.rows(plan, "results.csv")
        assert {(row["row"], row["operation"], row["status"]) for row in rows} == {
            (str(place), operation, "done")
            for place, operation in enumerate(["create", "update", "attach", "detach", "delete"], 2)
        }
        assert json.loads(rows[1]["before"])["note"] == "lobby"
        assert json.loads(scene.root.read(f"{plan.folder}/result.json") or b"")["done"] == account.done == 5


def _shown(estate: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What OCP shows of an estate, an empty text and no value being the same."""
    hidden = ("created", "purchased", "logAni", "logDnis")
    return {
        number: {name: value or None for name, value in row.items() if name not in hidden}
        for number, row in estate.items()
    }
