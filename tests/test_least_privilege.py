"""A connection's ``access`` is the most that anybody can do with it, whichever way the call is made.

What is refused is refused before a byte of it is sent. What may be done in Airflow by whom is in
``include/deployment/roles.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.bases.operator import ExecutorSafeguard
from requests import PreparedRequest
from requests.auth import AuthBase

from ocp_numbers.client import OPERATIONS, Effect, Operation, without_waiting
from ocp_numbers.client.guarding import GuardedAuth
from ocp_numbers.client.settings import ACCESS
from ocp_numbers.errors import AccessRefused, ApiError
from ocp_numbers.hooks import ocp
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_sandbox import Sandbox, Settings
from operators.world import connect
from test_coverage_of_operations import COVERS, Scene, answered

PROJECT = Path(__file__).resolve().parents[1]
ALLOWED = {
    "read": {Effect.READ},
    "write": {Effect.READ, Effect.WRITE},
    "paid": {Effect.READ, Effect.WRITE, Effect.PAID, Effect.DESTRUCTIVE},
}
MATRIX = [(access, name) for access in ACCESS for name in OPERATIONS]
REFUSED = [(access, name) for access, name in MATRIX if OPERATIONS[name].effect not in ALLOWED[access]]
GRANTED = [(access, name) for access, name in MATRIX if OPERATIONS[name].effect in ALLOWED[access]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One for all that is refused: nothing of it may reach it."""
    with Sandbox(Settings(numbers=20)) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
    monkeypatch.setattr(ExecutorSafeguard, "test_mode", True)
    monkeypatch.setattr(ocp, "mask_secret", lambda _: None)
    with without_waiting():
        yield


@pytest.fixture(scope="module")
def scene(sandbox: Sandbox) -> Scene:
    return Scene(sandbox)


def of(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, access: str) -> OcpNumbersHook:
    connect(monkeypatch, sandbox, extra={"access": access})
    sandbox.clear_calls()
    return OcpNumbersHook()


def test_the_table_of_access_covers_every_operation() -> None:
    assert len(MATRIX) == 3 * 24
    assert (len(REFUSED), len(GRANTED)) == (16 + 5, 8 + 19 + 24)


def by_method(hook: OcpNumbersHook, scene: Scene, row: Operation[Any]) -> object:
    return COVERS[row.name].client(hook.client, scene)


def by_call(hook: OcpNumbersHook, scene: Scene, row: Operation[Any]) -> object:
    return hook.client.transport.call(row)


def by_send(hook: OcpNumbersHook, scene: Scene, row: Operation[Any]) -> object:
    return hook.client.transport.send(row)


def by_fetch(hook: OcpNumbersHook, scene: Scene, row: Operation[Any]) -> object:
    return hook.client.transport.fetch(row, lambda reply: reply)


def by_session(hook: OcpNumbersHook, scene: Scene, row: Operation[Any]) -> object:
    path = row.path.format(number="%2B12125550123", group_id="retail-us", set_id=scene.set_id)
    return hook.get_conn().request(row.method, f"{scene.sandbox.url}/integrations{path}", json={})


WAYS = [by_method, by_call, by_send, by_fetch, by_session]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(("access", "name"), REFUSED)
def test_what_the_connection_does_not_allow_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
    scene: Scene,
    access: str,
    name: str,
    way: Callable[[OcpNumbersHook, Scene, Operation[Any]], object],
) -> None:
    with of(monkeypatch, scene.sandbox, access) as hook, pytest.raises(AccessRefused) as refused:
        way(hook, scene, OPERATIONS[name])

    assert (refused.value.operation, refused.value.allowed) == (name, access)
    assert scene.sandbox.calls() == []


@pytest.mark.parametrize(
    ("access", "name"), [each for each in REFUSED if not isinstance(COVERS[each[1]].operator, str)]
)
def test_no_operator_gets_around_it(monkeypatch: pytest.MonkeyPatch, scene: Scene, access: str, name: str) -> None:
    of(monkeypatch, scene.sandbox, access)
    before = scene.all()
    make = COVERS[name].operator
    assert callable(make)

    with pytest.raises(AccessRefused):
        make(scene).execute({})

    assert scene.all() == before
    assert not answered(scene, OPERATIONS[name])


@pytest.mark.parametrize(("access", "name"), GRANTED)
def test_what_it_allows_gets_through(monkeypatch: pytest.MonkeyPatch, access: str, name: str) -> None:
    with Sandbox(Settings(numbers=20)) as sandbox:
        scene = Scene(sandbox)
        with of(monkeypatch, sandbox, access) as hook:
            COVERS[name].client(hook.client, scene)

        assert answered(scene, OPERATIONS[name])


