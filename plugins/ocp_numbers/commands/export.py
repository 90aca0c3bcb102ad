"""``ocp-numbers export``: the nightly export at once. It reads OCP and writes to the data root."""

from __future__ import annotations

import argparse
import getpass
import socket
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

from ocp_numbers.commands.arguments import add_connection, counted
from ocp_numbers.commands.connecting import connected
from ocp_numbers.commands.screen import Screen

if TYPE_CHECKING:
    from ocp_numbers.inventory import CompleteSnapshot

FILTERS = {
    "number": "with these digits in them; %% stands for any",
    "note": "with this in their note",
    "locale": "of this locale, such as en-US",
    "mini_app_name": "of miniApps with this in their name",
    "mini_app_type": "of miniApps of this type",
    "set_id": "of the set with this id",
}
"""What can be searched by, and how it is told."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    add_connection(parser)
    parser.add_argument(
        "--group", action="append", default=[], dest="groups", help="only numbers of this group; may be repeated"
    )
    for name in FILTERS:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT", help=f"only numbers {FILTERS[name]}")
    parser.add_argument(
        "--format",
        action="append",
        dest="formats",
        choices=["csv", "xlsx"],
        help="write this beside Parquet; may be repeated (csv)",
    )
    parser.add_argument("--date", type=_day, help="date that the snapshot stands for (today, UTC)")
    parser.add_argument("--full-check", action="store_true", help="compare with the platform's own CSV as well")
    parser.add_argument(
        "--accept-rows",
        type=counted,
        metavar="N",
        help="believe about N numbers, where the last snapshot makes that many unbelievable",
    )


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Export and publish, complete or not at all."""
    from ocp_numbers.errors import VolumeAnomaly

    try:
        snapshot = _exported(options, screen)
    except VolumeAnomaly as anomaly:
        raise VolumeAnomaly(
            f"{anomaly}: --accept-rows {anomaly.rows}", rows=anomaly.rows, before=anomaly.before
        ) from anomaly
    screen.show(_document(snapshot), told=lambda: _tell(screen, snapshot))
    return 0


def _exported(options: argparse.Namespace, screen: Screen) -> CompleteSnapshot:
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.inventory import Scope
    from ocp_numbers.inventory.export import Export
    from ocp_numbers.inventory.filters import check_filters
    from ocp_numbers.inventory.sight import LoginSight
    from ocp_numbers.inventory.source import ClientSource

    filters = check_filters({name: getattr(options, name) for name in FILTERS})
    with connected(options.conn_id) as hook, screen.working(f"reading the inventory of {hook.settings.host}"):
        return Export(
            source=ClientSource(lambda: hook.client, options.groups, filters),
            root=DataRoot.from_environment(),
            scope=Scope(
                environment=hook.environment,
                groups=tuple(sorted(set(options.groups))),
                filters=filters,
                login=hook.settings.login,
            ),
            day=options.date or datetime.now(timezone.utc).date(),
            holder=f"ocp-numbers export of {getpass.getuser()} on {socket.gethostname()}",
            formats=("parquet", *(options.formats or ["csv"])),
            page_size=hook.settings.page_size,
            concurrency=hook.settings.max_concurrency,
            expected_rows=options.accept_rows,
            full_check=options.full_check,
            sight=LoginSight(lambda: hook.client),
        ).run()


def _document(snapshot: CompleteSnapshot) -> dict[str, object]:
    changes = snapshot.manifest.changes
    return {
        "environment": snapshot.environment,
        "date": snapshot.date.isoformat(),
        "rows": snapshot.rows,
        "rejects": snapshot.manifest.rejects,
        "changes": changes.counts if changes else {},
        "digest": snapshot.digest,
        "path": str(snapshot.root.path(snapshot.folder)),
    }


def _tell(screen: Screen, snapshot: CompleteSnapshot) -> None:
    from ocp_numbers.balance import read

    screen.say(
        f"{snapshot.rows:,} numbers of {snapshot.manifest.scope}, complete, as of {snapshot.taken:%Y-%m-%d %H:%M %Z}",
        "good",
    )
    changes = snapshot.manifest.changes
    if changes:
        told = ", ".join(f"{count:,} {kind}" for kind, count in changes.counts.items() if count)
        screen.say(f"Since {changes.date}: {told or 'nothing has changed'}")
    balance = read(snapshot)
    if balance:
        screen.say(balance.summary, "warning" if balance.findings else "")
    for notice in snapshot.manifest.notices:
        screen.say(notice, "warning")
    if snapshot.manifest.rejects:
        screen.say(f"{snapshot.manifest.rejects:,} rows are not records of numbers: see rejects.jsonl", "warning")
    for name in snapshot.manifest.files:
        screen.say(f"  {snapshot.root.path(f'{snapshot.folder}/{name}')}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write 2026-03-31") from None
