"""A table is read where its meaning is certain, and refused with row and column where it is not; nothing is guessed."""

from __future__ import annotations

import base64
import codecs
import csv
import gzip
import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from openpyxl import Workbook

from ocp_numbers.bulk.rows import Columns, Row, Wrong, read_rows
from ocp_numbers.bulk.table import bytes_of, open_table
from ocp_numbers.errors import InvalidInput

NUMBER = "+12125550123"


def read(content: bytes) -> list[Row | Wrong | None]:
    with open_table(io.BytesIO(content), is_header=Columns.are_in, name="upload") as table:
        columns = Columns(table.header)
        columns.check()
        return list(read_rows(table, columns))


def one(content: bytes) -> Row:
    (row,) = read(content)
    assert isinstance(row, Row), row
    return row


def faults(content: bytes) -> list[str]:
    return [str(fault) for row in read(content) if isinstance(row, Wrong) for fault in row.faults]


def refused(content: bytes) -> str:
    with pytest.raises(InvalidInput) as error:
        read(content)
    return str(error.value)


def workbook(*rows: Sequence[Any], formats: dict[str, str] | None = None, more: bool = False) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    if more:
        book.create_sheet("Notes").append(["something"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def text(*lines: str, end: str = "\n") -> bytes:
    return end.join([*lines, ""]).encode()


HEADER = "OPERATION,NUMBER,NOTE"


class TestDialects:
    @pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("start", [b"", codecs.BOM_UTF8])
    def test_of_spreadsheets(self, mark: str, end: str, start: bytes) -> None:
        lines = (HEADER.replace(",", mark), mark.join(("Update", NUMBER, "déjà vu")))
        row = one(start + text(*lines, end=end))
        assert (row.operation, row.number, row.fields) == ("update", NUMBER, {"note": "déjà vu"})

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
    def test_with_a_byte_order_mark(self, encoding: str) -> None:
        assert one(f"{HEADER}\nUpdate,{NUMBER},Ωμέγα\n".encode(encoding)).fields == {"note": "Ωμέγα"}

    def test_with_excels_hint(self) -> None:
        assert one(text("sep=;", "OPERATION;NUMBER", f"Detach;{NUMBER}")).row == 3

    def test_packed(self) -> None:
        assert one(gzip.compress(text(HEADER, f"Update,{NUMBER},desk"))).fields == {"note": "desk"}

    def test_blank_lines_and_columns_are_counted_and_left_out(self) -> None:
        row = one(text("", "OPERATION,NUMBER,,", "", ",,,", f"Detach,{NUMBER},,"))
        assert row.row == 5

    @pytest.mark.parametrize(
        "header", ["operation,number,note", "Operation,Phone number,Note", "OPERATION,NUMBER,NOTE"]
    )
    def test_headers_are_the_platforms_or_plain(self, header: str) -> None:
        assert one(text(header, f"update,{NUMBER},desk")).fields == {"note": "desk"}

    def test_of_this_projects_own_export(self) -> None:
        header = (
            "operation,number,country,group_id,mini_app_id,mini_app_name,locale,note,application_tag,set_id,set_name"
        )
        row = one(text(header, f"Update,{NUMBER},US,retail,,,,desk,,s-1,Front"))
        assert row.fields == {"country": "US", "group_id": "retail", "note": "desk", "set_id": "s-1"}
        assert row.extra == {}

    def test_a_row_without_operation_asks_for_nothing(self) -> None:
        assert read(text(HEADER, f",{NUMBER},desk")) == [None]

    def test_pasted_workbooks_are_unpacked(self) -> None:
        book = workbook(["OPERATION", "NUMBER"], ["Detach", NUMBER])
        pasted = base64.encodebytes(book).decode()
        assert one(bytes_of(pasted, name="upload")).number == NUMBER
        assert one(bytes_of(f"data:application/x;base64,{pasted}", name="upload")).number == NUMBER
        with pytest.raises(InvalidInput, match="upload: looks like Base64 and is damaged"):
            bytes_of(pasted[:-9] + "!", name="upload")

    def test_pasted_text_that_cannot_be_written_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match=r"^upload: is not valid text .* paste it again"):
            bytes_of("OPERATION,NUMBER\nDetach,\ud800", name="upload")


class TestNumbersAsSpreadsheetsMangleThem:
    @pytest.mark.parametrize(
        "written",
        [
            NUMBER,
            "'+12125550123",
            '"=""+12125550123"""',
            " +1 (212) 555-0123",
            "+1\u00a0212.555\u20110123",
            "\u200e+12125550123",
        ],
    )
    def test_are_read_where_all_of_it_is_there(self, written: str) -> None:
        row = one(text("OPERATION,NUMBER", f"Detach,{written}"))
        assert (row.number, row.as_written) == (NUMBER, True)

    @pytest.mark.parametrize(
        "written",
        [
            "12125550123",
            "1.2125550123E+10",
            '"1,2125550123E+10"',
            "0.121255501230000E+11",
            "12125550123.0",
            "1-212-555-0123",
        ],
    )
    def test_get_their_plus_back_and_remember_that(self, written: str) -> None:
        row = one(text("OPERATION,NUMBER", f"Detach,{written}"))
        assert (row.number, row.as_written) == (NUMBER, False)

    @pytest.mark.parametrize(
        ("written", "why"),
        [
            ("1.20205E+10", "has lost digits to the spreadsheet's short form"),
            ('"1,20205E+10"', "has lost digits"),
            ("0012125550123", "is not in E.164"),
            ("+44 (0)20 7946 0000", "has a zero in brackets"),
            ("+121255", "is not in E.164"),
            ("+1212555012\uff13", "is not in E.164"),
            ("extension 7", "is not in E.164"),
            ("", "is missing"),
            ("1.2E+99", "has lost digits"),
            ("1.212555012345E+10", "is not in E.164"),
            (f"1.2125550123{'0' * 40}1E+10", "is not in E.164"),
            (f"1.{'2' * 15}E+15", "is not in E.164"),
            ("#REF!", "is not in E.164"),
            ("+12125550123;ext=1", "is not in E.164"),
        ],
    )
    def test_are_refused_with_row_and_column_where_not(self, written: str, why: str) -> None:
        (fault,) = faults(text("OPERATION,NUMBER,NOTE", f"Detach,{written},x"))
        assert fault.startswith("row 2, NUMBER: ")
        assert why in fault

    def test_never_become_new_numbers_without_their_plus(self) -> None:
        (fault,) = faults(text("OPERATION,NUMBER,GROUP_ID", "Create,2125550123,us"))
        assert "has lost its +, or is half a number; write +2125550123 if that is meant" in fault


class TestWorkbooks:
    def test_are_read_with_numbers_as_numbers(self) -> None:
        row = one(workbook(["OPERATION", "NUMBER", "NOTE"], ["Update", 12125550123, 5]))
        assert (row.number, row.as_written, row.fields) == (NUMBER, False, {"note": "5"})

    def test_short_rows_are_only_blank_at_their_ends(self) -> None:
        assert one(workbook(["OPERATION", "NUMBER", "NOTE"], ["Detach", NUMBER])).fields == {}

    @pytest.mark.parametrize(
        ("value", "number_format", "why"),
        [
            ("=1+1", "General", "is a formula; replace it by its value"),
            (5, "0000", "is shown as something else by its format"),
            (0.5, "0%", "is shown as something else by its format"),
            (True, "General", "is a truth value"),
            (46000.0, "yyyy-mm-dd", "is shown as something else by its format"),
            (1e20, "General", "is a number of which the last digits are lost"),
            ("#N/A", "General", "is an error of the spreadsheet"),
            ("a_x000D_b", "@", "holds a control character"),
        ],
    )
    def test_a_note_that_is_no_text_is_refused(self, value: object, number_format: str, why: str) -> None:
        (fault,) = faults(
            workbook(["OPERATION", "NUMBER", "NOTE"], ["Update", NUMBER, value], formats={"C2": number_format})
        )
        assert fault.startswith("row 2, NOTE: ")
        assert why in fault

    def test_of_several_sheets_are_refused(self) -> None:
        assert "2 sheets with something in them" in refused(
            workbook(["OPERATION", "NUMBER"], ["Detach", NUMBER], more=True)
        )

    def test_that_are_empty_are_refused(self) -> None:
        assert "is empty" in refused(workbook())

    def test_that_are_damaged_are_refused(self) -> None:
        book = workbook(["OPERATION", "NUMBER"], ["Detach", NUMBER])
        assert "is not a workbook that can be read" in refused(book[: len(book) // 2])


class TestWhatIsNoTable:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "is empty"),
            (b"\n\n , \n", "is empty"),
            (b"%PDF-1.7 ...", "is a PDF"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel workbook"),
            (b"PAR1....", "is a Parquet file"),
            (b"\x89PNG\r\n\x1a\n\0\0", "is to be the header"),
            (b"MZ\x90\0\3\0\0\0", "holds NUL bytes"),
            (b"<html><body>Login</body></html>", "is to be the header"),
            (b'{"numbers": []}', "is to be the header"),
            (b"NUMBER\n+12125550123\n", "it needs a column OPERATION"),
            (gzip.compress(text("OPERATION,NUMBER"))[:20], "damaged"),
            (b"NUMBER,number,OPERATION\n", "both mean NUMBER"),
            (gzip.compress(workbook(["OPERATION", "NUMBER"])), "is a workbook that was packed once more"),
            (b"\x1f\x8b\x08\x00rubbish", "the packed file is damaged"),
        ],
    )
    def test_is_refused_as_a_whole(self, content: bytes, why: str) -> None:
        assert why in refused(content)


class TestFaults:
    def test_are_all_named_with_row_and_column(self) -> None:
        found = faults(
            text(
                "OPERATION,NUMBER,LOCALE,COUNTRY,NOTE",
                f"Frobnicate,{NUMBER},en_US,usa,x",
                "Update,12,en-US,US,x",
                f"Update,{NUMBER},en-US,US,x,too,many",
                f"Update,{NUMBER},en-US",
                f"Create,{NUMBER},,,<empty>",
            )
        )
        assert [fault.partition(": ")[0] for fault in found] == [
            "row 2, OPERATION",
            "row 2, COUNTRY",
            "row 2, LOCALE",
            "row 3, NUMBER",
            "row 4",
            "row 5",
            "row 6, NOTE",
        ]

    @pytest.mark.parametrize(
        ("column", "why"),
        [
            ("MINIAPP_ID", "is what Detach is for"),
            ("GROUP_ID", "cannot be done: every number has one"),
            ("LOCALE", "cannot be done: a binding always has one"),
            ("COUNTRY", "cannot be done"),
        ],
    )
    def test_fields_that_nothing_empties(self, column: str, why: str) -> None:
        (fault,) = faults(text(f"OPERATION,NUMBER,{column}", f"Update,{NUMBER},<empty>"))
        assert why in fault

    def test_what_another_operation_does_is_not_emptied_on_the_way(self) -> None:
        (fault,) = faults(text("OPERATION,NUMBER,MINIAPP_ID,LOCALE,NOTE", f"Attach,{NUMBER},app,en-US,<empty>"))
        assert "is not done by Attach; write Update into a row of its own" in fault

    def test_a_row_without_a_number_and_with_a_wrong_operation_has_one_fault(self) -> None:
        (fault,) = faults(text("OPERATION,NUMBER,NOTE", "Frobnicate,,x"))
        assert fault.startswith("row 2, OPERATION: ")

    def test_a_cell_that_is_no_text_is_named_in_columns_that_only_ocp_understands_too(self) -> None:
        names = ["OPERATION", "NUMBER", "GROUP_ID", "MINIAPP_ID", "LOCALE", "NOTE", "MINIAPP_NAME", "COST_CENTRE"]
        (fault,) = faults(workbook(names, ["Update", NUMBER, "us", "", "", "x", "", date(2026, 3, 1)]))
        assert fault.startswith("row 2, COST_CENTRE: ")

    def test_a_quote_that_does_not_close_ends_the_reading(self) -> None:
        good, broken = read(text(HEADER, f"Update,{NUMBER},desk", f'Update,{NUMBER},"desk', "Update,x,y"))
        assert isinstance(good, Row)
        assert isinstance(broken, Wrong)
        assert broken.ends
        assert str(broken.faults[0]).startswith("row 3: is not CSV")

    def test_a_packed_file_that_is_cut_off_ends_the_reading(self) -> None:
        whole = gzip.compress(text(HEADER, *(f"Update,+1212555{place:04},desk {place}" for place in range(5_000))))
        *_, last = read(whole[: len(whole) // 2])
        assert isinstance(last, Wrong)
        assert last.ends

    def test_text_that_is_not_utf8_is_found_in_its_cell(self) -> None:
        content = text(HEADER, f"Update,{NUMBER},desk") + f"Update,{NUMBER},d".encode() + b"\xe9j\xe0\n"
        (fault,) = faults(content)
        assert fault.startswith("row 3, NOTE: ")
        assert "is not UTF-8; save the file as 'CSV UTF-8'" in fault

    def test_a_formula_in_a_csv_is_a_text_like_any_other(self) -> None:
        formula = "=HYPERLINK(A1)"
        assert one(text(HEADER, f"Update,{NUMBER},{formula}")).fields == {"note": formula}


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NUMBERS = st.integers(min_value=1_000_000, max_value=10**15 - 1).map(lambda digits: f"+{digits}")
ROWS = st.lists(
    st.tuples(st.sampled_from(["Update", "Detach", "ATTACH", "delete"]), NUMBERS, CELLS), min_size=1, max_size=8
)


@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    pack=st.booleans(),
)
def test_any_table_in_any_dialect_reads_back_the_same(
    rows: list[tuple[str, str, str]], delimiter: str, end: str, quoting: int, encoding: str, pack: bool
) -> None:
    # Before Python 3.13 the writer leaves line breaks unquoted that are not its own.
    if any("\r" in note or "\n" in note for _, _, note in rows):
        quoting = csv.QUOTE_ALL
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([("OPERATION", "NUMBER", "NOTE"), *rows])
    content = written.getvalue().encode(encoding)

    found = read(gzip.compress(content) if pack else content)

    _same(found, rows)


@given(rows=ROWS)
def test_any_workbook_reads_back_the_same_or_is_refused(rows: list[tuple[str, str, str]]) -> None:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    # XML knows no carriage return by itself, and this writer does not escape it.
    assume(not any("\r" in note or ILLEGAL_CHARACTERS_RE.search(note) for _, _, note in rows))
    found = read(workbook(("OPERATION", "NUMBER", "NOTE"), *rows))
    _same(
        [row for row in found if not isinstance(row, Wrong)],
        [wish for wish, row in zip(rows, found, strict=True) if not isinstance(row, Wrong)],
    )


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda drawn: f"OPERATION,NUMBER\n{drawn}".encode()))
def test_any_bytes_are_read_or_refused_and_nothing_else(content: bytes) -> None:
    try:
        found = read(content)
    except InvalidInput:
        return
    for row in found:
        assert row is None or row


def _same(found: Sequence[object], rows: Sequence[tuple[str, str, str]]) -> None:
    assert len(found) == len(rows)
    for row, (operation, number, note) in zip(found, rows, strict=True):
        if note.strip().lower() == "<empty>":
            continue
        assert isinstance(row, Row), row
        assert (row.operation, row.number, row.as_written) == (operation.lower(), number, True)
        assert row.fields == ({"note": note} if note.strip() else {})
