"""The log files of tasks, as a worker writes them: JSON, a line each, searchable by environment and order."""

from __future__ import annotations

from typing import Any

from deployment.conftest import Day


def ours(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines that this project's code wrote."""
    return [line for line in lines if line["logger"].startswith("ocp_numbers")]


def test_every_line_of_ours_bears_the_environment(day: Day) -> None:
    assert day["logs"].keys() == {"buy", "export"}
    for lines in day["logs"].values():
        assert {line.get("environment") for line in ours(lines)} == {"ocp_default"}


def test_every_line_of_a_purchase_bears_its_order(day: Day) -> None:
    assert {line.get("order_id") for line in ours(day["logs"]["buy"])} == {"ocp_default/front desk"}


def test_what_a_thread_of_the_export_logs_bears_the_environment_as_well(day: Day) -> None:
    (again,) = [line for line in day["logs"]["export"] if line["event"].startswith("Attempt 2 in")]
    assert again["environment"] == "ocp_default"
    assert again["ti_id"] == day["logs"]["export"][-1]["ti_id"]
