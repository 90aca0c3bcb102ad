"""Answers: taken as the vendor means them, or refused with the field that is wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.client import OPERATIONS, Reply
from ocp_numbers.client.answers import check_success, read_answer
from ocp_numbers.client.drift import DriftCounter
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.wire import Call
from ocp_numbers.errors import Refused, UnexpectedAnswer
from ocp_numbers.models import Outcome


def reply(content: bytes, status: int = 200, content_type: str | None = "application/json") -> Reply:
    headers = {"Content-Type": content_type} if content_type else {}
    return Reply(Call("numbers.x", "GET", "/api/x"), status, headers, content)


def read(name: str, body: Any, **options: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answered = reply(content, **options)
    check_success(answered, Redactor())
    return read_answer(OPERATIONS[name], answered, Redactor(), DriftCounter(Redactor()))


PAGE = {"numbers": [], "page": 1, "pageSize": 51, "numberOfPages": 1, "allNumbers": 43}


def test_both_spellings_of_the_set_are_one_field() -> None:
    body = PAGE | {"numbers": [{"number": "+1", "phoneNumbersSetId": "a"}, {"number": "+2", "phoneNumberSetId": "b"}]}
    assert [row.set_id for row in read("numbers.search", body).items] == ["a", "b"]


def test_unknown_fields_are_passed_over_and_missing_ones_are_none() -> None:
    row = read("sets.numbers", [{"number": "+1", "colour": "red", "note": None}])[0]
    assert (row.number, row.note, row.country) == ("+1", None, None)


@pytest.mark.parametrize(
    ("price", "read_as"), [("0", "0"), ("3", "3"), ("1.10", "1.1"), ("null", None), ('"2.50"', "2.50")]
)
def test_a_price_is_an_exact_decimal(price: str, read_as: str | None) -> None:
    offer = read("numbers.search_available", b'[{"number": "+1", "price": %s}]' % price.encode())[0]
    assert offer.price == (Decimal(read_as) if read_as else None)


@pytest.mark.parametrize("price", ["-1", "NaN", '"free"', "1e999", "true", "[]"])
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        read("numbers.search_available", b'[{"number": "+1", "price": %s}]' % price.encode())


def test_one_set_in_place_of_a_list_is_a_list_of_one() -> None:
    one = {"id": "1", "name": "Pilot", "groupId": "g", "phoneNumberCount": 0}
    assert read("sets.list_for_group", one) == read("sets.list_for_group", [one])
    with pytest.raises(UnexpectedAnswer):
        read("sets.list", one)


@pytest.mark.parametrize("body", [b"", b" \n"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda row: row.name)
def test_an_empty_answer_is_a_success_exactly_where_the_table_says_so(operation: Any, body: bytes) -> None:
    if operation.may_be_empty:
        assert read(operation.name, body, status=204) == Outcome()
    elif operation.answer is str:
        assert read(operation.name, body, content_type="text/csv").strip() == ""
    else:
        with pytest.raises(UnexpectedAnswer, match="empty") as caught:
            read(operation.name, body)
        assert not caught.value.settled


def test_no_content_is_no_csv() -> None:
    with pytest.raises(UnexpectedAnswer, match="empty"):
        read("numbers.export_csv", b"", status=204, content_type=None)


@pytest.mark.parametrize("no", [False, "false", "False", 0])
@pytest.mark.parametrize("name", OPERATIONS)
def test_success_false_is_a_refusal_whatever_was_asked_and_however_it_is_spelt(name: str, no: object) -> None:
    with pytest.raises(Refused, match="no licences") as caught:
        read(name, {"success": no, "message": "no licences"})
    assert (caught.value.status, caught.value.settled) == (200, False)


def test_a_byte_order_mark_is_read_over() -> None:
    assert read("numbers.attach", b'\xef\xbb\xbf{"success": true}') == Outcome()
    assert read("sets.list_for_group", b'\xef\xbb\xbf{"id": "1", "name": "Pilot"}')[0].name == "Pilot"
    with pytest.raises(Refused, match="no licences"):
        read("numbers.attach", b'\xef\xbb\xbf{"success": false, "message": "no licences"}')


@pytest.mark.parametrize(
    ("body", "failed", "purchased"),
    [
        ({"failedNumbers": None, "purchasedNumbers": [{"number": "+1", "id": "p1"}]}, (), [("+1", "p1")]),
        ({"failedNumbers": ["+1"], "purchasedNumbers": None}, ("+1",), []),
        ({"purchasedNumbers": ["+1"]}, (), [("+1", None)]),
        ({"purchasedNumbers": [{"number": "+1", "id": 17}]}, (), [("+1", "17")]),
    ],
)
def test_a_report_of_a_purchase_is_understood_in_each_spelling(
    body: dict[str, Any], failed: tuple[str, ...], purchased: list[tuple[str, str | None]]
) -> None:
    report = read("numbers.buy", body)
    assert report.failed == failed
    assert [(one.number, one.id) for one in report.purchased] == purchased


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("numbers.list", PAGE | {"allNumbers": "many"}, "allNumbers"),
        ("numbers.list", {"numbers": []}, "page"),
        ("numbers.search", PAGE | {"numbers": [{"number": "+1"}, {"number": 2}]}, "numbers.1.number"),
        ("numbers.search_available", {"offers": []}, "the body"),
        ("numbers.buy", {"failedNumbers": "+1"}, "failedNumbers"),
        ("numbers.buy", {"purchasedNumbers": [["+1"]]}, "purchasedNumbers.0"),
        ("numbers.buy", {}, "failed"),
        ("numbers.buy", {"status": "ok"}, "failed"),
        ("numbers.attach", {}, "success"),
        ("numbers.attach", {"message": "done"}, "success"),
        ("numbers.attach", {"success": None}, "success"),
        ("numbers.attach", ["ok"], "the body"),
        ("sets.create", {"id": "1"}, "name"),
        ("numbers.export_csv", {"csv": ""}, "the body"),
    ],
)
def test_a_wrong_shape_is_named_by_its_field_and_is_no_reason_to_ask_again(name: str, body: Any, field: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read(name, body)
    assert field in caught.value.message
    assert (caught.value.settled, caught.value.transient) == (False, False)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"numbers": [', "application/json"),
        (b"<!DOCTYPE html><html></html>", "text/html; charset=utf-8"),
        (b"  <html></html>", None),
        (b"\xff\xfe\x00", "application/json"),
        (b'{"success": ' + b"[" * 100_000, "application/json"),
    ],
)
def test_a_broken_body_is_worth_asking_again(body: bytes, content_type: str | None) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read("numbers.list", body, content_type=content_type)
    assert caught.value.transient


CSV = 'NUMBER,NOTE\r\n+1,"a, ""b""\n☎"\r\n'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(CSV).encode(), "application/json; charset=utf-8"),
        (CSV.encode(), "text/csv"),
        (CSV.encode(), "text/csv; charset=UTF-8"),
        (CSV.encode("utf-8-sig"), "text/csv"),
        (CSV.encode("utf-16"), 'text/csv; charset="utf-16"'),
        (CSV.encode(), "application/octet-stream"),
        (json.dumps(CSV).encode(), None),
        (CSV.encode(), None),
    ],
)
def test_the_csv_comes_as_a_json_string_or_as_it_is(body: bytes, content_type: str | None) -> None:
    assert read("numbers.export_csv", body, content_type=content_type) == CSV


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"caf\xe9", "text/csv"),
        (b"x", "text/csv; charset=klingon"),
        (b'"NUMBER,', "application/json"),
        (b"<html>", "text/html"),
    ],
)
def test_what_is_no_csv_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        read("numbers.export_csv", body, content_type=content_type)


@given(
    st.sampled_from(sorted(OPERATIONS)),
    st.binary(max_size=200) | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["success", "message", "number", "id", "name"]), inner, max_size=4),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["application/json", "text/csv", "text/html", None]),
)  # fmt: skip
def test_no_answer_whatever_it_is_ends_in_anything_but_a_value_or_one_of_our_errors(
    name: str, body: bytes, content_type: str | None
) -> None:
    try:
        ended: object = read(name, body, content_type=content_type)
    except (Refused, UnexpectedAnswer) as error:
        ended = error
    assert ended is not None
    assert len(str(ended)) < 900
