"""The connection's fields: completed from the environment's name, or refused all at once in the form's words."""

from __future__ import annotations

from typing import Any

import pytest

from ocp_numbers.client import ENVIRONMENTS, ClientSettings
from ocp_numbers.errors import InvalidConnection

TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN = {"login": "ops", "password": "open-sesame-4711"}


@pytest.mark.parametrize(
    ("environment", "host", "token_host", "realm"),
    [
        ("EU1", "https://eu1-m.ocp.ai", "https://eu1-m.ocp.ai", "master"),
        ("US1", "https://us1-m.ocp.ai", "https://us1-m.ocp.ai", "master"),
        ("US2", "https://us2-m.ocp.ai", "https://auth.us2-m.ocp.ai", "master"),
        ("US1W", "https://us1-w-m.ocp.ai", "https://us1-w-m.ocp.ai", "master"),
        ("CA1", "https://pub.ca1.ocp.ai", "https://pub.ca1.ocp.ai", "ocp"),
        ("FRANKFURT", "https://pub.frankfurt.ocp.ai", "https://pub.frankfurt.ocp.ai", "ocp"),
    ],
)
def test_an_environment_fills_host_token_host_and_realm(
    environment: str, host: str, token_host: str, realm: str
) -> None:
    settings = ClientSettings(environment=environment, **LOGIN)
    assert (settings.host, settings.token_host, settings.realm) == (host, token_host, realm)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_host_of_an_environment_fills_token_host_and_realm_as_its_name_does(name: str) -> None:
    by_host = ClientSettings(host=f"{ENVIRONMENTS[name].host}/integrations/", **LOGIN)
    assert (by_host.host, by_host.token_host, by_host.realm) == ENVIRONMENTS[name]
    assert ClientSettings(host=ENVIRONMENTS[name].host, realm="own", **LOGIN).realm == "own"


def test_every_environment_is_in_the_table_above() -> None:
    assert set(ENVIRONMENTS) == {"EU1", "US1", "US2", "US1W", "CA1", "FRANKFURT"}


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://numbers.example", "https://numbers.example"),
        ("numbers.example", "https://numbers.example"),
        ("https://numbers.example/", "https://numbers.example"),
        ("https://numbers.example/integrations/", "https://numbers.example"),
        (" https://Numbers.Example:8443 ", "https://numbers.example:8443"),
        ("http://127.0.0.1:8091", "http://127.0.0.1:8091"),
        ("http://[::1]:8091", "http://[::1]:8091"),
    ],
)
def test_a_host_of_ones_own_may_be_written_as_people_copy_it(written: str, host: str) -> None:
    settings = ClientSettings(host=written, **LOGIN)
    assert (settings.host, settings.token_host, settings.realm) == (host, host, "master")


def test_empty_form_fields_mean_the_default() -> None:
    settings = ClientSettings(environment="", host="numbers.example", token_host=None, page_size="", access="", **LOGIN)
    assert (settings.page_size, settings.access, settings.max_concurrency) == (500, "paid", 8)


def test_numbers_may_come_as_text_from_a_form() -> None:
    settings = ClientSettings(environment="EU1", page_size="50", requests_per_second="2.5", **LOGIN)
    assert (settings.page_size, settings.requests_per_second) == (50, 2.5)


