"""A session of somebody's own, kept to what the connection allows: it can send anything, unlike the client."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from ocp_numbers.client.operations import OPERATIONS, Operation
from ocp_numbers.client.settings import ACCESS
from ocp_numbers.errors import AccessRefused

BASE = "/integrations"
"""What stands before the path of every operation."""

_PATTERNS = tuple(
    (re.compile(re.escape(BASE) + re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(row.path))), row)
    for row in OPERATIONS.values()
)
_LOOKING = ("GET", "HEAD", "OPTIONS")


class GuardedAuth(AuthBase):
    """Gives credentials to a request only if ``access`` suffices for it; nothing is sent without.

    A call that is none of the operations needs ``read`` if its method is one that only looks, and ``paid`` otherwise.
    """

    def __init__(self, auth: AuthBase, access: str) -> None:
        self._auth = auth
        self._access = access

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """``request`` with its credentials.

        :raises AccessRefused: when the connection does not allow it.
        """
        method, path = str(request.method).upper(), urlsplit(str(request.url)).path
        row = _operation(method, path)
        needs = row.effect.needs if row else "read" if method in _LOOKING else "paid"
        if ACCESS.index(needs) > ACCESS.index(self._access):
            raise AccessRefused(operation=row.name if row else f"{method} {path}", needs=needs, allowed=self._access)
        return self._auth(request)


def _operation(method: str, path: str) -> Operation[object] | None:
    """The operation that a call is, unless a field of its path could be read as several segments."""
    for pattern, row in _PATTERNS:
        found = pattern.fullmatch(path) if row.method == method else None
        if found and not any(re.search(r"[/\\;?#]|^\.\.?$", unquote(field)) for field in found.groups()):
            return row
    return None
