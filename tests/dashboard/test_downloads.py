from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from dashboard.records import ENVIRONMENT, TODAY, export, numbers
from inventory.estate import row
from ocp_numbers.dashboard import plain_csv
from ocp_numbers.dashboard.pages import downloads
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory.derived import EXPORTED
from ocp_numbers.inventory.spreadsheet import XlsxFile

FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", '=HYPERLINK("http://x")', "a,b\n;c", "Δρόμος", "")


def from_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def from_xlsx(content: bytes) -> list[tuple[Any, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return [tuple(sheet.iter_rows())[place] for place in range(sheet.max_row)]


def test_csv_holds_what_the_table_shows_in_its_order(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(130))
    answer = browser.get(f"{ENVIRONMENT}/numbers.csv?group=group-1&sort=number&order=desc&page=2")
    head, *rows = from_csv(answer.content)
    assert head == EXPORTED.names
    assert [each[0] for each in rows] == [f"'+1212{place:07}" for place in range(129, -1, -1) if place % 3 == 1]
    assert answer.headers["content-disposition"] == 'attachment; filename="numbers-ocp_default-2026-03-04-found.csv"'


def test_no_cell_of_the_csv_is_a_formula(root: DataRoot, browser: TestClient) -> None:
    export(root, [row(place, note=note) for place, note in enumerate(FORMULAS)])
    answer = browser.get(f"{ENVIRONMENT}/numbers.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf"), "spreadsheets see by this mark that it is UTF-8"
    _, *rows = from_csv(answer.content)
    assert len(rows) == len(FORMULAS)
    for cells, note in zip(rows, FORMULAS, strict=True):
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
        assert cells[EXPORTED.names.index("note")].removeprefix("'") == note


def test_every_cell_of_the_workbook_is_text_and_whole(root: DataRoot, browser: TestClient) -> None:
    export(root, [row(place, note=note) for place, note in enumerate(FORMULAS)])
    answer = browser.get(f"{ENVIRONMENT}/numbers.xlsx?q=%2B1212")
    head, *rows = from_xlsx(answer.content)
    assert [cell.value for cell in head] == EXPORTED.names
    assert [cells[0].value for cells in rows] == [f"+1212{place:07}" for place in range(len(FORMULAS))]
    assert {cell.data_type for cells in rows for cell in cells if cell.value is not None} == {"s"}
    note = EXPORTED.names.index("note")
    assert [cells[note].value or "" for cells in rows] == list(FORMULAS)


def test_a_workbook_of_too_many_numbers_is_refused_with_a_way_out(
    root: DataRoot, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_SHEET_ROWS", 10)
    export(root, numbers(30))
    refused = browser.get(f"{ENVIRONMENT}/numbers.xlsx")
    assert refused.status_code == 413
    assert "take the CSV" in refused.text
    assert browser.get(f"{ENVIRONMENT}/numbers.xlsx?group=group-1").status_code == 200
    assert browser.get(f"{ENVIRONMENT}/numbers.csv").status_code == 200


def test_nothing_found_is_a_file_with_a_head_only(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(2))
    assert len(from_csv(browser.get(f"{ENVIRONMENT}/numbers.csv?q=none").content)) == 1
    assert len(from_xlsx(browser.get(f"{ENVIRONMENT}/numbers.xlsx?q=none").content)) == 1


@pytest.mark.parametrize("name", ["numbers.csv", "numbers.xlsx", "balance/findings.csv"])
def test_without_an_inventory_there_is_nothing_to_take(root: DataRoot, browser: TestClient, name: str) -> None:
    assert browser.get(f"ocp_new/{name}").status_code == 404


def test_airflow_does_not_pack_a_download_again(root: DataRoot, browser: TestClient) -> None:
    """It would do so in its event loop, where everybody else's requests wait."""
    export(root, numbers(2))
    for name in ("numbers.csv", "numbers.xlsx"):
        assert browser.get(f"{ENVIRONMENT}/{name}").headers["content-encoding"] == "identity"


def test_a_nights_report_is_shown_as_published_and_can_do_nothing(root: DataRoot, browser: TestClient) -> None:
    snapshot = export(root, numbers(2))
    answer = browser.get(f"{ENVIRONMENT}/snapshots/{TODAY}/report.html")
    assert answer.content == root.read(f"{snapshot.folder}/report.html")
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert browser.get(f"{ENVIRONMENT}/snapshots/{TODAY - timedelta(days=1)}/report.html").status_code == 404


def test_a_workbook_that_cannot_be_made_leaves_nothing_behind(
    root: DataRoot, browser: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    export(root, numbers(2))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert browser.get(f"{ENVIRONMENT}/numbers.xlsx").status_code == 200
    monkeypatch.setattr(XlsxFile, "write", full)
    answer = browser.get(f"{ENVIRONMENT}/numbers.xlsx")
    assert (answer.status_code, "No space left on device" in answer.text) == (503, True)
    assert list((tmp_path / "temporary").glob("ocp-numbers-download-*")) == []


def test_many_rows_are_sent_while_they_are_written() -> None:
    rows = [("number", "note"), *((f"+1212{place:07}", place) for place in range(10_000))]

    async def parts() -> list[bytes]:
        return [part async for part in plain_csv.answer(rows, "numbers").body_iterator]  # type: ignore[misc]

    sent = asyncio.run(parts())
    assert len(sent) > 1
    assert from_csv(b"".join(sent)) == [["number", "note"], *([f"'{number}", str(note)] for number, note in rows[1:])]
