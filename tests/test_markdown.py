"""Text from outside cannot break out of where it is put: neither of a code span, nor a table, nor a sentence."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ocp_numbers.markdown import SHOWN_AT_MOST, code, codes, one_line, sentence, table

HOSTILE = [
    "`](http://x) `",
    "a|b",
    "a\\|b",
    "ends with \\",
    "two\nlines",
    "\u202eright to left",
    "![](http://x/y.png)",
    "<script>alert(1)</script>",
    "https://evil.example",
    "``` ```",
    "|||",
]
texts = st.one_of(st.text(), st.sampled_from(HOSTILE), st.text(alphabet="`|\\\n *_[]()<>!#-:/w.htps"))
# CommonMark with the tables of GitHub, as Airflow shows it.
reader = MarkdownIt("commonmark", {"linkify": False, "html": True}).enable("table").enable("strikethrough")


def read_rows(markdown: str) -> list[list[list[tuple[str, str]]]]:
    """The table's rows as a reader of Markdown sees them: cells of pieces, each with its kind and content."""
    rows: list[list[list[tuple[str, str]]]] = []
    for token in reader.parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append([(piece.type, piece.content) for piece in token.children or ()])
    return rows


@given(texts)
def test_a_code_span_has_no_way_out(text: str) -> None:
    span = code(text)
    assert span == "-" or (span[0] == span[-1] == "`" and not {"`", "|", "\n"} & set(span[1:-1]) and len(span) > 2)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
@example([("ends with \\", "a|b")])
def test_a_table_keeps_its_rows_and_cells_whatever_stands_in_them(pairs: list[tuple[str, str]]) -> None:
    head, *rows = read_rows(table(("Number", "Note"), [(code(left), code(right)) for left, right in pairs]))
    assert head == [[("text", "Number")], [("text", "Note")]]
    assert len(rows) == len(pairs)
    for row in rows:
        assert len(row) == 2
        for cell in row:
            assert [kind for kind, _ in cell] in (["code_inline"], ["text"])
            if cell[0][0] == "text":
                assert cell == [("text", "-")]


@given(texts)
@example("https://evil.example www.evil.example HTTPS://x ftp:////x WwW.x")
@example("evil@evil.example")
def test_a_sentence_brings_no_markup_and_no_link(text: str) -> None:
    shown = sentence(f"the set {text} is not there")
    assert not set(shown) & set("`|*_[]<>#!@\\\n~&$")
    assert not re.search(r"//|www\.", shown, re.IGNORECASE)


@given(st.text(), st.integers(1, 50))
def test_one_line_is_one_line_no_longer_than_asked_for_and_nothing_hides_in_it(text: str, longest: int) -> None:
    shown = one_line(text, longest)
    assert shown.isprintable()
    assert len(shown) <= longest


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), max_size=100))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text
    if text and not {"`", "|"} & set(text):
        assert code(text) == f"`{text}`"


@pytest.mark.parametrize("nothing", [None, "", "  ", "\n", "\u200b"])
def test_nothing_is_a_dash(nothing: str | None) -> None:
    assert code(nothing) == "-"


def test_a_long_list_is_counted_not_shown() -> None:
    shown = codes(range(SHOWN_AT_MOST + 7))
    assert shown.startswith("`0` `1` ")
    assert shown.endswith(f"`{SHOWN_AT_MOST - 1}` and 7 more")
    assert codes([1, 2]) == "`1` `2`"


def test_figures_stand_to_the_right() -> None:
    assert table(("Number", "Days"), [("`+1`", 3)], figures=("Days",)).splitlines() == [
        "| Number | Days |",
        "| --- | ---: |",
        "| `+1` | 3 |",
    ]
