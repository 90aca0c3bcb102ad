"""Arguments that several commands have."""

from __future__ import annotations

import argparse


def add_connection(parser: argparse.ArgumentParser) -> None:
    """``--conn-id``, the environment to look at."""
    parser.add_argument(
        "--conn-id",
        default="ocp_default",
        metavar="ID",
        help="Airflow connection of type ocp, from AIRFLOW_CONN_<ID>, a secrets backend or Airflow (%(default)s)",
    )


def positive(text: str) -> int:
    """A whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number
