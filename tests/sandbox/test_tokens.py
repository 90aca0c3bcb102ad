from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import pyotp
import pytest
import requests

from ocp_sandbox import Sandbox, User
from ocp_sandbox.tokens import LOCK_SECONDS, WRONG_LOGINS
from sandbox.caller import Caller

Serve = Callable[..., Sandbox]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def status(caller: Caller) -> int:
    return int(caller.raw("GET", "/api/numbers").status_code)


def denied(answer: requests.Response, code: int, error: str, description: str) -> None:
    assert (answer.status_code, answer.json()) == (
        code,
        {"error": error, "error_description": description},
    )


def test_a_login_is_answered_as_by_keycloak(ops: Caller) -> None:
    granted = ops.log_in()
    assert (granted["expires_in"], granted["refresh_expires_in"], granted["token_type"]) == (300, 1800, "Bearer")
    assert granted["access_token"] != granted["refresh_token"]
    assert granted["access_token"].count(".") == 2
    assert status(ops) == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic b3BzOnNlY3JldA=="}, {"Authorization": ""}]
)
def test_without_a_token_nothing_is_served(ops: Caller, headers: dict[str, str]) -> None:
    answer = ops.session.get(f"{ops.url}/integrations/api/numbers", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["success"] is False


def test_a_refresh_token_opens_no_door(ops: Caller) -> None:
    ops.session.headers["Authorization"] = f"Bearer {ops.log_in()['refresh_token']}"
    assert status(ops) == 401


def test_a_token_expires_and_is_renewed(serve: Serve) -> None:
    box = serve(token_ttl=60)
    ops = Caller(box.url)
    granted = ops.log_in()
    box.clock.advance(59)
    assert status(ops) == 200
    box.clock.advance(2)
    assert status(ops) == 401
    ops.log_in(grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert status(ops) == 200
    box.clock.advance(1801)
    denied(
        ops.token(grant_type="refresh_token", refresh_token=granted["refresh_token"]),
        400,
        "invalid_grant",
        "Token is not active",
    )


def test_logging_out_ends_every_token_of_the_session_and_no_other(ops: Caller) -> None:
    other = Caller(ops.url)
    other.log_in()
    granted = ops.log_in()
    renewed = ops.log_in(grant_type="refresh_token", refresh_token=granted["refresh_token"])
    answer = ops.openid("logout", client_id="ocp", refresh_token=granted["refresh_token"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert status(ops) == 401
    assert status(other) == 200
    for token in (granted["refresh_token"], renewed["refresh_token"]):
        denied(
            ops.token(grant_type="refresh_token", refresh_token=token), 400, "invalid_grant", "Invalid refresh token"
        )
    again = ops.openid("logout", client_id="ocp", refresh_token=granted["refresh_token"])
    denied(again, 400, "invalid_grant", "Invalid refresh token")


@pytest.mark.parametrize(
    ("form", "code", "error", "description"),
    [
        ({"password": "wrong"}, 401, "invalid_grant", "Invalid user credentials"),
        ({"password": "sécret"}, 401, "invalid_grant", "Invalid user credentials"),
        ({"username": "nobody"}, 401, "invalid_grant", "Invalid user credentials"),
        ({"client_id": "app"}, 401, "invalid_client", "Invalid client or Invalid client credentials"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type", "Unsupported grant_type"),
        ({"grant_type": "refresh_token"}, 400, "invalid_grant", "Invalid refresh token"),
    ],
)
def test_a_wrong_login_is_refused(ops: Caller, form: dict[str, str], code: int, error: str, description: str) -> None:
    denied(ops.token(**form), code, error, description)


def test_the_form_must_be_a_form_with_a_grant(ops: Caller) -> None:
    denied(ops.openid("token", client_id="ocp"), 400, "invalid_request", "Missing form parameter: grant_type")
    url = f"{ops.url}/auth/realms/master/protocol/openid-connect/token"
    assert ops.session.post(url, json={"client_id": "ocp"}).json()["error"] == "invalid_request"
    assert ops.session.get(url).status_code == 405
    assert ops.session.post(f"{ops.url}/auth/realms/master").status_code == 404


def test_the_realm_must_exist(serve: Serve) -> None:
    ops = Caller(serve(realm="ocp").url)
    answer = ops.token()
    assert (answer.status_code, answer.json()) == (404, {"error": "Realm does not exist"})
    assert ops.token("ocp").status_code == 200


def test_wrong_passwords_lock_the_login_for_a_while(box: Sandbox, ops: Caller) -> None:
    for _ in range(WRONG_LOGINS):
        denied(ops.token(password="wrong"), 401, "invalid_grant", "Invalid user credentials")
    denied(ops.token(), 400, "invalid_grant", "Account temporarily disabled")
    box.clock.advance(LOCK_SECONDS)
    ops.log_in()


def test_old_sessions_do_not_pile_up(box: Sandbox, ops: Caller) -> None:
    for _ in range(5):
        ops.log_in()
        box.clock.advance(10_000)
    ops.log_in()
    assert len(box.store.rows("SELECT * FROM sessions")) == 1
    assert len(box.store.rows("SELECT * FROM tokens")) == 2


def test_a_right_password_forgives_the_wrong_ones_before(ops: Caller) -> None:
    for _ in range(3):
        for _ in range(WRONG_LOGINS - 1):
            ops.token(password="wrong")
        ops.log_in()


class TestOneTimeCodes:
    @pytest.fixture
    def guarded(self, serve: Serve) -> Sandbox:
        return serve(users=[User("ops", "secret", totp=SECRET)])

    def code(self, box: Sandbox, shift: float = 0) -> str:
        return pyotp.TOTP(SECRET).at(datetime.fromtimestamp(box.clock.now() + shift, timezone.utc))

    def test_are_demanded_besides_the_password(self, guarded: Sandbox) -> None:
        ops = Caller(guarded.url)
        for form in ({}, {"otp": ""}, {"otp": "12345"}, {"otp": self.code(guarded, -300)}):
            denied(ops.token(**form), 401, "invalid_grant", "Invalid user credentials")
        ops.log_in(otp=self.code(guarded))

    def test_count_once(self, guarded: Sandbox) -> None:
        ops, code = Caller(guarded.url), self.code(guarded)
        ops.log_in(otp=code)
        denied(ops.token(otp=code), 401, "invalid_grant", "Invalid user credentials")
        guarded.clock.advance(90)
        ops.log_in(otp=self.code(guarded))

    def test_count_by_the_machines_clock_too(self, guarded: Sandbox) -> None:
        guarded.clock.advance(100_000)
        Caller(guarded.url).log_in(otp=pyotp.TOTP(SECRET).now())


def test_a_personal_access_token_needs_no_login(serve: Serve) -> None:
    box = serve(users=[User("ops", "secret", pat="pat-123"), User("guest", "secret")])
    caller = Caller(box.url)
    url = f"{box.url}/integrations/api/numbers"
    header = "X-OCP-PERSONAL-ACCESS-TOKEN"
    assert caller.session.get(url, headers={header: "pat-123"}).status_code == 200
    assert caller.session.get(url, headers={header: "pat-124"}).status_code == 401
    assert caller.session.get(url, headers={header: ""}).status_code == 401
    assert box.calls()[0]["login"] == "ops"


def test_calls_beyond_the_rate_are_told_to_wait(serve: Serve) -> None:
    box = serve(rate_limit=3, users=[User("ops", "secret"), User("guest", "secret")])
    ops = Caller(box.url)
    statuses = [status(ops) for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    answer = ops.raw("GET", "/api/numbers")
    assert answer.headers["Retry-After"] == "1"
    assert "3 a second" in answer.json()["message"]
    assert status(Caller(box.url, "guest")) == 200
    box.clock.advance(1)
    assert status(ops) == 200
