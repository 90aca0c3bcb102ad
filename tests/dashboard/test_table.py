"""The table gives the same answers as plain Python would, from the Parquet file and from the index alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocp_numbers.dashboard import table as room
from ocp_numbers.dashboard.index import build
from ocp_numbers.dashboard.question import PAGE_ROWS, Question
from ocp_numbers.dashboard.table import LONGEST_TEXT, Table
from ocp_numbers.inventory.derived import EXPORTED

SEARCHED = ("number", "note", "group_id", "set_name", "mini_app_name", "mini_app_id", "application_tag")
SORTED: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "number": lambda row: row["number"],
    "country": lambda row: row["country"],
    "group": lambda row: row["group_id"],
    "set": lambda row: row["set_name"] or row["set_id"],
    "mini_app": lambda row: row["mini_app_name"] or row["mini_app_id"],
    "note": lambda row: row["note"],
}
NAMES = st.one_of(
    st.none(), st.sampled_from(["a", "B", "b", "desk", "DESK 2", "'; DROP TABLE numbers; --", "50%", "é"])
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "country": st.sampled_from(["US", "GR"]),
            "group_id": NAMES,
            "set_id": NAMES,
            "set_name": NAMES,
            "mini_app_id": NAMES,
            "mini_app_name": NAMES,
            "note": NAMES,
            "application_tag": NAMES,
        }
    ),
    max_size=120,
)
WORDS = st.sampled_from(
    ["", "", "desk", "DESK", "b", "'", "50%", "%", "_", "1212000", "+1 (212) 000-00", "É", "nobody"]
)


def written(folder: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with numbers, in a Parquet file in the order in which a platform may list them."""
    whole = [
        dict.fromkeys(EXPORTED.names) | each | {"number": f"+1212000{place * 7 % 997:04}", "valid": True}
        for place, each in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(whole, schema=EXPORTED), folder / "numbers.parquet")
    return whole


def both(folder: Path) -> list[Table]:
    (folder / "numbers.duckdb").unlink(missing_ok=True)
    build(folder / "numbers.parquet", folder / "numbers.duckdb")
    return [Table(folder / "numbers.parquet", indexed=False), Table(folder / "numbers.duckdb", indexed=True)]


def expected(rows: list[dict[str, Any]], asked: Question) -> list[str]:
    def fits(row: dict[str, Any]) -> bool:
        words = asked.q.lower()
        digits = "".join(filter(str.isdigit, words))
        found = any(words in (row[name] or "").lower() for name in SEARCHED)
        pasted = len(words) > 2 and not set(words) - set("0123456789+() -./") and digits in row["number"]
        return (
            (found or pasted)
            and asked.country in ("", row["country"])
            and (not asked.group or row["group_id"] == asked.group)
            and (not asked.set or asked.set in (row["set_id"], row["set_name"]))
            and (not asked.mini_app or asked.mini_app in (row["mini_app_id"], row["mini_app_name"]))
            and (not asked.attached or (row["mini_app_id"] is not None) == (asked.attached == "yes"))
        )

    key = SORTED[asked.sort]

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        return key(row) is None, (key(row) or "").encode(), row["number"]

    return [row["number"] for row in sorted(filter(fits, rows), key=place, reverse=asked.order == "desc")]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rows=ROWS)
def test_pages_are_what_plain_python_finds(tmp_path: Path, data: st.DataObject, rows: list[dict[str, Any]]) -> None:
    whole = written(tmp_path, rows)
    tables = both(tmp_path)
    for _ in range(6):
        asked = Question(
            q=data.draw(WORDS),
            country=data.draw(st.sampled_from(["", "", "GR"])),
            group=data.draw(st.sampled_from(["", "", "b", "'; DROP TABLE numbers; --"])),
            set=data.draw(st.sampled_from(["", "", "desk"])),
            mini_app=data.draw(st.sampled_from(["", "", "a"])),
            attached=data.draw(st.sampled_from(["", "yes", "no"])),
            sort=data.draw(st.sampled_from(list(SORTED))),
            order=data.draw(st.sampled_from(["asc", "desc"])),
            page=data.draw(st.integers(1, 4)),
        )
        wanted = expected(whole, asked)
        pages = max(1, -(-len(wanted) // PAGE_ROWS))
        start = (min(asked.page, pages) - 1) * PAGE_ROWS
        for table in tables:
            page = table.page(asked)
            assert (page.total, page.pages) == (len(wanted), pages)
            assert [row.number for row in page.rows] == wanted[start : start + PAGE_ROWS]
            assert [row[0] for rows in table.batches(asked, ["number"]) for row in rows] == wanted


def test_a_long_text_is_cut_on_a_page_and_whole_in_its_record(tmp_path: Path) -> None:
    written(tmp_path, [{"note": "x" * 10_000}])
    for table in both(tmp_path):
        assert table.page(Question()).rows[0].note == "x" * LONGEST_TEXT
        record = table.number("+12120000000")
        assert record is not None
        assert record.note == "x" * 10_000
        assert table.number("+12120000001") is None


def test_sets_are_counted_by_their_names(tmp_path: Path) -> None:
    written(tmp_path, [{"set_id": "1", "set_name": "Desk"}] * 2 + [{"set_id": "2"}, {}])
    for table in both(tmp_path):
        assert table.sets() == {"Desk": 2, "": 1, "2": 1}


def test_a_mark_is_found_in_whatever_case(tmp_path: Path) -> None:
    written(tmp_path, [{"note": "x [UNUSED since 2026-01-01]", "group_id": "g"}, {"note": "unused"}])
    for table in both(tmp_path):
        assert [number for number, *_ in table.noted("[unused since ", 10)] == ["+12120000000"]


@pytest.mark.parametrize("indexed", [False, True])
def test_the_database_reads_nothing_but_its_snapshot(tmp_path: Path, indexed: bool) -> None:
    """Even a statement that slipped in could open no file and change no setting."""
    written(tmp_path, [{}])
    (tmp_path / "secret.csv").write_text("a\n1\n")
    table = both(tmp_path)[indexed]
    for statement in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            table._ask(statement)
    assert not (tmp_path / "out.csv").exists()


def test_counts_are_remembered_up_to_a_bound_and_stay_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST_COUNTS", 3)
    written(tmp_path, [{"note": f"line {place % 4}"} for place in range(20)])
    asked = Table(tmp_path / "numbers.parquet", indexed=False)
    for place in (0, 1, 2, 3, 0, 1):
        assert asked.count(Question(q=f"line {place}")) == 5
        assert len(asked._counted) <= 3
