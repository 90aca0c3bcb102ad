"""The table of the documented calls, and the way from a request to its handler."""

from __future__ import annotations

import re
from urllib.parse import unquote

from ocp_sandbox import validation
from ocp_sandbox.api import changing, importing, listing, sets
from ocp_sandbox.api.call import Call, Route
from ocp_sandbox.messages import Refusal, Request, Response
from ocp_sandbox.settings import Role, Settings, User
from ocp_sandbox.store import Store

BASE = "/integrations"
ROUTES: tuple[Route, ...] = (*listing.ROUTES, *changing.ROUTES, *importing.ROUTES, *sets.ROUTES)
_RANKS: dict[Role, int] = {"reader": 0, "operator": 1, "owner": 2}
_PATTERNS = [
    (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(BASE + route.path))), route) for route in ROUTES
]


def dispatch(request: Request, user: User, store: Store, settings: Settings) -> Response:
    """The answer to an API request of a known login.

    :raises Refusal: for anything that stands against it.
    """
    route, path = _find(request)
    if _RANKS[user.role] < _RANKS[route.least]:
        raise Refusal(403, f"User {user.name} has the role {user.role}; this needs the role {route.least}")
    return route.handler(Call(request, store, settings, user, path, _fields(request, route)))


def _find(request: Request) -> tuple[Route, dict[str, str]]:
    here = [(found, route) for pattern, route in _PATTERNS if (found := pattern.fullmatch(request.raw_path))]
    if not here:
        raise Refusal(404, f"No such resource: {request.path}")
    for found, route in here:
        if route.method == request.method:
            if any("+" in value for value in found.groupdict().values()):
                raise Refusal(400, f"path: {request.raw_path} contains a bare +; encode it as %2B")
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    allowed = ", ".join(sorted({route.method for _, route in here}))
    raise Refusal(405, f"{request.method} is not allowed on {request.path}; allowed: {allowed}", {"Allow": allowed})


def _fields(request: Request, route: Route) -> dict[str, object]:
    if route.body == "none":
        if request.body:
            raise Refusal(400, f"body: {route.method} {route.path} takes none; send it without")
        return validation.read_query(request, route.shape)
    validation.read_query(request, {})
    return validation.read_json(request, route.shape) if route.body == "json" else {}
