"""From an Airflow connection of type ``ocp`` to a client: reads the connection, prepares the session, and no more."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.log import mask_secret
from pydantic import SecretStr

from ocp_numbers.client import ClientSettings, OcpClient, Retry
from ocp_numbers.errors import InvalidConnection, OcpError
from ocp_numbers.hooks.diagnosis import explain
from ocp_numbers.metrics import tell_calls

if TYPE_CHECKING:
    from requests import Response, Session

SETTINGS = (
    "environment",
    "realm",
    "token_host",
    "totp_secret",
    "personal_access_token",
    "access",
    "page_size",
    "max_concurrency",
    "requests_per_second",
    "connect_timeout",
    "read_timeout",
    "total_timeout",
    "settle_seconds",
    "allow_plain_http",
)
"""Keys of the connection's extra that are the client's settings."""

SECRETS = ("password", "totp_secret", "personal_access_token")
VERIFY = ("verify", "verify_ssl")
HTTP_OPTIONS = ("proxies", "proxy", *VERIFY, "cert", "trust_env")
"""Keys of the extra that shape the session, with the meaning that ``HttpHook`` gives them."""

CREDENTIAL_HEADERS = ("authorization", "proxy-authorization", "x-ocp-personal-access-token", "cookie")


class OcpNumbersHook(HttpHook):
    """Connects to the numbers API of the Omilia Cloud Platform.

    Constructing it reads nothing; the connection is read when settings, session or client are first asked for. The
    client logs in at its first call. Close the hook, or use it as a context manager, to log out.

    :param ocp_conn_id: Airflow connection of type ``ocp``.
    :param read_only: let the client do nothing but look, whatever the connection's ``access`` allows.
    """

    conn_name_attr = "ocp_conn_id"
    default_conn_name = "ocp_default"
    conn_type = "ocp"
    hook_name = "OCP numbers"

    def __init__(self, ocp_conn_id: str = default_conn_name, *, read_only: bool = False, **kwargs: Any) -> None:
        super().__init__(http_conn_id=ocp_conn_id, **kwargs)
        self.ocp_conn_id = ocp_conn_id
        self.read_only = read_only

    @property
    def environment(self) -> str:
        """Name of the environment in the records of the data root: the connection's id."""
        return self.ocp_conn_id

    @cached_property
    def settings(self) -> ClientSettings:
        """The connection, read key by key.

        :raises InvalidConnection: naming everything that is missing, unknown or contradictory, in the form's words.
        """
        given, problems = _fields_of(self.get_connection(self.ocp_conn_id))
        try:
            settings = ClientSettings(**given)
        except InvalidConnection as error:
            raise InvalidConnection([*error.problems, *problems]) from None
        if problems:
            raise InvalidConnection(problems)
        return settings.model_copy(update={"access": "read"}) if self.read_only else settings

    @cached_property
    def client(self) -> OcpClient:
        """The client, made once; whatever secrets it obtains are hidden from Airflow's logs.

        :raises InvalidConnection: see :attr:`settings`.
        """
        return self._connect()

    def get_conn(self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None) -> Session:
        """A session of your own that is logged in as the client is, for calls to OCP that the client does not offer.

        Proxies, TLS and certificates are the connection's, and so is ``access``: what it does not allow is refused with
        :class:`~ocp_numbers.errors.AccessRefused` before it is sent, and what is unknown and more than a look needs
        ``paid``. Redirects are refused: they could carry credentials elsewhere.
        """
        auth = self.client.session.auth
        session = super().get_conn(headers, extra_options)
        session.auth = auth
        session.max_redirects = 0
        return session

    def check_response(self, response: Response) -> None:
        """As ``HttpHook`` does for its ``run``, but without whatever secrets the answer repeats.

        :raises AirflowException: the answer is not a success.
        """
        if not response.ok:
            raise AirflowException(f"{response.status_code}: {self.client.clean(response.text)}")

    def test_connection(self) -> tuple[bool, str]:
        """Log in and read one row; says which field to change when that fails.

        Somebody waits for the answer, so a call that fails is repeated once only.
        """
        try:
            with self._connect(retry=Retry(attempts=2)) as client:
                page = client.numbers.list(page_size=1)
        except InvalidConnection as error:
            return False, str(error)
        except OcpError as error:
            return False, explain(error, self.settings)
        seen = f"Logged in at {self.settings.host}; {page.all_numbers} numbers are visible to this login."
        return True, seen if page.all_numbers else f"{seen} If there should be some, ask for rights in their groups."

    def _connect(self, retry: Retry | None = None) -> OcpClient:
        return OcpClient(self.settings, session=super().get_conn(), on_secret=mask_secret, retry=retry)

    def close(self) -> None:
        """Log out, if logged in; the next use connects anew."""
        client = self.__dict__.pop("client", None)
        if client is not None:
            client.close()
            tell_calls(client, environment=self.environment)

    def __enter__(self) -> OcpNumbersHook:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _set_base_url(self, connection: Connection) -> None:
        self.base_url = self.settings.host
        self._base_url_initialized = True

    def _extract_auth(self, connection: Connection) -> None:
        """No basic authentication: the client's own is set where the session is used."""

    def _configure_session_from_extra(
        self, session: Session, connection: Connection, extra_options: dict[str, Any]
    ) -> Session:
        """Let session options and headers through only: what is left over becomes a header there, a secret too."""
        extra, _ = _extra_of(connection)
        public = {name: value for name, value in extra.items() if name not in SETTINGS}
        for name in VERIFY:
            if name in public:
                public[name] = _verify_of(public[name])
        return super()._configure_session_from_extra(
            session,
            Connection(conn_id=connection.conn_id, conn_type=self.conn_type, extra=json.dumps(public)),
            extra_options,
        )


