"""The index of a large snapshot: its numbers as a DuckDB file, each with its place in the order by every column.

Making one takes some seconds, once for each snapshot. It is made in the background by one process of the machine, and
until it is there the snapshot's own Parquet file answers, only slower.
"""

# ruff: noqa: S608 - only names of this room's own become part of a statement

from __future__ import annotations

import fcntl
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from ocp_numbers.dashboard.question import COLUMNS
from ocp_numbers.dashboard.shelf import Shelf

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

WORTH_ROWS = 50_000
"""Below so many rows the Parquet file answers any question at once."""

MEMORY = "512MB"
"""What DuckDB may use while it makes or asks an index; beyond it, it uses the disk."""

THREADS = 2
"""Threads that one question may take; an index is made by one, so that it disturbs nobody."""

SETTINGS: dict[str, str | bool | int | float | list[str]] = {"threads": THREADS, "memory_limit": MEMORY}
LOWERED = "lower(note) AS note_lower"


def rank(column: str) -> str:
    """The name of the index's column that holds each row's place in the order by ``column``, from 0."""
    return f"rank_{column}"


def build(parquet: Path, target: Path) -> None:
    """Write the index of ``parquet`` to ``target``."""
    with TemporaryDirectory(prefix="ocp-numbers-index-") as scratch, _database(scratch) as database:
        # In the order of the numbers, so that the usual order needs no sorting to be read in.
        database.execute(
            f"CREATE TABLE base AS SELECT *, {LOWERED} FROM read_parquet(?) ORDER BY number", [str(parquet)]
        )
        for name, column in COLUMNS.items():
            database.execute(
                f"CREATE TABLE {rank(name)} AS SELECT place::UINTEGER AS {rank(name)} FROM ("
                f"SELECT id, row_number() OVER () - 1 AS place FROM ("
                f"SELECT rowid AS id FROM base ORDER BY {column} NULLS LAST, number)) ORDER BY id"
            )
        ranks = " ".join(f"POSITIONAL JOIN {rank(name)}" for name in COLUMNS)
        database.execute(f"ATTACH '{_quoted(target)}' AS made")
        database.execute(f"CREATE TABLE made.numbers AS SELECT * FROM base {ranks}")
        database.execute("DETACH made")


def _database(folder: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(f"{folder}/scratch.duckdb", config=SETTINGS | {"threads": 1, "temp_directory": folder})


class Indexer:
    """Finds indexes on ``shelf``, and has missing ones made."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._working: Thread | None = None

    def find(self, parquet: Path) -> Path | None:
        """The index of ``parquet``, a file of the shelf; ``None`` while there is none, and it is begun."""
        import duckdb

        name = f"{parquet.stem}-{duckdb.__version__}.duckdb"
        if self._shelf.has(name):
            return self._shelf.folder / name
        if self._working is None or not self._working.is_alive():
            self._working = Thread(target=self._make, args=(name, parquet), name="ocp-numbers-index", daemon=True)
            self._working.start()
        return None

    def wait(self) -> None:
        """Return once nothing is being made by this process."""
        if self._working is not None:
            self._working.join()

    def _make(self, name: str, parquet: Path) -> None:
        with (self._shelf.folder / "index.lock").open("a") as lock:
            try:
                # Ends with its process, however that ends.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            try:
                self._shelf.keep(name, lambda target: build(parquet, target))
            except Exception:
                log.exception("No index of %s: its numbers are read from the Parquet file, which is slower", parquet)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
