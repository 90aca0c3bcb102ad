"""With the full check, pages and the platform's own CSV have to say the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory.estate import Estate, content, estate_of, row
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory import CompleteSnapshot
from ocp_numbers.inventory.cross_check import cross_check
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.reader import Moved

ExportOf = Callable[..., Export]


@pytest.mark.parametrize("count", [0, 1, 25])
def test_pages_and_csv_that_agree_are_published(export_of: ExportOf, count: int) -> None:
    estate = estate_of(count)
    snapshot = export_of(estate, full_check=True).run()
    assert content(snapshot) == estate.state()
    assert snapshot.manifest.proof.full_check


def test_texts_of_every_kind_agree(export_of: ExportOf) -> None:
    notes = ["a\nb", 'say "hi"', "a,b", "\r\n", "😀", "", None, " padded ", "=1+1"]
    estate = Estate([row(place, note=note) for place, note in enumerate(notes)])
    assert export_of(estate, full_check=True).run().rows == len(notes)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text.replace("line 7", "line 8"), r"\+12120000007 has another note"),
        (lambda text: text.replace("group-1,app-2", "group-1,app-3", 1), r"\+12120000007 has another mini_app_id"),
        (lambda text: "\r\n".join(text.split("\r\n")[:-2]), r"\+12120000024 is in the pages only"),
        (lambda text: f"{text}true,+12129999999\r\n", r"\+12129999999 is in the CSV only"),
        (
            lambda text: "\r\n".join(line for line in text.split("\r\n") if "0000003" not in line),
            r"\+12120000003 in the pages stands where \+12120000004 is in the CSV",
        ),
    ],
)
def test_a_difference_is_named_and_nothing_is_published(
    export_of: ExportOf, spoil: Callable[[str], str], says: str
) -> None:
    with pytest.raises(IncompleteSnapshot, match=f"the platform's CSV differs from its pages: {says}"):
        export_of(estate_of(25, spoil_csv=spoil), full_check=True).run()


def test_a_change_before_the_csv_makes_it_read_again(export_of: ExportOf) -> None:
    estate = estate_of(25)
    estate.before = lambda call: estate.rows[3].update(note="changed") if call == 7 else None
    snapshot = export_of(estate, full_check=True).run()
    assert content(snapshot) == estate.state()
    assert snapshot.manifest.proof.attempts == 2


def test_a_csv_without_a_column_is_no_proof(export_of: ExportOf) -> None:
    estate = estate_of(5, spoil_csv=lambda text: text.replace("NOTE", "REMARK"))
    with pytest.raises(IncompleteSnapshot, match=r"no column NOTE, .* export from the pages, without the full check"):
        export_of(estate, full_check=True).run()


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_lines_may_end_in_any_way_and_blank_cells_at_their_ends_may_be_left_out(export_of: ExportOf, end: str) -> None:
    """A row without a tag and a set ends early, where the platform's last columns are those two."""
    estate = estate_of(5, spoil_csv=lambda text: text.replace(",,\r\n", "\r\n").replace("\r\n", end))
    assert export_of(estate, full_check=True).run().rows == 5


def test_a_csv_that_is_empty_is_no_proof(export_of: ExportOf) -> None:
    with pytest.raises(IncompleteSnapshot, match=r"no column NUMBER, COUNTRY, .*PHONE_NUMBER_SET_ID, so that"):
        export_of(estate_of(5, spoil_csv=lambda text: ""), full_check=True).run()


@pytest.fixture
def published(export_of: ExportOf) -> CompleteSnapshot:
    return export_of(estate_of(6)).run()


@pytest.mark.parametrize("places", [[0], [3], [6], [0, 1], [2, 4, 6], [3, 3, 3]], ids=str)
def test_as_many_rows_may_be_in_the_csv_only_as_were_rejected_and_no_more(
    published: CompleteSnapshot, places: list[int]
) -> None:
    """``places`` are those before which they stand."""
    header, *lines = estate_of(6).csv().splitlines()
    for place in reversed(places):
        lines.insert(place, "true,no number")
    text = "\n".join([header, *lines])
    parquet = published.root.path(f"{published.folder}/numbers.parquet")
    cross_check(text, parquet, rejects=len(places))
    with pytest.raises(Moved):
        cross_check(text, parquet, rejects=len(places) - 1)


@pytest.mark.parametrize("missing", [0, 3, 5])
def test_a_number_that_is_not_in_the_csv_was_not_rejected(published: CompleteSnapshot, missing: int) -> None:
    lines = estate_of(6).csv().splitlines()
    del lines[1 + missing]
    with pytest.raises(Moved, match=rf"\+121200000{missing:02} is in the pages only"):
        cross_check("\n".join(lines), published.root.path(f"{published.folder}/numbers.parquet"), rejects=9)


def test_rows_that_were_rejected_may_be_in_the_csv_only(export_of: ExportOf) -> None:
    estate = estate_of(9)
    estate.rows.insert(4, row(0, number="12012049893"))
    assert export_of(estate, full_check=True, max_reject_percent=10).run().rows == 9
