"""An export of some numbers: those that were searched for, by what the platform can search, and never taken for all."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.estate import DAY, Estate, content, estate_of, row
from inventory.test_source import connected, truth
from ocp_numbers.client.numbers import Filters
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot, InvalidInput
from ocp_numbers.inventory import Scope, as_of, dates, history, latest, load
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.filters import FIELDS, check_filters, check_found
from ocp_numbers.inventory.retention import expire
from ocp_numbers.inventory.schema import COLUMNS, SCHEMA
from ocp_numbers.inventory.source import ClientSource
from ocp_sandbox import Fault, Sandbox, Settings

ExportOf = Callable[..., Export]
ENVIRONMENT = "ocp_default"


def test_everything_that_the_platform_can_search_can_be_asked_for() -> None:
    assert {*FIELDS, "groups"} == set(Filters.__annotations__)
    assert set(FIELDS) < set(COLUMNS)


@pytest.mark.parametrize("via", ["pages", "csv"])
@pytest.mark.parametrize("field", FIELDS)
def test_just_the_numbers_that_match_are_exported(export_of: ExportOf, field: str, via: str) -> None:
    with Sandbox(Settings(numbers=300)) as sandbox, connected(sandbox) as client:
        place = COLUMNS.index(field)
        rows = truth(sandbox, set_names=False)
        text = next(each[place] for each in rows if each[place])
        wanted = text if field in ("set_id", "locale") else text[1:].upper()
        filters: dict[str, str] = {field: wanted}
        source = ClientSource(lambda: client, filters=filters)
        snapshot = export_of(source, scope=Scope(environment=ENVIRONMENT, filters=filters), via=via).run()
        matching = [each for each in rows if each[place] and wanted.upper() in each[place].upper()]
    assert content(snapshot) == matching
    assert 0 < len(matching) < 300


def test_groups_and_texts_must_match_together(export_of: ExportOf) -> None:
    with Sandbox(Settings(numbers=300)) as sandbox, connected(sandbox) as client:
        group = "retail-us"
        scope = Scope(environment=ENVIRONMENT, groups=(group,), filters={"number": "+1%5"})
        snapshot = export_of(ClientSource(lambda: client, *scope.part), scope=scope, full_check=True).run()
        matching = [
            each
            for each in truth(sandbox, set_names=False)
            if each[2] == group and each[0].startswith("+1") and each[0].endswith("5")
        ]
    assert content(snapshot) == matching
    assert matching


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"groups": ("group-0",)}, r"by groups, and gave \+12120000001 too, whose group_id is 'group-1'"),
        ({"filters": {"note": "line 1"}}, r"by note, and gave \+12120000000 too, whose note is 'line 0'"),
        ({"filters": {"set_id": "s-1"}}, r"by set_id, and gave \+12120000000 too, whose set_id is None"),
        ({"filters": {"locale": "en-US", "number": "%7%"}}, r"by number, and gave \+12120000000 too"),
    ],
)
@pytest.mark.parametrize("via", ["pages", "csv"])
def test_a_platform_that_does_not_search_as_it_was_asked_to_is_found_out(
    export_of: ExportOf, root: DataRoot, part: dict[str, Any], says: str, via: str
) -> None:
    """Otherwise the whole inventory would be published as that of a group, or of a set that is to be given up."""
    scope = Scope(environment=ENVIRONMENT, **part)
    with pytest.raises(IncompleteSnapshot, match=says):
        export_of(estate_of(25), scope=scope, via=via).run()
    assert dates(root, ENVIRONMENT, *scope.part) == []


def rows_with(field: str, values: list[str | None]) -> pa.RecordBatch:
    columns = {name: pa.nulls(len(values), pa.string()) for name in COLUMNS}
    columns["number"] = pa.array([f"+1212{place:07}" for place in range(len(values))])
    columns[field] = pa.array(values, pa.string())
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def taken(asked: str, note: str) -> bool:
    """Whether a number with that note is what was searched for."""
    try:
        check_found(rows_with("note", [note]), (), {"note": asked})
    except IncompleteSnapshot:
        return False
    return True


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("cafe", "Caf\u00e9 1"),
        ("CAF\u00c9", "the cafe"),
        ("a%c", "xxABBC\nyy"),
        ("a%c", "a\nb\nc"),
        ("(1)", "line (1)"),
        ("\u05e9\u05dc", "\u05e9\u05dc\u05d5\u05dd"),
    ],
)
def test_what_databases_find_for_a_text_is_found_and_what_lacks_any_of_it_is_not(asked: str, found: str) -> None:
    assert taken(asked, found)
    assert not taken(f"{asked}%{found}!", found)


@pytest.mark.parametrize("other", [None, "", "caf", "a c"])
def test_what_no_database_finds_for_a_text_is_not_taken(other: str | None) -> None:
    with pytest.raises(IncompleteSnapshot, match=r"\+12120000001 too, whose note is"):
        check_found(rows_with("note", ["a cafe", other]), (), {"note": "cafe"})


@given(
    st.text(st.characters(exclude_characters="%\uff9e\uff9f", exclude_categories=["Cs", "Mn"]), min_size=1),
    st.text(max_size=9),
)
def test_a_text_is_found_in_whatever_it_stands_in(text: str, around: str) -> None:
    usable = around.encode("utf-8", "ignore").decode()
    assert taken(text, f"{usable} {text} {usable}")
    assert not taken(f"{text}%{text}", text)


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"country": "US"}, "filters: the platform cannot search by country; choose among groups, locale, "),
        ({"number": "%%"}, "filters, number: '%%' finds every number; leave it out"),
        ({"locale": "en"}, "filters, locale: 'en' is not of the form language-REGION"),
        ({"note": "  "}, "filters, note: '  ' is empty"),
        ({"note": "a\0"}, "filters, note: .* NUL"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(filters: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        check_filters(filters)


def test_blank_filters_do_not_count() -> None:
    assert check_filters({"number": "", "note": None, "locale": "en-US"}) == {"locale": "en-US"}


PARTS = [
    Scope(environment=ENVIRONMENT, groups=("group-0",)),
    Scope(environment=ENVIRONMENT, filters={"note": "line"}),
    Scope(environment=ENVIRONMENT, filters={"note": "LINE"}),
    Scope(environment=ENVIRONMENT, filters={"locale": "en-US"}),
    Scope(environment=ENVIRONMENT, filters={"locale": "en-US", "note": "line"}),
    Scope(environment=ENVIRONMENT, groups=("group-0",), filters={"note": "line"}),
    Scope(environment=ENVIRONMENT, filters={"note": "line+locale~en-US"}),
]


def test_each_search_has_its_own_line_of_snapshots_and_none_is_taken_for_the_whole(
    export_of: ExportOf, root: DataRoot
) -> None:
    whole = export_of(estate_of(50)).run()
    for count, scope in enumerate(PARTS, start=3):
        rows = [row(3 * place, note="line+locale~en-US") for place in range(count)]
        part = export_of(Estate(rows), scope=scope, day=DAY + timedelta(1)).run()
        assert (part.manifest.scope, part.manifest.changes, part.manifest.balance) == (scope, None, None)
    assert latest(root, ENVIRONMENT) == whole
    assert as_of(root, ENVIRONMENT, DAY + timedelta(9)) == whole
    assert dates(root, ENVIRONMENT) == [DAY]
    assert [period.until for period in history(root, ENVIRONMENT, row(0)["number"])] == [DAY]
    assert json.loads(root.read(f"inventory/environment={ENVIRONMENT}/latest.json") or b"")["rows"] == 50
    for count, scope in enumerate(PARTS, start=3):
        found = latest(root, ENVIRONMENT, *scope.part)
        assert found is not None
        assert (found.rows, load(root, found.folder)) == (count, found)
        assert [each.until for each in history(root, ENVIRONMENT, row(0)["number"], *scope.part)] == [found.date]
    tomorrow = export_of(estate_of(51), day=DAY + timedelta(2)).run()
    assert tomorrow.manifest.changes is not None
    assert (tomorrow.manifest.changes.date, tomorrow.manifest.changes.counts) == (DAY, {"added": 1})


def test_a_search_is_compared_with_what_the_same_search_found_before(export_of: ExportOf) -> None:
    scope = PARTS[4]
    export_of(estate_of(5), scope=scope).run()
    export_of(estate_of(9)).run()
    again = Scope(environment=ENVIRONMENT, filters=dict(reversed(scope.filters.items())))
    later = export_of(estate_of(6), scope=again, day=DAY + timedelta(1)).run()
    assert later.manifest.changes is not None
    assert later.manifest.changes.counts == {"added": 1}


def test_old_snapshots_of_a_search_go_and_those_of_the_whole_stay(export_of: ExportOf, root: DataRoot) -> None:
    part, whole = ([DAY + timedelta(first + night) for night in range(9)] for first in (0, 10))
    for scope, days in ((PARTS[1], part), (Scope(environment=ENVIRONMENT), whole)):
        for day in days:
            export_of(estate_of(5), scope=scope, day=day).run()
    assert expire(root, PARTS[1], today=DAY + timedelta(30), keep_days=5) == part[:2]
    assert dates(root, ENVIRONMENT, *PARTS[1].part) == part[2:]
    assert dates(root, ENVIRONMENT) == whole


def test_the_report_says_what_was_searched_for(export_of: ExportOf) -> None:
    scope = Scope(environment=ENVIRONMENT, filters={"note": "<b>line</b>"})
    estate = Estate([row(0, note="a <b>line</b>")])
    with export_of(estate, scope=scope).run().open("report.html") as stream:
        assert b"Only numbers whose note has &#8220;<bdi>&lt;b&gt;line&lt;/b&gt;</bdi>&#8221; in it." in stream.read()


def test_a_server_that_forgets_the_search_half_way_is_found_out(export_of: ExportOf, root: DataRoot) -> None:
    other = json.dumps(
        {"numbers": [row(7, note="other")], "page": 1, "pageSize": 10, "numberOfPages": 1, "allNumbers": 1}
    )
    fault = Fault("POST", "/api/numbers/search", kind="status", status=200, body=other)
    scope = Scope(environment=ENVIRONMENT, filters={"note": "line"})
    with Sandbox(Settings(numbers=30, faults=[fault])) as sandbox, connected(sandbox) as client:
        source = ClientSource(lambda: client, *scope.part)
        with pytest.raises(IncompleteSnapshot, match="whose note is 'other'; nothing was published"):
            export_of(source, scope=scope).run()
    assert latest(root, ENVIRONMENT, *scope.part) is None
