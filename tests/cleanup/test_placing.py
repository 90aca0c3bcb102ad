"""Numbers go into sets and out of them, and sets come and go, once each, whatever becomes of the answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cleanup.scene import Scene
from ocp_numbers.cleanup.placing import Placing, write
from ocp_numbers.cleanup.selection import QUARANTINE
from ocp_numbers.errors import AnswerLost, BadRequest, Conflict, Forbidden, OcpError, Refused, ServerFault
from ocp_sandbox import Fault


def refused() -> OcpError:
    return Refused(operation="sets.add_numbers", call="POST", status=200, message="The set is locked")


def forbidden() -> OcpError:
    return Forbidden(operation="sets.add_numbers", call="POST", status=403, message="no")


def lost() -> OcpError:
    return AnswerLost(operation="sets.add_numbers", call="POST", reason="the connection broke")


def broken() -> OcpError:
    return ServerFault(operation="sets.add_numbers", call="POST", status=500, message="no")


@pytest.mark.parametrize(
    ("failures", "took_effect", "sent", "raised"),
    [
        ([], False, 1, None),
        ([lost], True, 1, None),
        ([lost], False, 2, None),
        ([broken], False, 2, None),
        ([lost, lost], False, 2, AnswerLost),
        ([refused], True, 1, None),
        ([refused], False, 1, Refused),
        ([lost, refused], False, 2, Refused),
        ([forbidden], False, 1, Forbidden),
    ],
)
def test_how_often_it_is_sent(
    failures: list[Callable[[], OcpError]], took_effect: bool, sent: int, raised: type[OcpError] | None
) -> None:
    calls = 0

    def send() -> None:
        nonlocal calls
        calls += 1
        if calls <= len(failures):
            raise failures[calls - 1]()

    if raised:
        with pytest.raises(raised):
            write(send, took_effect=lambda: took_effect)
    else:
        write(send, took_effect=lambda: took_effect)
    assert calls == sent


@pytest.fixture
def placing(scene: Scene) -> Placing:
    made = Placing(lambda: scene.client, scene.journal(scene.plan()))
    scene.sandbox.clear_calls()
    return made


def on_record(scene: Scene) -> list[tuple[str, str, tuple[str | None, str | None]]]:
    """The step, the number, and the set it is to be in then, of every move put on record."""
    recorded = scene.recorded(scene.plan())
    assert [entry.confirms for entry in recorded] == [(), (1,)]
    to_be = [
        (entry.operation, edit.number, {**edit.before.model_dump(), **(edit.after or {})})
        for entry in recorded
        for edit in entry.numbers
        if edit.before
    ]
    return [(step, number, (row["set_id"], row["set_name"])) for step, number, row in to_be]


def test_a_set_is_made_once_and_known_from_then_on(scene: Scene, placing: Placing) -> None:
    made = placing.ensure("attic", "us")
    assert (made.name, made.group_id) == ("attic", "us")
    assert placing.ensure("attic", "us") == made == placing.sets.named("attic", "us")
    assert placing.ensure(QUARANTINE, "eu").id == scene.sets["eu"]
    assert scene.writes() == ["POST /api/numbers-set"]


@pytest.mark.parametrize("field", ["groupId", "phoneNumberCount"])
def test_a_set_is_known_by_what_was_asked_for_whatever_the_answer_leaves_out(
    scene: Scene, placing: Placing, field: str
) -> None:
    scene.sandbox.faults.add(Fault("POST", "/api/numbers-set", kind="drift", field=field))
    made = placing.ensure("attic", "us")
    assert (made.name, made.group_id) == ("attic", "us")
    assert placing.ensure("attic", "us").id == made.id


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "broken_json"])
def test_a_set_that_was_made_although_the_answer_was_lost_is_found(scene: Scene, placing: Placing, kind: str) -> None:
    scene.sandbox.faults.add(Fault("POST", "/api/numbers-set", kind=kind))
    made = placing.ensure("attic", "us")
    assert [row["id"] for row in scene.sandbox.sets() if row["name"] == "attic"] == [made.id]
    assert scene.writes() == ["POST /api/numbers-set"]


def test_a_set_that_somebody_else_made_a_moment_ago_is_taken(scene: Scene, placing: Placing) -> None:
    theirs = scene.sandbox.edit.add_set("attic", "us")
    assert placing.ensure("attic", "us").id == theirs


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Fault("POST", "/api/numbers-set", status=409), Conflict),
        (Fault("POST", "/api/numbers-set", status=403), Forbidden),
        (Fault("POST", "/api/numbers-set", kind="drop_before"), AnswerLost),
    ],
)
def test_a_set_that_cannot_be_made_is_no_set(
    scene: Scene, placing: Placing, fault: Fault, raised: type[OcpError]
) -> None:
    scene.sandbox.faults.add(fault)
    with pytest.raises(raised):
        placing.ensure("attic", "us")


def test_numbers_are_moved_out_of_their_sets_into_another_one_and_each_move_is_on_record(
    scene: Scene, placing: Placing
) -> None:
    front = placing.sets.by_id[scene.sets["front"]]
    rows = list(scene.client.numbers.find(scene.of("early", "in a set", "new")).values())
    placing.put("collect", rows, front)
    assert {scene.now(case)["setId"] for case in ("early", "in a set", "new")} == {front.id}
    assert scene.writes() == [
        f"DELETE /api/numbers-set/{scene.sets['us']}/numbers",
        f"POST /api/numbers-set/{front.id}/numbers",
    ]
    assert on_record(scene) == [("collect", row.number, (front.id, "front desk")) for row in rows]


def test_numbers_are_taken_out_of_whatever_sets_they_are_in_and_each_is_on_record(
    scene: Scene, placing: Placing
) -> None:
    rows = list(scene.client.numbers.find(scene.of("early", "in a set", "new")).values())
    placing.take_out(rows)
    assert {scene.now(case)["setId"] for case in ("early", "in a set", "new")} == {None}
    assert scene.now("due bought")["setId"] == scene.sets["us"]
    assert len(scene.writes()) == 2
    assert on_record(scene) == [("take out", row.number, (None, None)) for row in rows]


@pytest.mark.parametrize(("kind", "sent"), [("drop_after", 1), ("status_after", 1), ("drop_before", 2), ("status", 2)])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_move_is_made_again_only_if_it_is_missing(
    scene: Scene, placing: Placing, method: str, kind: str, sent: int
) -> None:
    scene.sandbox.faults.add(Fault(method, "/api/numbers-set/*/numbers", kind=kind, nth=1))
    rows = list(scene.client.numbers.find(scene.of("early", "due bought")).values())
    attic = placing.ensure("attic", "us")
    placing.put("collect", rows, attic)
    assert placing.members(attic.id).keys() == {row.number for row in rows}
    assert len([call for call in scene.writes() if call.startswith(method) and call.endswith("/numbers")]) == sent


def test_a_set_goes_only_when_it_is_empty(scene: Scene, placing: Placing) -> None:
    attic = placing.ensure("attic", "us")
    scene.edit("new", set_id=attic.id)
    assert not placing.remove_if_empty(attic)
    assert scene.now("new")["setId"] == attic.id
    scene.edit("new", set_id=None)
    assert placing.remove_if_empty(attic)
    assert placing.remove_if_empty(attic), "somebody else removed it"
    assert "attic" not in {row["name"] for row in scene.sandbox.sets()}


@pytest.mark.parametrize(
    ("kind", "status", "raised"),
    [
        ("drop_after", 503, None),
        ("drop_before", 503, AnswerLost),
        ("status", 503, ServerFault),
        ("status", 400, BadRequest),
    ],
)
def test_whether_a_set_went_is_told_from_the_listing_where_the_answer_does_not_tell(
    scene: Scene, placing: Placing, kind: str, status: int, raised: type[OcpError] | None
) -> None:
    attic = placing.ensure("attic", "us")
    scene.sandbox.faults.add(Fault("DELETE", f"/api/numbers-set/{attic.id}", kind=kind, status=status))
    if raised:
        with pytest.raises(raised):
            placing.remove_if_empty(attic)
    else:
        assert placing.remove_if_empty(attic)
        assert placing.sets.named("attic", "us") is None
