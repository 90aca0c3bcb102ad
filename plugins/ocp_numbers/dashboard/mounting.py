"""What Airflow needs to know of the dashboard, at next to no cost for the many processes that never show it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

PREFIX = "/ocp-numbers"
"""Where the pages live below Airflow's base URL."""

_HERE = PREFIX.removeprefix("/")

VIEW: dict[str, Any] = {
    "name": "OCP Numbers",
    "href": f"{_HERE}/",
    "destination": "nav",
    "icon": f"{_HERE}/-/icon/icon-light.svg",
    "icon_dark_mode": f"{_HERE}/-/icon/icon-dark.svg",
    "url_route": _HERE,
    "nav_top_level": True,
}
"""The entry in Airflow's navigation. The addresses are relative to Airflow's own, wherever that is."""


class Dashboard:
    """The application, built when the first request comes: every Airflow process loads the plugin, few serve pages."""

    def __init__(self) -> None:
        self._app: FastAPI | None = None
        self._lock = Lock()

    @property
    def app(self) -> FastAPI:
        """The application itself."""
        with self._lock:
            if self._app is None:
                from ocp_numbers.dashboard.application import create_app

                self._app = create_app()
            return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.app(scope, receive, send)
