"""Certificates are verified unless the connection says in so many words that they are not; that is told each time."""

from __future__ import annotations

import json
import logging
import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from client.certificates import certificate, tls_server
from ocp_numbers.client import ClientSettings, OcpClient, Retry
from ocp_numbers.errors import InvalidConnection, NotConnected
from ocp_numbers.hooks.ocp import OcpNumbersHook
from secrecy.canaries import PASSWORD, leaks
from secrecy.servers import Recorder, Said, grant, recorder

UNVERIFIED = "TLS certificates are not verified"
Connect = Callable[..., OcpNumbersHook]


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def platform(pem: Path) -> Iterator[Recorder]:
    """A platform whose certificate nobody vouches for."""
    with recorder(lambda heard: grant() if heard.is_login else Said(200, b"[]"), tls_server(pem)) as server:
        yield server


@pytest.fixture
def connect(platform: Recorder, monkeypatch: pytest.MonkeyPatch) -> Connect:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    def connect(url: str = platform.url, **extra: Any) -> OcpNumbersHook:
        connection = {"conn_type": "ocp", "host": url, "login": "ops", "password": PASSWORD.value, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", json.dumps(connection))
        return OcpNumbersHook()

    return connect


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"verify": True},
        {"verify": "true"},
        {"verify": None},
        {"verify": ""},
        {"verify_ssl": " "},
        {"trust_env": False},
    ],
    ids=str,
)
def test_a_certificate_that_nobody_vouches_for_is_refused(
    platform: Recorder, connect: Connect, extra: dict[str, Any]
) -> None:
    hook = connect(**extra)
    with pytest.raises(NotConnected, match="give its file as verify") as refused:
        hook.client.sets.list()
    assert not refused.value.transient
    assert platform.heard == []
    works, message = hook.test_connection()
    assert not works
    assert "TLS certificate was refused (self-signed certificate)" in message
    assert "'verify' in the connection's Extra" in message


@pytest.mark.parametrize("name", ["verify", "verify_ssl"])
def test_the_ca_of_the_connection_vouches(
    platform: Recorder, connect: Connect, pem: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with connect(**{name: str(pem)}) as hook:
        assert not hook.client.sets.list()
        assert hook.get_conn().get(f"{platform.url}/integrations/api/numbers-set").json() == []
    assert UNVERIFIED not in caplog.text


def test_the_ca_of_the_environment_vouches(
    platform: Recorder, connect: Connect, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = connect()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    with hook:
        assert not hook.client.sets.list()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")  # urllib3 has a warning of its own
@pytest.mark.parametrize("off", [False, "false", "False"])
def test_switched_off_in_so_many_words_it_works_and_says_so_each_time(
    connect: Connect, caplog: pytest.LogCaptureFixture, off: object
) -> None:
    for time in (1, 2):
        with connect(verify=off) as hook:
            assert not hook.client.sets.list()
        told = [record for record in caplog.records if UNVERIFIED in record.getMessage()]
        assert len(told) == time
        assert {record.levelno for record in told} == {logging.WARNING}


@pytest.mark.parametrize("unclear", [0, 1, 0.0, [], ["false"], {}])
@pytest.mark.parametrize("name", ["verify", "verify_ssl"])
def test_what_only_looks_like_off_is_refused(connect: Connect, platform: Recorder, name: str, unclear: object) -> None:
    with pytest.raises(InvalidConnection, match=rf"Extra: {name}: .* says nothing clear; write true, false"):
        connect(**{name: unclear}).client.sets.list()
    assert platform.heard == []


@pytest.mark.parametrize("empty", [None, "", 0])
def test_a_session_that_only_looks_like_off_is_verified(platform: Recorder, empty: Any) -> None:
    session = requests.Session()
    session.verify = empty
    settings = ClientSettings(host=platform.url, login="ops", password=PASSWORD.value)
    with OcpClient(settings, session=session) as client, pytest.raises(NotConnected, match="certificate was refused"):
        client.sets.list()
    assert platform.heard == []


def test_older_tls_than_1_2_is_not_spoken(pem: Path) -> None:
    old = tls_server(pem)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    session = requests.Session()
    session.verify = str(pem)
    with recorder(lambda heard: grant(), old) as server:
        settings = ClientSettings(host=server.url, login="ops", password=PASSWORD.value)
        client = OcpClient(settings, session=session, retry=Retry(attempts=1))
        with client, pytest.raises(NotConnected, match=r"TLS 1\.2 or newer could not be agreed on") as refused:
            client.sets.list()
    assert server.heard == []
    assert leaks(str(refused.value)) == []


def test_a_host_without_tls_is_told_from_one_with_a_bad_certificate(connect: Connect) -> None:
    with recorder(lambda heard: Said(200)) as plain:
        hook = connect(plain.url.replace("http:", "https:"))
        works, message = hook.test_connection()
    assert not works
    assert "does https belong there?" in message
    assert plain.heard == []
