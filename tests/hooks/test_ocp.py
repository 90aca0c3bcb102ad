from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import quote

import pyotp
import pytest
from airflow.models.connection import Connection as StoredConnection
from airflow.providers_manager import ProvidersManager
from airflow.sdk import Connection
from airflow.sdk.log import mask_logs
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime
from requests import Request, TooManyRedirects

from ocp_numbers.client import Clock, without_waiting
from ocp_numbers.client.settings import ENVIRONMENTS, LABELS
from ocp_numbers.errors import InvalidConnection
from ocp_numbers.get_provider_info import get_provider_info
from ocp_numbers.hooks import ocp
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_sandbox import Fault, Sandbox, Settings, User

TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
USERS = [
    User("ops", "opssecret"),
    User("two", "twosecret", totp=TOTP),
    User("robot", "robotsecret", pat="pat-4711-token"),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(numbers=30, users=USERS)) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _quick(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause takes time, nor does waiting for the next one-time code."""
    slept = [0.0]
    monkeypatch.setattr(Clock, "sleep", lambda _, seconds: slept.append(seconds))
    monkeypatch.setattr(Clock, "wall", lambda _: time.time() + sum(slept))
    sandbox.clear_calls()
    with without_waiting():
        yield
    sandbox.faults.clear()


class Connections:
    """Connections as Airflow finds them, in environment variables."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
        self._monkeypatch = monkeypatch
        self._sandbox = sandbox

    def json(self, **fields: Any) -> OcpNumbersHook:
        """A hook whose connection is a JSON object: the sandbox's owner, changed by ``fields``."""
        fields = {"conn_type": "ocp", "host": self._sandbox.url, "login": "ops", "password": "opssecret", **fields}
        return self.raw(json.dumps({name: value for name, value in fields.items() if value is not None}))

    def raw(self, value: str) -> OcpNumbersHook:
        """A hook whose connection is whatever stands in the environment variable."""
        self._monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", value)
        return OcpNumbersHook()


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Connections:
    return Connections(monkeypatch, sandbox)


def problems_of(hook: OcpNumbersHook) -> list[str]:
    with pytest.raises(InvalidConnection) as refused:
        _ = hook.settings
    return list(refused.value.problems)


class TestSettings:
    def test_constructing_a_hook_reads_nothing(self, sandbox: Sandbox) -> None:
        assert OcpNumbersHook("no_such_connection").environment == "no_such_connection"
        assert sandbox.calls() == []

    def test_from_json(self, connection: Connections, sandbox: Sandbox) -> None:
        settings = connection.json(
            extra={
                "access": "read",
                "page_size": 7,
                "max_concurrency": 3,
                "requests_per_second": 2.5,
                "realm": "ocp",
                "read_timeout": 9,
            }
        ).settings

        assert (settings.host, settings.login, settings.access) == (sandbox.url, "ops", "read")
        assert (settings.page_size, settings.max_concurrency, settings.requests_per_second) == (7, 3, 2.5)
        assert (settings.realm, settings.read_timeout) == ("ocp", 9)

    def test_from_a_uri(self, connection: Connections, sandbox: Sandbox) -> None:
        _, _, address = sandbox.url.partition("://")
        settings = connection.raw(f"ocp://ops:opssecret@{address}/http?page_size=7&access=write").settings

        assert (settings.host, settings.login, settings.page_size, settings.access) == (sandbox.url, "ops", 7, "write")

    def test_from_a_uri_with_the_whole_host_quoted(self, connection: Connections, sandbox: Sandbox) -> None:
        assert connection.raw(f"ocp://ops:opssecret@{quote(sandbox.url, safe='')}").settings.host == sandbox.url

    def test_from_the_form_which_stores_empty_fields(self, connection: Connections) -> None:
        empty = {"environment": "US2", "realm": "", "token_host": None, "totp_secret": "", "page_size": None}
        settings = connection.json(host="", schema="", port=None, extra=json.dumps(empty)).settings

        assert settings.host == ENVIRONMENTS["US2"].host
        assert settings.token_host == "https://auth.us2-m.ocp.ai"
        assert settings.page_size == 500

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("ocp.example.com", "https://ocp.example.com"),
            ("https://ocp.example.com/", "https://ocp.example.com"),
            ("https://ocp.example.com/integrations", "https://ocp.example.com"),
            ("https://ocp.example.com/integrations/", "https://ocp.example.com"),
            ("http://localhost:8091", "http://localhost:8091"),
        ],
    )
    def test_the_host_is_understood_as_people_write_it(self, connection: Connections, host: str, expected: str) -> None:
        assert connection.json(host=host).settings.host == expected

    @pytest.mark.parametrize("host", ["https://auth.ocp.example.com", "auth.ocp.example.com/integrations/"])
    @pytest.mark.parametrize(("port", "expected"), [(443, ""), (0, ""), (8443, ":8443")])
    def test_the_port_may_stand_beside_the_host(
        self, connection: Connections, host: str, port: int, expected: str
    ) -> None:
        assert connection.json(host=host, port=port).settings.host == f"https://auth.ocp.example.com{expected}"

    def test_a_port_that_stands_twice_counts_once(self, connection: Connections) -> None:
        assert connection.json(host="http://localhost:8091", port=8091).settings.host == "http://localhost:8091"

    def test_the_usual_port_leaves_an_environment_what_it_is(self, connection: Connections) -> None:
        settings = connection.json(host=ENVIRONMENTS["US2"].host, port=443).settings
        assert (settings.host, settings.token_host) == (ENVIRONMENTS["US2"].host, ENVIRONMENTS["US2"].token_host)

    def test_plain_http_needs_a_word_except_to_this_machine(self, connection: Connections) -> None:
        assert "unencrypted" in problems_of(connection.json(host="http://ocp.example.com"))[0]
        for word in (True, "true"):
            allowed = connection.json(host="http://ocp.example.com", extra={"allow_plain_http": word})
            assert allowed.settings.host == "http://ocp.example.com"

    def test_everything_missing_or_contradictory_is_named_at_once_in_the_forms_words(
        self, connection: Connections
    ) -> None:
        hook = connection.json(
            host=None,
            login=None,
            password=None,
            extra={"environment": "MARS", "access": "all", "page_size": 0, "pagesize": 3, "headers": {"a": "b"}},
        )
        problems = problems_of(hook)

        assert [problem.split(":")[0] for problem in problems] == [
            "Environment",
            "Login",
            "Password",
            "Access",
            "Page size",
            "Extra",
            "Extra",
        ]
        assert "did you mean 'page_size'?" in problems[5]

    @pytest.mark.parametrize("extra", ["{", "[1]", '"text"'])
    def test_an_extra_that_is_no_object_is_named(self, connection: Connections, extra: str) -> None:
        assert problems_of(connection.json(extra=extra))[-1].startswith("Extra: is not")

    @pytest.mark.parametrize("name", ["Authorization", "X-OCP-PERSONAL-ACCESS-TOKEN", "Cookie"])
    def test_a_header_that_would_replace_the_login_is_refused(self, connection: Connections, name: str) -> None:
        assert "would replace the login" in problems_of(connection.json(extra={name: "x"}))[0]


