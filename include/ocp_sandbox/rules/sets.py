"""Rules of phone number sets: a number is in one set at most, and in a set of its own group."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from typing import Any

from ocp_sandbox.messages import Refusal, listed
from ocp_sandbox.rules import inventory, purchase
from ocp_sandbox.rules.session import Session

_COUNTED = (
    "SELECT id, name, group_id AS groupId, (SELECT count(*) FROM numbers WHERE number_set = sets.key)"
    " AS phoneNumberCount FROM sets"
)


def create(session: Session, name: str, group: str) -> dict[str, Any]:
    """A new, empty set. Its name is its group's only one of the kind (409)."""
    session.group(group)
    _free(session, name, group)
    set_id = str(uuid.uuid4())
    session.db.execute("INSERT INTO sets(id, name, group_id) VALUES (?, ?, ?)", (set_id, name, group))
    return {"id": set_id, "name": name, "groupId": group, "phoneNumberCount": 0}


def in_sight(session: Session, group: str | None = None) -> list[dict[str, Any]]:
    """The sets that this login may see, of one group or of all."""
    if group is not None:
        session.group(group)
    found = [dict(row) for row in session.db.execute(f"{_COUNTED} ORDER BY group_id, name")]
    return [row for row in found if session.user.sees(row["groupId"]) and group in (None, row["groupId"])]


def one(session: Session, set_id: str) -> dict[str, Any]:
    """One set with its count."""
    session.number_set(set_id)
    return dict(session.db.execute(f"{_COUNTED} WHERE id = ?", (set_id,)).fetchone())


def members(session: Session, number_set: sqlite3.Row) -> list[sqlite3.Row]:
    """The numbers in a set, in the order of the numbers."""
    found = session.db.execute("SELECT * FROM numbers WHERE number_set = ? ORDER BY id", (number_set["key"],))
    return found.fetchall()


def change(session: Session, set_id: str, name: str | None, group: str | None) -> None:
    """Rename a set, or give it and its numbers to another group."""
    row = session.number_set(set_id)
    name, group = name or row["name"], session.group(group or row["group_id"])
    if (name, group) != (row["name"], row["group_id"]):
        _free(session, name, group)
    session.db.execute("UPDATE sets SET name = ?, group_id = ? WHERE key = ?", (name, group, row["key"]))
    if group != row["group_id"]:
        session.db.execute("UPDATE numbers SET group_id = ? WHERE number_set = ?", (group, row["key"]))


def put_in(session: Session, set_id: str, numbers: Sequence[str]) -> None:
    """Put numbers of the set's own group into it; those in it already may stay, those in another set are refused."""
    row = session.number_set(set_id)
    rows = session.numbers(numbers)
    if foreign := [each["number"] for each in rows if each["group_id"] != row["group_id"]]:
        raise Refusal(409, f"Not of the set's group {row['group_id']}: {listed(foreign)}")
    for each in rows:
        if each["number_set"] not in (None, row["key"]):
            other = session.db.execute("SELECT id, name FROM sets WHERE key = ?", (each["number_set"],)).fetchone()
            raise Refusal(409, f"Number {each['number']} is in the set {other['name']} ({other['id']}) already")
    session.db.executemany(
        "UPDATE numbers SET number_set = ? WHERE id = ?", [(row["key"], each["id"]) for each in rows]
    )


def take_out(session: Session, set_id: str, numbers: Sequence[str]) -> None:
    """Take numbers out of a set; they stay in the inventory. One that is not in it is left as it is."""
    row = session.number_set(set_id)
    session.db.executemany(
        "UPDATE numbers SET number_set = NULL WHERE id = ? AND number_set = ?",
        [(each["id"], row["key"]) for each in session.numbers(numbers)],
    )


def attach(
    session: Session, set_id: str, numbers: Sequence[str] | None, mini_app_id: str, locale: str, tag: str | None
) -> int:
    """Bind the set's numbers, or some of them, to a miniApp; how many."""
    row = session.number_set(set_id)
    app = session.mini_app(mini_app_id)
    rows = members(session, row) if numbers is None else session.numbers(numbers)
    if outside := [each["number"] for each in rows if each["number_set"] != row["key"]]:
        raise Refusal(404, f"Number not found in set {set_id}: {listed(outside)}")
    inventory.bind(session, rows, app, locale, tag)
    return len(rows)


def detach(session: Session, set_id: str) -> int:
    """Free the set's numbers from their miniApps; how many."""
    rows = members(session, session.number_set(set_id))
    inventory.unbind(session, rows)
    return len(rows)


def release(session: Session, set_id: str) -> int:
    """Give up the purchased numbers in a set for good; the others stay. How many were given up."""
    return purchase.release(session, members(session, session.number_set(set_id)))


def delete(session: Session, set_id: str) -> None:
    """Take a set away; its numbers stay in the inventory."""
    row = session.number_set(set_id)
    session.db.execute("UPDATE numbers SET number_set = NULL WHERE number_set = ?", (row["key"],))
    session.db.execute("DELETE FROM sets WHERE key = ?", (row["key"],))


def _free(session: Session, name: str, group: str) -> None:
    if session.db.execute("SELECT 1 FROM sets WHERE name = ? AND group_id = ?", (name, group)).fetchone():
        raise Refusal(409, f"A phone numbers set named {name} exists in group {group} already")
