from __future__ import annotations

from collections.abc import Callable

import pytest

from ocp_sandbox import Sandbox, User
from sandbox.caller import Caller, app_in

Serve = Callable[..., Sandbox]
A, B, C = "+12125550101", "+12125550102", "+12125550103"


@pytest.fixture(autouse=True)
def numbers(box: Sandbox) -> None:
    box.edit.add_number(A, "retail-us")
    box.edit.add_number(B, "retail-us", purchased=True)
    box.edit.add_number(C, "ocp-qa")


@pytest.fixture
def home(ops: Caller) -> str:
    """The path of a set in retail-us that holds A and B."""
    created = ops.ok("POST", "/api/numbers-set", {"name": "home", "groupId": "retail-us"})
    path = f"/api/numbers-set/{created['id']}"
    ops.ok("POST", f"{path}/numbers", {"numbers": [A, B]})
    return path


def members(ops: Caller, path: str) -> list[str]:
    return [row["number"] for row in ops.ok("GET", f"{path}/numbers")]


def test_a_new_set_is_empty_and_found_everywhere(ops: Caller) -> None:
    created = ops.ok("POST", "/api/numbers-set", {"name": "New York", "groupId": "retail-us"})
    assert created == {"id": created["id"], "name": "New York", "groupId": "retail-us", "phoneNumberCount": 0}
    for path in (f"/api/numbers-set/{created['id']}", "/api/numbers-set", "/api/numbers-set/group/retail-us"):
        assert ops.ok("GET", path) in (created, [created])
    assert ops.ok("GET", "/api/numbers-set/group/ocp-qa") == []


def test_names_are_unique_in_a_group_only(ops: Caller) -> None:
    wish = {"name": "twin", "groupId": "retail-us"}
    ops.ok("POST", "/api/numbers-set", wish)
    assert "twin" in ops.no(409, "POST", "/api/numbers-set", wish)
    other = ops.ok("POST", "/api/numbers-set", {**wish, "groupId": "ocp-qa"})
    assert "twin" in ops.no(409, "PATCH", f"/api/numbers-set/{other['id']}", {"groupId": "retail-us"})
    ops.ok("PATCH", f"/api/numbers-set/{other['id']}", {"groupId": "retail-us", "name": "free"})


def test_members_are_counted_and_shown_with_their_set(ops: Caller, home: str) -> None:
    assert members(ops, home) == [A, B]
    shown = ops.ok("GET", home)
    assert shown["phoneNumberCount"] == 2
    assert ops.listed()[A]["phoneNumbersSetId"] == shown["id"]
    assert ops.listed()[A]["phoneNumbersSetName"] == "home"
    assert ops.ok("POST", "/api/numbers/search", {"setId": shown["id"]})["allNumbers"] == 2


def test_adding_again_is_a_success_and_changes_nothing(ops: Caller, home: str) -> None:
    ops.ok("POST", f"{home}/numbers", {"numbers": [A]})
    assert members(ops, home) == [A, B]


def test_a_number_of_another_group_or_set_is_refused_and_all_with_it(box: Sandbox, ops: Caller, home: str) -> None:
    box.edit.add_number("+12125550104", "retail-us")
    assert C in ops.no(409, "POST", f"{home}/numbers", {"numbers": ["+12125550104", C]})
    other = ops.ok("POST", "/api/numbers-set", {"name": "other", "groupId": "retail-us"})["id"]
    message = ops.no(409, "POST", f"/api/numbers-set/{other}/numbers", {"numbers": ["+12125550104", A]})
    assert A in message
    assert "home" in message
    assert members(ops, f"/api/numbers-set/{other}") == []


def test_removed_numbers_stay_in_the_inventory(ops: Caller, home: str) -> None:
    ops.ok("DELETE", f"{home}/numbers", {"numbers": [A, C]})
    assert members(ops, home) == [B]
    assert ops.listed()[A]["phoneNumbersSetId"] is None
    assert "+15550000001" in ops.no(404, "DELETE", f"{home}/numbers", {"numbers": [B, "+15550000001"]})


def test_attach_takes_the_whole_set_or_some_of_it(box: Sandbox, ops: Caller, home: str) -> None:
    binding = {"miniAppId": app_in(box), "locale": "en-US"}
    ops.ok("PUT", f"{home}/attach", {**binding, "numbers": [A], "applicationTag": "x"})
    assert [ops.listed()[number]["applicationTag"] for number in (A, B)] == ["x", None]
    ops.ok("PUT", f"{home}/attach", binding)
    assert {row["miniAppId"] for row in ops.ok("GET", f"{home}/numbers")} == {app_in(box)}
    assert C in ops.no(404, "PUT", f"{home}/attach", {**binding, "numbers": [A, C]})
    assert "no.app" in ops.no(404, "PUT", f"{home}/attach", {**binding, "miniAppId": "no.app"})
    ops.ok("PUT", f"{home}/detach")
    assert {row["miniAppId"] for row in ops.ok("GET", f"{home}/numbers")} == {None}