class TestSession:
    def test_is_logged_in(self, connection: Connections, sandbox: Sandbox) -> None:
        with connection.json() as hook:
            answer = hook.get_conn().get(f"{sandbox.url}/integrations/api/numbers-set")

        assert answer.status_code == 200

    def test_serves_http_hooks_own_run(self, connection: Connections) -> None:
        hook = connection.json()
        hook.method = "GET"

        assert hook.run("/integrations/api/numbers-set").status_code == 200
        hook.close()

    def test_has_the_connections_proxies_certificates_and_headers_but_none_of_its_settings(
        self, connection: Connections
    ) -> None:
        hook = connection.json(
            login="two",
            password="twosecret",
            extra={
                "verify": "/etc/ca.pem",
                "cert": "/etc/client.pem",
                "proxies": {"https": "http://proxy:3128"},
                "trust_env": False,
                "X-Team": "voice",
                "totp_secret": TOTP,
                "page_size": 7,
            },
        )

        for session in (hook.client.session, hook.get_conn(headers={"X-Run": "1"})):
            assert (session.verify, session.cert, session.trust_env) == ("/etc/ca.pem", "/etc/client.pem", False)
            assert session.proxies == {"https": "http://proxy:3128"}
            assert session.headers["X-Team"] == "voice"
            assert TOTP not in str(session.headers)
            assert "page_size" not in session.headers
        assert session.headers["X-Run"] == "1"

    def test_follows_no_redirect(self, connection: Connections, sandbox: Sandbox) -> None:
        sandbox.faults.add(Fault("GET", "/api/numbers-set", kind="redirect", url=f"{sandbox.url}/elsewhere"))
        with connection.json() as hook, pytest.raises(TooManyRedirects):
            hook.get_conn().get(f"{sandbox.url}/integrations/api/numbers-set")

        assert not [call for call in sandbox.calls() if "elsewhere" in call["path"]]

    def test_gives_its_credentials_to_no_other_host(self, connection: Connections) -> None:
        with connection.json() as hook, Sandbox(Settings(numbers=0)) as stranger:
            sent = hook.get_conn().get(f"{stranger.url}/integrations/api/numbers-set").request.headers

        assert "Authorization" not in sent

    def test_closing_logs_out_and_the_next_use_logs_in_anew(self, connection: Connections, sandbox: Sandbox) -> None:
        hook = connection.json()
        for _ in range(2):
            hook.client.sets.list()
            hook.close()
        hook.close()

        paths = [call["path"].rpartition("/")[2] for call in sandbox.calls()]
        assert paths == ["token", "numbers-set", "logout"] * 2


