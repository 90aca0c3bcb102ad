"""A page's body in two parts: the text of its rows, and what it says around them.

A time or a counter that a platform may put beside the rows says nothing about the numbers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_HEAD = re.compile(rb'\s*\{(?:\s*"\w+"\s*:\s*\d+\s*,)*\s*"numbers"\s*:\s*\[\s*')
_TAIL = re.compile(rb'\](?:\s*,\s*"\w+"\s*:\s*\d+)*\s*\}\s*')
_TOTAL = re.compile(rb'"allNumbers"\s*:\s*(\d+)')
_BLANK = b" \t\r\n"
_LONGEST_TOTAL = 18


class Parts(NamedTuple):
    """The text between the brackets of ``numbers``, the total that the body names, and the body with nothing there."""

    rows: memoryview
    total: int
    around: bytes


def parts_of(raw: bytes) -> Parts | None:
    """The parts of the body ``raw``.

    ``None`` where the body is not simply rows and whole numbers about them, so that the rows cannot be told for certain
    without decoding it.
    """
    head, end = _HEAD.match(raw), raw.rfind(b"]")
    tail = _TAIL.fullmatch(raw, max(end, 0))
    if head is None or tail is None or end < head.end() - 1:
        return None
    around = head[0] + tail[0]
    totals = _TOTAL.findall(around)
    if len(totals) != 1 or len(totals[0]) > _LONGEST_TOTAL:
        return None
    while end > head.end() and raw[end - 1] in _BLANK:
        end -= 1
    return Parts(memoryview(raw)[head.end() : end], int(totals[0]), around)
