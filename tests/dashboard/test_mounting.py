from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ocp_numbers.dashboard.access import may_look
from ocp_numbers.dashboard.mounting import PREFIX, VIEW, Dashboard
from ocp_numbers.plugin import OcpNumbersPlugin

_CODE = """
import sys
import airflow.plugins_manager, airflow.sdk
before = set(sys.modules)
import ocp_numbers.plugin
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def test_every_airflow_process_loads_the_plugin_without_what_the_pages_need() -> None:
    loaded = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True).stdout.split()
    assert "ocp_numbers" in loaded
    assert not {"fastapi", "starlette", "duckdb", "pyarrow", "plotly", "jinja2", "upath"} & set(loaded)


def test_the_plugin_mounts_the_pages_and_puts_them_into_the_navigation() -> None:
    (app,) = OcpNumbersPlugin.fastapi_apps
    assert isinstance(app["app"], Dashboard)
    assert app["url_prefix"] == PREFIX
    (view,) = OcpNumbersPlugin.external_views
    assert view is VIEW
    assert (view["name"], view["destination"], view["nav_top_level"]) == ("OCP Numbers", "nav", True)
    # Relative, so that it leads below Airflow's own address also where that is not the root.
    assert view["href"] == "ocp-numbers/"


def test_the_pages_are_built_once_when_the_first_of_several_requests_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
    dashboard = Dashboard()
    with ThreadPoolExecutor(8) as many:
        built = set(many.map(lambda _: dashboard.app, range(8)))
    assert built == {dashboard.app}
    assert may_look.dependency is not None
    dashboard.app.dependency_overrides[may_look.dependency] = lambda: None
    assert "nightly_inventory_export" in TestClient(dashboard).get("/", headers={"accept": "text/html"}).text
