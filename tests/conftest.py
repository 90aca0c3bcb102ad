"""An Airflow home of its own for each test session: nobody's real Airflow is read or written."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator

import hypothesis
import pytest

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


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a local server that speaks S3.

    One for all: fsspec keeps what it is connected to for the life of the process, and would ask an earlier one.
    """
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
