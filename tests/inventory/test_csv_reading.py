"""The platform's own CSV as the source: complete, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inventory.estate import Estate, content, estate_of, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot, InvalidInput
from ocp_numbers.inventory import csv_reading, latest
from ocp_numbers.inventory.export import Export

ExportOf = Callable[..., Export]


@pytest.mark.parametrize("count", [0, 1, 25, 123])
def test_every_number_of_the_csv_is_in_the_snapshot(
    export_of: ExportOf, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reading, "ROWS_AT_ONCE", 10)
    estate = estate_of(count)
    snapshot = export_of(estate, via="csv").run()
    assert content(snapshot) == estate.state()
    assert snapshot.manifest.proof.source == "csv"
    assert estate.calls == snapshot.manifest.proof.calls == 4
    with snapshot.open("report.html") as report:
        assert "CSV was read twice" in report.read().decode()


def test_texts_of_every_kind_come_through(export_of: ExportOf) -> None:
    notes = ["a\nb", 'say "hi"', "a,b", "\r\n", "😀", " padded ", "=1+1", "NULL", "N/A", "\x00", "x" * 200_000]
    estate = Estate([row(place, note=note) for place, note in enumerate(notes)])
    assert content(export_of(estate, via="csv").run()) == estate.state()


def test_a_blank_cell_is_a_value_that_is_not_there(export_of: ExportOf) -> None:
    estate = Estate([row(0, note=""), row(1, note=None)])
    assert [each[9] for each in content(export_of(estate, via="csv").run())] == [None, None]


def test_a_byte_order_mark_and_other_columns_do_no_harm(export_of: ExportOf) -> None:
    estate = estate_of(
        5, spoil_csv=lambda text: "\ufeff" + text.replace("LOG_ANI", "LOG_ANI,X", 1).replace("true,", "true,1,")
    )
    assert content(export_of(estate, via="csv").run()) == estate.state()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: "\r\n".join(text.split("\r\n")[:-2]), "CSV holds 24 numbers, and its listing counts 25"),
        (lambda text: text.replace("0000001", "0000002"), r"numbers that came twice: \+12120000002"),
        (lambda text: text.replace("NOTE", "REMARK"), "no column NOTE"),
        (lambda text: "", "no column NUMBER, COUNTRY"),
        (lambda text: "<html>Sign in</html>", "no column NUMBER, COUNTRY"),
        (lambda text: text.replace("line 3", "line \ud83d"), "CSV cannot be read: .* Export from its pages instead"),
    ],
)
def test_a_csv_that_is_not_the_whole_inventory_is_refused(
    export_of: ExportOf, root: DataRoot, spoil: Callable[[str], str], says: str
) -> None:
    with pytest.raises(IncompleteSnapshot, match=says):
        export_of(estate_of(25, spoil_csv=spoil), via="csv").run()
    assert latest(root, "ocp_default") is None


@pytest.mark.parametrize("call", [2, 3, 4])
def test_what_moves_meanwhile_makes_it_read_again(export_of: ExportOf, call: int) -> None:
    estate = estate_of(25)

    def before(this: int) -> None:
        if this == call:
            estate.rows[3] = estate.rows[3] | {"note": "changed"}
            estate.rows.append(row(900))

    estate.before = before
    snapshot = export_of(estate, via="csv").run()
    assert content(snapshot) == estate.state()
    assert snapshot.manifest.proof.attempts == 2


def test_rows_that_are_not_records_are_kept_apart(export_of: ExportOf) -> None:
    estate = estate_of(20)
    estate.rows.append(row(0, number="12012049893"))
    estate.spoil_csv = lambda text: text.replace("true,+12120000007", "+12120000007")
    snapshot = export_of(estate, via="csv", max_reject_percent=20).run()
    assert (snapshot.rows, snapshot.manifest.rejects) == (19, 2)
    with snapshot.open("rejects.jsonl") as stream:
        rejects = stream.read().decode()
    assert '"reason": "the row has 12 cells, the header 13", "value": {"number": "+12120000007"' in rejects
    assert "number: '12012049893' is not in E.164" in rejects


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"via": "csv", "full_check": True}, "full_check: compares pages with the CSV"),
        ({"via": "excel"}, "source: 'excel' is not known; choose pages or csv"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    export_of: ExportOf, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        export_of(estate_of(1), **given)
