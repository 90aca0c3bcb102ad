"""``ocp-numbers check``: the connection test of Airflow's form, for machines where that button is switched off."""

from __future__ import annotations

import argparse

from ocp_numbers.commands.arguments import add_connection
from ocp_numbers.commands.connecting import connect
from ocp_numbers.commands.screen import Screen

configure = add_connection


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Test the connection; 1 when it does not work."""
    hook = connect(options.conn_id)
    with screen.working(f"logging in at {hook.settings.host}"):
        works, message = hook.test_connection()
    document = {"conn_id": options.conn_id, "host": hook.settings.host, "works": works, "message": message}
    screen.show(document, told=lambda: screen.say(message, "good" if works else "bad"))
    return 0 if works else 1
