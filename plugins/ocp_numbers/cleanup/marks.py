"""What a cleanup writes into a number's note, and what people write there to stop it.

The marker stands behind the person's text and can be taken out again without a trace::

    front desk, 2nd floor [unused since 2026-11-23]

Whoever wants to keep a number writes the word *keep* anywhere in its note.
"""

from __future__ import annotations

import re
from datetime import date

MARKER = "[unused since "
"""What every marker begins with."""

_MARKER = re.compile(r" ?\[unused since ([0-9]{4}-[0-9]{2}-[0-9]{2})\]", re.IGNORECASE)
_KEEP = re.compile(r"\bkeep\b", re.IGNORECASE)


def marked_since(note: str | None) -> date | None:
    """The day the note was marked, or ``None``. Of several markers the latest counts: it leaves the most time."""
    return max(_days(note or ""), default=None)


def with_mark(note: str | None, day: date) -> str:
    """``note`` with a marker of ``day`` behind it; a note that is marked already stays as it is."""
    text = note or ""
    if marked_since(text) is not None:
        return text
    marker = f"{MARKER}{day.isoformat()}]"
    return f"{text} {marker}" if text else marker


def without_mark(note: str | None) -> str:
    """``note`` without any marker: for a note marked once, the person's text exactly as it was."""
    text = note or ""
    # Taking a marker out can join two pieces of text into another one; people paste strange things.
    while (shorter := _MARKER.sub("", text)) != text:
        text = shorter
    return text


def kept(note: str | None) -> bool:
    """Whether a person asks to keep the number: the word *keep* stands in its note."""
    return bool(_KEEP.search(note or ""))


def _days(note: str) -> list[date]:
    days = []
    for written in _MARKER.findall(note):
        try:
            days.append(date.fromisoformat(written))
        except ValueError:  # such as 2026-02-31: a date nobody meant starts no clock
            continue
    return days
