"""The life of a login: begun once, renewed in time, never repeated after a no, given back at the end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pyotp
import pytest

from client.conftest import PASSWORD, PAT, TOTP, NewClient, Serve
from client.fake_clock import FakeClock
from client.raw_server import answer
from ocp_numbers.client import Clock, OcpClient, Retry
from ocp_numbers.client.onetime import OneTimeCodes
from ocp_numbers.errors import (
    AnswerLost,
    ApiError,
    Interrupted,
    LoginRefused,
    Redirected,
    ServerFault,
    TooManyRequests,
    UnexpectedAnswer,
)
from ocp_sandbox import Fault, Sandbox

GRANT = b'{"access_token": "A1", "expires_in": 300, "refresh_token": "R1", "refresh_expires_in": 1800}'
PAGE = b'{"numbers": [], "page": 1, "pageSize": 1, "numberOfPages": 0, "allNumbers": 0}'


def logins(sandbox: Sandbox) -> list[tuple[str, int]]:
    """What was asked of the token endpoints, with the statuses answered."""
    return [
        (call["path"].rpartition("/")[2], call["status"])
        for call in sandbox.calls()
        if call["path"].startswith("/auth/")
    ]


def read(client: OcpClient) -> int:
    return client.numbers.list(page_size=1).all_numbers


def form(request: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.partition(b"\r\n\r\n")[2].decode()).items()}


def test_one_login_serves_every_call_and_is_given_back(sandbox: Sandbox, new_client: NewClient) -> None:
    with new_client(sandbox.url) as client:
        assert logins(sandbox) == [], "nothing is sent before the first call"
        read(client)
        read(client)
    assert logins(sandbox) == [("token", 200), ("logout", 204)]


def test_what_is_sent_to_log_in_to_renew_and_to_log_out(serve: Serve, new_client: NewClient, clock: FakeClock) -> None:
    server = serve(answer(body=GRANT), answer(body=PAGE), answer(body=GRANT.replace(b"1", b"2", 2)), answer(body=PAGE))
    client = new_client(server.url, clock=clock, realm="ocp")
    read(client)
    clock.now += 275
    read(client)
    client.close()
    first, call, second, _, last = server.requests
    assert first.startswith(b"POST /auth/realms/ocp/protocol/openid-connect/token ")
    assert b"Content-Type: application/x-www-form-urlencoded" in first
    assert form(first) == {"client_id": "ocp", "grant_type": "password", "username": "ops", "password": PASSWORD}
    assert b"\r\nAuthorization: Bearer A1\r\n" in call
    assert form(second) == {"client_id": "ocp", "grant_type": "refresh_token", "refresh_token": "R1"}
    assert last.startswith(b"POST /auth/realms/ocp/protocol/openid-connect/logout ")
    assert form(last)["client_id"] == "ocp"


@pytest.mark.parametrize(("lifetime", "kept"), [(300, 269), (60, 47), (10, 7.9)])
def test_a_token_is_renewed_some_time_before_it_expires(
    lifetime: int, kept: float, serve: Serve, new_client: NewClient, clock: FakeClock
) -> None:
    grant = answer(body=GRANT.replace(b"300", str(lifetime).encode()))
    server = serve(grant, answer(body=PAGE), answer(body=PAGE), grant, answer(body=PAGE))
    client = new_client(server.url, clock=clock)
    read(client)
    clock.now += kept
    read(client)
    assert len(server.requests) == 3
    clock.now += lifetime * 0.01 + 1
    read(client)
    assert form(server.requests[3])["grant_type"] == "refresh_token"


def test_a_token_that_the_server_holds_for_expired_is_renewed(sandbox: Sandbox, client: OcpClient) -> None:
    read(client)
    sandbox.clock.advance(301)
    assert read(client) == 120
    assert logins(sandbox) == [("token", 200), ("token", 200)]


def test_a_refused_refresh_falls_back_to_the_password(sandbox: Sandbox, client: OcpClient) -> None:
    read(client)
    sandbox.clock.advance(1801)
    assert read(client) == 120
    assert logins(sandbox) == [("token", 200), ("token", 400), ("token", 200)]


def test_a_refresh_token_known_to_be_stale_is_not_even_sent(
    sandbox: Sandbox, new_client: NewClient, clock: FakeClock
) -> None:
    client = new_client(sandbox.url, clock=clock)
    read(client)
    clock.now += 1801
    sandbox.clock.advance(1801)
    read(client)
    assert logins(sandbox) == [("token", 200), ("token", 200)]


def test_a_refused_login_is_never_sent_again(sandbox: Sandbox, new_client: NewClient) -> None:
    client = new_client(sandbox.url, password="wrong-4711")
    for _ in range(8):
        with pytest.raises(LoginRefused, match="Invalid user credentials") as caught:
            read(client)
    assert (caught.value.status, caught.value.operation, caught.value.settled) == (401, "login", True)
    assert logins(sandbox) == [("token", 401)]


def test_a_wrong_realm_is_told_apart_by_its_status(sandbox: Sandbox, new_client: NewClient) -> None:
    with pytest.raises(LoginRefused, match="Realm does not exist") as caught:
        read(new_client(sandbox.url, realm="ocp"))
    assert caught.value.status == 404


def test_many_threads_share_one_login_and_one_renewal(sandbox: Sandbox, client: OcpClient) -> None:
    sandbox.faults.add(Fault(kind="delay", seconds=0.05, path="/auth/*"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: read(client), range(16)))
        assert logins(sandbox) == [("token", 200)]
        sandbox.clock.advance(301)
        list(pool.map(lambda _: read(client), range(16)))
    assert logins(sandbox) == [("token", 200), ("token", 200)]


def test_threads_that_waited_for_a_failed_login_do_not_each_try_anew(
    sandbox: Sandbox, new_client: NewClient, no_waiting: None
) -> None:
    client = new_client(sandbox.url, retry=Retry(attempts=3))
    sandbox.faults.add(
        Fault(kind="delay", seconds=0.1, path="/auth/*"), Fault(kind="status", status=503, path="/auth/*")
    )
    with ThreadPoolExecutor(8) as pool:
        ended = [pool.submit(read, client) for _ in range(8)]
        assert {type(each.exception()) for each in ended} == {ServerFault}
    assert len(logins(sandbox)) == 3


def test_a_token_endpoint_that_stumbles_is_asked_again(sandbox: Sandbox, client: OcpClient, no_waiting: None) -> None:
    sandbox.faults.add(
        Fault(kind="status", status=503, path="/auth/*", nth=1),
        Fault(kind="drop_after", path="/auth/*", nth=1),
        Fault(kind="status", status=429, path="/auth/*", nth=1, retry_after="3"),
    )
    assert read(client) == 120
    assert len(logins(sandbox)) == 4


@pytest.mark.parametrize(
    ("said", "error", "text"),
    [
        (answer(body=b"<html>", Content_Type="text/html"), UnexpectedAnswer, "HTML page.*Token host and Realm"),
        (answer(body=b"{}"), UnexpectedAnswer, "access_token, expires_in missing or wrong"),
        (answer(body=b'{"access_token": "a\\r\\nX: y", "expires_in": 1}'), UnexpectedAnswer, "access_token missing"),
        (answer(body=b'{"access_token": "a", "expires_in": -1}'), UnexpectedAnswer, "expires_in missing or wrong"),
        (answer(body=b"[]"), UnexpectedAnswer, "the body missing or wrong"),
        (answer(302, Location="https://elsewhere.example/"), Redirected, "elsewhere.example"),
        (answer(400, b'{"error_description": "Account temporarily disabled"}'), LoginRefused, "temporarily disabled"),
        (answer(401, b'{"error": "invalid_client"}'), LoginRefused, "invalid_client"),
        (answer(404, b"<html>"), LoginRefused, "is the host right"),
        (answer(429, Retry_After="9999"), TooManyRequests, "429"),
    ],
)
def test_what_a_token_endpoint_may_say(
    said: bytes, error: type[ApiError], text: str, serve: Serve, new_client: NewClient
) -> None:
    server = serve(said)
    with pytest.raises(error, match=text) as caught:
        read(new_client(server.url))
    assert len(server.requests) == 1
    assert caught.value.settled


def test_a_logout_that_fails_is_no_error(sandbox: Sandbox, new_client: NewClient) -> None:
    client = new_client(sandbox.url)
    read(client)
    sandbox.faults.add(Fault(kind="drop_before", path="/auth/*"))
    client.close()
    assert logins(sandbox) == [("token", 200), ("logout", None)]


def test_a_closed_client_does_not_log_in_again(sandbox: Sandbox, new_client: NewClient) -> None:
    client = new_client(sandbox.url)
    read(client)
    session = client.session
    client.close()
    with pytest.raises(Interrupted):
        session.get(f"{sandbox.url}/integrations/api/numbers-set")
    assert logins(sandbox) == [("token", 200), ("logout", 204)]


def test_the_session_is_logged_in_for_calls_of_ones_own(sandbox: Sandbox, client: OcpClient) -> None:
    assert client.session.get(f"{sandbox.url}/integrations/api/numbers-set").status_code == 200


def test_a_personal_access_token_needs_no_token_endpoint(sandbox: Sandbox, new_client: NewClient) -> None:
    with new_client(sandbox.url, personal_access_token=PAT) as client:
        assert read(client) == 120
    assert logins(sandbox) == []


# One-time codes


@pytest.fixture
def today(clock: FakeClock) -> FakeClock:
    """The fake clock at the beginning of a period of the present."""
    clock.now = time.time() // 30 * 30
    return clock


def test_a_one_time_code_is_computed_where_it_is_needed(
    sandbox: Sandbox, new_client: NewClient, today: FakeClock
) -> None:
    assert read(new_client(sandbox.url, login="careful", totp_secret=TOTP, clock=today)) == 120
    assert today.slept == []
    with pytest.raises(LoginRefused, match="totp_secret"):
        read(new_client(sandbox.url, login="careful"))


def test_no_code_is_given_twice(today: FakeClock) -> None:
    codes = OneTimeCodes(TOTP, today)
    today.now += 12
    given = [codes.next() for _ in range(3)]
    totp = pyotp.TOTP(TOTP)
    assert given == [totp.at(int(today.now) + shift) for shift in (-60, -30, 0)]
    assert today.slept == [18, 30]


def test_a_code_that_another_process_has_used_is_followed_by_the_next(
    sandbox: Sandbox, new_client: NewClient, today: FakeClock
) -> None:
    read(new_client(sandbox.url, login="careful", totp_secret=TOTP, clock=today))
    assert read(new_client(sandbox.url, login="careful", totp_secret=TOTP, clock=today)) == 120
    assert logins(sandbox) == [("token", 200), ("token", 401), ("token", 200)]


def test_a_wrong_password_is_tried_with_two_codes_and_no_more(
    sandbox: Sandbox, new_client: NewClient, today: FakeClock
) -> None:
    client = new_client(sandbox.url, login="careful", totp_secret=TOTP, password="wrong-4711", clock=today)
    for _ in range(3):
        with pytest.raises(LoginRefused):
            read(client)
    assert logins(sandbox) == [("token", 401)] * 2


def test_a_locked_account_is_left_alone(serve: Serve, new_client: NewClient, clock: FakeClock) -> None:
    server = serve(answer(400, b'{"error_description": "Account temporarily disabled"}'))
    with pytest.raises(LoginRefused, match="temporarily disabled"):
        read(new_client(server.url, totp_secret=TOTP, clock=clock))
    assert len(server.requests) == 1


def test_a_login_whose_answer_was_lost_is_repeated_with_a_new_code(
    sandbox: Sandbox, new_client: NewClient, today: FakeClock
) -> None:
    sandbox.faults.add(Fault(kind="drop_after", path="/auth/*", nth=1))
    assert read(new_client(sandbox.url, login="careful", totp_secret=TOTP, clock=today)) == 120
    assert [status for _, status in logins(sandbox)] == [None, 200]


def test_closing_ends_the_wait_for_a_code() -> None:
    clock = Clock()
    codes = OneTimeCodes(TOTP, clock)
    codes.next()
    codes._last += 10
    clock.stop()
    with pytest.raises(Interrupted):
        codes.next()


def test_an_error_of_the_login_is_settled_for_the_call_that_needed_it(
    sandbox: Sandbox, new_client: NewClient, no_waiting: None
) -> None:
    client = new_client(sandbox.url)
    sandbox.faults.add(Fault(kind="drop_after", path="/auth/*"))
    offer: dict[str, Any] = sandbox.stock("telnova", "US")[0]
    with pytest.raises(AnswerLost) as caught:
        client.numbers.buy(provider="telnova", numbers=[offer["number"]], group="retail-us")
    assert caught.value.settled
    assert sandbox.ledger()["entries"] == []
