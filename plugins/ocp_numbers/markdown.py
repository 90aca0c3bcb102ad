"""Markdown that people approve: text from outside stands in it without meaning anything.

Notes, names and ids are written by anybody. In a code span Markdown means nothing, so whatever they hold they bring
neither links nor pictures nor cells of a table, and cannot rewrite what stands around them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

LONGEST_TEXT = 120
SHOWN_AT_MOST = 20

_MEANINGLESS = re.compile(r"[^\w .,:;+\-/()]|_")
_LINKED = re.compile(r"(?<=/)/|(?<=www)\.", re.IGNORECASE)


def one_line(text: str, longest: int = LONGEST_TEXT) -> str:
    """``text`` on one line, without invisible characters that could rewrite what stands around it, cut where too long.

    For logs and plain text; Markdown keeps its meaning in it.
    """
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return visible if len(visible) <= longest else f"{visible[: longest - 1]}…"


def code(text: object, longest: int = LONGEST_TEXT) -> str:
    """``text`` as a code span that also holds in a table; a dash where there is none."""
    plain = one_line("" if text is None else str(text), longest).replace("`", "'").replace("|", "¦").strip()
    return f"`{plain}`" if plain else "-"


def codes(texts: Iterable[object], at_most: int = SHOWN_AT_MOST) -> str:
    """A code span for each of ``texts``, as many as are to be shown; the rest is counted."""
    spans = [code(text) for text in texts]
    rest = len(spans) - at_most
    return " ".join(spans[:at_most]) + (f" and {rest} more" if rest > 0 else "")


def sentence(text: str, longest: int = 1_000) -> str:
    """A sentence of ours that quotes names from outside, without whatever Markdown would read in them."""
    return _LINKED.sub(" ", _MEANINGLESS.sub(" ", one_line(text, longest)))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, figures: Collection[str] = ()) -> str:
    """A table, its cells as they come: :func:`code` spans, or texts of ours without a line break or ``|``.

    :param figures: the columns of ``head`` that hold figures, aligned to the right.
    """
    rule = ["---:" if name in figures else "---" for name in head]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (head, rule, *rows))
