from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from ocp_sandbox import Sandbox, User
from sandbox.caller import Caller

Serve = Callable[..., Sandbox]
SHARED = {
    "number",
    "country",
    "groupId",
    "miniAppId",
    "miniAppName",
    "miniAppType",
    "miniAppDiamantAppName",
    "miniAppGroup",
    "locale",
    "note",
    "applicationTag",
}
COLUMNS = (
    "APPLICATION_TAG,COUNTRY,GROUP_ID,LOCALE,MINIAPP_DIAMANT_APP_NAME,MINIAPP_GROUP,MINIAPP_ID,MINIAPP_NAME,"
    "MINIAPP_TYPE,NUMBER,PHONE_NUMBER_SET_ID,NOTE"
)


@pytest.fixture
def full(serve: Serve) -> Sandbox:
    return serve(numbers=230)


@pytest.fixture
def reader(full: Sandbox) -> Caller:
    return Caller(full.url)


def shown(truth: dict[str, Any]) -> dict[str, Any]:
    return {name: truth[name] for name in SHARED}


def test_list_and_search_and_set_spell_the_set_as_the_vendor_does(full: Sandbox, reader: Caller) -> None:
    listed = reader.ok("GET", "/api/numbers")["numbers"][0]
    found = reader.ok("POST", "/api/numbers/search", {})["numbers"][0]
    member = next(row for row in full.numbers() if row["setId"])
    in_set = reader.ok("GET", f"/api/numbers-set/{member['setId']}/numbers")[0]
    assert set(listed) == SHARED | {"phoneNumbersSetId", "phoneNumbersSetName"}
    assert set(found) == SHARED | {"phoneNumberSetId"}
    assert set(in_set) == SHARED | {"phoneNumberSetId"}


def test_listed_rows_equal_the_truth(full: Sandbox, reader: Caller) -> None:
    listed = reader.listed()
    assert len(listed) == 230
    for truth in full.numbers():
        row = listed[truth["number"]]
        assert shown(truth) == {name: row[name] for name in SHARED}
        assert (row["phoneNumbersSetId"], row["phoneNumbersSetName"]) == (truth["setId"], truth["setName"])


def test_page_size_is_fifty_unless_asked_otherwise(reader: Caller) -> None:
    answer = reader.ok("GET", "/api/numbers")
    assert len(answer["numbers"]) == 50
    assert {name: answer[name] for name in ("page", "pageSize", "numberOfPages", "allNumbers")} == {
        "page": 1,
        "pageSize": 50,
        "numberOfPages": 5,
        "allNumbers": 230,
    }


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    "order", ["none", "number", "miniapp", "miniapp-type", "locale", "note", "group", "miniapp-group"]
)
def test_pages_of_every_order_join_to_the_whole_without_repeats(reader: Caller, order: str, direction: str) -> None:
    query = {"orderBy": order, "direction": direction}
    pages = [
        reader.ok("GET", "/api/numbers", params={**query, "page": page, "pageSize": 57})["numbers"]
        for page in range(1, 7)
    ]
    assert [len(page) for page in pages] == [57, 57, 57, 57, 2, 0]
    rows = [row for page in pages for row in page]
    assert len({row["number"] for row in rows}) == 230
    column = {
        "number": "number",
        "miniapp": "miniAppName",
        "miniapp-type": "miniAppType",
        "locale": "locale",
        "note": "note",
        "group": "groupId",
        "miniapp-group": "miniAppGroup",
    }.get(order)
    if column:
        values = [row[column] or "" for row in rows]
        assert values == sorted(values, reverse=direction == "DESC")


def test_server_caps_the_page_and_says_so(serve: Serve) -> None:
    caller = Caller(serve(numbers=30, page_cap=7).url)
    answer = caller.ok("GET", "/api/numbers", params={"pageSize": 500})
    assert (len(answer["numbers"]), answer["pageSize"], answer["numberOfPages"]) == (7, 7, 5)
    answer = caller.ok("POST", "/api/numbers/search", {"pageSize": 3})
    assert (len(answer["numbers"]), answer["pageSize"], answer["numberOfPages"]) == (3, 3, 10)


def test_empty_inventory_has_no_pages(ops: Caller) -> None:
    answer = ops.ok("GET", "/api/numbers")
    assert answer == {"numbers": [], "page": 1, "pageSize": 50, "numberOfPages": 0, "allNumbers": 0}


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("%", 4),
        ("", 4),
        ("+12125550101", 1),
        ("555010%", 0),
        ("%555010%", 3),
        ("+1212%", 3),
        ("DESK", 2),
        ("%50%off%", 1),
        ("a_b", 1),
        ("\\", 0),
        ("nothing", 0),
    ],
)
def test_search_term_is_a_wildcard_over_number_and_note(box: Sandbox, ops: Caller, term: str, found: int) -> None:
    box.edit.add_number("+12125550101", "retail-us", note="Service desk")
    box.edit.add_number("+12125550102", "retail-us", note="desk, 50 percent off a_b")
    box.edit.add_number("+12125550103", "retail-us", note="axb")
    box.edit.add_number("+302101234567", "banking-eu")
    assert len(ops.listed(searchTerm=term)) == found


def test_search_combines_its_fields(full: Sandbox, reader: Caller) -> None:
    truth = full.numbers()
    wish = {"miniAppName": "store_", "miniAppType": "flow", "groups": ["retail-us", "ocp-qa"], "locale": "en-US"}
    answer = reader.ok("POST", "/api/numbers/search", {**wish, "pageSize": 1000, "orderBy": "number"})
    expected = [
        row["number"]
        for row in truth
        if row["miniAppName"] == "Store_Locator" and row["groupId"] in wish["groups"] and row["locale"] == "en-US"
    ]
    assert expected
    assert [row["number"] for row in answer["numbers"]] == expected


