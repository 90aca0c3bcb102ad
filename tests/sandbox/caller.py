"""A plain HTTP caller for the tests of the sandbox: no retries, no models, nothing of the product."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from ocp_sandbox import Sandbox


class Caller:
    """One login of a sandbox; it gets its token at the first call."""

    def __init__(self, url: str, name: str = "ops", password: str = "secret") -> None:
        self.url = url
        self.name = name
        self.password = password
        self.session = requests.Session()
        self.session.trust_env = False

    def token(self, realm: str = "master", **form: str) -> requests.Response:
        """The answer of the token endpoint to a password grant, or to the fields given instead."""
        fields = {"client_id": "ocp", "grant_type": "password", "username": self.name, "password": self.password}
        return self.openid("token", realm, **fields | form)

    def openid(self, page: str, realm: str = "master", **form: str) -> requests.Response:
        """The answer of the identity provider to a form."""
        return self.session.post(f"{self.url}/auth/realms/{realm}/protocol/openid-connect/{page}", data=form)

    def log_in(self, **form: str) -> dict[str, Any]:
        """Take a token and use it from now on."""
        answer = self.token(**form)
        assert answer.status_code == 200, answer.text
        granted: dict[str, Any] = answer.json()
        self.session.headers["Authorization"] = f"Bearer {granted['access_token']}"
        return granted

    def raw(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer of the API, whatever it is."""
        if "Authorization" not in self.session.headers:
            self.log_in()
        return self.session.request(method, f"{self.url}/integrations{path}", allow_redirects=False, **options)

    def ok(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """What the API answers, which must be a success."""
        answer = self.raw(method, path, json=body, **options)
        assert answer.status_code == 200, answer.text
        value = answer.json()
        assert not isinstance(value, dict) or value.get("success", True), value
        return value

    def no(self, status: int, method: str, path: str, body: object = None, **options: Any) -> str:
        """The message with which the API refuses."""
        answer = self.raw(method, path, json=body, **options)
        assert answer.status_code == status, answer.text
        value = answer.json()
        assert value["success"] is False
        return str(value["message"])

    def upload(self, text: str | bytes, part: str = "File") -> requests.Response:
        """The answer to an imported CSV file."""
        return self.raw("PUT", "/api/numbers/csv", files={part: ("numbers.csv", text, "text/csv")})

    def offered(self, count: int, provider: str = "telnova", group: str = "retail-us") -> list[str]:
        """The first numbers on offer under +1212."""
        wish = {"provider": provider, "code": "US", "group": group, "prefix": "+1212"}
        return [offer["number"] for offer in self.ok("POST", "/api/numbers", wish)][:count]

    def buy(self, numbers: list[str], group: str = "retail-us", **more: str) -> Any:
        """What the buying call answers."""
        return self.ok("PUT", "/api/numbers", {"provider": "telnova", "numbers": numbers, "group": group, **more})

    def listed(self, **query: object) -> dict[str, dict[str, Any]]:
        """The numbers in sight, by number."""
        answer = self.ok("GET", "/api/numbers", params={"pageSize": 10_000, **query})
        return {row["number"]: row for row in answer["numbers"]}


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread is about to bring about."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.002)


def app_in(sandbox: Sandbox, group: str = "retail-us") -> str:
    """The id of a miniApp in a group."""
    return next(str(app["id"]) for app in sandbox.miniapps() if app["group"] == group)
