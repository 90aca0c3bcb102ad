"""What a command prints: a table or sentences for people, one JSON document for programs; never both."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {"good": "green", "warning": "yellow", "bad": "red"}


class Screen:
    """Where a command's result goes: standard output. Progress and errors go to standard error.

    :param as_json: print the result as one JSON document, and nothing for people.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    def show(self, document: Any, *, told: Callable[[], None]) -> None:
        """The result: ``document`` as JSON where that was asked for, and what ``told`` prints otherwise."""
        if self.as_json:
            text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
            print("".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text))
        else:
            told()

    def say(self, text: str, mood: str = "") -> None:
        """A line for people; ``mood`` is ``good``, ``warning`` or ``bad``. What it says is never taken for markup."""
        from rich.text import Text

        _console().print(Text(printable(text), style=COLOURS.get(mood, "")), soft_wrap=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]], *, figures: Sequence[str] = ()) -> None:
        """A table for people.

        :param figures: heads of the columns that hold figures.
        """
        cells = [["-" if cell in (None, "") else printable(str(cell)) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            print(_aligned([list(head), *cells], [name in figures for name in head]))
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in head:
            table.add_column(name, justify="right" if name in figures else "left", overflow="fold")
        for row in cells:
            table.add_row(*map(Text, row))
        _console().print(table)

    @contextmanager
    def working(self, doing: str) -> Iterator[None]:
        """While the work inside lasts: a moving line with its progress on a terminal, nothing elsewhere."""
        from rich.console import Console
        from rich.text import Text

        from ocp_numbers.progress import heard_by

        errors = Console(stderr=True)
        if not errors.is_terminal:
            yield
            return
        with (
            errors.status(Text(printable(doing))) as status,
            heard_by(lambda line: status.update(Text(printable(line)))),
        ):
            yield


def printable(text: str) -> str:
    """``text`` from outside without what would steer a terminal: control characters and marks of direction."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _escaped(char: str) -> str:
    """``char`` as JSON may write it, for what would steer a terminal or cannot be encoded."""
    return json.dumps(char)[1:-1] if not char.isascii() else f"\\u{ord(char):04x}"


def complain(text: str) -> None:
    """Print an error where errors belong, line by line as it is meant."""
    print("\n".join(printable(line) for line in text.splitlines()), file=sys.stderr)


def _aligned(lines: Sequence[Sequence[str]], figures: Sequence[bool]) -> str:
    """``lines`` in columns, for a pipe: nothing is folded or cut, whatever its width."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if figure else cell.ljust(width)
            for cell, width, figure in zip(line, widths, figures, strict=True)
        ).rstrip()
        for line in lines
    )


def _console() -> Console:
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the process as failed

    return Output(highlight=False, emoji=False)