def test_search_by_number_note_and_set(full: Sandbox, reader: Caller) -> None:
    member = next(row for row in full.numbers() if row["setId"] and row["note"])
    for wish in ({"number": member["number"][4:]}, {"note": member["note"]}, {"setId": member["setId"]}):
        found = reader.ok("POST", "/api/numbers/search", {**wish, "pageSize": 1000})["numbers"]
        assert member["number"] in {row["number"] for row in found}
    assert reader.ok("POST", "/api/numbers/search", {"setId": member["setId"][:-1]})["allNumbers"] == 0


def test_changes_show_in_pages_that_were_read_before(box: Sandbox, ops: Caller) -> None:
    numbers = [f"+1212555{place:04}" for place in range(20)]
    for number in numbers[::2]:
        box.edit.add_number(number, "retail-us", note="b")
    for query in ({"orderBy": "number"}, {"orderBy": "note"}, {"searchTerm": "b", "orderBy": "number"}):
        assert len(ops.listed(**query)) == 10
    for number in numbers[1::2]:
        box.edit.add_number(number, "retail-us", note="a")
    box.edit.remove_number(numbers[0])
    box.edit.change_number(numbers[2], note="a")
    assert list(ops.listed(orderBy="number")) == numbers[1:]
    assert list(ops.listed(orderBy="number", direction="DESC")) == numbers[:0:-1]
    assert list(ops.listed(searchTerm="b", orderBy="number")) == numbers[4::2]
    assert [row["note"] for row in ops.listed(orderBy="note").values()] == ["a"] * 11 + ["b"] * 8


def test_csv_is_a_json_string_with_the_documented_columns(full: Sandbox, reader: Caller) -> None:
    text = reader.ok("POST", "/api/numbers/csv", {"orderBy": "number"})
    assert text.splitlines()[0] == COLUMNS
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    truth = full.numbers()
    assert [row["NUMBER"] for row in rows] == [row["number"] for row in truth]
    assert [row["NOTE"] for row in rows] == [row["note"] or "" for row in truth]
    assert [row["PHONE_NUMBER_SET_ID"] for row in rows] == [row["setId"] or "" for row in truth]
    assert [row["MINIAPP_ID"] for row in rows] == [row["miniAppId"] or "" for row in truth]


def test_csv_may_come_as_text(serve: Serve) -> None:
    caller = Caller(serve(numbers=5, csv_as_text=True).url)
    answer = caller.raw("POST", "/api/numbers/csv", json={})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.text.startswith(COLUMNS)
    assert len(list(csv.reader(io.StringIO(answer.text, newline="")))) == 6


def test_csv_of_one_page_holds_that_page(reader: Caller) -> None:
    wish = {"orderBy": "number", "page": 2, "pageSize": 10}
    rows = list(csv.DictReader(io.StringIO(reader.ok("POST", "/api/numbers/csv", wish), newline="")))
    found = reader.ok("POST", "/api/numbers/search", wish)["numbers"]
    assert [row["NUMBER"] for row in rows] == [row["number"] for row in found]


def test_an_empty_inventory_is_a_csv_of_its_header(ops: Caller) -> None:
    assert ops.ok("POST", "/api/numbers/csv", {}) == COLUMNS + "\r\n"


def test_hostile_notes_come_back_as_they_went_in(box: Sandbox, ops: Caller) -> None:
    notes = ['=HYPERLINK("x")', 'a,"b"\r\nc', "tab\tNUL\0", "👩‍👩‍👧", "\u202eright to left", "x" * 1_000_000]
    numbers = [f"+1212555{place:04}" for place in range(len(notes))]
    for number in numbers:
        box.edit.add_number(number, "retail-us")
    for number, note in zip(numbers, notes, strict=True):
        ops.ok("PUT", "/api/number/note", {"number": number, "note": note})
    assert [row["note"] for row in ops.listed(orderBy="number").values()] == notes


def test_a_login_finds_only_numbers_of_its_groups(serve: Serve) -> None:
    box = serve(numbers=100, users=[User("us", "secret", "reader", ("retail-us", "ocp-qa"))])
    caller = Caller(box.url, "us")
    groups = {row["groupId"] for row in caller.listed().values()}
    assert groups == {"retail-us", "ocp-qa"}
    assert caller.ok("POST", "/api/numbers/search", {"groups": ["ocp-qa"]})["allNumbers"] == sum(
        row["groupId"] == "ocp-qa" for row in box.numbers()
    )
    assert "banking-eu" in caller.no(403, "POST", "/api/numbers/search", {"groups": ["banking-eu"]})
    assert "nowhere" in caller.no(404, "POST", "/api/numbers/csv", {"groups": ["nowhere"]})


def test_more_kinds_of_lists_than_are_kept_stay_right(box: Sandbox, ops: Caller) -> None:
    numbers = [f"+1212555{place:04}" for place in range(12)]
    for number in numbers:
        box.edit.add_number(number, "retail-us")
    for _ in range(2):
        assert [list(ops.listed(searchTerm=number)) for number in numbers] == [[number] for number in numbers]
    box.edit.remove_number(numbers[0])
    assert [list(ops.listed(searchTerm=number)) for number in numbers] == [[], *([number] for number in numbers[1:])]


def test_a_list_that_fell_far_behind_is_right_again(box: Sandbox, ops: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocp_sandbox.listing._FOLLOWED", 3)
    assert ops.listed(orderBy="number") == {}
    numbers = [f"+1212555{place:04}" for place in range(5)]
    for number in numbers:
        box.edit.add_number(number, "retail-us")
    assert list(ops.listed(orderBy="number")) == numbers
