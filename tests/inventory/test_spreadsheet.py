"""The spreadsheet says what the other files do, as text, and refuses what it cannot hold."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from inventory.estate import Estate, estate_of, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import InvalidInput
from ocp_numbers.inventory import CompleteSnapshot, latest, spreadsheet
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.schema import COLUMNS

ExportOf = Callable[..., Export]
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMATS = ("parquet", "xlsx")


def column_of(reference: str) -> int:
    """Place of the column of a cell such as ``AB12``."""
    place = 0
    for letter in reference.rstrip("0123456789"):
        place = 26 * place + ord(letter) - ord("A") + 1
    return place - 1


def unescaped(text: str) -> str:
    return re.sub("_x([0-9A-F]{4})_", lambda code: chr(int(code[1], 16)), text)


def sheet(snapshot: CompleteSnapshot) -> tuple[list[list[str | None]], set[str]]:
    """The rows of the sheet, and every kind of element in it."""
    with snapshot.open("numbers.xlsx") as stream, zipfile.ZipFile(stream) as book:
        assert book.testzip() is None
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    rows = []
    for each in tree.iter(f"{SPACE}row"):
        cells: list[str | None] = [None] * 16
        for cell in each:
            assert cell.get("t") == "inlineStr"
            cells[column_of(str(cell.get("r")))] = unescaped("".join(cell.itertext()))
        rows.append(cells)
    return rows, {element.tag.removeprefix(SPACE) for element in tree.iter()}


@pytest.mark.parametrize("count", [0, 1, 123])
def test_it_holds_every_number_once_below_its_header(export_of: ExportOf, count: int) -> None:
    estate = estate_of(count)
    (header, *rows), _ = sheet(export_of(estate, formats=FORMATS).run())
    assert header == [*COLUMNS, "derived_country", "valid", "number_type"]
    assert [tuple(each[: len(COLUMNS)]) for each in rows] == estate.state()


def test_every_value_is_text_and_none_a_formula_or_a_link(export_of: ExportOf) -> None:
    notes = [
        "=1+1",
        "+1",
        "@SUM(A1)",
        "{=1}",
        "http://a.example",
        "5",
        "a\nb\tc",
        "<f>1</f>",
        "\x00\x07",
        "_x0041_",
        "😀",
        "",
    ]
    estate = Estate([row(place, note=note) for place, note in enumerate(notes)])
    (_, *rows), kinds = sheet(export_of(estate, formats=FORMATS).run())
    assert [each[COLUMNS.index("note")] or "" for each in rows] == notes
    assert {"f", "v", "hyperlink"}.isdisjoint(kinds)


@pytest.mark.parametrize("letter", ["x", "😀"])
def test_a_text_longer_than_a_cell_says_that_it_was_cut(export_of: ExportOf, letter: str) -> None:
    estate = Estate([row(0, note=letter * 40_000), row(1, note="x" * 32_767)])
    (_, cut, whole), _ = sheet(export_of(estate, formats=FORMATS).run())
    note = cut[COLUMNS.index("note")]
    assert note is not None
    assert note.startswith(letter * 16_000)
    assert note.endswith("… (cut here; whole in numbers.parquet)")
    assert len(note.encode("utf-16-le")) / 2 in (32_766, 32_767)
    assert whole[COLUMNS.index("note")] == "x" * 32_767


def test_more_numbers_than_a_sheet_holds_are_refused_at_once(
    export_of: ExportOf, root: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 49)
    assert export_of(estate_of(49), formats=FORMATS).run().rows == 49
    estate = estate_of(50)
    with pytest.raises(InvalidInput, match="a sheet holds 49 numbers, and there are 50; export without xlsx"):
        export_of(estate, formats=FORMATS).run()
    assert estate.calls <= 1 + 2 * 3
    snapshot = latest(root, "ocp_default")
    assert snapshot is not None
    assert snapshot.rows == 49


def test_the_same_inventory_makes_the_same_spreadsheet(export_of: ExportOf) -> None:
    made = [export_of(estate_of(30), formats=FORMATS).run().manifest.files["numbers.xlsx"] for _ in range(2)]
    assert made[0] == made[1]


def test_nothing_is_left_behind_by_an_export_that_was_given_up(
    export_of: ExportOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def broken(page: int, answer: dict[str, Any]) -> dict[str, Any]:
        if page == 2:
            raise RuntimeError("stop")
        return answer

    with pytest.raises(RuntimeError, match="stop"):
        export_of(estate_of(30, spoil=broken), formats=FORMATS).run()
    assert list(scratch.iterdir()) == []
