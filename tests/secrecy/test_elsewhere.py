"""Credentials go to OCP and to nobody else: not where an answer points to, not to proxies, not into error messages."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.exceptions import TooManyRedirects

from client.certificates import certificate, tls_server
from ocp_numbers.client import ClientSettings, OcpClient, Retry
from ocp_numbers.errors import ApiError, InvalidConnection, NotConnected, OcpError, Redirected
from ocp_numbers.hooks.ocp import OcpNumbersHook
from secrecy.canaries import HEADER, PASSWORD, PAT, PROXY, leaks
from secrecy.servers import WAYS, Act, Recorder, Said, Tunnel, grant, recorder, refusing, tunnel

ONCE = Retry(attempts=1)
NewServer = Callable[..., Recorder]
Connect = Callable[..., OcpNumbersHook]


@pytest.fixture
def server() -> Iterator[NewServer]:
    """Starts servers that answer as they are told."""
    with ExitStack() as stack:
        yield lambda act, **options: stack.enter_context(recorder(act, **options))


@pytest.fixture
def elsewhere(server: NewServer) -> Recorder:
    """A server of somebody else, that says yes to everything."""
    return server(lambda heard: Said(200, b"[]"))


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Makes hooks whose connection leads to a server, by password or by token."""

    def connect(url: str, *, by_token: bool = False, **extra: Any) -> OcpNumbersHook:
        who = {} if by_token else {"login": "ops", "password": PASSWORD.value}
        extra = {"X-Gateway-Key": HEADER.value, **extra, **({"personal_access_token": PAT.value} if by_token else {})}
        monkeypatch.setenv(
            "AIRFLOW_CONN_OCP_DEFAULT", json.dumps({"conn_type": "ocp", "host": url, **who, "extra": extra})
        )
        return OcpNumbersHook(method="GET")

    return connect


def client_of(url: str, *, by_token: bool = False, **options: Any) -> OcpClient:
    who = {"personal_access_token": PAT.value} if by_token else {"login": "ops", "password": PASSWORD.value}
    session = options.pop("session", None)
    return OcpClient(ClientSettings(host=url, **who, **options), session=session, retry=ONCE)


def all_of(error: BaseException | None) -> str:
    """Whatever an exception says, by itself and by those behind it."""
    if error is None:
        return ""
    said = [repr(error), str(error), repr(error.args), repr(vars(error)), *getattr(error, "__notes__", ())]
    return "\n".join([*said, *traceback.format_exception(error), all_of(error.__cause__), all_of(error.__context__)])


def what_comes_of(act: Callable[[], object]) -> Exception | None:
    """The error that ``act`` ends in, if any."""
    try:
        act()
    except Exception as error:
        return error
    return None


TARGETS: dict[str, Callable[[Recorder], str]] = {
    "another port": lambda other: f"{other.url}/taken",
    "another name": lambda other: f"http://localhost:{other.server_port}/taken",
    "no scheme": lambda other: f"//127.0.0.1:{other.server_port}/taken",
    "a login of its own": lambda other: f"http://ops:{PASSWORD.unit}@127.0.0.1:{other.server_port}/taken",
    "a login that looks like a host": lambda other: f"http://eu1-m.ocp.ai@127.0.0.1:{other.server_port}/taken",
    "a backslash": lambda other: f"http:\\\\127.0.0.1:{other.server_port}\\taken",
}


def redirecting(status: int, target: str, *, at_login: bool) -> Act:
    away = Said(status, headers={"Location": target, "Refresh": f"0; url={target}", "Link": f"<{target}>; rel=next"})
    return lambda heard: grant() if heard.is_login and not at_login else away


