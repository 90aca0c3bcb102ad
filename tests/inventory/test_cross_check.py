"""With the full check, pages and the platform's own CSV have to say the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory.estate import Estate, content, estate_of, row
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory.export import Export

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


def test_rows_that_were_rejected_may_be_in_the_csv_only(export_of: ExportOf) -> None:
    estate = estate_of(9)
    estate.rows.insert(4, row(0, number="12012049893"))
    assert export_of(estate, full_check=True, max_reject_percent=10).run().rows == 9
