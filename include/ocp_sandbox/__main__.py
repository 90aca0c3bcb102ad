"""The sandbox as a process: ``python -m ocp_sandbox --help``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

from ocp_sandbox.faults import Fault
from ocp_sandbox.sandbox import Sandbox
from ocp_sandbox.seed import STORE_LOCATOR
from ocp_sandbox.settings import OPERATIONS, Role, Settings, User

_ABOUT = """\
Serves a stand-in for the OCP numbers API on this machine: the 24 calls, the token endpoint, an inventory, and
numbers for sale. What it does with them is kept in the state file, if one is named. Its own pages are below
/_sandbox/: ledger, numbers, miniapps, groups, sets, stock, calls, faults, clock, health."""
_EXAMPLE = f"""\
a first purchase:
  provider telnova, country US, prefix +1212, group retail-us; a miniApp of that group is
  {STORE_LOCATOR}

examples:
  python -m ocp_sandbox --port 8091 --numbers 5000 --user ops:secret --user guest:secret:reader:retail-us

  curl http://127.0.0.1:8091/_sandbox/ledger
  curl http://127.0.0.1:8091/_sandbox/faults -d '{{"method": "PUT", "path": "/api/numbers", "kind": "drop_after"}}'"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 2 when it cannot begin."""
    try:
        sandbox = Sandbox(settings_of(arguments))
    except ValueError as error:
        return _complain(error)
    settings = sandbox.settings
    try:
        sandbox.start()
    except OSError as error:
        return _complain(f"port {settings.port} on {settings.host} cannot be used: {error.strerror}; name another")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    where = f"state in {settings.state}" if settings.state else "state in memory"
    world = sandbox.store.fact("seeded")
    print(f"OCP sandbox listening on {sandbox.url} (seeded with {world}; realm {settings.realm}; {where})", flush=True)
    ended.wait()
    sandbox.stop()
    return 0


def settings_of(arguments: Sequence[str] | None) -> Settings:
    """The settings that a command line describes.

    :raises ValueError: for values that are out of range or contradict each other.
    """
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    users: list[User] = given.pop("user") or list(Settings().users)
    for field in ("totp", "pat"):
        for name, value in given.pop(field):
            if name not in [user.name for user in users]:
                raise ValueError(f"--{field}: there is no --user {name}")
            users = [replace(user, **{field: value}) if user.name == name else user for user in users]
    limits = dict(Settings().csv_limits) | dict(given.pop("csv_limit"))
    path: Path | None = given.pop("faults")
    return Settings(users=users, csv_limits=limits, faults=_faults(path) if path else (), **given)


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    parser = _Parser(
        prog="python -m ocp_sandbox",
        description=_ABOUT,
        epilog=_EXAMPLE,
        formatter_class=_AsWritten,
        fromfile_prefix_chars="@",
    )
    place = parser.add_argument_group("where")
    place.add_argument("--host", default=default.host, help=f"address to listen on (default {default.host})")
    place.add_argument("--port", type=int, default=8091, help="port to listen on, 0 for a free one (default 8091)")
    place.add_argument("--state", type=Path, metavar="FILE", help="keep everything in FILE; reopened if it exists")
    place.add_argument(
        "--certificate", type=Path, metavar="FILE", help="serve HTTPS; the certificate to trust is written to FILE"
    )
    place.add_argument("--realm", default=default.realm, help=f"realm of the token endpoint (default {default.realm})")

    world = parser.add_argument_group("the world, when the state is new")
    world.add_argument(
        "--numbers", type=int, default=default.numbers, help=f"numbers owned, 0 to 1000000 (default {default.numbers})"
    )
    world.add_argument(
        "--stock",
        type=int,
        default=default.stock,
        help=f"numbers for sale per provider and country (default {default.stock})",
    )
    world.add_argument("--unpriced", type=float, default=0, metavar="SHARE", help="share of offers that show no price")
    world.add_argument("--seed", type=int, default=default.seed, help="another seed makes another world (default 1)")

    logins = parser.add_argument_group("logins")
    logins.add_argument(
        "--user",
        type=_user,
        action="append",
        metavar="NAME:PASSWORD[:ROLE[:GROUP,...]]",
        help="a login (default ops:secret), repeatable; roles: owner (default), operator, reader; default groups: all. "
        "@FILE takes arguments from a file, one a line: passwords do not show among processes then",
    )
    logins.add_argument(
        "--user-from",
        type=_user_from,
        action="append",
        dest="user",
        metavar="VARIABLE",
        help="the same, from a variable of the environment, which does not show among processes either",
    )
    logins.add_argument(
        "--totp",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME:SECRET",
        help="demand one-time codes of a login",
    )
    logins.add_argument(
        "--pat", type=_pair, action="append", default=[], metavar="NAME:TOKEN", help="give a login an access token"
    )
    logins.add_argument(
        "--token-ttl",
        type=float,
        default=default.token_ttl,
        metavar="SECONDS",
        help="life of an access token (default 300)",
    )
    logins.add_argument(
        "--refresh-ttl",
        type=float,
        default=default.refresh_ttl,
        metavar="SECONDS",
        help="life of a refresh token (default 1800)",
    )

    habits = parser.add_argument_group("habits and limits")
    habits.add_argument("--page-cap", type=int, metavar="ROWS", help="largest page answered (default: none)")
    habits.add_argument(
        "--offers-cap",
        type=int,
        default=default.offers_cap,
        metavar="OFFERS",
        help="most offers in one answer (default 100)",
    )
    habits.add_argument(
        "--visibility-delay", type=float, default=0, metavar="SECONDS", help="how long a purchase stays out of sight"
    )
    habits.add_argument("--rate-limit", type=int, metavar="CALLS", help="calls per second and login (default: none)")
    habits.add_argument(
        "--licences", type=int, metavar="N", help="numbers that can be bought in all (default: no limit)"
    )
    habits.add_argument("--restock-released", action="store_true", help="put numbers given up back on sale")
    habits.add_argument("--csv-as-text", action="store_true", help="answer CSV as text/csv, not as a JSON string")
    habits.add_argument(
        "--csv-limit",
        type=_limit,
        action="append",
        default=[],
        metavar="OPERATION=ROWS",
        help="most rows of an operation in an imported file (default 1000 each)",
    )
    habits.add_argument("--faults", type=Path, metavar="FILE", help="JSON list of fault rules in force from the start")
    return parser


def _user(text: str) -> User:
    name, password, role, groups = [*text.split(":", 3), "", "", ""][:4]
    try:
        return User(name, password, cast(Role, role or "owner"), tuple(filter(None, groups.split(","))) or ("*",))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name}:…: {error}") from None


def _user_from(variable: str) -> User:
    try:
        return _user(os.environ[variable])
    except KeyError:
        raise argparse.ArgumentTypeError(f"the environment has no {variable}") from None


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    if not name or not value:
        raise argparse.ArgumentTypeError("write NAME:VALUE")
    return name, value


def _limit(text: str) -> tuple[str, int]:
    name, _, rows = text.partition("=")
    if name not in OPERATIONS or not rows.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: write OPERATION=ROWS; operations: {', '.join(OPERATIONS)}")
    return name, int(rows)


def _faults(path: Path) -> list[Fault]:
    try:
        rules = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(rules, list):
            raise ValueError("holds no JSON list")
        return [Fault.from_json(rule) for rule in rules]
    except (OSError, ValueError) as error:
        raise ValueError(f"--faults {path}: {error}") from None


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Help with room for the explanations."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=110)


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and end with 2."""
        raise SystemExit(_complain(message))


def _complain(problem: object) -> int:
    print(f"ocp_sandbox: {problem}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
