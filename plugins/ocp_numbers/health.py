"""All that a deployment needs, looked at: what is there, what is wrong, and how to mend it.

Every check is made even when an earlier one failed. None changes anything on OCP; the data root is written to and left
as it was. OCP has no call that tells how many licences are left: what can be told is whether a purchase met none.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ocp_numbers.deployment import VARIABLE, WRITES, pools
from ocp_numbers.errors import InvalidInput, OcpError, shown
from ocp_numbers.metrics import IN_DOUBT, METRICS, PROBLEMS, tell_age

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.hooks.ocp import OcpNumbersHook
    from ocp_numbers.ordering import Order

MOST_SKEW = 5.0
"""Seconds that this machine's clock may be off: what leases between machines allow for."""

OLD = timedelta(hours=36)
_LICENCES = re.compile(r"\blicen[cs]e", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """What one check found. ``fix`` is empty where all is well."""

    check: str
    mood: Literal["good", "warning", "bad"]
    seen: str
    fix: str = ""


def examine(conn_id: str, *, in_task: bool = False) -> list[Finding]:
    """Make every check for an environment, and tell the gauges of it.

    :param in_task: whether an Airflow task looks: it sees what a worker sees, which Airflow's own database is none of.
    """
    findings: list[Finding] = []
    for check, look in _CHECKS.items():
        if in_task and check == "pools":
            continue
        if check in _IN_THE_DATA_ROOT and any(found.check == "data root" and found.mood == "bad" for found in findings):
            findings.append(Finding(check, "warning", "not looked at", "The data root has to work first."))
            continue
        try:
            findings += look(conn_id)
        except (OSError, OcpError) as error:
            findings.append(Finding(check, "bad", str(error), "It is said above what to correct."))
    for metric in METRICS:
        if metric.kind == "counter":
            metric.tell(0, environment=conn_id)
    PROBLEMS.tell(sum(finding.mood == "bad" for finding in findings), environment=conn_id)
    return findings


def _platform(conn_id: str) -> Iterator[Finding]:
    """Connection, access, and the clock beside the platform's."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from ocp_numbers.hooks.ocp import OcpNumbersHook

    with OcpNumbersHook(conn_id, read_only=True) as hook:
        try:
            works, message = hook.test_connection()
        except AirflowNotFoundException:
            where = "secrets backend, environment and Airflow's own connections were asked"
            define = (
                f'Add it in the Airflow UI, or export AIRFLOW_CONN_{conn_id.upper()}=\'{{"conn_type": "ocp", ...}}\'.'
            )
            yield Finding("connection", "bad", f"{conn_id}: there is no such connection; {where}", define)
            return
        if not works:
            yield Finding("connection", "bad", message, "Change the field that is named first.")
            return
        yield Finding("connection", "good", message)
        yield _access(conn_id)
        yield _clock(hook)


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


def _data_root(_: str) -> Iterator[Finding]:
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
        yield Finding("data root", "bad", str(error), fix)
        return
    except Exception as error:  # an object store has errors of its own kind
        yield Finding("data root", "bad", f"{type(error).__name__}: {error}", fix)
        return
    seen = f"{root.uri}: documents, exclusive creation and leases work ({took * 1000:.0f} ms)"
    if os.environ.get(ENVIRONMENT_VARIABLE):
        yield Finding("data root", "good", seen)
        return
    yield Finding(
        "data root",
        "warning",
        f"{seen}; {ENVIRONMENT_VARIABLE} is not set, so this is the folder beside the project",
        "Good for one machine. With several workers, name a place that all of them share.",
    )


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


def _snapshot(conn_id: str) -> Iterator[Finding]:
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.inventory import latest

    found = latest(DataRoot.from_environment(), conn_id)
    fix = "Trigger nightly_inventory_export, and see why it did not run: cleanup refuses to decide on old data."
    if found is None:
        yield Finding("inventory", "warning", "no snapshot yet", fix)
        return
    tell_age(found)
    age = datetime.now(timezone.utc) - found.taken
    seen = f"{found.rows:,} numbers, {age.total_seconds() / 3600:.0f} h old, {found.folder}"
    yield Finding("inventory", "warning", seen, fix) if age > OLD else Finding("inventory", "good", seen)


def _orders(conn_id: str) -> Iterator[Finding]:
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.ordering import OrderBook

    count, in_doubt = 0, 0
    doubtful: list[str] = []
    unlicensed: list[str] = []
    for order in OrderBook(DataRoot.from_environment(), conn_id).orders():
        count += 1
        if order.in_doubt:
            in_doubt += len(order.in_doubt)
            doubtful.append(order.order_id)
        if met_no_licence(order):
            unlicensed.append(order.order_id)
    IN_DOUBT.tell(in_doubt, environment=conn_id)
    if doubtful:
        yield Finding(
            "orders",
            "warning",
            f"{in_doubt} numbers are in doubt in {shown(doubtful)}",
            "Clear the task that buys: it finds out first. Do not buy the rest by hand meanwhile.",
        )
    else:
        yield Finding("orders", "good", f"{count:,} in the data root, none in doubt")
    if unlicensed:
        yield Finding(
            "licences",
            "warning",
            f"OCP had none left for {shown(unlicensed)}",
            "Ask OCP's administrator for more, then clear the task that buys: it buys what is missing.",
        )
    else:
        yield Finding("licences", "good", "no open order waits for one; how many are left OCP does not tell")


def met_no_licence(order: Order) -> bool:
    """Whether the order is open, and the last that was heard of it is that OCP has no licence for its numbers."""
    return order.is_open and bool(order.history) and bool(_LICENCES.search(order.history[-1].what))


def _notifications(_: str) -> Iterator[Finding]:
    from ocp_numbers.notifications.routes import file, read_routes

    routes = read_routes(file())
    told = [event for event, ways in routes.items() if ways]
    if told:
        yield Finding("notifications", "good", f"{len(told)} of {len(routes)} events are told: {shown(told)}")
        return
    yield Finding("notifications", "warning", "nobody is told of anything", f"Name notifiers in {file()}, if you want.")


def _pools(_: str) -> Iterator[Finding]:
    """The pools that tasks wait in, where Airflow's database can be reached from here."""
    try:
        named = pools(os.environ.get(VARIABLE)).values()
        slots = _slots()
    except InvalidInput as error:
        yield Finding("pools", "bad", str(error), "Correct the environment variable on every machine of Airflow.")
        return
    except Exception as error:  # whatever the database is, it may be out of reach in a way of its own
        by_hand = f"Check by hand, on the scheduler's machine: airflow pools get {WRITES}"
        yield Finding("pools", "warning", f"not checked, no Airflow database here ({type(error).__name__})", by_hand)
        return
    create = f'Run: airflow pools set {WRITES} 1 "One writer at a time"'
    if missing := sorted({*named} - {*slots}):
        fix = "Create them: a task in a pool that does not exist stays scheduled for ever."
        yield Finding("pools", "bad", f"{shown(missing)} do not exist, but {VARIABLE} names them", fix)
    if WRITES not in slots:
        yield Finding("pools", "bad", f"{WRITES} does not exist: tasks that buy would stay scheduled for ever", create)
    elif slots[WRITES] != 1:
        yield Finding("pools", "bad", f"{WRITES} has {slots[WRITES]} slots: paid tasks would not take turns", create)
    elif not missing:
        yield Finding("pools", "good", f"{WRITES} has one slot")


def airflows_database() -> URL:
    """Where Airflow keeps its own database.

    :raises FileNotFoundError: when that is a file that is not there, which connecting would create.
    """
    from airflow.configuration import conf
    from sqlalchemy.engine import make_url

    address = make_url(conf.get_mandatory_value("database", "sql_alchemy_conn"))
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        raise FileNotFoundError(address.database)
    return address


def _slots() -> dict[str, int]:
    """The pools and how many slots each has."""
    from sqlalchemy import create_engine, text

    with create_engine(airflows_database()).connect() as connection:
        return {row.pool: row.slots for row in connection.execute(text("SELECT pool, slots FROM slot_pool"))}


_CHECKS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "connection": _platform,
    "data root": _data_root,
    "inventory": _snapshot,
    "orders": _orders,
    "pools": _pools,
    "notifications": _notifications,
}
_IN_THE_DATA_ROOT = ("inventory", "orders")
