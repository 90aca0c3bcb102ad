"""``ocp-numbers balance``: whether orders, inventory and releases add up, as the last export found it; reads the data
root and needs neither OCP nor Airflow.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ocp_numbers.commands.arguments import add_connection
from ocp_numbers.commands.screen import Screen
from ocp_numbers.errors import InvalidInput

if TYPE_CHECKING:
    from ocp_numbers.balance import Balance

HEAD = ("Finding", "Number", "What", "Record")

configure = add_connection


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Read the latest account; 1 when the books do not balance.

    :raises InvalidInput: when there is none.
    """
    from ocp_numbers.balance import read
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.inventory import latest

    root = DataRoot.from_environment()
    snapshot = latest(root, options.conn_id)
    if snapshot is None:
        raise InvalidInput(
            f"--conn-id: there is no snapshot of {options.conn_id} in {root.uri}; export it first, or set "
            "OCP_NUMBERS_DATA to where the exports are"
        )
    balance = read(snapshot)
    if balance is None:
        raise InvalidInput(
            f"{snapshot.folder}: was exported without an account; export again, and the books are closed with it"
        )
    screen.show(balance.model_dump(mode="json"), told=lambda: _tell(screen, balance))
    return 1 if balance.verdict == "unbalanced" else 0


def _tell(screen: Screen, balance: Balance) -> None:
    screen.say(f"{balance.environment}, {balance.until}: {balance.summary}", "bad" if balance.findings else "good")
    if balance.first:
        rows = [(finding.finding, finding.number, finding.what, finding.record) for finding in balance.first]
        screen.table(HEAD, rows)
    if balance.findings > len(balance.first):
        screen.say(f"The first {len(balance.first)} of {balance.findings:,}.")
