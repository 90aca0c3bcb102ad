"""Metrics of real tasks, each in a process of its own, at a real receiver."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployment.conftest import Day, working_day


@pytest.fixture(scope="module")
def told(day: Day) -> dict[str, list[str]]:
    """What StatsD was told of ours, by metric and tag."""
    told: dict[str, list[str]] = {}
    for line in day["told"]:
        name, _, value = line.partition(":")
        if name.startswith("airflow.ocp_numbers."):
            told.setdefault(name.removeprefix("airflow.ocp_numbers."), []).append(value)
    return told


def test_each_bears_its_environment(told: dict[str, list[str]]) -> None:
    assert {name.partition(",")[2] for name in told} == {"environment=ocp_default"}


def test_a_purchase_tells_numbers_and_money(day: Day, told: dict[str, list[str]]) -> None:
    assert told["bought,environment=ocp_default"] == ["3|c"]
    assert told["spent,environment=ocp_default"] == [f"{day['spent']}|c"]
    assert told["unknown,environment=ocp_default"] == ["0|c"]


def test_an_export_tells_rows_duration_and_age(day: Day, told: dict[str, list[str]]) -> None:
    assert told["export_rows,environment=ocp_default"] == [f"{day['rows']}|g"]
    for name in ("export_seconds", "snapshot_age_seconds"):
        (value,) = told[f"{name},environment=ocp_default"]
        assert 0 < float(value.removesuffix("|g")) < 60


def test_every_call_is_counted_once_and_so_are_repeats_and_requests_to_slow_down(
    day: Day, told: dict[str, list[str]]
) -> None:
    calls = [int(value.removesuffix("|c")) for value in told["api_calls,environment=ocp_default"]]
    assert sum(calls) == day["calls"]
    assert told["api_retries,environment=ocp_default"] == ["1|c", "1|c"]
    assert told["api_throttled,environment=ocp_default"] == ["1|c", "0|c"]


def test_opentelemetry_is_told_the_same_before_the_process_of_a_task_ends(tmp_path: Path) -> None:
    """In deltas, as the page on metrics says: a counter that begins anew in each process would be lost in sums."""
    day = working_day("otlp", tmp_path)
    told = dict(line.split(" ", 1) for line in day["told"] if line.startswith("airflow.ocp_numbers."))
    delta = 1
    assert told["airflow.ocp_numbers.bought"] == f"ocp_default 3 {delta}"
    assert told["airflow.ocp_numbers.spent"] == f"ocp_default {day['spent']} {delta}"
    assert told["airflow.ocp_numbers.export_rows"] == f"ocp_default {day['rows']} 0"
