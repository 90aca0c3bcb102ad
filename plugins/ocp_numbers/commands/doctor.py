"""``ocp-numbers doctor``: looks at all that a deployment needs, and says what is wrong and how to fix it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from ocp_numbers.commands.arguments import add_connection
from ocp_numbers.commands.connecting import ask_airflows_database_too
from ocp_numbers.commands.screen import Screen

if TYPE_CHECKING:
    from ocp_numbers.health import Finding

SIGNS = {"good": "ok", "warning": "look", "bad": "WRONG"}

configure = add_connection


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Make every check; 1 when something is wrong."""
    from ocp_numbers.health import examine

    ask_airflows_database_too()
    with screen.working("looking"):
        findings = examine(options.conn_id)
    screen.show([asdict(finding) for finding in findings], told=lambda: _tell(screen, findings))
    return 1 if any(finding.mood == "bad" for finding in findings) else 0


def _tell(screen: Screen, findings: list[Finding]) -> None:
    for finding in findings:
        screen.say(f"{SIGNS[finding.mood]:<6} {finding.check}: {finding.seen}", finding.mood)
        if finding.fix:
            screen.say(f"       {finding.fix}")
