"""What the prover remembers of a world, and reads in it without any code of the program."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from .world import World


class Memory:
    """Values that the prover keeps beside a world, as long as that lasts."""

    def __init__(self, world: World) -> None:
        self._path = world.folder / "memory.json"

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def remember(self, **values: Any) -> None:
        """Keep these values, in place of earlier ones of the same names."""
        self._path.write_text(json.dumps({**self._all(), **values}), encoding="utf-8")

    def _all(self) -> dict[str, Any]:
        return json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}


def now(world: World) -> datetime:
    """The world's time."""
    return datetime.fromtimestamp(world.sandbox.clock.now(), timezone.utc)


def estate(world: World) -> dict[str, dict[str, Any]]:
    """The truth about every number."""
    return {row["number"]: row for row in world.sandbox.numbers()}


def given_up(world: World) -> set[str]:
    """The numbers that the platform's ledger says were released or deleted."""
    entries = world.sandbox.ledger()["entries"]
    return {entry["number"] for entry in entries if entry["kind"] in ("released", "deleted")}


def on_record(world: World) -> set[tuple[str, str, str | None]]:
    """Each value that the journal says a field of a number had before it was changed: number, field, value."""
    entries = (json.loads(path.read_bytes()) for path in (world.data / "journal").rglob("*.json"))
    return {
        (edit["number"], field, (edit["before"] or {}).get(field))
        for entry in entries
        for edit in entry.get("numbers", ())
        for field in ("note", "set_id", "mini_app_id", "group_id")
    }
