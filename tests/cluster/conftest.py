"""One cluster for all scenarios: they follow each other on it, as bad days do in a company's deployment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.stage import FIGURES, Stage
from ocp_cluster.cluster import Cluster
from ocp_cluster.packages import ensure

HEARTBEAT_TIMEOUT = "30"
"""Shorter than in ``.env.example``, so that the scenarios end within the hour; recovery times include it."""


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """A cluster of two workers with its connection and pool, and what plays on it."""
    ensure()
    with Cluster(workers=2, settings={"HEARTBEAT_TIMEOUT": HEARTBEAT_TIMEOUT, "QUEUED_TIMEOUT": "30"}) as cluster:
        cluster.wait_until_healthy(print)
        yield Stage(cluster)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of all scenarios, as a table."""
    terminalreporter.section("figures")
    for line in FIGURES:
        terminalreporter.write_line(line)
