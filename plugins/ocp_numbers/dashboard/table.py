"""The numbers of one snapshot as a table that is searched, sorted and paged by DuckDB, on the server.

It is asked of the snapshot's Parquet file or, where there is one, of the index made of it. Then every page costs about
the same, whatever its order, and the last one no more than the first.
"""

# ruff: noqa: S608 - only names of this room's own become part of a statement; what a person asks is a parameter

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocp_numbers.dashboard.index import LOWERED, SETTINGS, rank
from ocp_numbers.dashboard.question import COLUMNS, PAGE_ROWS, Question
from ocp_numbers.models import PhoneNumber

if TYPE_CHECKING:
    import duckdb

LONGEST_TEXT = 300
"""Characters of a text that a row of the table holds; a number's own page shows all of it."""

ROWS_AT_ONCE = 4_096
_MOST_COUNTS = 500


@dataclass(frozen=True)
class Row:
    """A number as the table shows it; long texts are cut."""

    number: str
    country: str | None
    group_id: str | None
    set_id: str | None
    set_name: str | None
    mini_app_id: str | None
    mini_app_name: str | None
    number_type: str | None
    locale: str | None
    note: str | None


_CUT = ", ".join(f"left({column}, {LONGEST_TEXT})" for column in Row.__dataclass_fields__)


@dataclass(frozen=True)
class Page:
    """The rows of a page, and how many the question finds in all."""

    rows: list[Row]
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; one of nothing is a page, too."""
        return max(1, -(-self.total // PAGE_ROWS))


class Table:
    """The numbers of one snapshot.

    :param path: the snapshot's Parquet file, or the index made of it where ``indexed``.
    """

    def __init__(self, path: Path, *, indexed: bool) -> None:
        self.indexed = indexed
        self._base = _index(path) if indexed else _parquet(path)
        self._counted: dict[tuple[str, tuple[Any, ...]], int] = {}

    def page(self, question: Question) -> Page:
        """What the question finds; its last page where it asks for one beyond."""
        rows, total = self._indexed(question) if self.indexed else self._sorted(question)
        return Page([Row(*row) for row in rows], total)

    def count(self, question: Question) -> int:
        """How many numbers the question finds."""
        condition, values = question.condition()
        key = condition, tuple(values)
        if key not in self._counted:
            ((found,),) = self._ask(f"SELECT count(*) FROM numbers WHERE {condition}", values)
            if len(self._counted) >= _MOST_COUNTS:
                self._counted.clear()
            self._counted[key] = found
        return self._counted[key]

    def batches(self, question: Question, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        """All rows that the question finds, in its order, with these columns of the inventory, some thousands at a
        time."""
        condition, values = question.condition()
        names = ", ".join(f'"{name}"' for name in columns)
        # The index lies in the order of the numbers: that one is read as it comes.
        as_it_lies = self.indexed and (question.sort, question.order) == ("number", "asc")
        order = "" if as_it_lies else f"ORDER BY {self._order(question)}"
        with self._base.cursor() as cursor:
            cursor.execute(f"SELECT {names} FROM numbers WHERE {condition} {order}", values)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield rows

    def number(self, number: str) -> PhoneNumber | None:
        """The whole record of one number; ``None`` where the snapshot does not have it."""
        names = tuple(PhoneNumber.model_fields)
        found = self._ask(f"SELECT {', '.join(names)} FROM numbers WHERE number = ?", [number])
        return PhoneNumber.model_validate(dict(zip(names, found[0], strict=True))) if found else None

    def sets(self) -> dict[str, int]:
        """How many numbers each set holds, by its name or, where it has none, its id; those in no set under ``""``."""
        return dict(
            self._ask("SELECT coalesce(set_name, set_id, ''), count(*) FROM numbers GROUP BY 1 ORDER BY 2 DESC, 1")
        )

    def noted(self, text: str, most: int) -> list[tuple[str, str | None, str | None, str]]:
        """Number, group, country and note of up to ``most`` numbers whose note holds ``text``, in whatever case."""
        return self._ask(
            "SELECT number, group_id, country, note FROM numbers WHERE contains(note_lower, lower(?)) LIMIT ?",
            [text, most],
        )

    def _indexed(self, question: Question) -> tuple[list[tuple[Any, ...]], int]:
        condition, values = question.condition()
        place, way = rank(question.sort), question.order
        if condition == "true":
            # Every place is taken, so those of the page are known without looking.
            total = self.count(question)
            start = _start(question, total)
            end = min(start + PAGE_ROWS, total)
            between = [start, end - 1] if way == "asc" else [total - end, total - start - 1]
            sql = f"SELECT {_CUT} FROM numbers WHERE {place} BETWEEN ? AND ? ORDER BY {place} {way}"
            return self._ask(sql, between), total
        # The rows are gone through once, for the places and the total.
        found = self._ask(
            f"WITH found AS MATERIALIZED (SELECT rowid AS id, {place} AS place FROM numbers WHERE {condition}), "
            f"total AS (SELECT count(*) AS rows FROM found), "
            f"shown AS (SELECT id FROM found ORDER BY place {way} LIMIT ? OFFSET ("
            f"SELECT least(?, greatest(0, (rows - 1) // {PAGE_ROWS} * {PAGE_ROWS})) FROM total)) "
            f"SELECT (SELECT rows FROM total), {_CUT} FROM numbers WHERE rowid IN (SELECT id FROM shown) "
            f"ORDER BY {place} {way}",
            [*values, PAGE_ROWS, question.offset],
        )
        return [row[1:] for row in found], found[0][0] if found else 0

    def _sorted(self, question: Question) -> tuple[list[tuple[Any, ...]], int]:
        condition, values = question.condition()
        total = self.count(question)
        sql = f"SELECT {_CUT} FROM numbers WHERE {condition} ORDER BY {self._order(question)} LIMIT ? OFFSET ?"
        return self._ask(sql, [*values, PAGE_ROWS, _start(question, total)]), total

    def _order(self, question: Question) -> str:
        way = question.order
        if self.indexed:
            return f"{rank(question.sort)} {way}"
        # What is empty comes last, and so first when turned around.
        empty = "LAST" if way == "asc" else "FIRST"
        return f"{COLUMNS[question.sort]} {way} NULLS {empty}, number {way}"

    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        # A cursor is a connection of its own to the same data, so that requests do not wait for each other.
        with self._base.cursor() as cursor:
            return cursor.execute(sql, list(values)).fetchall()


def _start(question: Question, total: int) -> int:
    """How many rows come before the page, or before the last one where it is beyond."""
    return min(question.offset, max(0, (total - 1) // PAGE_ROWS * PAGE_ROWS))


def _index(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    closed = {"enable_external_access": False, "lock_configuration": True}
    return duckdb.connect(str(path), read_only=True, config=SETTINGS | closed)


def _parquet(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    base = duckdb.connect(":memory:", config=SETTINGS | {"temp_directory": f"{path}.spill"})
    quoted = str(path).replace("'", "''")
    base.execute(f"CREATE VIEW numbers AS SELECT *, {LOWERED} FROM read_parquet('{quoted}')")
    base.execute(f"SET allowed_paths = ['{quoted}']")
    base.execute("SET enable_external_access = false")
    base.execute("SET lock_configuration = true")
    return base
