"""What is wrong with a connection that does not work, and which field of its form to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocp_numbers.errors import (
    ApiError,
    Forbidden,
    LoginRefused,
    NoAnswer,
    NotAuthenticated,
    NotConnected,
    NotFound,
    OcpError,
    Redirected,
    UnexpectedAnswer,
)

if TYPE_CHECKING:
    from ocp_numbers.client import ClientSettings


def explain(error: OcpError, settings: ClientSettings) -> str:
    """A sentence or two for the person who fills in the form: what failed, and what to change."""
    if isinstance(error, LoginRefused):
        return f"{_login_refused(error, settings)} OCP said: {error.message}"
    if isinstance(error, NotConnected):
        label, host = _asked(error, settings)
        if "certificate was refused" in error.reason:
            return f"{label}: {host} is not trusted ({error.reason}): 'verify' in the connection's Extra."
        return f"{label}: {host} cannot be reached ({error.reason}); check its spelling, the proxy and the firewall."
    if isinstance(error, NoAnswer):
        label, host = _asked(error, settings)
        return (
            f"{label}: {host} was reached, but gave no whole answer; if it goes on, check that it is the address of "
            f"OCP. {error.reason}"
        )
    if isinstance(error, Redirected | UnexpectedAnswer) or (isinstance(error, NotFound) and not _is_login(error)):
        label, host = _asked(error, settings)
        return (
            f"{label}: {host} answers, but not as OCP's API does; check that it is the address of OCP. {error.message}"
        )
    if isinstance(error, Forbidden):
        return (
            f"Login: {_who(settings)} was let in, but may not read numbers; ask for rights in OCP (role and groups). "
            f"OCP said: {error.message}"
        )
    if isinstance(error, NotAuthenticated) and settings.personal_access_token:
        return (
            "Personal access token: refused. It is wrong or expired, or the numbers API does not take such tokens on "
            f"this installation; then use Login and Password. OCP said: {error.message}"
        )
    return str(error)


def _login_refused(error: LoginRefused, settings: ClientSettings) -> str:
    said = error.message.lower()
    if error.status == 404 and "realm" in said:
        return f"Realm: {settings.realm!r} does not exist at {settings.token_host}; it is 'master' or 'ocp'."
    if error.status == 404:
        return f"Token host: {settings.token_host} has no login service of OCP; check Host and Token host."
    if "disabled" in said or "locked" in said:
        return (
            f"Login: {settings.login} is locked or disabled; wait some minutes or ask an administrator, then try once."
        )
    if "not fully set up" in said:
        return f"Login: {settings.login} has to finish its setup first: sign in to OCP's console once, by hand."
    if settings.totp_secret:
        return "Login, Password or One-time code secret: one of them is wrong, or this machine's clock is."
    return "Password or Login: wrong; or, if two-factor login is on for this user, One-time code secret is missing."


def _asked(error: ApiError | NoAnswer, settings: ClientSettings) -> tuple[str, str]:
    """Label and value of the field that says whom the call went to."""
    if _is_login(error) and settings.token_host != settings.host:
        return "Token host", settings.token_host
    return "Host", settings.host


def _is_login(error: ApiError | NoAnswer) -> bool:
    return error.operation.startswith("login")


def _who(settings: ClientSettings) -> str:
    return settings.login or "the owner of the personal access token"
