from __future__ import annotations

import pytest

from ocp_sandbox import Sandbox
from sandbox.caller import Caller

A = "+12125550101"


def test_edits_show_in_the_api_and_not_in_the_ledger(box: Sandbox, ops: Caller) -> None:
    box.edit.add_group("new")
    app, home = box.edit.add_mini_app("Menu", "new"), box.edit.add_set("home", "new")
    box.edit.add_number(A, "new", mini_app_id=app, set_id=home, locale="en-US", note="n", application_tag="t")
    row = ops.listed()[A]
    assert (row["miniAppId"], row["miniAppName"], row["phoneNumbersSetId"]) == (app, "Menu", home)
    assert (row["locale"], row["note"], row["applicationTag"], row["country"]) == ("en-US", "n", "t", "US")
    box.edit.change_number(A, mini_app_id=None, set_id=None, group="ocp-qa", country="CA", purchased=True)
    row = ops.listed()[A]
    assert (row["miniAppId"], row["phoneNumbersSetId"], row["groupId"], row["country"]) == (None, None, "ocp-qa", "CA")
    assert box.numbers()[0]["purchased"] is True
    box.edit.remove_number(A)
    assert ops.listed() == {}
    assert box.ledger()["entries"] == []


def test_offers_come_change_and_go(box: Sandbox, ops: Caller) -> None:
    wish = {"provider": "novatel", "code": "US", "group": "retail-us"}
    box.edit.add_offer(A, "novatel", "US", "2.50")
    assert [offer["price"] for offer in ops.ok("POST", "/api/numbers", wish)] == [2.5]
    box.edit.add_offer(A, "novatel", "US", "4")
    assert [offer["price"] for offer in ops.ok("POST", "/api/numbers", wish)] == [4]
    box.edit.add_offer(A, "novatel", "US", "9", priced=False)
    assert [offer["price"] for offer in ops.ok("POST", "/api/numbers", wish)] == [None]
    box.edit.remove_offer(A)
    assert ops.ok("POST", "/api/numbers", wish) == []


def test_what_is_unknown_is_an_error(box: Sandbox) -> None:
    with pytest.raises(KeyError):
        box.edit.change_number(A, note="x")
    with pytest.raises(KeyError):
        box.edit.remove_number(A)
    with pytest.raises(KeyError):
        box.edit.remove_offer(A)
    box.edit.add_number(A, "retail-us")
    for fields in ({"colour": 1}, {"mini_app_id": "x"}, {"set_id": "x"}):
        with pytest.raises(KeyError):
            box.edit.change_number(A, note="changed", **fields)
    assert box.numbers()[0]["note"] is None
