"""The pages of the documentation, as their tests read them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w+)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Sample:
    """A block of code in a page."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def samples(kind: str) -> list[Sample]:
    """All blocks of one kind, such as ``python``."""
    return [sample for sample in _all_samples() if sample.kind == kind]


def mentions(pattern: str) -> list[tuple[str, str]]:
    """Everything that ``pattern`` captures anywhere in the pages, each with the page's name."""
    return [(page.name, found) for page in PAGES for found in re.findall(pattern, page.read_text(), re.MULTILINE)]


def _all_samples() -> Iterator[Sample]:
    for page in PAGES:
        content = page.read_text()
        for found in FENCE.finditer(content):
            line = content[: found.start()].count("\n") + 2
            yield Sample(str(page.relative_to(PROJECT)), line, found["kind"], textwrap.dedent(found["text"]))
