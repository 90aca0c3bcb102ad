"""No secret, given or obtained, is ever said aloud: not by an error, not by a repr, not by any log."""

from __future__ import annotations

import html
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.conftest import NewClient, Serve
from client.fake_clock import FakeClock
from client.raw_server import answer, hang_up
from ocp_numbers.client import OcpClient
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.errors import OcpError

PASSWORD = 'pass "wörd" & 4711'
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ACCESS, REFRESH = "access-token-4712", "refresh-token-4713"
GRANT = json.dumps(
    {"access_token": ACCESS, "expires_in": 300, "refresh_token": REFRESH, "refresh_expires_in": 1800}
).encode()
GIVEN = [PASSWORD, json.dumps(PASSWORD)[1:-1], quote_plus(PASSWORD), TOTP]
TOLD_BY = ["4711", "4712", "4713", TOTP]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that any logger says, down to DEBUG."""
    with caplog.at_level(logging.DEBUG):
        for name in ("urllib3", "requests", "ocp_numbers"):
            caplog.set_level(logging.DEBUG, logger=name)
        yield caplog


def echo(status: int, *obtained: str) -> bytes:
    """An answer that repeats every credential in its message, in one spelling after the other."""
    return answer(status, json.dumps({"message": " | ".join([*GIVEN, *obtained])}).encode())


def echo_all(status: int) -> bytes:
    """As :func:`echo`, with the tokens as well."""
    return echo(status, ACCESS, REFRESH)


@pytest.mark.parametrize(
    "acts",
    [
        [echo(401)],
        [echo(400)],
        [answer(body=GRANT.replace(b"expires_in", b"expires"))],
        [hang_up],
        *([answer(body=GRANT), said] for said in (
            *map(echo_all, (400, 403, 404, 409, 429, 500)), hang_up,
            answer(body=json.dumps({"success": False, "message": PASSWORD + ACCESS}).encode()),
            answer(body=json.dumps({"success": PASSWORD}).encode()),
            answer(302, Location=f"https://elsewhere.example/{ACCESS}?password={quote_plus(PASSWORD)}"),
            answer(500, f"<html>{ACCESS}</html>".encode()),
            answer(500, PASSWORD.encode()),
        )),
        [answer(body=GRANT), echo_all(401), echo_all(400), echo_all(401)],
    ],
)  # fmt: skip
def test_nothing_that_is_said_about_a_failed_call_holds_a_secret(
    acts: list[bytes], serve: Serve, new_client: NewClient, heard: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    server = serve(*acts)
    client = new_client(server.url, password=PASSWORD, totp_secret=TOTP, clock=clock)
    with pytest.raises(OcpError) as caught:
        client.numbers.update_note("+12125550123", note="x")
    client.close()
    error = caught.value
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + repr(client) + heard.text
    assert server.requests
    assert [mark for mark in TOLD_BY if mark in told] == []
    assert _chain(error) == [error], "an exception of the HTTP library would carry the request with its headers"


def _chain(error: BaseException | None) -> list[BaseException]:
    return [error, *_chain(error.__cause__ or error.__context__)] if error else []


def test_a_call_that_succeeds_says_no_secret_either(
    serve: Serve, new_client: NewClient, heard: pytest.LogCaptureFixture
) -> None:
    server = serve(answer(body=GRANT), answer(body=b"[]"))
    client = new_client(server.url, password=PASSWORD, totp_secret=TOTP)
    client.sets.list()
    client.close()
    assert "sets.list GET /api/numbers-set: 200" in heard.text
    assert [mark for mark in TOLD_BY if mark in heard.text] == []


def test_every_secret_is_made_known_to_the_masker_once(serve: Serve, new_client: NewClient) -> None:
    masked: list[str] = []
    server = serve(answer(body=GRANT), answer(body=b"[]"))
    client: OcpClient = new_client(server.url, password=PASSWORD, totp_secret=TOTP, on_secret=masked.append)
    client.sets.list()
    client.sets.list()
    assert masked == [PASSWORD, TOTP, ACCESS, REFRESH]


def test_a_secret_is_blotted_out_before_the_message_is_cut() -> None:
    redactor = Redactor()
    redactor.learn("sesame-sesame")
    cleaned = redactor.clean("x" * 495 + "sesame-sesame")
    assert cleaned == "x" * 495 + "***"


def test_a_secret_that_holds_another_is_blotted_out_whole() -> None:
    redactor = Redactor()
    redactor.learn("sesame")
    redactor.learn("sesame-4711")
    assert redactor.clean("open sesame-4711!") == "open ***!"


@pytest.mark.parametrize("spell", [str.upper, json.dumps, quote_plus, repr, html.escape, lambda text: text[3:14]])
def test_a_secret_is_blotted_out_however_somebody_else_spells_it(spell: Callable[[str], str]) -> None:
    redactor = Redactor()
    redactor.learn(PASSWORD)
    told = redactor.clean(f"before {spell(PASSWORD)} behind")
    assert told.startswith("before ")
    assert told.endswith(" behind")
    assert "4711" not in told
    assert "w\u00f6rd" not in told.lower()


@given(secret=st.text(min_size=8, max_size=40), before=st.text(max_size=20), behind=st.text(max_size=20))
def test_no_piece_of_eight_characters_is_ever_left(secret: str, before: str, behind: str) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    told = redactor.clean(before + secret + behind)
    pieces = {secret[start : start + 8] for start in range(len(secret) - 7)}
    assert not [piece for piece in pieces if piece in told]


def test_tokens_that_were_replaced_are_forgotten_in_the_end_and_given_secrets_never() -> None:
    redactor = Redactor()
    redactor.learn("given-for-good")
    for letter in "abcdefghi":
        redactor.learn(f"obtained-{letter * 12}", passing=True)
    assert redactor.clean("given-for-good") == "***"
    assert redactor.clean("i" * 12) == "***"
    assert redactor.clean("a" * 12) == "a" * 12


def test_what_holds_credentials_cannot_be_written_down(serve: Serve, new_client: NewClient) -> None:
    server = serve(answer(body=GRANT))
    for options in ({"password": PASSWORD}, {"personal_access_token": ACCESS}):
        client = new_client(server.url, **options)
        for part in (client.settings, client.session, client.session.auth, client):
            with pytest.raises(TypeError, match="pickle"):
                pickle.dumps(part)
