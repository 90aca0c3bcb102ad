from __future__ import annotations

import itertools
import re
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
import yaml

from ocp_cluster.compose import COMPOSE, MissingVariable, airflow_environment, expand
from ocp_cluster.dotenv import EXAMPLE, filled, variables


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("a ${NAME} b", {"NAME": "x"}, "a x b"),
        ("a ${NAME} b", {}, "a  b"),
        ("${NAME:-y:z}", {}, "y:z"),
        ("${NAME:-y}", {"NAME": ""}, "y"),
        ("${NAME:-y}", {"NAME": "x"}, "x"),
        ("${A}${B:-b}", {"A": "${B}"}, "${B}b"),
        ("${NAME:?message}", {"NAME": "x"}, "x"),
    ],
)
def test_variables_are_expanded_as_docker_compose_does(text: str, given: dict[str, str], expected: str) -> None:
    assert expand(text, given) == expected


def test_a_variable_that_the_file_insists_on_is_named_when_it_is_missing() -> None:
    with pytest.raises(MissingVariable, match="FERNET_KEY is missing; make up writes"):
        airflow_environment({})


def test_an_env_file_made_from_the_example_satisfies_the_compose_file() -> None:
    given = variables(filled(EXAMPLE.read_text()))
    environment = airflow_environment(given)
    assert len(urlsafe_b64decode(environment["AIRFLOW__CORE__FERNET_KEY"])) == 32
    assert given["POSTGRES_PASSWORD"] in environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert not [name for name, value in environment.items() if "${" in value]


def test_credentials_of_an_object_store_are_handed_on_only_where_they_are_given() -> None:
    given = variables(filled(EXAMPLE.read_text()))
    assert "AWS_ACCESS_KEY_ID" not in airflow_environment(given)
    assert airflow_environment(given | {"AWS_ACCESS_KEY_ID": "key"})["AWS_ACCESS_KEY_ID"] == "key"


def test_no_secret_is_the_same_in_two_deployments_and_none_has_a_default() -> None:
    one, other = (variables(filled(EXAMPLE.read_text())) for _ in range(2))
    secret = {name for name, value in variables(EXAMPLE.read_text()).items() if value == "generate"}
    assert secret >= {"FERNET_KEY", "JWT_SECRET", "SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ADMIN_PASSWORD"}
    assert not [name for name in secret if one[name] == other[name] or len(one[name]) < 24]
    assert not (secret & set(re.findall(r"\$\{(\w+):-[^}]", COMPOSE.read_text())))


def test_every_variable_of_the_compose_file_is_explained_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    told_by_the_project = {"NAME", "OCP_NUMBERS_IMAGE", "POSTGRES_ADDRESS", "REDIS_ADDRESS", "API_ADDRESS"}
    lines = itertools.pairwise(EXAMPLE.read_text().splitlines())
    explained = {line.partition("=")[0] for above, line in lines if above.startswith(("#", "STATSD"))}
    assert used - told_by_the_project <= explained
    assert set(variables(EXAMPLE.read_text())) <= used


def test_every_service_has_limits_a_health_check_and_no_port_beyond_loopback() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, service in services.items():
        ports = service.get("ports", [])
        assert all(str(port).startswith("127.0.0.1:") for port in ports), name
        if name not in ("airflow-init", "demo"):  # these end by themselves
            assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "always", name


def test_airflow_components_do_not_run_as_root() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    ours = {name: service for name, service in services.items() if name not in ("postgres", "redis")}
    assert {service["user"] for service in ours.values()} == {"50000:0"}


def test_the_image_takes_its_requirements_from_the_pins() -> None:
    dockerfile = (Path(COMPOSE).parent / "Dockerfile").read_text()
    assert "apache/airflow:3.3.2" in dockerfile
    assert "requirements.txt" in dockerfile
    assert "requirements-cluster.txt" in dockerfile
