"""The values for Airflow's Helm chart say what the compose file says, and hold no secret."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import yaml

from deployment.conftest import PROJECT
from ocp_cluster.compose import airflow_environment
from ocp_cluster.dotenv import EXAMPLE, filled, variables
from ocp_numbers.deployment import VARIABLE

DEPLOYMENT = PROJECT / "include" / "deployment"
VALUES: dict[str, Any] = yaml.safe_load((DEPLOYMENT / "kubernetes-values.yaml").read_text())
COMPOSE = airflow_environment(variables(filled(EXAMPLE.read_text())))


def test_settings_of_airflow_are_those_of_the_compose_file() -> None:
    ours = {
        f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
        for section, settings in VALUES["config"].items()
        if section != "metrics"  # the chart brings its own StatsD
        for name, value in settings.items()
    }
    assert {name: COMPOSE.get(name) for name in ours} == ours


def test_what_the_chart_leaves_to_itself_is_left_to_it() -> None:
    """Whatever else the compose file sets is an address, a secret, or what the chart knows better."""
    tuned = (
        "CELERY__WORKER",
        "BROKER_TRANSPORT",
        "SCHEDULER__TASK",
        "WORKERS__",
        "PRE_PING",
        "TEST_CONNECTION",
        "PAUSED",
    )
    wanted = {name for name in COMPOSE if any(part in name for part in tuned)}
    given = {f"AIRFLOW__{section}__{name}".upper() for section, names in VALUES["config"].items() for name in names}
    assert wanted <= given


def test_every_component_is_told_what_the_compose_file_tells() -> None:
    told = {each["name"] for each in VALUES["env"]}
    ours = {name for name in COMPOSE if name.startswith("OCP_NUMBERS_")}
    assert ours - told <= {VARIABLE}
    assert told - ours == {"PYTHONPATH"}


def test_the_image_is_of_this_version() -> None:
    assert VALUES["images"]["airflow"]["tag"] == version("airflow-provider-ocp-numbers")
    assert f"apache/airflow:{VALUES['airflowVersion']}" in (PROJECT / "Dockerfile").read_text()


def test_secrets_are_named_never_written() -> None:
    def leaves(value: Any, path: str = "") -> dict[str, Any]:
        if isinstance(value, dict):
            return {key: each for name, part in value.items() for key, each in leaves(part, f"{path}.{name}").items()}
        return {path: value}

    secret = [
        path for path in leaves(VALUES) if any(word in path.lower() for word in ("password", "key", "jwt", "secret"))
    ]
    assert secret
    assert all(path.endswith("SecretName") for path in secret)


def test_metrics_are_named_as_the_dashboard_expects() -> None:
    (rule,) = yaml.safe_load((DEPLOYMENT / "statsd-mapping.yaml").read_text())["mappings"]
    assert VALUES["statsd"]["extraMappings"] == [rule]