@pytest.mark.parametrize("name", [name for name in OPERATIONS if OPERATIONS[name].effect is Effect.READ])
def test_a_session_of_ones_own_may_look(monkeypatch: pytest.MonkeyPatch, scene: Scene, name: str) -> None:
    with of(monkeypatch, scene.sandbox, "read") as hook:
        by_session(hook, scene, OPERATIONS[name])

    (call,) = (call for call in scene.sandbox.calls() if "/api/" in call["path"])
    assert call["method"] == OPERATIONS[name].method


@pytest.mark.parametrize("read_only", [False, True])
def test_a_hook_that_only_looks_takes_rights_away_and_never_gives_any(
    monkeypatch: pytest.MonkeyPatch, scene: Scene, read_only: bool
) -> None:
    connect(monkeypatch, scene.sandbox, extra={"access": "write"})

    assert OcpNumbersHook(read_only=read_only).settings.access == ("read" if read_only else "write")


HOST = "https://eu1-m.ocp.ai"


@pytest.mark.parametrize(
    ("method", "path", "needs"),
    [
        ("GET", "/integrations/api/numbers", "read"),
        ("get", "/integrations/api/anything/else", "read"),
        ("HEAD", "/", "read"),
        ("POST", "/integrations/api/numbers/search", "read"),
        ("POST", "/integrations/api/numbers/search?page=1", "read"),
        ("POST", "/integrations/api/numbers/search/", "paid"),
        ("POST", "/api/numbers/search", "paid"),
        ("PUT", "/integrations/api/numbers", "paid"),
        ("PUT", "/integrations/api/numbers/group", "write"),
        ("put", "/integrations/api/numbers/group", "write"),
        ("DELETE", "/integrations/api/numbers-set/s/numbers", "write"),
        ("DELETE", "/integrations/api/numbers-set/s%2Fdelete%3F/numbers", "paid"),
        ("DELETE", "/integrations/api/numbers-set/../numbers", "paid"),
        ("DELETE", "/integrations/api/numbers-set/%2e%2e/numbers", "paid"),
        ("DELETE", "/integrations/api/numbers-set/s%5Cx/numbers", "paid"),
        ("DELETE", "/integrations/api/numbers/delete/%2B12125550123", "paid"),
        ("TRACE", "/integrations/api/numbers", "paid"),
        ("POST", "/integrations/api/new", "paid"),
    ],
)
def test_a_call_of_ones_own_needs_what_the_operation_does_and_an_unknown_one_everything(
    method: str, path: str, needs: str
) -> None:
    def refused(access: str) -> list[str]:
        request = PreparedRequest()
        request.method, request.url = method, HOST + path
        try:
            GuardedAuth(AuthBase(), access)(request)
        except AccessRefused as error:
            return [error.needs]
        except NotImplementedError:  # of the credentials that it was let through to
            return []
        raise AssertionError("neither refused nor given credentials")

    enough = ACCESS[ACCESS.index(needs) :]
    assert {access: refused(access) for access in ACCESS} == {
        access: [] if access in enough else [needs] for access in ACCESS
    }


def test_a_refusal_of_the_platform_is_still_its_own(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    """``access`` takes rights away; it does not give those that the login lacks."""
    with of(monkeypatch, scene.sandbox, "paid") as hook, pytest.raises(ApiError):
        hook.client.numbers.buy(provider="nobody", numbers=["+12125550123"], group="retail-us")


ROLES: dict[str, dict[str, set[str]]] = {}
"""What the roles that a deployment starts with may do, beside Airflow's own Viewer, by role and resource."""
for _line in json.loads((PROJECT / "include/deployment/roles.json").read_text()):
    ROLES.setdefault(_line["name"], {})[_line["resource"]] = set(_line["action"].split(","))


def test_who_triggers_does_not_approve_and_who_approves_does_not_trigger() -> None:
    operator, approver = ROLES["OCP operator"], ROLES["OCP approver"]

    assert "can_create" in operator["DAG Runs"]
    assert "HITL Detail" not in operator
    assert "can_edit" in approver["HITL Detail"]
    assert not approver.get("DAG Runs", set()) & {"can_create", "can_edit", "can_delete"}


def test_no_role_reaches_connections_variables_or_users_or_deletes_anything() -> None:
    resources = {resource for role in ROLES.values() for resource in role}
    actions = {action for role in ROLES.values() for each in role.values() for action in each}

    assert resources == {"DAGs", "DAG Runs", "Task Instances", "HITL Detail"}
    assert actions == {"can_read", "can_edit", "can_create", "menu_access"}
