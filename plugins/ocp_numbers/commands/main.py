"""``ocp-numbers``: the connection tested, numbers searched, the inventory exported, a region planned, orders read.

It looks and never changes anything on OCP: its client is bound to reading, whatever the connection allows.

Exit codes: 0 all is well; 1 something was looked at and is not as it should be; 2 a wrong argument, file or connection;
3 OCP refused or could not be reached; 4 a rule of this project stopped the work; 130 ended by Ctrl-C.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Protocol, cast

from ocp_numbers.commands.screen import Screen, complain
from ocp_numbers.errors import ApiError, InvalidInput, NoAnswer, OcpError

COMMANDS = {
    "check": "log in and read one row: is the connection right?",
    "doctor": "look at everything a deployment needs, and say what is wrong and how to fix it",
    "search": "numbers that a provider offers for purchase",
    "export": "export the whole inventory into the data root, as the nightly run does",
    "plan": "what provision_region would do for a region's file",
    "orders": "what was bought, by which order, for how much",
    "balance": "whether orders, inventory and releases add up",
    "contract": "what this client and OCP agree on, and whether your OCP keeps to it",
}
"""The commands, each a module of this package that has ``configure`` and ``run``."""


class Command(Protocol):
    """What the module of a command offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, options: argparse.Namespace, screen: Screen) -> int:
        """Do it; the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.ERROR, format="%(asctime)s %(message)s", stream=sys.stderr
    )
    # By name: importing Airflow sets up logging anew.
    logging.getLogger("ocp_numbers").setLevel(logging.INFO if options.verbose else logging.ERROR)
    for others in ("airflow", "urllib3"):
        logging.getLogger(others).setLevel(logging.WARNING if options.verbose else logging.ERROR)
    try:
        code = _run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as in "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        complain("ended")
        return 130
    except OcpError as error:
        text = str(error)
        complain(f"ocp-numbers {options.command}:{chr(10) if chr(10) in text else ' '}{text}")
        return exit_code(error)
    return code


def exit_code(error: OcpError) -> int:
    """The exit code for what stopped a command."""
    if isinstance(error, InvalidInput):
        return 2
    return 3 if isinstance(error, ApiError | NoAnswer) else 4


def _run(options: argparse.Namespace) -> int:
    return _module(options.command).run(options, Screen(as_json=options.json))


def _parser() -> argparse.ArgumentParser:
    what, codes = str(__doc__).strip().split("\n\n", 2)[1:]
    parser = argparse.ArgumentParser(prog="ocp-numbers", description=what, epilog=codes)
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('airflow-provider-ocp-numbers')}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    shared.add_argument("--verbose", action="store_true", help="also log what is done, to standard error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary.capitalize(), parents=[shared])
        _module(name).configure(command)
    return parser


def _module(command: str) -> Command:
    return cast("Command", import_module(f"ocp_numbers.commands.{command}"))


if __name__ == "__main__":
    sys.exit(main())
