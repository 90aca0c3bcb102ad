"""An Airflow home of its own for each test session: nobody's real Airflow is read or written."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

import hypothesis

# Airflow reads its settings when it is imported, which is before any fixture runs.
_HOME = tempfile.mkdtemp(prefix="ocp-numbers-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "OCP_"))]:
    del os.environ[_name]
os.environ.update(
    AIRFLOW_HOME=_HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME}/airflow.db",
    OCP_NUMBERS_DATA=f"{_HOME}/data",
)

# How long an example takes says something about the machine, not about the code. CI draws the same examples each time,
# so that a red run says something about the change; everybody else draws new ones.
hypothesis.settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("project")