def test_obtained_tokens_are_hidden_from_airflows_logs(connection: Connections, sandbox: Sandbox) -> None:
    with connection.json() as hook:
        request = hook.get_conn().prepare_request(Request("GET", f"{sandbox.url}/integrations/api/numbers"))
        token = str(request.headers["Authorization"]).removeprefix("Bearer ")
        masked = mask_logs(logging.getLogger(), "info", {"event": f"sending {token} and opssecret"})

    assert masked["event"] == "sending *** and ***"


class TestTestConnection:
    def test_says_who_and_how_many(self, connection: Connections, sandbox: Sandbox) -> None:
        assert connection.json().test_connection() == (
            True,
            f"Logged in at {sandbox.url}; 30 numbers are visible to this login.",
        )
        assert sandbox.calls()[-1]["path"].endswith("/logout")

    def test_works_with_a_one_time_code(self, connection: Connections) -> None:
        hook = connection.json(login="two", password="twosecret", extra={"totp_secret": TOTP})

        assert hook.test_connection()[0] is True

    def test_works_with_a_personal_access_token(self, connection: Connections) -> None:
        hook = connection.json(login=None, password=None, extra={"personal_access_token": "pat-4711-token"})

        assert hook.test_connection()[0] is True

    @pytest.mark.parametrize(
        ("fields", "starts"),
        [
            ({"password": "wrong-one"}, "Password or Login: wrong"),
            ({"login": "two", "password": "twosecret"}, "Password or Login: wrong; or, if two-factor login is on"),
            (
                {"login": "two", "password": "twosecret", "extra": {"totp_secret": pyotp.random_base32()}},
                "Login, Password or One-time code secret:",
            ),
            ({"extra": {"realm": "ocp"}}, "Realm: 'ocp' does not exist"),
            ({"host": "http://127.0.0.1:9"}, "Host: http://127.0.0.1:9 cannot be reached"),
            ({"extra": {"token_host": "http://127.0.0.1:9"}}, "Token host: http://127.0.0.1:9 cannot be reached"),
            ({"host": "http://no-such-host.invalid"}, "Host: http://no-such-host.invalid would send"),
            (
                {"login": None, "password": None, "extra": {"personal_access_token": "pat-0815-wrong"}},
                "Personal access token: refused",
            ),
            ({"login": None}, "Login: missing"),
        ],
    )
    def test_names_the_field_to_change(self, connection: Connections, fields: dict[str, Any], starts: str) -> None:
        worked, message = connection.json(**fields).test_connection()

        assert worked is False
        assert message.startswith(starts)
        assert not any(secret in message for secret in ("wrong-one", "twosecret", "opssecret", "pat-0815"))

    def test_missing_rights_are_told_from_a_wrong_password(self, connection: Connections, sandbox: Sandbox) -> None:
        sandbox.faults.add(Fault("GET", "/api/numbers", kind="status", status=403))
        worked, message = connection.json().test_connection()

        assert worked is False
        assert message.startswith("Login: ops was let in, but may not read numbers")

    def test_a_login_that_sees_no_number_is_asked_about(self, connection: Connections) -> None:
        with Sandbox(Settings(numbers=0)) as other:
            worked, message = connection.json(host=other.url, password="secret").test_connection()

        assert worked is True
        assert message.endswith(
            "0 numbers are visible to this login. If there should be some, ask for rights in their groups."
        )

    def test_who_waits_for_the_answer_is_not_kept_waiting(self, connection: Connections, sandbox: Sandbox) -> None:
        sandbox.faults.add(Fault("GET", "/api/numbers", kind="status", status=503))

        assert connection.json().test_connection()[0] is False
        assert [call["path"] for call in sandbox.calls()].count("/api/numbers") == 2

    def test_a_server_that_hangs_up_was_reached(self, connection: Connections, sandbox: Sandbox) -> None:
        sandbox.faults.add(Fault("GET", "/api/numbers", kind="drop_before"))

        assert connection.json().test_connection()[1].startswith(f"Host: {sandbox.url} was reached, but gave no whole")

    def test_a_locked_account_is_told(self, connection: Connections) -> None:
        with Sandbox(Settings(numbers=0)) as other:
            for _ in range(5):
                connection.json(host=other.url, login="ops", password="wrong-one").test_connection()
            worked, message = connection.json(host=other.url, login="ops", password="secret").test_connection()

        assert worked is False
        assert message.startswith("Login: ops is locked or disabled")

    def test_an_account_that_was_never_finished_is_told(self, connection: Connections, sandbox: Sandbox) -> None:
        body = '{"error": "invalid_grant", "error_description": "Account is not fully set up"}'
        sandbox.faults.add(Fault("POST", "*/token", kind="status", status=400, body=body))

        worked, message = connection.json().test_connection()

        assert worked is False
        assert "has to finish its setup first: sign in to OCP's console once" in message

    @pytest.mark.parametrize("status", [200, 302, 404])
    def test_a_web_server_that_is_not_ocp_is_told(self, connection: Connections, status: int) -> None:
        with not_ocp(status) as url:
            worked, message = connection.json(host=url).test_connection()

        assert worked is False
        assert message.startswith(("Host: ", "Token host: "))
        assert url in message

    def test_is_what_airflows_button_calls(self, connection: Connections, sandbox: Sandbox) -> None:
        connection.json()
        stored = StoredConnection(
            conn_id="ocp_default", conn_type="ocp", host=sandbox.url, login="ops", password="opssecret"
        )

        assert stored.test_connection()[0] is True  # type: ignore[no-untyped-call]
        assert Connection(
            conn_id="other", conn_type="ocp", host=sandbox.url, login="ops", password="opssecret"
        ).test_connection()[0]


