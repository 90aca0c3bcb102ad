"""What the demo prints: short lines with the time that has passed."""

from __future__ import annotations

import os
import sys
import time


class Screen:
    """Prints for a person; in colour on a terminal, unless NO_COLOR asks otherwise."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def title(self, text: str) -> None:
        """A headline."""
        print(f"\n{self._paint(text, '1')}", flush=True)

    def say(self, text: str) -> None:
        """One line of progress."""
        print(f"{self._paint(f'{time.monotonic() - self._started:5.0f} s', '2')}  {text}", flush=True)

    def show(self, text: str) -> None:
        """Text as it is, indented."""
        for line in text.splitlines():
            print(f"         {line}", flush=True)

    def check(self, holds: bool, text: str) -> None:
        """Something that holds, or does not."""
        print(f"  {self._paint('ok   ', '32') if holds else self._paint('WRONG', '31;1')}  {text}", flush=True)

    def _paint(self, text: str, style: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self._coloured else text
