"""The report over all declared regions: each stands in it, the most pressing first, known or not."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ocp_numbers import errors
from ocp_numbers.data_root import DataRoot
from ocp_numbers.regions.declared import DeclaredRegion
from ocp_numbers.regions.drift import DOCUMENT, DriftReport, Finding, State, state_after
from regions.examples import PARAMETERS

NOW = datetime(2026, 11, 23, 3, tzinfo=timezone.utc)


def declared(*names: str) -> list[dict[str, Any]]:
    return [DeclaredRegion.parse({**PARAMETERS, "name": name}).model_dump(mode="json") for name in names]


def found(name: str, state: State, summary: str = "as it is") -> dict[str, Any]:
    (region,) = declared(name)
    return Finding.about(region, state=state, summary=summary).model_dump(mode="json")


def report(names: list[str], findings: list[dict[str, Any]]) -> DriftReport:
    return DriftReport.over(declared(*names), findings, run="reconcile_regions/manual", now=NOW)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (errors.NumberInUse("taken"), State.BLOCKED),
        (errors.NotEnoughNumbers("few"), State.BLOCKED),
        (errors.OverBudget("dear"), State.BLOCKED),
        (errors.OrderConflict("other wishes"), State.BLOCKED),
        (errors.OrderCorrupt("broken"), State.BLOCKED),
        (errors.InvalidInput("set_name: in another group"), State.BLOCKED),
        (errors.InvalidConnection("host: missing"), State.NOT_COMPARED),
        (errors.IncompleteSnapshot("moved"), State.NOT_COMPARED),
        (errors.Interrupted("killed"), State.NOT_COMPARED),
        (errors.AnswerLost(operation="sets.list", call="GET", reason="dropped"), State.NOT_COMPARED),
    ],
)
def test_an_obstacle_blocks_the_region_and_any_other_error_says_nothing_about_it(
    error: errors.OcpError, state: State
) -> None:
    assert state_after(error) is state


def test_the_most_pressing_comes_first_and_what_was_not_found_out_is_said() -> None:
    names = ["athens", "berlin", "cadiz", "dublin"]
    findings = [found("athens", State.AS_DECLARED), found("berlin", State.DRIFTED), found("dublin", State.BLOCKED)]
    made = report(names, findings)
    assert [finding.name for finding in made.findings] == ["cadiz", "dublin", "berlin", "athens"]
    assert made.counts == {"not compared": 1, "blocked": 1, "drifted": 1, "as declared": 1}
    assert made.summary == (
        "Of 4 declared regions: 1 not compared (cadiz), 1 blocked (dublin), 1 drifted (berlin), 1 as declared."
    )
    assert made.findings[0].summary.startswith("The comparison did not come to its end")


def test_a_long_list_of_names_is_counted_in_the_sentence_and_whole_in_the_table() -> None:
    names = [f"region-{number:02}" for number in range(30)]
    made = report(names, [found(name, State.DRIFTED) for name in names])
    assert "and 20 more" in made.summary
    assert len(made.table.splitlines()) == 30


def test_the_table_keeps_to_one_line_for_each_region() -> None:
    made = report(["a", "longer"], [found("a", State.BLOCKED, "first\n- second\ttab"), found("longer", State.DRIFTED)])
    assert made.table.splitlines() == [
        "a       blocked       first - second tab",
        "longer  drifted       as it is",
    ]


def test_nothing_declared_makes_a_report_that_says_so() -> None:
    assert report([], []).summary == "No region is declared."
    assert report([], []).table == ""


def test_the_document_is_the_report_and_replaces_the_last_one(tmp_path: Any) -> None:
    root = DataRoot(tmp_path)
    report(["athens"], [found("athens", State.DRIFTED)]).save(root)
    last = report(["athens"], [found("athens", State.AS_DECLARED)])
    assert last.save(root) == DOCUMENT
    assert DriftReport.model_validate_json(root.read(DOCUMENT) or b"") == last