def test_renaming_and_moving_take_the_numbers_along(ops: Caller, home: str) -> None:
    ops.ok("PATCH", home, {"name": "away"})
    assert ops.ok("GET", home)["name"] == "away"
    assert ops.listed()[A]["groupId"] == "retail-us"
    ops.ok("PATCH", home, {"groupId": "ocp-qa"})
    assert [ops.listed()[number]["groupId"] for number in (A, B)] == ["ocp-qa", "ocp-qa"]
    assert "nowhere" in ops.no(404, "PATCH", home, {"groupId": "nowhere"})
    assert "groupId" in ops.no(400, "PATCH", home, {})


def test_release_gives_up_the_purchased_ones_for_good(box: Sandbox, ops: Caller, home: str) -> None:
    bought = ops.offered(2)
    ops.buy(bought)
    ops.ok("POST", f"{home}/numbers", {"numbers": bought})
    ops.ok("DELETE", f"{home}/delete")
    assert members(ops, home) == [A]
    assert set(ops.listed()) == {A, C}
    released = [entry["number"] for entry in box.ledger()["entries"] if entry["kind"] == "released"]
    assert released == sorted([B, *bought])
    assert box.ledger()["totals"]["released"] == 3
    assert not set(bought) & set(ops.offered(100))
    assert ops.buy(bought)["failedNumbers"] == bought
    ops.ok("DELETE", f"{home}/delete")
    assert members(ops, home) == [A]


def test_released_numbers_may_return_to_the_market(serve: Serve) -> None:
    box = serve(restock_released=True)
    ops = Caller(box.url)
    bought = ops.offered(1)
    ops.buy(bought)
    target = ops.ok("POST", "/api/numbers-set", {"name": "old", "groupId": "retail-us"})["id"]
    ops.ok("POST", f"/api/numbers-set/{target}/numbers", {"numbers": bought})
    ops.ok("DELETE", f"/api/numbers-set/{target}/delete")
    assert ops.offered(1) == bought
    assert ops.buy(bought)["failedNumbers"] == []


def test_deleting_a_set_leaves_its_numbers(ops: Caller, home: str) -> None:
    ops.ok("DELETE", home)
    assert set(ops.listed()) == {A, B, C}
    assert ops.listed()[A]["phoneNumbersSetId"] is None
    for method, path in (("GET", home), ("DELETE", home), ("GET", f"{home}/numbers"), ("PUT", f"{home}/detach")):
        assert "not found" in ops.no(404, method, path)


def test_ids_in_paths_may_need_encoding(box: Sandbox, ops: Caller) -> None:
    box.edit.add_group("north/south & co")
    wish = {"name": "x", "groupId": "north/south & co"}
    created = ops.ok("POST", "/api/numbers-set", wish)
    assert ops.ok("GET", "/api/numbers-set/group/north%2Fsouth%20%26%20co") == [created]
    assert "a/b" in ops.no(404, "GET", "/api/numbers-set/a%2Fb")


def test_a_login_sees_only_sets_of_its_groups(serve: Serve) -> None:
    box = serve(users=[User("us", "secret", groups=["retail-us"])])
    box.edit.add_number(C, "ocp-qa")
    ours, theirs = box.edit.add_set("ours", "retail-us"), box.edit.add_set("theirs", "ocp-qa")
    caller = Caller(box.url, "us")
    assert [row["id"] for row in caller.ok("GET", "/api/numbers-set")] == [ours]
    assert "ocp-qa" in caller.no(403, "GET", "/api/numbers-set/group/ocp-qa")
    assert "ocp-qa" in caller.no(403, "GET", f"/api/numbers-set/{theirs}")
    assert C in caller.no(403, "POST", f"/api/numbers-set/{ours}/numbers", {"numbers": [C]})
    assert "ocp-qa" in caller.no(403, "PATCH", f"/api/numbers-set/{ours}", {"groupId": "ocp-qa"})
    binding = {"miniAppId": app_in(box, "ocp-qa"), "locale": "en-US"}
    assert "ocp-qa" in caller.no(403, "PUT", f"/api/numbers-set/{ours}/attach", binding)
