"""Answers that depart from the contract: understood as far as can be, counted, in the way only of what needs them."""

from __future__ import annotations

import copy
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.conftest import NewClient
from client.documented_answers import ANSWERS, FOUND, LISTED, SET, SHEET
from ocp_numbers.client import OPERATIONS, ClientSettings, Reply
from ocp_numbers.client.answers import read_answer
from ocp_numbers.client.drift import MOST_KINDS, Drift, DriftCounter
from ocp_numbers.client.numbers import Numbers
from ocp_numbers.client.operations import CSV_COLUMNS
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.wire import Call
from ocp_numbers.errors import IncompleteSnapshot, Refused, UnexpectedAnswer
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.models import Page, PhoneNumber, check_told
from ocp_sandbox import Fault, Sandbox


def read(name: str, body: Any) -> tuple[Any, DriftCounter]:
    drift = DriftCounter(Redactor())
    reply = Reply(Call(name, "GET", "/api/x"), 200, {"Content-Type": "application/json"}, json.dumps(body).encode())
    return read_answer(OPERATIONS[name], reply, Redactor(), drift), drift


def counted(drift: DriftCounter) -> dict[Drift, int]:
    return {each.drift: each.count for each in drift.departures}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_documented_answer_departs_in_nothing(name: str) -> None:
    answer, drift = read(name, ANSWERS[name])

    assert (answer is not None, drift.departures) == (True, ())


def test_one_set_in_place_of_a_list_is_documented_too() -> None:
    assert read("sets.list_for_group", SET)[1].departures == ()


@pytest.mark.parametrize("also", [{"orderBy": "number", "direction": "ASC"}, {"orderBy": None}])
def test_a_page_may_say_in_which_order_it_is(also: dict[str, Any]) -> None:
    assert read("numbers.list", ANSWERS["numbers.list"] | also)[1].departures == ()


@dataclass(frozen=True)
class Change:
    """A change to one object of an answer, how it is to be counted, and whether the value is lost by it."""

    kind: str
    field: str
    seen: str
    make: Callable[[dict[str, Any]], object]


def spelt(name: str) -> st.SearchStrategy[str]:
    snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
    ways = {name.upper(), name.lower(), name.capitalize(), snake, snake.replace("_", "-"), f"_{name}"} - {name}
    return st.sampled_from(sorted(ways))


@st.composite
def changes(draw: st.DrawFn, thing: dict[str, Any]) -> Change:
    kind = draw(st.sampled_from(["new", "respelt", "retyped"]))
    if kind == "new":
        name = draw(st.sampled_from(["colour", "carrier", "ÿ", "numberOfStars", "extra field"]))
        value = draw(st.none() | st.integers() | st.lists(st.text(max_size=2), max_size=2) | st.just({"a": {"b": 1}}))
        return Change(kind, name, "", lambda there: there.update({name: value}))
    field = draw(st.sampled_from(sorted(thing)))
    if kind == "respelt":
        other = draw(spelt(field))
        return Change(kind, field, other, lambda there: there.update({other: there.pop(field)}))
    field = draw(st.sampled_from([name for name in thing if type(thing[name]) is int] or ["number"]))
    if field == "number":
        return draw(changes(thing))
    return Change(kind, field, "string", lambda there: there.update({field: str(there[field])}))


