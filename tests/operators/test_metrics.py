"""What is told to Airflow's metrics: what happened, once, and never in the way of the work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.observability import stats

from ocp_numbers.client import OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OutcomeUnknown, VerificationFailed
from ocp_numbers.metrics import BOUGHT, METRICS, SNAPSHOT_AGE
from ocp_numbers.operators import (
    AttachNumbersOperator,
    CheckDeploymentOperator,
    DeleteNumbersOperator,
    ExportNumbersOperator,
)
from ocp_numbers.ordering import OrderBook
from ocp_sandbox import Fault
from operators.purchase import begun_book, buy
from operators.test_export import context
from operators.world import Run, World

GAUGES = {metric.name for metric in METRICS if metric.kind == "gauge"}


class Told(list[tuple[str, float]]):
    """A metrics backend that remembers: for counters what was added, for gauges what was set."""

    def incr(self, stat: str, count: int = 1, *, tags: dict[str, str]) -> None:
        self._hear(stat, count, tags)

    def gauge(self, stat: str, value: float, *, tags: dict[str, str]) -> None:
        self._hear(stat, value, tags)

    def _hear(self, stat: str, value: float, tags: dict[str, str]) -> None:
        assert tags == {"environment": "ocp_default"}
        self.append((stat.removeprefix("ocp_numbers."), value))

    def of(self, *names: str) -> list[tuple[str, float]]:
        """What was told by these names, without what added nothing."""
        return [each for each in self if each[0] in names and (each[1] or each[0] in GAUGES)]


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    backend: Any = told
    stats.initialize(factory=lambda: backend, export_legacy_names=False)
    yield told
    stats.initialize(factory=_none, export_legacy_names=False)


def _none() -> Any:
    raise ImportError("metrics are off")  # Airflow takes none then, with a line in the log


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OrderBook:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    return begun_book(DataRoot(tmp_path / "data"))


class TestTheTable:
    def test_names_are_ones_that_every_backend_takes(self) -> None:
        assert all(re.fullmatch(r"[a-z][a-z_]*", metric.name) for metric in METRICS)
        assert len({metric.name for metric in METRICS}) == len(METRICS)

    def test_every_metric_is_explained(self) -> None:
        assert all(metric.meaning and metric.unit for metric in METRICS)


class TestTelling:
    def test_never_fails_the_work(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        def broken(*_: Any, **__: Any) -> None:
            raise OSError("no route to the metrics")

        monkeypatch.setattr(stats, "incr", broken)
        monkeypatch.setattr(stats, "gauge", broken)
        with caplog.at_level("DEBUG", "ocp_numbers.metrics"):
            BOUGHT.tell(3, environment="ocp_default")
            SNAPSHOT_AGE.tell(3, environment="ocp_default")
        told = "The metric {} could not be told: no route to the metrics"
        assert caplog.messages == [told.format(name) for name in ("bought", "snapshot_age_seconds")]

    def test_of_nothing_lets_a_graph_begin_at_zero(self, told: Told) -> None:
        BOUGHT.tell(0, environment="ocp_default")
        assert told == [("bought", 0)]


class TestAPurchase:
    def test_is_told_when_it_is_read_back_and_not_again_when_the_task_is_cleared(
        self, world: World, run: Run, book: OrderBook, told: Told
    ) -> None:
        account = run(buy())
        run(buy())
        assert told.of("bought", "spent", "unknown") == [("bought", 3), ("spent", float(account["spent"]))]

    def test_in_doubt_is_told_as_that_and_as_bought_once_it_is_found_out(
        self, world: World, run: Run, book: OrderBook, told: Told
    ) -> None:
        world.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_before"))
        with pytest.raises(OutcomeUnknown):
            run(buy())
        assert told.of("bought", "unknown") == [("unknown", 3)]
        world.sandbox.faults.clear()
        run(buy())
        assert told.of("bought", "unknown") == [("unknown", 3), ("bought", 3)]


class TestChanges:
    def test_are_told_once_each_however_often_the_task_runs(
        self, world: World, run: Run, book: OrderBook, told: Told
    ) -> None:
        numbers = world.add(3)
        for _ in range(2):
            run(AttachNumbersOperator(task_id="attach", numbers=numbers, mini_app_id=world.app, locale="en-US"))
        assert told.of("attached") == [("attached", 3)]

    def test_that_were_deleted_count_as_released(self, world: World, run: Run, book: OrderBook, told: Told) -> None:
        run(DeleteNumbersOperator(task_id="delete", numbers=world.add(2)))
        assert told.of("released") == [("released", 1), ("released", 1)]


class TestCalls:
    def test_are_told_by_the_client_that_made_them_also_by_one_that_failed(
        self, world: World, run: Run, book: OrderBook, told: Told
    ) -> None:
        world.sandbox.faults.add(Fault("GET", "/api/numbers", status=429, retry_after=1, nth=1))
        run(ExportNumbersOperator(task_id="export"), **context())
        assert told.of("api_calls") == [("api_calls", len(world.sandbox.calls()))]
        assert told.of("api_throttled") == [("api_throttled", 1)]
        assert told.of("api_retries") == [("api_retries", 1)]

    def test_of_a_closed_client_are_still_known(self, world: World) -> None:
        from ocp_numbers.hooks.ocp import OcpNumbersHook

        with OcpNumbersHook() as hook:
            client: OcpClient = hook.client
            client.numbers.list(page_size=1)
        assert client.tally.calls == len(world.sandbox.calls()) == 3  # login, listing, logout


class TestTheCheckOfTheDeployment:
    def test_tells_how_old_the_snapshot_is_although_nothing_was_exported(
        self, world: World, run: Run, book: OrderBook, told: Told
    ) -> None:
        run(ExportNumbersOperator(task_id="export"), **context())
        told.clear()
        run(CheckDeploymentOperator(task_id="examine"))
        ((_, age),) = told.of("snapshot_age_seconds")
        assert 0 < age < 600
        assert told.of("in_doubt", "problems") == [("in_doubt", 0), ("problems", 0)]
        assert {name for name, _ in told} >= {metric.name for metric in METRICS if metric.kind == "counter"}

    def test_is_red_and_counts_what_is_wrong(
        self, world: World, run: Run, book: OrderBook, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "told.yaml").write_text("drfit: []")
        monkeypatch.setenv("OCP_NUMBERS_NOTIFICATIONS", str(tmp_path / "told.yaml"))
        with pytest.raises(VerificationFailed, match="checks failed: notifications"):
            run(CheckDeploymentOperator(task_id="examine"))
        assert told.of("problems") == [("problems", 1)]
