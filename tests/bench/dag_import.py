"""What reading the DAG files costs at each parse: Airflow parses in a process that has imported its SDK already."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from bench.measure import PROJECT, environment

GOAL_SECONDS = 0.15
RUNS = 9
READ = """
import json, runpy, sys, time
import airflow.sdk
started = time.process_time()
for path in sys.argv[1:]:
    runpy.run_path(path)
print(json.dumps(time.process_time() - started))
"""


def run() -> None:
    """Print the CPU time of every DAG file, and of all together, over ``import airflow.sdk``, each in new processes."""
    files = sorted((PROJECT / "dags").glob("*.py"))
    groups = {file.stem: [file] for file in files} | {"all DAG files": files}
    print(f"DAG import, medians of {RUNS} processes; goal: all files at most {GOAL_SECONDS} s over import airflow.sdk")
    for name, paths in groups.items():
        command = [sys.executable, "-c", READ, *map(str, paths)]
        seconds = [
            float(json.loads(subprocess.run(command, env=environment(), capture_output=True, check=True).stdout))
            for _ in range(RUNS)
        ]
        print(f"  {name:<28} + {statistics.median(seconds):5.3f} s cpu   ({min(seconds):5.3f} to {max(seconds):5.3f})")