def objects(value: Any, place: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The objects in an answer, with the place that a departure of their fields is named by."""
    if isinstance(value, list):
        return [found for item in value for found in objects(item, f"{place}[]")]
    if isinstance(value, dict):
        inner = [found for name, item in value.items() for found in objects(item, f"{place}.{name}" if place else name)]
        return [(place, value), *inner]
    return []


@given(st.data())
def test_what_is_new_or_spelt_or_typed_in_another_way_is_read_all_the_same_and_counted(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(ANSWERS)))
    body = copy.deepcopy(ANSWERS[name])
    place, thing = data.draw(st.sampled_from(objects(body)))
    change = data.draw(changes(thing))

    change.make(thing)
    answer, drift = read(name, body)

    assert answer == read(name, ANSWERS[name])[0]
    field = f"{place}.{change.field}" if place else change.field
    assert counted(drift) == {Drift(change.kind, field, change.seen): 1}  # type: ignore[arg-type]


OPTIONAL = ["country", "groupId", "miniAppId", "miniAppName", "locale", "note", "applicationTag", "phoneNumberSetId"]


@given(st.sets(st.sampled_from(OPTIONAL), min_size=1), st.sets(st.sampled_from(OPTIONAL)))
def test_a_field_that_is_missing_is_unknown_and_one_that_is_null_is_empty(gone: set[str], empty: set[str]) -> None:
    row = {name: None if name in empty else value for name, value in FOUND.items() if name not in gone}

    (number,), drift = read("sets.numbers", [row])

    ours = {name: PhoneNumber.spellings(name) for name in PhoneNumber.model_fields}
    unknown = {name for name, spellings in ours.items() if set(spellings) & gone}
    assert all(getattr(number, name) is None for name in unknown)
    assert unknown.isdisjoint(number.model_fields_set)
    assert Counter(each.kind for each in counted(drift)) == {"missing": len(gone)}
    for name in ("mini_app_id", "set_id", "group_id", "note"):
        if name in unknown:
            with pytest.raises(IncompleteSnapshot, match=number.number.replace("+", r"\+")):
                check_told([number], name)
        else:
            assert check_told([number], name) == (number,)


FIELDS = [
    pytest.param(name, place, field, id=f"{name} {where}.{field}")
    for name, answer in ANSWERS.items()
    for place, (where, thing) in enumerate(objects(answer))
    for field in thing
]
NEEDED = ("numbers", "page", "pageSize", "numberOfPages", "allNumbers", "number", "success")


def is_needed(name: str, field: str) -> bool:
    """Whether nothing would be known without it; all others may be null, or may not come at all."""
    return field in NEEDED or (name.startswith("sets.") and field in ("id", "name"))


def changed(name: str, place: int, change: Callable[[dict[str, Any]], object]) -> Any:
    """An answer of which the object at ``place`` was changed."""
    body = copy.deepcopy(ANSWERS[name])
    change(objects(body)[place][1])
    return body


@pytest.mark.parametrize(("name", "place", "field"), FIELDS)
def test_a_null_is_no_value_or_refused_by_the_name_of_its_field(name: str, place: int, field: str) -> None:
    body = changed(name, place, lambda thing: thing.update({field: None}))

    if is_needed(name, field):
        with pytest.raises(UnexpectedAnswer, match=field):
            read(name, body)
    else:
        a_list = field in ("failedNumbers", "purchasedNumbers")  # which is empty where there is nothing
        assert counted(read(name, body)[1]) == ({Drift("retyped", field, "null"): 1} if a_list else {})


@pytest.mark.parametrize(("name", "place", "field"), FIELDS)
def test_a_field_that_does_not_come_is_counted_or_refused_by_its_name(name: str, place: int, field: str) -> None:
    body = changed(name, place, lambda thing: thing.pop(field))

    if is_needed(name, field):
        with pytest.raises(UnexpectedAnswer, match=field):
            read(name, body)
    elif field != "phoneNumbersSetName":  # only one of two operations has it
        (drift,) = counted(read(name, body)[1])
        assert drift.kind == "missing"
        assert drift.field.endswith(field.replace("NumberSet", "NumbersSet"))


def test_rows_that_depart_do_not_spoil_those_that_do_not() -> None:
    rows = [FOUND | {"number": f"+1212555{place:04}"} for place in range(6)]
    rows[2]["GROUPID"] = rows[2].pop("groupId")
    del rows[4]["note"]

    read_rows, drift = read("sets.numbers", rows)

    assert [row.group_id for row in read_rows] == ["ocp-qa"] * 6
    assert [row.note for row in read_rows] == ["night shift"] * 4 + [None, "night shift"]
    assert set(counted(drift)) == {Drift("respelt", "[].groupId", "GROUPID"), Drift("missing", "[].note")}


def test_a_documented_name_wins_over_another_spelling_of_it() -> None:
    (row,), drift = read("sets.numbers", [FOUND | {"NOTE": "another"}])

    assert row.note == "night shift"
    assert list(counted(drift)) == [Drift("new", "[].NOTE")]


@pytest.mark.parametrize("field", ["page", "pageSize", "numberOfPages", "allNumbers"])
@pytest.mark.parametrize("name", ["numbers.list", "numbers.search"])
def test_a_truth_value_is_no_count(name: str, field: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=f"{field}: .*a truth value is no count"):
        read(name, ANSWERS[name] | {field: True})


def test_nor_is_it_one_of_the_numbers_of_a_set() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"phoneNumberCount: .*a truth value is no count"):
        read("sets.get", SET | {"phoneNumberCount": True})


@pytest.mark.parametrize("price", ["1.50", "0"])
def test_a_price_as_a_text_is_a_price(price: str) -> None:
    (offer,), drift = read("numbers.search_available", [ANSWERS["numbers.search_available"][0] | {"price": price}])

    assert str(offer.price) == price
    assert list(counted(drift)) == [Drift("retyped", "[].price", "string")]


def test_a_phone_number_that_came_as_a_number_is_none() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"numbers\.0\.number"):
        read("numbers.search", {"numbers": [FOUND | {"number": 12125550101}], **SHEET})


@pytest.mark.parametrize("no", [False, "false", 0])
def test_a_no_is_a_no_in_any_spelling(no: object) -> None:
    with pytest.raises(Refused, match="no licences"):
        read("numbers.attach", {"Success": no, "Message": "no licences"})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*LISTED, *SHEET, "numbers", "NUMBERS", "id"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(ANYTHING, st.sampled_from(sorted(ANSWERS)))
def test_whatever_comes_is_counted_without_an_error_of_its_own(body: Any, name: str) -> None:
    content = json.dumps(body).encode()

    documented = DriftCounter(Redactor()).as_documented(OPERATIONS[name], content)

    assert json.loads(documented) is not None or body is None


class TestCounter:
    def test_says_each_departure_once_and_counts_them_all(self, caplog: pytest.LogCaptureFixture) -> None:
        drift = DriftCounter(Redactor())
        body = json.dumps([FOUND | {"colour": "red"}] * 7).encode()

        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                drift.as_documented(OPERATIONS["sets.numbers"], body)

        assert [record.getMessage() for record in caplog.records] == [
            "The answer to sets.numbers departs from the contract: [].colour is not in the contract"
        ]
        assert str(drift) == "sets.numbers: [].colour is not in the contract (21 times)"

    def test_a_platform_that_invents_names_is_not_followed_for_ever(self, caplog: pytest.LogCaptureFixture) -> None:
        drift = DriftCounter(Redactor())

        drift.as_documented(
            OPERATIONS["sets.numbers"], json.dumps([FOUND | {f"x{place}" * 9: 1} for place in range(500)]).encode()
        )

        assert (len(drift.departures), drift.untold) == (MOST_KINDS, 500 - MOST_KINDS)
        assert len(caplog.records) == MOST_KINDS
        assert drift.count == 500
        assert str(drift).endswith(f"and {500 - MOST_KINDS} others")
        assert max(len(each.drift.field) for each in drift.departures) < 80

    def test_no_name_steers_a_terminal_and_no_secret_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        redactor = Redactor()
        redactor.learn("hunter2-hunter2")
        drift = DriftCounter(redactor)

        drift.as_documented(
            OPERATIONS["sets.numbers"], json.dumps([FOUND | {"a\x1b[2J\n": 1, "hunter2-hunter2": 1}]).encode()
        )

        assert "hunter2" not in caplog.text + str(drift)
        assert "\x1b" not in caplog.text + str(drift)

    def test_the_client_has_one(self, sandbox: Sandbox, new_client: NewClient) -> None:
        sandbox.faults.add(Fault("GET", "*/numbers-set", status=200, body=json.dumps([SET | {"colour": "red"}])))
        client = new_client(sandbox.url)

        for _ in range(3):
            assert client.sets.list()[0].name == "Lobby"
        assert [str(each) for each in client.drift.departures] == [
            "sets.list: [].colour is not in the contract (3 times)"
        ]

    def test_the_client_sums_up_once_when_it_is_closed(
        self, sandbox: Sandbox, new_client: NewClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        sandbox.faults.add(Fault("GET", "*/numbers-set", kind="drift", field="phoneNumberCount"))
        client = new_client(sandbox.url)
        sets = len(client.sets.list())
        caplog.clear()

        for _ in range(2):
            client.close()

        (said,) = (record.getMessage() for record in caplog.records if "contract" in record.getMessage())
        assert said == (
            f"Fields that departed from the contract: sets.list: [].phoneNumberCount is missing ({sets} times)"
        )


HEADER = ",".join(CSV_COLUMNS)
ROW = "+12125550101" + "," * (len(CSV_COLUMNS) - 1)
HEADERS: dict[str, tuple[str, set[str]]] = {
    "as documented": (HEADER, set()),
    "in another order": (",".join(reversed(CSV_COLUMNS)), set()),
    "every name in quotes": (",".join(f'"{name}"' for name in CSV_COLUMNS), set()),
    "with a byte order mark": (f"\ufeff{HEADER}", set()),
    "one is new": (f"{HEADER},COLOUR", {"the column COLOUR is not in the contract"}),
    "one has no name": (f"{HEADER},", {"a column without a name is not in the contract"}),
    "one is missing": (HEADER.replace("COUNTRY,", ""), {"the column COUNTRY is missing"}),
    "one is spelt in another way": (HEADER.replace("GROUP_ID", "groupId"), {"the column GROUP_ID is spelt groupId"}),
    "one is there in two spellings": (f"{HEADER},Note", {"the column Note is not in the contract"}),
    "a long one": (f"{HEADER},{'X' * 200}", {f"the column {'X' * 60}… is not in the contract"}),
    "one that steers a terminal": (f"{HEADER},\x1b[2J", {"the column '\\x1b[2J' is not in the contract"}),
}


class TestColumns:
    """The platform's own CSV has columns in place of fields."""

    @pytest.mark.parametrize("as_json", [True, False], ids=["as a JSON string", "as text/csv"])
    @pytest.mark.parametrize("header", HEADERS)
    def test_those_that_depart_are_counted_and_the_text_is_handed_on_as_it_came(
        self, header: str, as_json: bool
    ) -> None:
        line, departures = HEADERS[header]
        text = f"{line}\r\n{ROW}\r\n"
        kind, content = ("application/json", json.dumps(text)) if as_json else ("text/csv; charset=utf-8", text)
        drift = DriftCounter(Redactor())
        reply = Reply(Call("", "POST", "/api/x"), 200, {"Content-Type": kind}, content.encode())

        answer = read_answer(OPERATIONS["numbers.export_csv"], reply, Redactor(), drift)

        assert answer == (text if as_json else text.removeprefix("\ufeff"))
        assert {str(each.drift) for each in drift.departures} == departures
        assert drift.count == len(departures)

    @pytest.mark.parametrize("text", ["", "\r\n", "\0", '"' * 3 + "x" * 100_000, HEADER.replace(",", ";")])
    def test_a_text_that_has_none_of_them_lacks_all(self, text: str) -> None:
        drift = DriftCounter(Redactor())

        drift.header(OPERATIONS["numbers.export_csv"], text)

        assert {f"the column {name}" for name in CSV_COLUMNS} == {
            each.drift.field for each in drift.departures if each.drift.kind == "missing"
        }

    def test_a_row_is_no_header(self) -> None:
        drift = DriftCounter(Redactor())

        drift.header(OPERATIONS["numbers.export_csv"], f"{HEADER}\nCOLOUR,{ROW}\nSHAPE\n")

        assert drift.count == 0

    def test_whoever_reads_by_it_has_them_in_the_count_and_the_log(
        self, sandbox: Sandbox, new_client: NewClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        sandbox.faults.add(
            Fault("POST", "*/numbers/csv", status=200, body=json.dumps(f"{HEADER},COLOUR\r\n{ROW},\r\n"))
        )
        client = new_client(sandbox.url)

        for _ in range(2):  # as the full check and the export with source="csv" do
            assert ROW in ClientSource(lambda: client).csv()
        client.close()

        assert client.drift.count == 2
        told = [record.getMessage() for record in caplog.records if "contract" in record.getMessage()]
        assert told == [
            "The answer to numbers.export_csv departs from the contract: the column COLOUR is not in the contract",
            "Fields that departed from the contract: numbers.export_csv: the column COLOUR is not in the contract "
            "(2 times)",
        ]


@dataclass
class Shifting:
    """A platform whose inventory is another one at each call; a stand-in for the transport."""

    inventories: Sequence[Sequence[str]]
    settings: ClientSettings
    calls: int = 0

    def call(self, _: object, *, page: int, page_size: int, **__: object) -> Page[PhoneNumber]:
        rows = self.inventories[min(self.calls, len(self.inventories) - 1)]
        self.calls += 1
        here = rows[(page - 1) * page_size : page * page_size]
        return Page[PhoneNumber](
            items=tuple(PhoneNumber(number=row) for row in here),
            page=page,
            page_size=page_size,
            number_of_pages=-(-len(rows) // page_size),
            all_numbers=len(rows),
        )


PLACE = ClientSettings(host="http://127.0.0.1", login="ops", password="secret")
NUMBERS = [f"+1212555{place:04}" for place in range(40)]


@given(st.lists(st.sets(st.sampled_from(NUMBERS)), min_size=1, max_size=6), st.integers(1, 9))
def test_pages_that_overlap_or_shrink_while_they_are_read_are_never_taken_for_a_list(
    inventories: list[set[str]], page_size: int
) -> None:
    """What is read to the end has as many rows as every page announced, and none of them in two pages on end."""
    platform = Shifting([sorted(each) for each in inventories], PLACE)

    try:
        rows = [row.number for row in Numbers(platform).iterate(page_size=page_size)]  # type: ignore[arg-type]
    except IncompleteSnapshot as error:
        assert len(inventories) > 1, error  # noqa: PT017 - a list that does not change is always read
        return

    met = platform.inventories[: platform.calls]
    assert {len(each) for each in met} == {len(rows)}
    pages = [rows[start : start + page_size] for start in range(0, len(rows), page_size)]
    assert all(set(one).isdisjoint(other) for one, other in pairwise(pages))
    if len(set(map(tuple, met))) == 1:
        assert rows == list(met[0])


@given(st.integers(1, 39), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_one_number_more_or_less_between_two_pages_is_always_found(
    count: int, page_size: int, calls: int, gone: bool
) -> None:
    before = NUMBERS[:count]
    after = before[1:] if gone else [*before, NUMBERS[39]]
    platform = Shifting([before] * calls + [after], PLACE)
    pages = -(-count // page_size)

    reading = Numbers(platform).iterate(page_size=page_size)  # type: ignore[arg-type]
    if pages <= calls:
        assert [row.number for row in reading] == before
    else:
        with pytest.raises(IncompleteSnapshot):
            list(reading)
