"""What a deployment says in its environment variables: which connections the DAGs look after, in which pools, and in
which time zone; and where the project's files are.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from ocp_numbers.errors import InvalidInput

WRITES = "ocp_writes"
"""The pool of paid and destructive tasks; it has one slot."""

VARIABLE = "OCP_NUMBERS_POOLS"

MISSED = timedelta(minutes=5)
"""How late a scheduled DAG's very first run may be: unpaused any later, it waits for its next hour."""


def project() -> Path:
    """The folder with ``dags`` and ``include`` in it: the one that this package runs from, Airflow's home where the
    package was installed apart from it, as in the image.
    """
    own = Path(__file__).resolve().parents[2]
    if (own / "dags").is_dir() and (own / "include").is_dir():
        return own
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


def timezone() -> str:
    """In which the DAGs' hours are: ``OCP_NUMBERS_TIMEZONE``, UTC by default."""
    return os.environ.get("OCP_NUMBERS_TIMEZONE", "UTC")


def environments() -> list[str]:
    """The connections that ``OCP_NUMBERS_ENVIRONMENTS`` lists, between commas or blanks; ``ocp_default`` by default."""
    return os.environ.get("OCP_NUMBERS_ENVIRONMENTS", "").replace(",", " ").split() or ["ocp_default"]


def pools(text: str | None) -> dict[str, str]:
    """Which connection's exports run in which Airflow pool, such as ``ocp_eu=eu_reads, ocp_us=us_reads``.

    :raises InvalidInput: naming the part that is not ``connection=pool``.
    """
    pairs = [part.partition("=") for part in (text or "").split(",") if part.strip()]
    for connection, equals, pool in pairs:
        if not (connection.strip() and equals and pool.strip()):
            raise InvalidInput(
                f"{VARIABLE}: {connection + equals + pool!r} is not connection=pool; write for example "
                f"ocp_eu=eu_reads,ocp_us=us_reads"
            )
    return {connection.strip(): pool.strip() for connection, _, pool in pairs}
