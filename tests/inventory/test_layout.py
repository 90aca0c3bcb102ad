"""Rows that are all written alike are taken apart as a decoder of JSON would; others are left to one."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.estate import row
from ocp_numbers.inventory import layout
from ocp_numbers.inventory.layout import columns_of
from ocp_numbers.inventory.schema import content_fingerprint

Rows = list[dict[str, Any]]

FIELDS = ("number", "note", "groupId", "locale")
SIMPLE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), max_size=12)
STRUCTURAL = ["", "null", ":", ", ", "},{", "{", "}", "]", ": null", "}, {", "é😀", "\x7f"]
TEXTS = st.none() | SIMPLE | st.sampled_from(STRUCTURAL)
ALIKE = st.tuples(
    st.permutations(FIELDS),
    st.lists(st.tuples(*[TEXTS] * len(FIELDS)), min_size=1, max_size=6).filter(
        lambda rows: any(value is not None for values in rows for value in values)
    ),
).map(lambda made: [dict(zip(made[0], values, strict=True)) for values in made[1]])
WAYS = [(", ", ": "), (",", ":"), (" , ", ": ")]


def written(rows: Any, *, apart: tuple[str, str] = (", ", ": "), escaped: bool = False) -> bytes:
    """What stands between the brackets."""
    return json.dumps(rows, separators=apart, ensure_ascii=escaped).encode("utf-8", "surrogatepass")[1:-1]


def read(text: bytes, wanted: tuple[str, ...] = FIELDS) -> dict[str, list[str | None]] | None:
    """The columns as Python has them."""
    columns = columns_of(memoryview(text), wanted)
    if columns is None:
        return None
    for column in columns.values():
        column.validate(full=True)
    return {name: column.to_pylist() for name, column in columns.items()}


def truth(text: bytes, wanted: tuple[str, ...] = FIELDS) -> dict[str, list[str | None]]:
    """The columns as the standard library reads them; every row has to have the same fields."""
    rows: Rows = json.loads(b"[" + text + b"]")
    assert all(list(each) == list(rows[0]) for each in rows)
    return {name: [each[name] for each in rows] for name in rows[0] if name in wanted}


@given(ALIKE, st.sampled_from(WAYS))
@settings(deadline=None, max_examples=200)
def test_rows_that_are_written_alike_come_out_as_they_went_in(rows: Rows, apart: tuple[str, str]) -> None:
    text = written(rows, apart=apart)
    assert read(text) == truth(text)


@given(
    ALIKE,
    st.integers(0, 400),
    st.integers(0, 3),
    st.sampled_from(['"', ",", "{", "}", ":", "null", " ", "x", "\\", ""]),
)
@settings(deadline=None, max_examples=500)
def test_of_tampered_rows_either_nothing_is_read_or_what_a_decoder_reads(
    rows: Rows, place: int, length: int, other: str
) -> None:
    text = written(rows).decode()
    place %= len(text)
    changed = (text[:place] + other + text[place + length :]).encode()
    found = read(changed)
    assert found is None or found == truth(changed)


@given(
    st.lists(st.sampled_from(['"', "{", "}", ",", ":", "null", '"a"', '"b"', '{"a":"x"}', '"a":', " "]), max_size=14)
)
@settings(deadline=None, max_examples=500)
def test_of_any_text_either_nothing_is_read_or_what_a_decoder_reads(words: list[str]) -> None:
    text = "".join(words).encode()
    found = read(text, ("a", "b"))
    assert found is None or found == truth(text, ("a", "b"))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([{"number": "1", "note": "x"}, {"number": "2"}], id="a field fewer"),
        pytest.param([{"number": "1"}, {"number": "2", "note": "x"}], id="a field more"),
        pytest.param([{"number": "1", "note": "x"}, {"note": "x", "number": "2"}], id="another order"),
        pytest.param([{"number": "1", "note": "x"}, {"number": "2", "text": "x"}], id="another field"),
        pytest.param([{"number": "1", "note": 'a "b"'}], id="an escape"),
        pytest.param([{"number": "1", "logAni": True}], id="a value that is no text"),
        pytest.param([{"number": "1", "note": ["x"]}], id="a list"),
        pytest.param([{"number": "1", "note": {"number": "2"}}], id="an object"),
        pytest.param([{"number": None}], id="no text at all"),
        pytest.param(["+12012049893", "+12012049894"], id="no objects"),
        pytest.param([], id="nothing"),
    ],
)
def test_rows_that_are_not_written_alike_are_left_to_a_decoder(rows: Rows) -> None:
    assert read(written(rows)) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"number":"1"',
        b'{"number":"1"}}',
        b'{"number":"1"},',
        b'{"number":"1"}{"number":"2"}',
        b'"number":"1"}',
        b'{"number":"1","number":"2"}',
        b'{"number":null,"number":"2"}',
        b'{"number" :"1"}',
        b'{"number":\t"1"}',
        b'{"number":"a\tb"}',
        b'{"number":"caf\xe9"}',
        b'{"number":"\xed\xa0\x80"}',
        b'{"number":"1","note":nul}',
        b'{"number":"1","note":null null}',
        b'{"number":"1"},{"number":"1"',
        b'"',
        b'"a"',
        b'"a":',
    ],
)
def test_what_is_no_row_or_not_plainly_one_is_left_to_a_decoder(text: bytes) -> None:
    assert read(text) is None


def test_only_fields_that_are_wanted_are_taken() -> None:
    text = written(
        [{"id": "7", "number": "1", "note": None, "more": None}, {"id": "8", "number": "2", "note": "x", "more": "y"}]
    )
    assert read(text, ("number", "note", "country")) == {"number": ["1", "2"], "note": [None, "x"]}
    assert read(text, ("country",)) == {}


def test_every_pattern_of_missing_values_keeps_its_rows() -> None:
    patterns = [each for each in permutations(["a", "b", None, None]) if any(each)]
    rows = [dict(zip(FIELDS, each, strict=True)) for each in patterns * 40]
    assert read(written(rows)) == {name: [each[name] for each in rows] for name in FIELDS}


def test_rows_of_many_blocks_are_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(place) for place in range(30)]
    whole = read(written(rows), tuple(rows[0]))
    assert whole == {name: [each[name] for each in rows] for name in rows[0]}
    for block in (1, 7, 64):
        monkeypatch.setattr(layout, "_BLOCK", block)
        assert read(written(rows), tuple(rows[0])) == whole


def test_too_many_kinds_of_pieces_are_not_worth_it() -> None:
    fields = [f"f{place}" for place in range(layout.MOST_PIECES)]
    assert read(written([dict.fromkeys(fields[:-1], "x")]), ("f1",)) == {"f1": ["x"]}
    assert read(written([dict.fromkeys(fields, "x")]), ("f1",)) is None


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=20))
@settings(deadline=None)
def test_a_page_means_the_same_however_it_was_read(values: list[tuple[str | None, ...]]) -> None:
    names = ("number", "note", "groupId", "locale")
    rows = [dict(zip(names, (f"+1201200{place:04}", *each), strict=True)) for place, each in enumerate(values)]
    page = {"numbers": rows, "page": 1, "numberOfPages": 1, "allNumbers": len(rows)}
    alike, laid_out = (json.dumps(page, ensure_ascii=False, indent=indent).encode() for indent in (None, 1))
    assert content_fingerprint(alike) == content_fingerprint(laid_out)
