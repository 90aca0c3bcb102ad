"""What a client needs to know: where the platform is, who asks, what it may do, and how hard it may push."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, SupportsIndex
from urllib.parse import urlsplit

import pyotp
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from ocp_numbers.errors import InvalidConnection


class Environment(NamedTuple):
    """Where one of the vendor's own environments lives."""

    host: str
    token_host: str
    realm: str


ENVIRONMENTS = MappingProxyType(
    {
        "EU1": Environment("https://eu1-m.ocp.ai", "https://eu1-m.ocp.ai", "master"),
        "US1": Environment("https://us1-m.ocp.ai", "https://us1-m.ocp.ai", "master"),
        "US2": Environment("https://us2-m.ocp.ai", "https://auth.us2-m.ocp.ai", "master"),
        "US1W": Environment("https://us1-w-m.ocp.ai", "https://us1-w-m.ocp.ai", "master"),
        "CA1": Environment("https://pub.ca1.ocp.ai", "https://pub.ca1.ocp.ai", "ocp"),
        "FRANKFURT": Environment("https://pub.frankfurt.ocp.ai", "https://pub.frankfurt.ocp.ai", "ocp"),
    }
)

ACCESS = ("read", "write", "paid")
"""What a connection may allow, each more than the one before."""

LABELS = MappingProxyType(
    {
        "environment": "Environment",
        "host": "Host",
        "token_host": "Token host",
        "realm": "Realm",
        "login": "Login",
        "password": "Password",
        "totp_secret": "One-time code secret",
        "personal_access_token": "Personal access token",
        "access": "Access",
        "page_size": "Page size",
        "max_concurrency": "Max concurrency",
        "requests_per_second": "Requests per second",
        "connect_timeout": "Connect timeout",
        "read_timeout": "Read timeout",
        "total_timeout": "Total timeout",
        "settle_seconds": "Purchases show within (s)",
        "allow_plain_http": "Allow plain http",
    }
)
"""The words of the connection form for each field."""

