"""Looking for snapshots is cheap: the columnar machinery comes only with whoever exports or reads rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


def test_the_room_is_imported_without_arrow_requests_or_airflow() -> None:
    code = "import sys, ocp_numbers.inventory; print(*{'pyarrow', 'requests', 'airflow'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(PLUGINS)}, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("\n", "")