class not_ocp:  # noqa: N801 - reads as a context
    """A web server that knows nothing of OCP."""

    def __init__(self, status: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                page = b"<html>Welcome</html>"
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Location", "/login")
                self.end_headers()
                self.wfile.write(page)

            do_GET = do_POST  # noqa: N815 - so named by http.server

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> str:
        self._thread.start()
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class TestForm:
    """The form as Airflow makes it of the provider's own description, found through the installed distribution."""

    @pytest.fixture
    def fields(self) -> dict[str, Any]:
        widgets = ProvidersManager()._connection_form_widgets_from_metadata  # type: ignore[no-untyped-call]
        return {
            key.removeprefix("extra__ocp__"): widget
            for key, widget in widgets.items()
            if key.startswith("extra__ocp__")
        }

    def test_speaks_the_words_that_the_errors_use(self, fields: dict[str, Any]) -> None:
        assert {name: widget.field["schema"]["title"] for name, widget in fields.items()} == {
            name: LABELS[name] for name in fields
        }

    def test_offers_the_environments_that_there_are(self, fields: dict[str, Any]) -> None:
        assert fields["environment"].field["schema"]["enum"] == ["", *ENVIRONMENTS]

    def test_helps_with_each_field(self, fields: dict[str, Any]) -> None:
        assert all(widget.field["description"].endswith((".", "read.")) for widget in fields.values())
        assert set(fields) <= set(ocp.SETTINGS)

    def test_masks_the_secrets(self, fields: dict[str, Any]) -> None:
        assert {name for name, widget in fields.items() if widget.is_sensitive} == {
            "totp_secret",
            "personal_access_token",
        }

    def test_hides_what_has_no_use_and_shows_the_port_that_the_test_button_needs(self) -> None:
        behaviour = ProvidersManager().field_behaviours["ocp"]  # type: ignore[no-untyped-call]

        assert set(behaviour["hidden_fields"]) == {"schema"}

    def test_the_defaults_shown_are_those_in_force(self, fields: dict[str, Any], connection: Connections) -> None:
        settings = connection.json().settings

        shown = {name: widget.field["schema"].get("default") for name, widget in fields.items()}
        assert {name: getattr(settings, name) for name, value in shown.items() if value is not None} == {
            name: value for name, value in shown.items() if value is not None
        }


def test_the_hook_is_the_one_of_its_connection_type() -> None:
    found = ProvidersManagerTaskRuntime().hooks["ocp"]  # type: ignore[no-untyped-call]

    assert found is not None
    assert found.hook_class_name == f"{OcpNumbersHook.__module__}.{OcpNumbersHook.__name__}"
    assert found.connection_id_attribute_name == OcpNumbersHook.conn_name_attr
    assert get_provider_info()["connection-types"][0]["hook-name"] == OcpNumbersHook.hook_name
