"""Changes behind the API's back, as another person or another system would make them."""

from __future__ import annotations

import uuid
from decimal import Decimal

from ocp_sandbox.numbering import country_of, key_of
from ocp_sandbox.seed import app_of
from ocp_sandbox.store import Store

_COLUMNS = {
    "group": "group_id",
    "country": "country",
    "locale": "locale",
    "note": "note",
    "application_tag": "application_tag",
    "purchased": "purchased",
    "mini_app_id": "mini_app",
    "set_id": "number_set",
}


class Edits:
    """Direct edits of the state, bound by no rule and by nobody's rights; the ledger does not hear of them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_number(self, number: str, group: str, **fields: object) -> None:
        """Put a number into the inventory; ``fields`` as for :meth:`change_number`."""
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO numbers(id, number, country, group_id, purchased, created) VALUES (?, ?, ?, ?, 0, ?)",
                (key_of(number), number, country_of(number), group, self._store.clock.now()),
            )
        self.change_number(number, **fields)

    def change_number(self, number: str, **fields: object) -> None:
        """Set fields of a number: group, country, locale, note, application_tag, purchased, mini_app_id, set_id.

        :raises KeyError: for an unknown number, field, miniApp or set.
        """
        with self._store.transaction() as db:
            if db.execute("SELECT 1 FROM numbers WHERE id = ?", (key_of(number),)).fetchone() is None:
                raise KeyError(number)
            for name, value in fields.items():
                if value is not None and name in ("mini_app_id", "set_id"):
                    table = "mini_apps" if name == "mini_app_id" else "sets"
                    row = db.execute(f"SELECT key FROM {table} WHERE id = ?", (value,)).fetchone()
                    if row is None:
                        raise KeyError(value)
                    value = row["key"]
                db.execute(f"UPDATE numbers SET {_COLUMNS[name]} = ? WHERE id = ?", (value, key_of(number)))

    def remove_number(self, number: str) -> None:
        """Take a number out of the inventory."""
        with self._store.transaction() as db:
            if db.execute("DELETE FROM numbers WHERE id = ?", (key_of(number),)).rowcount == 0:
                raise KeyError(number)

    def add_group(self, group: str) -> None:
        """Make a group."""
        with self._store.transaction() as db:
            db.execute("INSERT INTO groups VALUES (?)", (group,))

    def add_set(self, name: str, group: str) -> str:
        """Make an empty set; its id."""
        set_id = str(uuid.uuid4())
        with self._store.transaction() as db:
            db.execute("INSERT INTO sets(id, name, group_id) VALUES (?, ?, ?)", (set_id, name, group))
        return set_id

    def add_mini_app(self, name: str, group: str, kind: str = "Flow") -> str:
        """Make a miniApp; its id."""
        app = app_of(group, name, kind)
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO mini_apps(id, name, type, diamant_app_name, group_id) VALUES (?, ?, ?, ?, ?)", tuple(app)
            )
        return app.id

    def add_offer(self, number: str, provider: str, country: str, price: Decimal | str, *, priced: bool = True) -> None:
        """Put a number up for sale, or change its price; an offer that is not ``priced`` shows none."""
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO stock VALUES (?, ?, ?, ?, NULL, NULL, ?, ?, 1)",
                (key_of(number), number, provider, country, str(Decimal(price)), priced),
            )

    def remove_offer(self, number: str) -> None:
        """Take a number off the market, as when somebody else has bought it."""
        with self._store.transaction() as db:
            if db.execute("UPDATE stock SET available = 0 WHERE id = ?", (key_of(number),)).rowcount == 0:
                raise KeyError(number)