@pytest.mark.parametrize(("given", "seconds"), [(None, 60), ("", 60), (0, 0), ("0", 0), ("2.5", 2.5)])
def test_how_long_purchases_take_to_show_may_be_nothing_and_is_a_minute_unless_said(given: Any, seconds: float) -> None:
    assert ClientSettings(environment="EU1", settle_seconds=given, **LOGIN).settle_seconds == seconds


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"host": "http://numbers.example"}, "Host: http://numbers.example would send the password unencrypted"),
        ({"host": "https://numbers.example/app/x"}, "Host:"),
        ({"host": "https://numbers.example?x=1"}, "Host:"),
        ({"host": "https://ops:secret-1@numbers.example"}, "Host: holds a login"),
        ({"host": "https://numbers.example:99999"}, "Host:"),
        ({"host": "ftp://numbers.example"}, "Host:"),
        ({"host": "https://"}, "Host:"),
        ({"host": "https://numbers.example", "environment": "EU1"}, "Host: https://numbers.example contradicts"),
        ({"environment": "MARS"}, "Environment: 'MARS' is not known"),
        ({}, "Host: missing"),
        ({"environment": "EU1", "realm": "../admin"}, "Realm:"),
        ({"environment": "EU1", "totp_secret": "not base 32!"}, "One-time code secret:"),
        ({"environment": "EU1", "totp_secret": "ABC"}, "One-time code secret:"),
        ({"environment": "EU1", "personal_access_token": "pat-1234"}, "Personal access token: contradicts Login"),
        ({"environment": "EU1", "access": "admin"}, "Access: 'admin': "),
        ({"environment": "EU1", "page_size": 0}, "Page size: 0: "),
        ({"environment": "EU1", "page_size": True}, "Page size: True: "),
        ({"environment": "EU1", "max_concurrency": "many"}, "Max concurrency:"),
        ({"environment": "EU1", "requests_per_second": -1}, "Requests per second:"),
        ({"environment": "EU1", "connect_timeout": 0}, "Connect timeout:"),
        ({"environment": "EU1", "read_timeout": float("inf")}, "Read timeout:"),
        ({"environment": "EU1", "total_timeout": "soon"}, "Total timeout:"),
        ({"environment": "EU1", "settle_seconds": -0.1}, "Purchases show within (s):"),
        ({"environment": "EU1", "settle_seconds": "nan"}, "Purchases show within (s):"),
        ({"environment": "EU1", "settle_seconds": 86_401}, "Purchases show within (s):"),
        ({"environment": "EU1", "colour": "red"}, "colour:"),
    ],
)
def test_what_is_wrong_is_named_in_the_forms_words(fields: dict[str, Any], label: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        ClientSettings(**LOGIN, **fields)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(label)


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, ["Login", "Password"]),
        ({"login": "ops"}, ["Password"]),
        ({"password": "open-sesame-4711"}, ["Login"]),
        ({"login": " ", "password": "\t"}, ["Login", "Password"]),
    ],
)
def test_missing_credentials_are_named(fields: dict[str, str], missing: list[str]) -> None:
    with pytest.raises(InvalidConnection) as caught:
        ClientSettings(environment="EU1", **fields)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == missing


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidConnection) as caught:
        ClientSettings(access="admin", page_size=0, totp_secret="!", realm="a/b", token_host="ftp://x")
    labels = {problem.partition(":")[0] for problem in caught.value.problems}
    assert labels == {
        "Access",
        "Page size",
        "One-time code secret",
        "Realm",
        "Token host",
        "Host",
        "Login",
        "Password",
    }


def test_plain_http_can_be_allowed() -> None:
    assert ClientSettings(host="http://sandbox:8091", allow_plain_http=True, **LOGIN).host == "http://sandbox:8091"


def test_a_personal_access_token_stands_alone() -> None:
    settings = ClientSettings(environment="EU1", personal_access_token="pat-1234")
    assert settings.personal_access_token is not None


def test_a_one_time_code_secret_may_be_typed_in_groups() -> None:
    settings = ClientSettings(environment="EU1", totp_secret="jbsw y3dp-ehpk 3pxp jbsw y3dp ehpk 3pxp", **LOGIN)
    assert settings.totp_secret is not None
    assert settings.totp_secret.get_secret_value() == TOTP


@pytest.mark.parametrize("secret", ["password", "totp_secret", "personal_access_token"])
def test_a_refused_connection_does_not_show_its_secrets(secret: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        ClientSettings(**{"environment": "EU1", "page_size": 0, secret: "very secret\nindeed 4711"})
    assert "4711" not in str(caught.value) + repr(caught.value)


def test_settings_do_not_show_their_secrets() -> None:
    settings = ClientSettings(environment="EU1", totp_secret=TOTP, **LOGIN)
    assert "4711" not in f"{settings} {settings!r}"
    assert "JBSWY3" not in f"{settings} {settings!r}"
