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
    return _whole(text, least=1)


def counted(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, least=0)


def _whole(text: str, *, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return number
