"""The report says what the manifest does, needs nothing else to be read, and takes nothing in it for markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from inventory.estate import DAY, Estate, estate_of, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.report import EXAMPLES, NIGHTS, clip

ExportOf = Callable[..., Export]
VOID = {"meta", "path", "line", "circle", "rect"}


class Reader(HTMLParser):
    """The text that a person sees, and every tag and address in the page; fails where tags do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.pieces: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())


def read(snapshot: CompleteSnapshot) -> Reader:
    with snapshot.open("report.html") as stream:
        return Reader(stream.read().decode())


def nights(export_of: ExportOf, *estates: Estate, **given: Any) -> CompleteSnapshot:
    for place, estate in enumerate(estates):
        snapshot = export_of(estate, day=DAY + timedelta(place), **given).run()
    return snapshot


def test_it_tells_the_totals_and_how_they_were_proven(export_of: ExportOf) -> None:
    scope = Scope(environment="eu", groups=("sales", "support"), login="ops")
    estate = Estate([row(place, groupId=scope.groups[place % 2]) for place in range(1_234)], cap=10)
    text = read(nights(export_of, estate, scope=scope, full_check=True)).text
    assert "eu , Sunday, 01 March 2026" in text
    assert "Only the groups sales , support ." in text
    assert "124 pages, each read twice and the same both times, and equal to the platform\u2019s own CSV" in text
    assert "Numbers 1,234 Attached 925 75.0 % of all Not attached 309 25.0 % of all Countries, groups 1, 2" in text
    assert "This is the first night" in text
    assert "as seen by ops" in text


def test_it_compares_with_the_night_before_and_shows_what_changed(export_of: ExportOf) -> None:
    after = estate_of(12)
    after.rows[0] = row(0, groupId="other")
    text = read(nights(export_of, estate_of(10), after)).text
    assert "Numbers 12 ▲ 2 since 2026-03-01" in text
    assert "Changes since 2026-03-01 2 added 1 moved 3 from outside" in text
    assert "+12120000000 moved group-0 other outside" in text
    assert "+12120000011 added group-2 outside" in text


def test_a_night_without_changes_says_so(export_of: ExportOf) -> None:
    text = read(nights(export_of, estate_of(10), estate_of(10))).text
    assert "as before" in text
    assert "Nothing changed." in text


def test_the_trend_has_a_point_for_each_night_up_to_a_month(export_of: ExportOf) -> None:
    snapshot = nights(export_of, *(estate_of(count) for count in range(1, NIGHTS + 4)))
    page = read(snapshot)
    assert page.tags.count("circle") == NIGHTS
    assert page.tags.count("rect") == NIGHTS
    assert f"2026-03-04: {4} 2026-03-05: {5}" in page.text
    assert "2026-03-03:" not in page.text


def test_a_damaged_night_is_missing_in_the_trend(export_of: ExportOf, root: DataRoot) -> None:
    first = nights(export_of, estate_of(3))
    root.write(f"{first.folder}/manifest.json", b"{}")
    assert "circle" not in read(export_of(estate_of(4), day=DAY + timedelta(1)).run()).tags


def test_what_a_person_should_look_at_stands_at_the_top(export_of: ExportOf) -> None:
    rows = [row(0), row(1, number="+12125550123", country="GB"), row(2, number="12012049893")]
    text = read(nights(export_of, Estate(rows), max_reject_percent=50)).text
    assert "To look at Rows left out since they are not records of numbers: 1 (rejects.jsonl)" in text
    assert "numbering plan: 1 (column valid)" in text
    assert "than they do themselves: 1 (column derived_country)" in text
    assert "To look at" not in read(nights(export_of, Estate([row(0, number="+12125550123")]))).text


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><iframe src=//x>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;",
    "\u202egnp.exe\u0000",
]


def test_texts_of_every_kind_stay_texts(export_of: ExportOf) -> None:
    before = [row(place) for place in range(6)]
    after = [
        each | {"note": text, "groupId": text, "miniAppName": text, "country": text, "miniAppId": text}
        for each, text in zip(before, HOSTILE, strict=True)
    ]
    harmless = read(nights(export_of, Estate(before), Estate([each | {"note": "x"} for each in before])))
    page = read(nights(export_of, Estate(before), Estate(after), scope=Scope(environment=HOSTILE[1], login=HOSTILE[0])))
    assert set(page.tags) == set(harmless.tags)
    assert page.addresses == []
    for text in HOSTILE[:4]:
        assert text in page.text
    assert not re.search("[\u202e\u0000]", page.text)


def test_it_is_one_file_without_scripts_or_addresses(export_of: ExportOf) -> None:
    snapshot = nights(export_of, estate_of(20), estate_of(21))
    page = read(snapshot)
    assert page.addresses == []
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
    with snapshot.open("report.html") as stream:
        assert not re.search(rb"https?://|@import|url\(", stream.read())


def test_many_changes_are_shown_by_some_of_each_kind(export_of: ExportOf) -> None:
    after = [row(place, note="new") for place in range(20, 120)]
    page = read(nights(export_of, estate_of(100), Estate(after)))
    assert page.tags.count("tr") > 3 * EXAMPLES
    assert f"{3 * EXAMPLES} of 120 are shown" in page.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("short", "short"), ("x" * 60, "x" * 60), ("x" * 61, f"{'x' * 59}…"), ("a\r\n\tb\u2066", "a·b·")],
)
def test_a_long_or_hidden_text_is_cut_to_what_can_be_seen(text: str, shown: str) -> None:
    assert clip(text) == shown
