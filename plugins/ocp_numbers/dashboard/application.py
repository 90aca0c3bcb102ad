"""The dashboard as an application: its pages behind Airflow's login, its errors as pages that say what to do."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocp_numbers.dashboard import look
from ocp_numbers.dashboard.access import login, may_look
from ocp_numbers.dashboard.desk import Sources, frame
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.pages import assets, balance, cleanup, downloads, number, numbers, orders, overview, regions
from ocp_numbers.dashboard.shelf import Shelf
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OcpError

log = logging.getLogger(__name__)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # The rules that plotly brings for its maps, by their hash. Nobody draws maps; browsers would complain of each.
        "style-src 'self' 'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
"""Nothing from elsewhere, nothing written into a page: whatever a name or a note holds, it cannot run."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "private, no-store",
}
_TITLES = {401: "Please log in", 403: "Not for this login", 404: "Not here", 422: "That cannot be asked"}
_PAGES = (assets, overview, numbers, downloads, number, orders, cleanup, regions, balance)


def create_app(estate: Estate | None = None) -> FastAPI:
    """The dashboard over ``estate``; by default over the data root that the environment names."""
    app = FastAPI(title="OCP Numbers", dependencies=[may_look], openapi_url=None, docs_url=None, redoc_url=None)
    app.state.sources = Sources(estate or Estate(DataRoot.from_environment(), Shelf()))
    for page in _PAGES:
        app.include_router(page.router)
    app.add_middleware(_Headers)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_not_understood)
    app.exception_handler(OcpError)(_unreadable)
    app.exception_handler(Exception)(_broken)
    return app


class _Headers:
    """Adds what every answer says to the browser, unless it says something of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, add)


def _refused(request: Request, error: HTTPException) -> Response:
    wants_page = "text/html" in request.headers.get("accept", "")
    if not wants_page:
        return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)
    if error.status_code == 401:
        return RedirectResponse(login(request, frame(request)["airflow"]), 303)
    what = "There is no page at this address." if error.detail == "Not Found" else str(error.detail)
    return _problem(request, error.status_code, _TITLES.get(error.status_code, "That did not work"), what)


def _not_understood(request: Request, error: RequestValidationError) -> Response:
    faults = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()]
    return _problem(request, 422, _TITLES[422], look.seen(". ".join(faults), 600))


def _unreadable(request: Request, error: OcpError) -> Response:
    return _problem(request, 503, "This cannot be read", str(error))


def _broken(request: Request, error: Exception) -> Response:
    """The last resort, most of all for a data root that is gone, or that this process may not read."""
    log.error("The dashboard could not show %s", request.url.path, exc_info=error)
    root = request.app.state.sources.estate.root
    return _problem(
        request,
        503,
        "This page could not be made",
        f"{type(error).__name__}: {look.seen(str(error), 300)}. The pages are made of what lies in {root.uri}: check "
        f"that OCP_NUMBERS_DATA names the same place for the API server as for the workers, and that the API server "
        f"may read it. Its log says more.",
    )


def _problem(request: Request, status: int, title: str, what: str) -> HTMLResponse:
    page = look.templates().get_template("problem.html.jinja")
    return HTMLResponse(page.render(**frame(request), title=title, what=what, status=status), status)
