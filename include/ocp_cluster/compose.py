"""The settings of docker-compose.yaml, so that the cluster without containers runs with the same ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from ocp_cluster import PROJECT

COMPOSE = PROJECT / "docker-compose.yaml"
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<text>[^}]*))?\}")


class MissingVariable(Exception):
    """A variable that the compose file insists on was not given; the message is the compose file's own."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` replaced as Docker Compose does.

    :raises MissingVariable: for a variable that is required and empty or not given.
    """

    def value(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if given or found["how"] is None:
            return given
        if found["how"] == "?":
            raise MissingVariable(f"{found['name']} {found['text']}")
        return found["text"]

    return _VARIABLE.sub(value, text)


def airflow_environment(variables: Mapping[str, str], file: Path = COMPOSE) -> dict[str, str]:
    """Environment of each Airflow component in the compose file, with ``variables`` in place of its ``.env``.

    A name without a value is handed on if it is among ``variables``, and left out otherwise, as Docker Compose does.
    """
    described = yaml.safe_load(file.read_text())["x-airflow-environment"]
    handed_on = {name: variables[name] for name, value in described.items() if value is None and name in variables}
    return handed_on | {name: expand(str(value), variables) for name, value in described.items() if value is not None}
