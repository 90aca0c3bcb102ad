"""``make soak``: hundreds of nights in minutes; calls go wrong and processes die. Ends non-zero on any breach."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
"""Where the machine offers it, all nights live there: waiting for a disk would take most of the time."""


def main() -> int:
    """Live, and print the account."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    for name, default in (("nights", 500), ("provisionings", 500), ("cleanups", 100)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"how many {name} (%(default)s)")
    parser.add_argument("--faults", type=float, default=0.01, help="share of calls that go wrong (%(default)s)")
    parser.add_argument(
        "--plant", action="append", choices=("leak", "ledger"), default=[], help="break it on purpose; may be repeated"
    )
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="ocp-soak-", dir=MEMORY if MEMORY.is_dir() else None))
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "OCP_"))]:
        del os.environ[name]
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
    )
    try:
        # Airflow reads its settings when it is imported.
        import structlog

        from soak.life import Life, Plan
        from soak.table import table

        logging.disable(logging.CRITICAL)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        plan = Plan(options.nights, options.provisionings, options.cleanups, options.faults, tuple(options.plant))
        account = Life(plan, home).live()
        print(table(plan, account))
        return 1 if account.breaches else 0
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