_SECRETS = ("password", "totp_secret", "personal_access_token")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_USUAL_PORTS = {"https": 443, "http": 80}
_TOKEN = re.compile(r"[!-~]+")
_REALM = re.compile(r"[A-Za-z0-9._-]+")

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class ClientSettings(BaseModel):
    """The frozen settings of one client; empty and missing values mean the default.

    ``environment`` fills host, token host and realm, and so does the host of one; a private installation gives its own
    ``host`` instead. Log in either by
    ``login`` and ``password``, with ``totp_secret`` where two-factor login is on, or by ``personal_access_token``.
    ``access`` is the most that this client may do: ``read``, ``write``, or ``paid``, which includes giving numbers up.
    Timeouts are in seconds; ``total_timeout`` bounds one call with all its attempts.
    ``settle_seconds`` is how long the platform may take to show a purchase in its lists.

    :raises InvalidConnection: naming everything that is missing, wrong or contradictory at once, in the form's words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    environment: str = ""
    host: str
    token_host: str
    realm: str
    login: str = ""
    password: SecretStr | None = None
    totp_secret: SecretStr | None = None
    personal_access_token: SecretStr | None = None
    access: Literal["read", "write", "paid"] = "paid"
    page_size: Annotated[int, Field(ge=1, le=10_000)] = 500
    max_concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    requests_per_second: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    connect_timeout: Seconds = 10.0
    read_timeout: Seconds = 60.0
    total_timeout: Seconds = 300.0
    settle_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 60.0
    allow_plain_http: bool = False

    def __init__(self, **fields: Any) -> None:
        for name in _SECRETS:  # at once: tracebacks may show what variables hold
            if isinstance(fields.get(name), str):
                fields[name] = SecretStr(fields[name])
        given = {name: value for name, value in fields.items() if not _is_blank(value)}
        problems: list[str] = []
        self._place(given, problems)
        self._identify(given, problems)
        try:
            super().__init__(**given)
        except ValidationError as error:
            problems += [_problem(fault) for fault in error.errors()]
        if problems:
            raise InvalidConnection(problems)

    @field_validator("page_size", "max_concurrency", "requests_per_second", "settle_seconds", mode="before")
    @classmethod
    def _is_no_flag(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("Input should be a number")
        return value

    @staticmethod
    def _place(given: dict[str, Any], problems: list[str]) -> None:
        """Work out host, token host and realm."""
        allow_http = given.get("allow_plain_http") is True
        for field in ("host", "token_host"):
            if isinstance(given.get(field), str):
                given[field] = _origin(given[field], LABELS[field], allow_http, problems)
        name = str(given.get("environment", "")).strip().upper()
        if name:
            given["environment"] = name
        of_host = (known for known in ENVIRONMENTS.values() if known.host == given.get("host"))
        environment = ENVIRONMENTS.get(name) if name else next(of_host, None)
        if environment is not None:
            if given.setdefault("host", environment.host) != environment.host:
                problems.append(f"Host: {given['host']} contradicts Environment {name}; clear one of the two")
            given.setdefault("token_host", environment.token_host)
            given.setdefault("realm", environment.realm)
        elif name:
            problems.append(
                f"Environment: {name!r} is not known; choose one of {', '.join(ENVIRONMENTS)} or leave it empty"
            )
        elif "host" not in given:
            problems.append("Host: missing; choose an Environment, or give the host of your installation")
        given.setdefault("host", "")
        given.setdefault("token_host", given["host"])
        given.setdefault("realm", "master")
        if not _REALM.fullmatch(str(given["realm"])):
            problems.append(f"Realm: {given['realm']!r} is not a realm name; it is 'master' or 'ocp' as a rule")

    @staticmethod
    def _identify(given: dict[str, Any], problems: list[str]) -> None:
        """Settle on one way to log in."""
        totp = given.get("totp_secret")
        if totp is not None:
            totp = totp.get_secret_value() if isinstance(totp, SecretStr) else str(totp)
            given["totp_secret"] = SecretStr(re.sub(r"[\s-]", "", totp).upper())
            try:
                pyotp.TOTP(given["totp_secret"].get_secret_value()).at(0)
            except ValueError:
                problems.append("One-time code secret: not usable; copy the whole key shown at its setup")
        if "personal_access_token" in given:
            token = given["personal_access_token"]
            token = token.get_secret_value() if isinstance(token, SecretStr) else str(token)
            if not _TOKEN.fullmatch(token):
                problems.append("Personal access token: holds spaces or line breaks; copy the token alone")
            beside = [LABELS[field] for field in ("login", "password", "totp_secret") if field in given]
            if beside:
                problems.append(f"Personal access token: contradicts {', '.join(beside)}; clear the one or the others")
            return
        problems.extend(
            f"{LABELS[field]}: missing; give Login and Password, or a Personal access token"
            for field in ("login", "password")
            if field not in given
        )

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Credentials are not written down.

        :raises TypeError: always.
        """
        raise TypeError("ClientSettings hold credentials and cannot be pickled; make them anew where they are needed")


def _is_blank(value: object) -> bool:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return text is None or (isinstance(text, str) and not text.strip())


def _problem(fault: Any) -> str:
    field = str(fault["loc"][0]) if fault["loc"] else "a field's name"
    value = f"{fault['input']!r}: " if field in LABELS and field not in _SECRETS else ""
    return f"{LABELS.get(field, field)}: {value}{fault['msg']}"


def _short(text: str) -> str:
    """An address without its query and fragment, which may hold a key."""
    return re.split(r"[?#]", text, maxsplit=1)[0]


def _origin(text: str, label: str, allow_http: bool, problems: list[str]) -> str:
    """``text`` as scheme, host and port, without the ``/integrations`` that people copy along."""
    text = text.strip()
    if "@" in text:
        problems.append(f"{label}: holds a login; put it into Login and Password")
        return ""
    try:
        url = urlsplit(text if "://" in text else f"https://{text}")
        host, port, path = url.hostname or "", url.port, url.path.rstrip("/")
    except ValueError:
        host, port, path, url = "", None, "", urlsplit("")
    if url.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
        problems.append(f"{label}: {_short(text)!r} is not a host; write for example https://eu1-m.ocp.ai")
        return ""
    if path not in ("", "/integrations") or url.query or url.fragment:
        problems.append(f"{label}: {_short(text)!r} goes on after the host; write only https://{url.netloc}")
    if url.scheme == "http" and host not in _LOOPBACK and not allow_http:
        problems.append(f"{label}: {text} would send the password unencrypted; write https://{url.netloc}")
    shown_host = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown_host}" + (f":{port}" if port and port != _USUAL_PORTS[url.scheme] else "")