def _fields_of(connection: Connection) -> tuple[dict[str, Any], list[str]]:
    """The client's settings in the connection, secrets covered, and a sentence for each key that means nothing here."""
    extra, problems = _extra_of(connection)
    given = {name: extra.get(name) for name in SETTINGS}
    if given["allow_plain_http"] is not None:
        given["allow_plain_http"] = str(given["allow_plain_http"]).lower() == "true"
    given |= {"host": _host_of(connection), "login": connection.login, "password": connection.password}
    for name in SECRETS:
        if given[name]:
            given[name] = SecretStr(str(given[name]))
    return given, problems


def _host_of(connection: Connection) -> str:
    """Host with scheme and port, wherever form, JSON or URI have put them."""
    host = (connection.host or "").strip()
    if not host:
        return ""
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    scheme, _, rest = host.partition("://")
    place, slash, path = rest.partition("/")
    if connection.port and not place.endswith(f":{connection.port}"):
        place = f"{place}:{connection.port}"
    return f"{scheme}://{place}{slash}{path}"


def _extra_of(connection: Connection) -> tuple[dict[str, Any], list[str]]:
    """The connection's extra, and a sentence for each key that means nothing here."""
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        return {}, ['Extra: is not JSON; write an object such as {"page_size": 500}']
    if not isinstance(extra, Mapping):
        return {}, ['Extra: is not a JSON object; write for example {"page_size": 500}']
    return dict(extra), [problem for name, value in extra.items() if (problem := _problem_of(name, value))]


def _verify_of(value: Any) -> Any:
    """Whether to verify certificates, or the CA's file to verify them by; ``None``, the default, where it is blank."""
    text = str("" if value is None else value).strip()
    return {"true": True, "false": False, "": None}.get(text.lower(), text)


def _problem_of(name: str, value: Any) -> str | None:
    if name in VERIFY and not isinstance(value, bool | str | None):
        return f"Extra: {name}: {value!r} says nothing clear; write true, false, or the path of a CA certificate"
    if name in SETTINGS or name in HTTP_OPTIONS:
        return None
    if name.lower() in CREDENTIAL_HEADERS:
        return f"Extra: {name!r} would replace the login; use Login and Password, or Personal access token"
    if "-" in name and isinstance(value, str):
        return None  # a header, as in any HTTP connection
    close = difflib.get_close_matches(name, [*SETTINGS, *HTTP_OPTIONS], n=1)
    return f"Extra: {name!r} is not known" + (f"; did you mean {close[0]!r}?" if close else "; remove it")
