"""``python -m tests.crash``: an Airflow home of its own, and the sandbox on the path; then the prover's command."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="crash-airflow-") as home:
        os.environ.update(AIRFLOW_HOME=home, AIRFLOW__CORE__LOAD_EXAMPLES="False")
        sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("include", "tests")]
        from .command import main

        sys.exit(main())
