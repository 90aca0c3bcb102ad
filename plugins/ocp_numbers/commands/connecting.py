"""A connection as the operators have it, bound to looking: environment variables, secrets backends and Airflow's own
database are asked in Airflow's order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ocp_numbers.commands.screen import complain
from ocp_numbers.errors import ApiError, InvalidConnection, NoAnswer, NotFound

if TYPE_CHECKING:
    from ocp_numbers.hooks.ocp import OcpNumbersHook


@contextmanager
def connected(conn_id: str) -> Iterator[OcpNumbersHook]:
    """As :func:`connect`; logs out in the end, and says which field of the connection a failure speaks of."""
    from ocp_numbers.hooks.diagnosis import explain

    with connect(conn_id) as hook:
        try:
            yield hook
        except (ApiError, NoAnswer) as error:
            hint = explain(error, hook.settings)
            named = isinstance(error, NotFound) and error.operation != "numbers.list"  # a group, say, that is not there
            if hint != str(error) and not named:
                complain(f"{conn_id}: {hint}")
            raise


def connect(conn_id: str) -> OcpNumbersHook:
    """The hook of the connection, which cannot change anything on OCP whatever the connection's access is.

    :raises InvalidConnection: when there is no such connection, or it cannot be used.
    """
    from airflow.sdk.exceptions import AirflowNotFoundException

    from ocp_numbers.hooks.ocp import OcpNumbersHook

    ask_airflows_database_too()
    hook = OcpNumbersHook(conn_id, read_only=True)
    try:
        hook.settings  # noqa: B018 - read here, so that what is wrong with it is said before anything begins
    except AirflowNotFoundException:
        raise InvalidConnection(
            f"{conn_id}: there is no such connection; name another one with --conn-id, or define it, for example "
            f'{_variable(conn_id)}=\'{{"conn_type": "ocp", "login": "...", "password": "...", '
            '"extra": {"environment": "EU1"}}\''
        ) from None
    return hook


def ask_airflows_database_too() -> None:
    """Have connections looked for in Airflow's own database as well, last, where this machine can reach it.

    Airflow keeps what is neither a task nor one of its components away from there unless it is told otherwise.
    """
    from ocp_numbers.health import airflows_database

    with suppress(FileNotFoundError):
        airflows_database()
        os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")


def _variable(conn_id: str) -> str:
    name = f"AIRFLOW_CONN_{conn_id.upper()}"
    return f"export {name}"