@pytest.mark.parametrize("at_login", [True, False], ids=["at login", "at a call"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_no_redirect_is_followed(
    server: NewServer, elsewhere: Recorder, status: int, target: str, at_login: bool
) -> None:
    first = server(redirecting(status, TARGETS[target](elsewhere), at_login=at_login))
    with client_of(first.url) as client, pytest.raises(Redirected) as refused:
        client.numbers.update_note("+12125550123", note="x")
    assert first.heard
    assert elsewhere.heard == []
    assert leaks(all_of(refused.value)) == []


@pytest.mark.parametrize("by_token", [False, True], ids=["by password", "by token"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_session_of_your_own_follows_none_either(
    server: NewServer, elsewhere: Recorder, connect: Connect, status: int, target: str, by_token: bool
) -> None:
    first = server(redirecting(status, TARGETS[target](elsewhere), at_login=False))
    with connect(first.url, by_token=by_token) as hook:
        session = hook.get_conn()
        for act in (
            lambda: session.get(f"{first.url}/integrations/api/numbers"),
            lambda: session.put(f"{first.url}/integrations/api/numbers", json={}),
            lambda: hook.run("/integrations/api/numbers"),
        ):
            with pytest.raises(TooManyRedirects):
                act()
    assert elsewhere.heard == []


def test_from_https_nothing_goes_to_http(server: NewServer, elsewhere: Recorder, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    first = server(
        redirecting(307, f"{elsewhere.url}/integrations/api/numbers-set", at_login=False), tls=tls_server(pem)
    )
    session = requests.Session()
    session.verify = str(pem)
    with client_of(first.url, session=session) as client, pytest.raises(Redirected):
        client.sets.list()
    assert elsewhere.heard == []


def test_pages_links_and_cookies_of_an_answer_lead_nowhere(server: NewServer, elsewhere: Recorder) -> None:
    lure = {
        "Set-Cookie": "session=1; Domain=127.0.0.1; Path=/",
        "Refresh": f"0; url={elsewhere.url}",
        "Link": f"<{elsewhere.url}>; rel=next",
        "Location": elsewhere.url,
        "Content-Location": elsewhere.url,
        "Alt-Svc": f'h2="127.0.0.1:{elsewhere.server_port}"',
    }
    first = server(lambda heard: grant() if heard.is_login else Said(200, b"[]", headers=lure))
    with client_of(first.url) as client:
        client.sets.list()
        client.sets.list()
    assert len(first.heard) == 4
    assert not any("Cookie" in heard.headers for heard in first.heard)
    assert elsewhere.heard == []


def test_credentials_go_to_each_host_only_what_is_its_own(server: NewServer, connect: Connect) -> None:
    """The platform never sees the password, the token host never a bearer token, and a stranger neither."""
    tokens = server(lambda heard: grant())
    platform = server(lambda heard: Said(200, b"[]"))
    stranger = server(lambda heard: Said(200, b"[]"))
    with connect(platform.url, token_host=tokens.url) as hook:
        hook.client.sets.list()
        hook.get_conn().get(f"{platform.url}/integrations/api/numbers-set")
        hook.get_conn().get(f"{stranger.url}/integrations/api/numbers-set")
        hook.get_conn().get(f"http://127.0.0.1:{platform.server_port}@127.0.0.1:{stranger.server_port}/")
    assert {leak.canary for leak in leaks(platform.text)} == {"access token", "header that a gateway wants"}
    assert {leak.canary for leak in leaks(tokens.text)} == {
        "password", "refresh token", "header that a gateway wants",
    }  # fmt: skip
    assert len(stranger.heard) == 2
    assert {leak.canary for leak in leaks(stranger.text)} == {"header that a gateway wants"}


def test_a_netrc_is_not_read(
    server: NewServer, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login ops password {PROXY.unit}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert requests.utils.get_netrc_auth("http://127.0.0.1") == ("ops", PROXY.unit)
    platform = server(lambda heard: grant() if heard.is_login else Said(200, b"[]"))
    for by_token in (False, True):
        with connect(platform.url, by_token=by_token) as hook:
            hook.client.sets.list()
            hook.get_conn().get(f"{platform.url}/integrations/api/numbers-set")
            hook.get_conn().get(f"http://localhost:{platform.server_port}/")
    assert len(platform.heard) == 8
    assert not any(heard.headers.get("Authorization", "Bearer").startswith("Basic") for heard in platform.heard)
    assert "password of the proxy" not in {leak.canary for leak in leaks(platform.text)}


class TestProxy:
    @pytest.fixture
    def proxy(self) -> Iterator[Tunnel]:
        with tunnel() as proxy:
            yield proxy

    @pytest.mark.parametrize("source", ["environment", "connection"])
    def test_a_proxy_learns_of_an_https_host_only_its_name(
        self,
        server: NewServer,
        connect: Connect,
        proxy: Tunnel,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        source: str,
    ) -> None:
        pem = certificate(tmp_path)
        platform = server(lambda heard: grant() if heard.is_login else Said(200, b"[]"), tls=tls_server(pem))
        address = f"http://ops:{PROXY.value}@127.0.0.1:{proxy.port}"
        if source == "environment":
            monkeypatch.setenv("HTTPS_PROXY", address)
        extra = {"proxies": {"https": address}} if source == "connection" else {}
        with connect(platform.url, verify=str(pem), **extra) as hook:
            hook.client.sets.list()
        assert [heard.is_login for heard in platform.heard] == [True, False, True]
        assert proxy.passed.startswith(f"CONNECT 127.0.0.1:{platform.server_port} ".encode())
        assert {leak.canary for leak in leaks(proxy.passed)} == {"password of the proxy"}
        assert "password of the proxy" not in {leak.canary for leak in leaks(platform.text)}

    @pytest.mark.parametrize("status", [301, 401, 407, 502])
    def test_a_proxy_that_refuses_gets_nothing_and_its_answer_is_not_repeated(
        self, server: NewServer, elsewhere: Recorder, connect: Connect, status: int
    ) -> None:
        lure = {"Location": elsewhere.url, "Proxy-Authenticate": f"Basic realm={PROXY.value}"}
        refusing = server(lambda heard: Said(status, str(heard.headers).encode(), headers=lure))
        address = f"http://ops:{PROXY.value}@127.0.0.1:{refusing.server_port}"
        hook = connect("https://127.0.0.1:9", proxies={"https": address})
        works, message = hook.test_connection()
        with pytest.raises(NotConnected) as failed:
            hook.client.sets.list()
        assert not works
        assert leaks(message + all_of(failed.value)) == []
        assert {heard.method for heard in refusing.heard} == {"CONNECT"}
        assert {leak.canary for leak in leaks(refusing.text)} == {"password of the proxy"}
        assert elsewhere.heard == []

    @pytest.mark.parametrize(
        "address", [f"http://ops:{PROXY.value}/@127.0.0.1:9", f"http://ops:{PROXY.value}@[::1", "ftp:x"]
    )
    def test_an_address_that_cannot_be_is_told_without_its_password(self, connect: Connect, address: str) -> None:
        works, message = connect("https://127.0.0.1:9", proxies={"https": address}).test_connection()
        assert not works
        assert leaks(message) == []


@pytest.mark.parametrize("way", range(len(WAYS)))
@pytest.mark.parametrize("at_login", [True, False], ids=["at login", "at a call"])
def test_an_answer_that_repeats_what_it_was_sent_is_not_repeated(
    server: NewServer, connect: Connect, caplog: pytest.LogCaptureFixture, way: int, at_login: bool
) -> None:
    caplog.set_level("DEBUG")
    platform = server(lambda heard: grant() if heard.is_login and not at_login else WAYS[way](heard))
    hook = connect(platform.url)
    with pytest.raises(ApiError) as failed:
        hook.client.sets.list()
    said = [str(hook.test_connection()), all_of(failed.value)]
    if not at_login:
        said.append(all_of(what_comes_of(lambda: hook.run("/integrations/api/numbers-set"))))
    hook.close()
    assert leaks("\n".join(said)) == []
    assert leaks("\n".join(r.getMessage() for r in caplog.records if r.name.startswith("ocp_numbers"))) == []


@pytest.mark.parametrize(
    "host",
    [
        f"https://ops:{PASSWORD.unit}@eu1-m.ocp.ai",
        f"https://eu1-m.ocp.ai@{PASSWORD.unit}.example",
        f"https://eu1-m.ocp.ai:{PASSWORD.unit}@127.0.0.1",
        f"https://ops:{PASSWORD.unit}/@127.0.0.1",
        f"https://ops:{PASSWORD.unit}[@127.0.0.1",
        f"https://eu1-m.ocp.ai\\@{PASSWORD.unit}",
        f"https://eu1-m.ocp.ai?key={PASSWORD.unit}",
        f"https://eu1-m.ocp.ai#{PASSWORD.unit}",
    ],
)
def test_a_host_that_is_more_than_a_host_is_refused_without_being_repeated(host: str, connect: Connect) -> None:
    with pytest.raises(InvalidConnection) as refused:
        _ = connect(host).settings
    assert leaks(all_of(refused.value)) == []
    assert str(refused.value).startswith("Host: ")


def test_a_login_that_is_refused_is_told_with_nothing_of_it(server: NewServer, connect: Connect) -> None:
    platform = server(refusing())
    for _ in WAYS:
        hook = connect(platform.url, totp_secret="JX5TQ3M7W" * 3 + "A")
        with pytest.raises(OcpError) as failed:
            hook.client.sets.list()
        said = all_of(failed.value)
        assert leaks(said) == []
        assert platform.heard[-1].body.partition("otp=")[2][:6] not in said
