"""A page is decoded as it is, or each wrong row in it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.estate import as_tuples, row
from ocp_numbers.inventory import schema
from ocp_numbers.inventory.schema import COLUMNS, NotAPage, content_fingerprint, decode, fingerprint

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


def body(rows: list[Any], **fields: Any) -> bytes:
    envelope = {"page": 1, "pageSize": 50, "numberOfPages": 1, "allNumbers": len(rows)}
    return json.dumps({"numbers": rows} | envelope | fields).encode()


def tuples(raw: bytes) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in COLUMNS) for each in decode(raw).batch.to_pylist()]


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(row(0), TEXTS) | {"number": NUMBERS}), max_size=5))
@settings(deadline=None)
def test_any_text_comes_out_as_it_went_in(rows: list[dict[str, Any]]) -> None:
    page = decode(body(rows))
    assert [tuple(each.values()) for each in page.batch.to_pylist()] == as_tuples(rows)
    assert page.rejects == ()


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(row(0), TEXTS) | {"number": NUMBERS}), max_size=5))
@settings(deadline=None)
def test_a_fault_in_one_row_changes_nothing_about_the_others(rows: list[dict[str, Any]]) -> None:
    page = decode(body([*rows, {"number": 5}]))
    assert [tuple(each.values()) for each in page.batch.to_pylist()] == as_tuples(rows)
    assert [reject.row for reject in page.rejects] == [len(rows) + 1]
    assert page.count == len(rows) + 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (row(1, number="12012049893"), "number: '12012049893' is not in E.164"),
        (row(1, number="+1 (201) 204-9893"), "is not in E.164"),
        (row(1, number="+1201204\u0669893"), "is not in E.164"),
        (row(1, number=None), "number: Input should be a valid string"),
        ({"country": "US"}, "number: Field required"),
        (row(1, number=12012049893), "number: Input should be a valid string"),
        (row(1, note={"text": "x"}), "note: Input should be a valid string"),
        (row(1, note="half \ud83d"), "note: 'half \\ud83d' is not valid Unicode"),
        (row(1, groupId=True), "groupId: Input should be a valid string"),
        ("+12012049893", "the row is '+12012049893', not an object"),
        (None, "the row is None, not an object"),
    ],
)
def test_a_row_that_is_not_a_record_is_rejected_with_its_place_and_reason(wrong: Any, reason: str) -> None:
    page = decode(body([row(0), wrong, row(2)], page=7))
    assert page.batch["number"].to_pylist() == ["+12120000000", "+12120000002"]
    (reject,) = page.rejects
    assert (reject.page, reject.row) == (7, 2)
    assert reason in reject.reason
    assert json.loads(reject.line())["value"] == wrong


def test_a_text_that_came_as_a_number_is_that_text() -> None:
    page = decode(body([row(0), row(1, note=7)]))
    assert (page.batch["note"].to_pylist()[1], page.rejects) == ("7", ())


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "it starts with '<!DOCTYPE html>"),
        (body([row(0)])[:-20], "not JSON"),
        (body([row(0)]) + body([row(1)]), "not JSON"),
        (b"", "not JSON"),
        (b"[]", "no list 'numbers'"),
        (b'{"success": false}', "no list 'numbers'"),
        (body([], page=None), "'page' is None"),
        (body([], allNumbers="dozen"), "'allNumbers' is 'dozen'"),
        (body([], numberOfPages=True), "'numberOfPages' is True"),
        (b'{"numbers": [], "page": 1, "allNumbers": 0}', "'numberOfPages' is None"),
    ],
)
def test_a_body_that_is_no_page_is_refused_by_name(raw: bytes, says: str) -> None:
    with pytest.raises(NotAPage) as refused:
        decode(raw)
    assert says in str(refused.value)


def test_counts_may_be_written_as_text_and_behind_a_byte_order_mark() -> None:
    page = decode(b"\xef\xbb\xbf" + body([row(0)], allNumbers="43", numberOfPages="3"))
    assert (page.all_numbers, page.number_of_pages, page.count) == (43, 3, 1)


@pytest.mark.parametrize("field", ["note", "caf?"], ids=["in a text", "in the name of a field that nobody knows"])
def test_bytes_that_are_not_utf8_are_refused(field: str) -> None:
    with pytest.raises(NotAPage):
        decode(body([row(0, **{field: "caf?"})]).replace(b"caf?", b"caf\xe9"))


def test_both_spellings_of_a_set_are_read_and_unknown_fields_ignored() -> None:
    search = {"number": "+12120000001", "phoneNumberSetId": "s1", "surprise": [1, {"a": None}]}
    listing = {"number": "+12120000002", "phoneNumbersSetId": "s2", "phoneNumbersSetName": "Two"}
    assert [(each[-2], each[-1]) for each in tuples(body([search, listing]))] == [("s1", None), ("s2", "Two")]


def test_a_long_note_is_read_whole() -> None:
    note = "long " * 200_000
    assert decode(body([row(0, note=note)])).batch["note"].to_pylist() == [note]


def test_right_pages_are_decoded_by_column_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(schema, "_decode_rows")
    assert decode(body([row(place) for place in range(50)])).batch.num_rows == 50


AWKWARD = [
    "",
    "null",
    '"',
    '"null"',
    "\\",
    "a,b",
    ",",
    "[",
    "]",
    "],[",
    "\n",
    "\r\n",
    "\0",
    "\ufeff",
    "\u2028",
    "😀",
    "NaN",
    "0",
]
ANYTHING = TEXTS | st.sampled_from(AWKWARD) | st.sampled_from([7, 1.5, True, {}, [], "half \ud83d", 10**30])
KEYS = [*list(row(0))[1:], "phoneNumberSetId", "phoneNumberSetName", "<", ">", "surprise"]


@given(
    st.lists(st.fixed_dictionaries({"number": NUMBERS | ANYTHING}, optional=dict.fromkeys(KEYS, ANYTHING)), max_size=4),
    st.sampled_from([None, 1]),
)
@settings(deadline=None, max_examples=200)
def test_columns_and_rows_agree_about_every_page(rows: list[dict[str, Any]], indent: int | None) -> None:
    raw = json.dumps(json.loads(body(rows)), indent=indent, ensure_ascii=indent is not None).encode(
        errors="surrogatepass"
    )
    by_columns = schema._decode_columns(raw)
    if by_columns is not None:
        assert by_columns == schema._decode_rows(raw)


@given(
    st.lists(
        st.fixed_dictionaries(dict.fromkeys(row(0), TEXTS | st.sampled_from(AWKWARD)) | {"number": NUMBERS}),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None)
def test_whatever_texts_a_right_page_holds_it_is_decoded_by_column(rows: list[dict[str, Any]]) -> None:
    page = schema._decode_columns(body(rows))
    assert page is not None
    page.batch.validate(full=True)
    assert [tuple(each.values()) for each in page.batch.to_pylist()] == as_tuples(rows)


def test_a_fingerprint_goes_by_bytes_and_a_content_fingerprint_by_meaning() -> None:
    plain, spaced = body([row(0)]), body([row(0)]).replace(b", ", b",  ")
    other = body([row(0, note="other")])
    assert fingerprint(plain) != fingerprint(spaced)
    assert content_fingerprint(plain) == content_fingerprint(spaced)
    assert content_fingerprint(plain) != content_fingerprint(other)
    assert content_fingerprint(body([{"number": 1}])) != content_fingerprint(body([{"number": 2}]))
