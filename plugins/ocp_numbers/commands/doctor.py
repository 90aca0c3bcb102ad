"""``ocp-numbers doctor``: looks at all that a deployment needs, and says what is wrong and how to fix it.

Every check is made even when an earlier one failed. OCP has no call that tells how many licences are left: a purchase
finds that out.
"""

from __future__ import annotations

import argparse
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from ocp_numbers.commands.arguments import add_connection
from ocp_numbers.commands.connecting import connect
from ocp_numbers.commands.screen import Screen
from ocp_numbers.errors import InvalidInput, OcpError, shown

if TYPE_CHECKING:
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.hooks.ocp import OcpNumbersHook

POOL = "ocp_writes"
MOST_SKEW = 5.0
"""Seconds that this machine's clock may be off: what leases between machines allow for."""

OLD = timedelta(hours=36)
SIGNS = {"good": "ok", "warning": "look", "bad": "WRONG"}


@dataclass(frozen=True)
class Finding:
    """What one check found. ``fix`` is empty where all is well."""

    check: str
    mood: Literal["good", "warning", "bad"]
    seen: str
    fix: str = ""


configure = add_connection


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Make every check; 1 when something is wrong."""
    findings: list[Finding] = []
    with screen.working("looking"):
        for check in (_platform, _data_root, _snapshot, _orders, _pools, _notifications):
            findings += check(options.conn_id)
    screen.show([asdict(finding) for finding in findings], told=lambda: _tell(screen, findings))
    return 1 if any(finding.mood == "bad" for finding in findings) else 0


def _tell(screen: Screen, findings: list[Finding]) -> None:
    for finding in findings:
        screen.say(f"{SIGNS[finding.mood]:<6} {finding.check}: {finding.seen}", finding.mood)
        if finding.fix:
            screen.say(f"       {finding.fix}")


def _platform(conn_id: str) -> list[Finding]:
    """Connection, access, and the clock beside the platform's."""
    try:
        hook = connect(conn_id)
    except OcpError as error:
        return [Finding("connection", "bad", str(error), "Correct the connection; the fields are those of its form.")]
    with hook:
        works, message = hook.test_connection()
        if not works:
            return [Finding("connection", "bad", message, "Change the field that is named first.")]
        return [Finding("connection", "good", message), _access(conn_id), _clock(hook)]


def _access(conn_id: str) -> Finding:
    from ocp_numbers.hooks.ocp import OcpNumbersHook

    access = OcpNumbersHook(conn_id).settings.access
    may = {"read": "look only", "write": "look and change, not buy or give up", "paid": "do everything, also buy"}
    return Finding("access", "good", f"{access}: tasks with this connection may {may[access]}")


def _clock(hook: OcpNumbersHook) -> Finding:
    from ocp_numbers.client import OPERATIONS

    asked = time.time()
    reply = hook.client.transport.send(OPERATIONS["numbers.list"], page=1, page_size=1)
    answered = time.time()
    stated = reply.headers.get("Date")
    if not stated:
        return Finding("clock", "warning", "the platform does not say what time it is", "Compare the clock by hand.")
    # The header has whole seconds and was written at some moment in between: only what lies outside counts.
    theirs = parsedate_to_datetime(stated).timestamp()
    off = max(theirs - answered, asked - theirs - 1, 0.0)
    if off > MOST_SKEW:
        return Finding(
            "clock",
            "bad",
            f"{off:.0f} s off the platform's",
            "Switch time synchronisation (NTP) on: one-time codes and leases between machines need the right time.",
        )
    return Finding("clock", "good", "agrees with the platform's")


def _data_root(_: str) -> list[Finding]:
    from ocp_numbers.data_root import ENVIRONMENT_VARIABLE, DataRoot

    fix = (
        f"See that {ENVIRONMENT_VARIABLE} names a folder that all workers share or an object store, and may be written."
    )
    try:
        root = DataRoot.from_environment()
        began = time.perf_counter()
        _use(root)
        took = time.perf_counter() - began
    except (OSError, OcpError) as error:
        return [Finding("data root", "bad", str(error), fix)]
    except Exception as error:  # an object store has errors of its own kind
        return [Finding("data root", "bad", f"{type(error).__name__}: {error}", fix)]
    seen = f"{root.uri}: documents, exclusive creation and leases work ({took * 1000:.0f} ms)"
    if not os.environ.get(ENVIRONMENT_VARIABLE):
        return [
            Finding(
                "data root",
                "warning",
                f"{seen}; {ENVIRONMENT_VARIABLE} is not set, so this is the folder beside the project",
                "Good for one machine. With several workers, name a place that all of them share.",
            )
        ]
    return [Finding("data root", "good", seen)]


