"""Rules of the numbers in the inventory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from ocp_sandbox.messages import Refusal, listed
from ocp_sandbox.numbering import country_of, key_of
from ocp_sandbox.rules.session import Session


def move(session: Session, numbers: Sequence[str], group: str) -> None:
    """Give ``numbers`` to another group. A number in a set stays with its set's group (409)."""
    session.group(group)
    rows = session.numbers(numbers)
    if held := [row["number"] for row in rows if row["number_set"] is not None and row["group_id"] != group]:
        raise Refusal(409, f"In a phone numbers set, whose group decides: {listed(held)}; remove them from it first")
    session.db.executemany("UPDATE numbers SET group_id = ? WHERE id = ?", [(group, row["id"]) for row in rows])


def attach(session: Session, numbers: Sequence[str], mini_app_id: str, locale: str, tag: str | None) -> None:
    """Bind ``numbers`` to a miniApp, whatever they were bound to before."""
    app = session.mini_app(mini_app_id)
    bind(session, session.numbers(numbers), app, locale, tag)


def bind(session: Session, rows: Iterable[sqlite3.Row], app: int, locale: str, tag: str | None) -> None:
    """Write the binding into rows that were looked up already."""
    session.db.executemany(
        "UPDATE numbers SET mini_app = ?, locale = ?, application_tag = ? WHERE id = ?",
        [(app, locale, tag, row["id"]) for row in rows],
    )


def detach(session: Session, numbers: Sequence[str]) -> None:
    """Free ``numbers`` from their miniApps."""
    unbind(session, session.numbers(numbers))


def unbind(session: Session, rows: Iterable[sqlite3.Row]) -> None:
    """Take the binding out of rows that were looked up already."""
    session.db.executemany(
        "UPDATE numbers SET mini_app = NULL, locale = NULL, application_tag = NULL WHERE id = ?",
        [(row["id"],) for row in rows],
    )


def annotate(session: Session, number: str, note: str) -> None:
    """Replace the note of a number."""
    (row,) = session.numbers([number])
    session.db.execute("UPDATE numbers SET note = ? WHERE id = ?", (note, row["id"]))


def add(
    session: Session,
    numbers: Sequence[str],
    group: str,
    *,
    country: str | None = None,
    mini_app_id: str | None = None,
    locale: str | None = None,
    log_ani: bool = True,
    log_dnis: bool = True,
    note: str | None = None,
    tag: str | None = None,
) -> None:
    """Enter numbers that were bought elsewhere. One that is owned already is refused (409), and all with it."""
    session.group(group)
    app = session.mini_app(mini_app_id) if mini_app_id is not None else None
    if owned := [number for number in numbers if is_owned(session.db, number)]:
        raise Refusal(409, f"Number already exists: {listed(owned)}")
    for number in numbers:
        session.db.execute(
            "INSERT INTO numbers(id, number, country, group_id, mini_app, locale, note, application_tag, purchased,"
            " log_ani, log_dnis, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
            (
                key_of(number),
                number,
                country or country_of(number),
                group,
                app,
                locale,
                note,
                tag,
                log_ani,
                log_dnis,
                session.now,
            ),
        )
        session.record("added", number, group, note=note)


def delete(session: Session, number: str) -> None:
    """Take a number out of the database. A purchased one is given up through its set instead (409)."""
    (row,) = session.numbers([number])
    if row["purchased"]:
        raise Refusal(409, f"Number {number} is purchased; purchased numbers are given up through their set")
    session.db.execute("DELETE FROM numbers WHERE id = ?", (row["id"],))
    session.record("deleted", number, row["group_id"], note=row["note"])


def is_owned(db: sqlite3.Connection, number: str) -> bool:
    """Whether anyone owns ``number``, in sight or not."""
    return db.execute("SELECT 1 FROM numbers WHERE id = ?", (key_of(number),)).fetchone() is not None
