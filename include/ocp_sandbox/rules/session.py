"""Who acts, on which database, when; and the look-ups and rights that every rule begins with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ocp_sandbox.messages import Refusal, listed
from ocp_sandbox.numbering import key_of
from ocp_sandbox.settings import Settings, User


@dataclass(frozen=True)
class Session:
    """One login's call: within one transaction of ``db``, at the time ``now``."""

    db: sqlite3.Connection
    user: User
    now: float
    settings: Settings

    def group(self, group: str) -> str:
        """``group``, once it exists (404) and this login may see it (403)."""
        if self.db.execute("SELECT 1 FROM groups WHERE id = ?", (group,)).fetchone() is None:
            raise Refusal(404, f"Group {group} not found")
        if not self.user.sees(group):
            raise Refusal(403, f"User {self.user.name} has no rights in group {group}")
        return group

    def numbers(self, numbers: Sequence[str]) -> list[sqlite3.Row]:
        """The rows of ``numbers``, once all of them exist in sight (404) and in groups of this login (403)."""
        found = self.db.execute(
            "SELECT * FROM numbers WHERE id IN (SELECT value FROM json_each(?)) AND visible_at <= ?",
            (json.dumps([key_of(number) for number in numbers]), self.now),
        ).fetchall()
        known = {row["number"] for row in found}
        if missing := [number for number in numbers if number not in known]:
            raise Refusal(404, f"Number not found: {listed(missing)}")
        if foreign := [row["number"] for row in found if not self.user.sees(row["group_id"])]:
            raise Refusal(403, f"User {self.user.name} has no rights in the group of {listed(foreign)}")
        return found

    def mini_app(self, mini_app_id: str) -> int:
        """The key of a miniApp, once it exists (404) and in a group of this login (403)."""
        row = self.db.execute("SELECT key, group_id FROM mini_apps WHERE id = ?", (mini_app_id,)).fetchone()
        if row is None:
            raise Refusal(404, f"MiniApp {mini_app_id} not found")
        if not self.user.sees(row["group_id"]):
            raise Refusal(
                403, f"User {self.user.name} has no rights in group {row['group_id']} of miniApp {mini_app_id}"
            )
        return int(row["key"])

    def number_set(self, set_id: str) -> sqlite3.Row:
        """The row of a set, once it exists (404) and in a group of this login (403)."""
        row: sqlite3.Row | None = self.db.execute("SELECT * FROM sets WHERE id = ?", (set_id,)).fetchone()
        if row is None:
            raise Refusal(404, f"Phone numbers set {set_id} not found")
        if not self.user.sees(row["group_id"]):
            raise Refusal(403, f"User {self.user.name} has no rights in group {row['group_id']} of set {set_id}")
        return row

    def record(self, kind: str, number: str, group: str, *, price: str | None = None, note: str | None = None) -> None:
        """Write a line in the ledger."""
        self.db.execute(
            "INSERT INTO ledger(time, login, kind, number, price, group_id, note) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.now, self.user.name, kind, number, price, group, note),
        )
