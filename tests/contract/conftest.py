from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from contract.visit import TOKEN, Visit
from ocp_sandbox import Sandbox, Settings, User

ANSWERED: Counter[tuple[str, int]] = Counter()
"""The answers of all visits, by operation and status."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(numbers=300, users=[User("ops", "secret", pat=TOKEN)])) as sandbox:
        yield sandbox


@pytest.fixture
def visit(sandbox: Sandbox) -> Iterator[Visit]:
    visit = Visit(sandbox)
    yield visit
    ANSWERED.update(visit.statuses)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--requests", type=int, default=100, help="requests of each kind for each operation (100)")


@pytest.fixture
def requests(pytestconfig: pytest.Config) -> int:
    count: int = pytestconfig.getoption("--requests")
    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    statuses: Counter[int] = Counter()
    for (_, status), count in ANSWERED.items():
        statuses[status] += count
    operations = len({name for name, _ in ANSWERED})
    by_status = ", ".join(f"{count:,} of status {status}" for status, count in sorted(statuses.items()))
    terminalreporter.write_line(
        f"contract: {statuses.total():,} requests of {operations} operations were answered: {by_status}"
    )
