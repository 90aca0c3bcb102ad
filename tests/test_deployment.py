"""The project's folder is found, wherever the package lies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ocp_numbers import deployment

PACKAGE = Path(deployment.__file__).parent
QUESTION = "from ocp_numbers import deployment; print(deployment.project())"


def test_the_folder_that_the_package_runs_from_is_the_project() -> None:
    assert (deployment.project() / "dags" / "nightly_inventory_export.py").is_file()


def test_installed_apart_from_the_dags_the_project_is_airflows_home(tmp_path: Path) -> None:
    """As in the image, where pip put the package elsewhere than the DAGs and what they include."""
    library = tmp_path / "lib" / "python"
    shutil.copytree(PACKAGE, library / "site-packages" / "ocp_numbers", ignore=shutil.ignore_patterns("__pycache__"))
    home = tmp_path / "opt" / "airflow"
    answer = subprocess.run(
        [sys.executable, "-c", QUESTION],
        env={"PYTHONPATH": str(library / "site-packages"), "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert answer.stdout.strip() == str(home)
