from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ocp_sandbox import Sandbox, Settings, User
from ocp_sandbox.api.routes import ROUTES
from ocp_sandbox.settings import Role
from sandbox.caller import Caller, app_in

Serve = Callable[..., Sandbox]
READS = {
    ("GET", "/api/numbers"),
    ("POST", "/api/numbers"),
    ("POST", "/api/numbers/search"),
    ("POST", "/api/numbers/csv"),
    ("GET", "/api/numbers-set"),
    ("GET", "/api/numbers-set/group/{groupId}"),
    ("GET", "/api/numbers-set/{setId}"),
    ("GET", "/api/numbers-set/{setId}/numbers"),
}
CALLS = [(route.method, route.path) for route in ROUTES]


@pytest.fixture(scope="module")
def staff() -> Iterator[dict[str, Caller]]:
    roles: tuple[Role, ...] = ("owner", "operator", "reader")
    with Sandbox(Settings(numbers=0, users=[User(role, "secret", role) for role in roles])) as box:
        yield {role: Caller(box.url, role) for role in roles}


def test_the_table_holds_each_documented_call_once() -> None:
    assert len(CALLS) == len(set(CALLS)) == 24
    assert set(CALLS) > READS


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_each_role_may_do_its_share(staff: dict[str, Caller], method: str, path: str) -> None:
    target = path.replace("{number}", "%2B12125550101").replace("{setId}", "x").replace("{groupId}", "x")
    may = {role: caller.raw(method, target).status_code != 403 for role, caller in staff.items()}
    assert may == {
        "owner": True,
        "operator": (method, path) != ("PUT", "/api/numbers/csv"),
        "reader": (method, path) in READS,
    }


def test_another_groups_numbers_and_mini_apps_are_out_of_reach(serve: Serve) -> None:
    ours, theirs = "+12125550101", "+12125550102"
    box = serve(users=[User("us", "secret", groups=["retail-us"])])
    box.edit.add_number(ours, "retail-us")
    box.edit.add_number(theirs, "ocp-qa")
    caller = Caller(box.url, "us")
    binding = {"miniAppId": app_in(box), "locale": "en-US"}
    for method, path, body in (
        ("PUT", "/api/numbers/detach", {"numbers": [ours, theirs]}),
        ("PUT", "/api/numbers/attach", {"numbers": [theirs], **binding}),
        ("PUT", "/api/number/note", {"number": theirs, "note": "x"}),
        ("PUT", "/api/numbers/group", {"numbers": [theirs], "group": "retail-us"}),
        ("DELETE", "/api/numbers/delete/%2B12125550102", None),
    ):
        assert theirs in caller.no(403, method, path, body)
    for method, path, body in (
        ("PUT", "/api/numbers/group", {"numbers": [ours], "group": "ocp-qa"}),
        ("PUT", "/api/numbers/attach", {"numbers": [ours], **binding, "miniAppId": app_in(box, "ocp-qa")}),
        ("PUT", "/api/numbers", {"provider": "telnova", "numbers": ["+12125550199"], "group": "ocp-qa"}),
        ("POST", "/api/numbers", {"provider": "telnova", "code": "US", "group": "ocp-qa"}),
        ("POST", "/api/numbers/direct", {"numbers": ["+12125550199"], "group": "ocp-qa"}),
        ("POST", "/api/numbers-set", {"name": "x", "groupId": "ocp-qa"}),
    ):
        assert "ocp-qa" in caller.no(403, method, path, body)
    assert [row["groupId"] for row in box.numbers()] == ["retail-us", "ocp-qa"]
