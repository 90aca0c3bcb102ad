"""A sandbox with what the tests of operators put into it, and the look at what came of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from ocp_sandbox import Sandbox

GROUP = "retail-us"
Run = Callable[..., Any]
READS = {("GET", "*"), ("POST", "/api/numbers"), ("POST", "/api/numbers/search"), ("POST", "/api/numbers/csv")}


class World:
    """A sandbox and what is in it, for tests to arrange and to look at."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.app, self.other_app = [app["id"] for app in sandbox.miniapps() if app["group"] == GROUP][:2]

    def add(self, count: int = 3, group: str = GROUP, **fields: Any) -> list[str]:
        """Put that many new numbers into the inventory."""
        start = len(self.sandbox.numbers())
        numbers = [f"+1646555{start + n:04d}" for n in range(count)]
        for number in numbers:
            self.sandbox.edit.add_number(number, group, **fields)
        return numbers

    def add_set(
        self, name: str = "Front desk", numbers: int = 0, group: str = GROUP, **fields: Any
    ) -> tuple[str, list[str]]:
        """Make a set with that many new numbers in it."""
        set_id = self.sandbox.edit.add_set(name, group)
        return set_id, self.add(numbers, set_id=set_id, group=group, **fields)

    def __getitem__(self, number: str) -> dict[str, Any]:
        """The number as it truly is."""
        return {row["number"]: row for row in self.sandbox.numbers()}[number]

    def all(self) -> dict[str, dict[str, Any]]:
        """Every number as it truly is."""
        return {row["number"]: row for row in self.sandbox.numbers()}

    def writes(self) -> Counter[str]:
        """How often each call that is not a mere look came in, the answered and the failed ones."""
        return Counter(
            f"{call['method']} {call['path'].removeprefix('/integrations')}"
            for call in self.sandbox.calls()
            if "/api/" in call["path"] and not _reads(call)
        )


def _reads(call: dict[str, Any]) -> bool:
    path = call["path"].removeprefix("/integrations")
    return call["method"] == "GET" or (call["method"], path) in READS


def connect(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, conn_id: str = "ocp_default", **fields: Any) -> None:
    """Make a connection to the sandbox; ``fields`` replace or add to those of the owner's."""
    connection = {"conn_type": "ocp", "host": sandbox.url, "login": "ops", "password": "secret", **fields}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
