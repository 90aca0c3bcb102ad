"""Grafana's dashboard and the alerts know every metric that is told, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ocp_numbers.metrics import METRICS, PREFIX

PROJECT = Path(__file__).resolve().parents[2]
DEPLOYMENT = PROJECT / "include" / "deployment"
DASHBOARD: dict[str, Any] = json.loads((DEPLOYMENT / "grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((DEPLOYMENT / "prometheus-alerts.yaml").read_text())["groups"][0]["rules"]
NAMED = {f"airflow_{PREFIX}_{metric.name}{'_total' if metric.kind == 'counter' else ''}" for metric in METRICS}


def queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


def metrics_in(texts: list[str]) -> set[str]:
    return {name for text in texts for name in re.findall(rf"airflow_{PREFIX}_\w+", text)}


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    assert metrics_in(queries()) == NAMED


def test_every_query_of_the_dashboard_is_about_the_environment_that_was_chosen() -> None:
    (environment,) = [each for each in DASHBOARD["templating"]["list"] if each["name"] == "environment"]
    assert metrics_in([environment["definition"]]) <= NAMED
    assert all('{environment=~"$environment"}' in query for query in queries())


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


@pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_every_alert_watches_a_metric_that_is_told_and_names_a_page_that_exists(rule: dict[str, Any]) -> None:
    assert metrics_in([rule["expr"]]) <= NAMED
    assert metrics_in([rule["expr"]])
    assert (PROJECT / "docs" / rule["annotations"]["runbook"]).is_file()


def test_the_exporter_names_counters_as_the_dashboard_does() -> None:
    (rule,) = yaml.safe_load((DEPLOYMENT / "statsd-mapping.yaml").read_text())["mappings"]
    assert rule["match"] == f"airflow.{PREFIX}.*"
    assert rule["match_metric_type"] == "counter"
    counters = {f"airflow_{PREFIX}_{metric.name}_total" for metric in METRICS if metric.kind == "counter"}
    named = {rule["name"].replace("${1}", metric.name) for metric in METRICS if metric.kind == "counter"}
    assert named == counters
