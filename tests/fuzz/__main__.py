"""``python -m tests.fuzz``: an Airflow home of its own, and the sandbox on the path; then the command."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fuzz-airflow-") as home:
        os.environ.update(AIRFLOW_HOME=home, AIRFLOW__CORE__LOAD_EXAMPLES="False", OCP_NUMBERS_DATA=f"{home}/data")
        sys.path[:0] = [str(Path(__file__).resolve().parents[2] / folder) for folder in ("include", "tests")]
        from .command import main

        logging.disable(logging.CRITICAL)
        warnings.simplefilter("ignore")
        sys.exit(main())
