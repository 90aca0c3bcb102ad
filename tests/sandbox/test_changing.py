from __future__ import annotations

import pytest

from ocp_sandbox import Sandbox
from sandbox.caller import Caller, app_in

FREE = {"miniAppId": None, "miniAppName": None, "miniAppType": None, "locale": None, "applicationTag": None}
A, B = "+12125550101", "+12125550102"


@pytest.fixture(autouse=True)
def numbers(box: Sandbox) -> None:
    box.edit.add_number(A, "retail-us")
    box.edit.add_number(B, "retail-us")


def test_attach_binds_to_the_mini_app(box: Sandbox, ops: Caller) -> None:
    app = app_in(box)
    binding = {"miniAppId": app, "locale": "en-US", "applicationTag": "ivr"}
    ops.ok("PUT", "/api/numbers/attach", {"numbers": [A], **binding})
    rows = ops.listed()
    uuid, name, kind, diamant, group = app.split(".")
    assert len(uuid) == 36
    assert {key: rows[A][key] for key in binding} == binding
    assert (rows[A]["miniAppName"], rows[A]["miniAppType"]) == (name, kind)
    assert (rows[A]["miniAppDiamantAppName"], rows[A]["miniAppGroup"]) == (diamant, group)
    assert {key: rows[B][key] for key in FREE} == FREE


def test_attach_rebinds_without_a_word(box: Sandbox, ops: Caller) -> None:
    for group in ("retail-us", "ocp-qa"):
        ops.ok("PUT", "/api/numbers/attach", {"numbers": [A], "miniAppId": app_in(box, group), "locale": "en-GB"})
    assert ops.listed()[A]["miniAppId"] == app_in(box, "ocp-qa")


def test_attach_without_numbers_binds_none(box: Sandbox, ops: Caller) -> None:
    ops.ok("PUT", "/api/numbers/attach", {"miniAppId": app_in(box), "locale": "en-US"})
    assert {row["miniAppId"] for row in ops.listed().values()} == {None}


def test_detach_clears_binding_locale_and_tag(box: Sandbox, ops: Caller) -> None:
    binding = {"miniAppId": app_in(box), "locale": "en-US", "applicationTag": "ivr"}
    ops.ok("PUT", "/api/numbers/attach", {"numbers": [A, B], **binding})
    ops.ok("PUT", "/api/numbers/detach", {"numbers": [A]})
    rows = ops.listed()
    assert {key: rows[A][key] for key in FREE} == FREE
    assert rows[B]["applicationTag"] == "ivr"


def test_unknown_mini_app_and_numbers_are_named_and_nothing_changes(box: Sandbox, ops: Caller) -> None:
    binding = {"numbers": [A], "miniAppId": "no.such.app", "locale": "en-US"}
    assert "no.such.app" in ops.no(404, "PUT", "/api/numbers/attach", binding)
    message = ops.no(404, "PUT", "/api/numbers/attach", {**binding, "numbers": [A, "+15550000001"]})
    assert "no.such.app" in message
    binding["miniAppId"] = app_in(box)
    message = ops.no(404, "PUT", "/api/numbers/attach", {**binding, "numbers": [A, "+15550000001"]})
    assert "+15550000001" in message
    assert A not in message
    assert ops.listed()[A]["miniAppId"] is None


def test_messages_do_not_grow_with_the_list(ops: Caller) -> None:
    unknown = [f"+1555000{place:04}" for place in range(500)]
    message = ops.no(404, "PUT", "/api/numbers/detach", {"numbers": unknown})
    assert "and 490 more" in message
    assert len(message) < 300


def test_note_is_replaced_and_may_be_emptied(ops: Caller) -> None:
    for note in ("first", "second", ""):
        ops.ok("PUT", "/api/number/note", {"number": A, "note": note})
        assert ops.listed()[A]["note"] == note
    assert "+15550000001" in ops.no(404, "PUT", "/api/number/note", {"number": "+15550000001", "note": "x"})


def test_numbers_move_between_groups_unless_a_set_holds_them(box: Sandbox, ops: Caller) -> None:
    ops.ok("PUT", "/api/numbers/group", {"numbers": [A], "group": "ocp-qa"})
    assert ops.listed()[A]["groupId"] == "ocp-qa"
    assert "nowhere" in ops.no(404, "PUT", "/api/numbers/group", {"numbers": [A], "group": "nowhere"})
    box.edit.change_number(B, set_id=box.edit.add_set("held", "retail-us"))
    assert B in ops.no(409, "PUT", "/api/numbers/group", {"numbers": [A, B], "group": "banking-eu"})
    assert ops.listed()[A]["groupId"] == "ocp-qa"
    ops.ok("PUT", "/api/numbers/group", {"numbers": [B], "group": "retail-us"})


def test_direct_numbers_enter_the_inventory_unpaid(box: Sandbox, ops: Caller) -> None:
    new = {"numbers": ["+302101234567", "+14165550123"], "group": "banking-eu", "note": "ported", "logAni": False}
    ops.ok("POST", "/api/numbers/direct", new)
    rows = ops.listed()
    assert [rows[number]["country"] for number in new["numbers"]] == ["GR", "CA"]  # type: ignore[attr-defined]
    assert rows["+302101234567"]["note"] == "ported"
    truth = next(row for row in box.numbers() if row["number"] == "+302101234567")
    assert (truth["logAni"], truth["logDnis"], truth["purchased"]) == (False, True, False)
    ledger = box.ledger()
    assert [entry["kind"] for entry in ledger["entries"]] == ["added", "added"]
    assert ledger["totals"] == {"bought": 0, "released": 0, "spent": "0"}


def test_direct_numbers_may_come_attached(box: Sandbox, ops: Caller) -> None:
    binding = {"miniAppId": app_in(box), "locale": "en-US", "applicationTag": "x"}
    ops.ok("POST", "/api/numbers/direct", {"numbers": ["+999123456789"], "group": "ocp-qa", **binding})
    row = ops.listed()["+999123456789"]
    assert {key: row[key] for key in binding} == binding
    assert row["country"] is None


def test_direct_refuses_what_is_owned_and_all_with_it(ops: Caller) -> None:
    message = ops.no(409, "POST", "/api/numbers/direct", {"numbers": ["+12125550199", A], "group": "retail-us"})
    assert A in message
    assert "+12125550199" not in ops.listed()


def test_a_direct_number_is_no_longer_for_sale(ops: Caller) -> None:
    (number,) = ops.offered(1)
    ops.ok("POST", "/api/numbers/direct", {"numbers": [number], "group": "retail-us"})
    assert ops.offered(1) != [number]
    assert ops.buy([number])["failedNumbers"] == [number]


def test_delete_takes_a_direct_number_out_and_refuses_a_purchased_one(box: Sandbox, ops: Caller) -> None:
    ops.ok("DELETE", "/api/numbers/delete/%2B12125550101")
    assert A not in ops.listed()
    assert [entry["kind"] for entry in box.ledger()["entries"]] == ["deleted"]
    assert A in ops.no(404, "DELETE", "/api/numbers/delete/%2B12125550101")
    box.edit.change_number(B, purchased=True)
    assert "through their set" in ops.no(409, "DELETE", "/api/numbers/delete/%2B12125550102")
    assert B in ops.listed()
