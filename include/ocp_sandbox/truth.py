"""What is the case, whoever may see it: for tests to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ocp_sandbox.rules.purchase import plain_price
from ocp_sandbox.store import Store


def ledger(store: Store) -> dict[str, Any]:
    """Every purchase, release, addition and deletion, and what they come to; ``spent`` is a decimal as text."""
    entries = store.rows(
        'SELECT seq, time, login, kind, number, price, group_id AS "group", note FROM ledger ORDER BY seq'
    )
    kinds = [entry["kind"] for entry in entries]
    spent = sum((Decimal(entry["price"]) for entry in entries if entry["kind"] == "bought"), Decimal(0))
    totals = {"bought": kinds.count("bought"), "released": kinds.count("released"), "spent": str(spent)}
    return {"entries": entries, "totals": totals}


def numbers(store: Store) -> Iterator[dict[str, Any]]:
    """Every owned number, in sight or not, with all that is known of it."""
    for row in store.truth():
        flags = {name: bool(row[name]) for name in ("purchased", "logAni", "logDnis")}
        yield row | flags


def mini_apps(store: Store) -> list[dict[str, Any]]:
    """The miniApps."""
    return store.rows(
        'SELECT id, name, type, diamant_app_name AS diamantAppName, group_id AS "group" FROM mini_apps ORDER BY key'
    )


def groups(store: Store) -> list[str]:
    """The ids of the groups."""
    return [row["id"] for row in store.rows("SELECT id FROM groups ORDER BY id")]


def sets(store: Store) -> list[dict[str, Any]]:
    """The sets and how many numbers each has."""
    return store.rows(
        "SELECT s.id, s.name, s.group_id AS groupId, count(n.id) AS phoneNumberCount FROM sets s"
        " LEFT JOIN numbers n ON n.number_set = s.key GROUP BY s.key ORDER BY s.key"
    )


def stock(store: Store, provider: str | None = None, country: str | None = None) -> list[dict[str, Any]]:
    """The numbers for sale, with their real prices, whatever the offers show."""
    rows = store.rows(
        "SELECT number, provider, country, locality, region, price FROM stock WHERE available"
        " AND provider = coalesce(?, provider) AND country = coalesce(?, country)"
        " AND NOT EXISTS (SELECT 1 FROM numbers WHERE numbers.id = stock.id) ORDER BY provider, id",
        provider,
        country,
    )
    return [row | {"price": plain_price(row["price"])} for row in rows]
