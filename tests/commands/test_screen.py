from __future__ import annotations

import pytest

from ocp_numbers.commands.screen import Screen, complain, printable


def test_what_would_steer_a_terminal_is_not_printed() -> None:
    hostile = "a\x1b[2Jb\u202ec\nd"

    assert printable(hostile) == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d"


def test_a_table_shows_markup_as_text_and_is_not_cut_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().table(["Number", "Note"], [["+1212", "[red]hot[/red] :smile:"], ["+1313", "x" * 500]])

    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["Number", "Note"]
    assert first.split(maxsplit=1) == ["+1212", "[red]hot[/red] :smile:"]
    assert second.endswith("x" * 500)


def test_a_sentence_shows_markup_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().say("[bold]5[/bold] of 5", "good")

    assert capsys.readouterr().out == "[bold]5[/bold] of 5\n"


def test_json_is_all_there_is_when_it_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(as_json=True).show({"count": 1}, told=lambda: pytest.fail("nobody is to be told"))

    assert capsys.readouterr().out == '{\n  "count": 1\n}\n'


def test_errors_go_where_errors_belong_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("one\ntwo\x07")

    assert capsys.readouterr() == ("", "one\ntwo\N{REPLACEMENT CHARACTER}\n")
