"""Rules of money: what is on offer, buying it, and giving it up."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from ocp_sandbox.messages import Refusal
from ocp_sandbox.numbering import key_of
from ocp_sandbox.rules.inventory import is_owned
from ocp_sandbox.rules.session import Session


def offers(session: Session, provider: str, country: str, group: str, prefix: str) -> list[dict[str, Any]]:
    """What ``provider`` has to sell in a country, in the order of the numbers, as many as one answer may hold."""
    _known(session, provider)
    session.group(group)
    found = session.db.execute(
        "SELECT number, country, locality, region, CASE WHEN priced THEN price END AS price FROM stock"
        " WHERE provider = ? AND country = ? AND number LIKE ? AND available"
        " AND NOT EXISTS (SELECT 1 FROM numbers WHERE numbers.id = stock.id) ORDER BY id LIMIT ?",
        (provider, country, f"+{prefix}%", session.settings.offers_cap),
    )
    return [dict(row) | {"price": plain_price(row["price"])} for row in found]


def plain_price(price: str | None) -> float | int | None:
    """A price as the API writes it: whole ones without a fraction."""
    if price is None:
        return None
    value = float(price)
    return int(value) if value.is_integer() else value


def buy(session: Session, provider: str, numbers: Sequence[str], group: str, note: str | None) -> dict[str, Any]:
    """Buy each of ``numbers`` that is for sale, and name those that are not."""
    _known(session, provider)
    session.group(group)
    _licensed(session, len(numbers))
    delay = session.settings.visibility_delay
    failed: list[str] = []
    purchased: list[dict[str, str]] = []
    for number in numbers:
        offer = session.db.execute(
            "SELECT country, price FROM stock WHERE id = ? AND provider = ? AND available", (key_of(number), provider)
        ).fetchone()
        if offer is None or is_owned(session.db, number):
            failed.append(number)
            continue
        provider_id = f"PN{uuid.uuid4().hex}"
        session.db.execute(
            "INSERT INTO numbers(id, number, country, group_id, note, purchased, provider, provider_id, log_ani,"
            " log_dnis, created, visible_at) VALUES (?, ?, ?, ?, ?, 1, ?, ?, 1, 1, ?, ?)",
            (
                key_of(number),
                number,
                offer["country"],
                group,
                note,
                provider,
                provider_id,
                session.now,
                session.now + delay if delay else 0,
            ),
        )
        session.db.execute("UPDATE stock SET available = 0 WHERE id = ?", (key_of(number),))
        session.record("bought", number, group, price=offer["price"], note=note)
        purchased.append({"number": number, "id": provider_id})
    return {"failedNumbers": failed, "purchasedNumbers": purchased}


def release(session: Session, rows: Iterable[sqlite3.Row]) -> int:
    """Give up the purchased ones of these numbers for good; how many there were."""
    given_up = [row for row in rows if row["purchased"]]
    for row in given_up:
        session.db.execute("DELETE FROM numbers WHERE id = ?", (row["id"],))
        if session.settings.restock_released:
            session.db.execute("UPDATE stock SET available = 1 WHERE id = ?", (row["id"],))
        session.record("released", row["number"], row["group_id"], note=row["note"])
    return len(given_up)


def _known(session: Session, provider: str) -> None:
    if session.db.execute("SELECT 1 FROM stock WHERE provider = ? LIMIT 1", (provider,)).fetchone() is None:
        raise Refusal(404, f"Provider {provider} not found")


def _licensed(session: Session, wanted: int) -> None:
    if session.settings.licences is None:
        return
    (used,) = session.db.execute(
        "SELECT coalesce(sum(CASE kind WHEN 'bought' THEN 1 WHEN 'released' THEN -1 END), 0) FROM ledger"
    ).fetchone()
    left = max(session.settings.licences - used, 0)
    if wanted > left:
        raise Refusal(403, f"There are no available licences: {wanted} needed, {left} left")
