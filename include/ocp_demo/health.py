"""Whether a sandbox and the Airflow before it are ready for work, as both say themselves."""

from __future__ import annotations

import requests

_COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")
_PATIENCE = 10.0
"""Seconds that an answer may take on a machine on which everything starts at once."""


def unhealthy(airflow_url: str, sandbox_url: str) -> list[str]:
    """What does not report healthy, by name; nothing, once all of it does."""
    missing = []
    try:
        requests.get(f"{sandbox_url}/_sandbox/health", timeout=_PATIENCE).raise_for_status()
    except requests.RequestException:
        missing.append("sandbox")
    try:
        health = requests.get(f"{airflow_url}/api/v2/monitor/health", timeout=_PATIENCE).json()
    except (requests.RequestException, ValueError):
        return [*missing, "api-server"]
    states = {name: (health.get(name) or {}).get("status") for name in _COMPONENTS}
    return missing + [name.replace("_", "-") for name, state in states.items() if state != "healthy"]