def _use(root: DataRoot) -> None:
    """Write, read, create once, hold a lease, tidy up.

    :raises OSError: when the store does not keep what it has to.
    """
    from ocp_numbers.lease import Lease

    place = f".doctor/{uuid.uuid4().hex}"
    try:
        root.write(f"{place}/document", b"1")
        root.write(f"{place}/document", b"2")
        if root.read(f"{place}/document") != b"2":
            raise OSError(f"{root.uri}: a document that was just replaced is read as it was before")
        if not root.create(f"{place}/once", b"1") or root.create(f"{place}/once", b"2"):
            raise OSError(
                f"{root.uri}: creating a document is not exclusive, so that two writers could not be kept apart"
            )
        with Lease(root, f"{place}/lease", clock=lambda: datetime.now(timezone.utc)).held() as lease:
            lease.keep()
    finally:
        root.delete_folder(place)


def _snapshot(conn_id: str) -> list[Finding]:
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.inventory import latest

    def look() -> Finding:
        found = latest(DataRoot.from_environment(), conn_id)
        fix = "Trigger nightly_inventory_export, and see why it did not run: cleanup refuses to decide on old data."
        if found is None:
            return Finding("inventory", "warning", "no snapshot yet", fix)
        age = datetime.now(timezone.utc) - found.taken
        hours = age.total_seconds() / 3600
        seen = f"{found.rows:,} numbers, {hours:.0f} h old, {found.folder}"
        return Finding("inventory", "warning", seen, fix) if age > OLD else Finding("inventory", "good", seen)

    return _guarded("inventory", look)


def _orders(conn_id: str) -> list[Finding]:
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.ordering import OrderBook

    def look() -> Finding:
        orders = list(OrderBook(DataRoot.from_environment(), conn_id).orders())
        doubtful = [order.order_id for order in orders if order.in_doubt]
        if doubtful:
            return Finding(
                "orders",
                "warning",
                f"a purchase is in doubt in {shown(doubtful)}",
                "Clear the task that buys: it finds out first. Do not buy the rest by hand meanwhile.",
            )
        return Finding("orders", "good", f"{len(orders):,} in the data root, none in doubt")

    return _guarded("orders", look)


def _guarded(check: str, look: Callable[[], Finding]) -> list[Finding]:
    try:
        return [look()]
    except (OSError, OcpError) as error:
        return [Finding(check, "bad", str(error), "It is said above what to correct.")]


def _notifications(_: str) -> list[Finding]:
    from ocp_numbers.notifications.routes import file, read_routes

    def look() -> Finding:
        routes = read_routes(file())
        told = [event for event, ways in routes.items() if ways]
        if not told:
            return Finding(
                "notifications", "warning", "nobody is told of anything", f"Name notifiers in {file()}, if you want."
            )
        return Finding("notifications", "good", f"{len(told)} of {len(routes)} events are told: {shown(told)}")

    return _guarded("notifications", look)


def _pools(_: str) -> list[Finding]:
    """The pools that tasks wait in, where Airflow's database can be reached from here."""
    from ocp_numbers.operators.export import pools

    try:
        slots = _slots()
        named = pools(os.environ.get("OCP_NUMBERS_POOLS")).values()
    except InvalidInput as error:
        return [Finding("pools", "bad", str(error), "Correct the environment variable on every machine of Airflow.")]
    except Exception as error:  # whatever the database is, it may be out of reach in a way of its own
        by_hand = f"Check by hand, on the scheduler's machine: airflow pools get {POOL}"
        return [Finding("pools", "warning", f"not checked, no Airflow database here ({type(error).__name__})", by_hand)]
    create = f'Run: airflow pools set {POOL} 1 "One writer at a time"'
    missing = sorted({*named} - {*slots})
    if missing:
        fix = "Create them: a task in a pool that does not exist stays scheduled for ever."
        return [Finding("pools", "bad", f"{shown(missing)} do not exist, but OCP_NUMBERS_POOLS names them", fix)]
    if POOL not in slots:
        return [Finding("pools", "bad", f"{POOL} does not exist: tasks that buy would stay scheduled for ever", create)]
    if slots[POOL] != 1:
        return [Finding("pools", "bad", f"{POOL} has {slots[POOL]} slots: paid tasks would not take turns", create)]
    return [Finding("pools", "good", f"{POOL} has one slot")]


def _slots() -> dict[str, int]:
    """The pools and how many slots each has."""
    from airflow.configuration import conf
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    address = make_url(conf.get_mandatory_value("database", "sql_alchemy_conn"))
    if address.get_backend_name() == "sqlite" and not os.path.exists(address.database or ""):  # noqa: PTH110
        raise FileNotFoundError(address.database)  # connecting would create it
    with create_engine(address).connect() as connection:
        return {row.pool: row.slots for row in connection.execute(text("SELECT pool, slots FROM slot_pool"))}
