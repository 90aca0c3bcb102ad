"""Start the distributed deployment on this machine and stay up until Ctrl-C: ``make cluster``."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from types import FrameType

from ocp_cluster.cluster import Cluster, ClusterFailed
from ocp_cluster.packages import MissingPackages, ensure
from ocp_demo.screen import Screen


def main() -> int:
    """Run the cluster until Ctrl-C; everything that was started has ended when this returns."""
    options = _arguments()
    screen = Screen()
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _interrupt)
    try:
        ensure()
        screen.title("Starting PostgreSQL, Redis, the sandbox and Airflow")
        with Cluster(workers=options.workers, schedulers=options.schedulers, numbers=options.numbers) as cluster:
            cluster.wait_until_healthy(screen.say)
            screen.title("The cluster is up. Ctrl-C ends it and removes its data.")
            screen.show(f"Airflow   {cluster.airflow_url}   user admin, password {cluster.password}")
            screen.show(f"sandbox   {cluster.sandbox_url}   user demo, password {cluster.sandbox_password}")
            screen.show(f"logs      {cluster.home}/logs")
            while True:
                time.sleep(1)
    except (ClusterFailed, MissingPackages) as failure:
        screen.check(False, str(failure))
        return 1
    except KeyboardInterrupt:
        screen.say("ended; everything that was started is stopped")
        return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="Celery workers (%(default)s)")
    parser.add_argument("--schedulers", type=int, default=1, help="schedulers (%(default)s)")
    parser.add_argument("--numbers", type=int, default=5000, help="numbers in the sandbox's inventory (%(default)s)")
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
