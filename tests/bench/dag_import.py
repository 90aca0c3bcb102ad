"""What reading the DAG files costs at each parse, over an interpreter that has imported the Airflow SDK."""

from __future__ import annotations

from bench.measure import PROJECT, alternate, python

GOAL_SECONDS = 0.15


def run() -> None:
    """Print the cost of every DAG file and of all together, over ``import airflow.sdk``."""
    files = sorted((PROJECT / "dags").glob("*.py"))
    read = "import airflow.sdk, runpy; [runpy.run_path(path) for path in {paths!r}]"
    commands = {"import airflow.sdk": python("import airflow.sdk")}
    commands |= {file.stem: python(read.format(paths=[str(file)])) for file in files}
    commands["all DAG files"] = python(read.format(paths=[str(file) for file in files]))
    figures = alternate(commands, runs=7)
    floor = figures["import airflow.sdk"]
    print(f"DAG import, medians of 7 runs; goal: all files at most {GOAL_SECONDS} s over import airflow.sdk")
    for name, figure in figures.items():
        print(f"  {name:<28} {figure}   + {figure.cpu - floor.cpu:5.2f} s cpu   x {figure.cpu / floor.cpu:4.2f}")
