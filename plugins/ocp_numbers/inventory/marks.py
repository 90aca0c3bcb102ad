"""What was on each page of a reading, remembered in a few bytes, to tell later whether another look shows the same.

The rows are compared as the text between the brackets of ``numbers``, so that a look may also take many pages at once,
in fewer calls: their rows stand one after the other in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ocp_numbers.inventory.schema import content_fingerprint, fingerprint

_HEAD = re.compile(rb'\s*\{(?:\s*"\w+"\s*:\s*\d+\s*,)*\s*"numbers"\s*:\s*\[\s*')
_TAIL = re.compile(rb'\](?:\s*,\s*"\w+"\s*:\s*\d+)*\s*\}\s*')
_TOTAL = re.compile(rb'"allNumbers"\s*:\s*(\d+)')
_BETWEEN = re.compile(rb"\s*,\s*")
_BLANK = b" \t\r\n"


@dataclass(frozen=True)
class Mark:
    """One page: a fingerprint of its rows' text and its length, or, without a length, of the whole body."""

    digest: bytes
    length: int | None = None


class Marks:
    """The pages of one reading, in order.

    :param by_content: go by what the pages say and not by how they say it, at the cost of decoding them again.
    """

    def __init__(self, *, by_content: bool) -> None:
        self._whole = content_fingerprint if by_content else fingerprint
        self._by_content = by_content
        self._total = 0
        self._seen: list[Mark] = []

    def of(self, raw: bytes) -> Mark:
        """The mark of the page that ``raw`` is the body of."""
        rows = None if self._by_content else rows_text(raw)
        return Mark(self._whole(raw)) if rows is None else Mark(fingerprint(rows[0]), len(rows[0]))

    def add(self, mark: Mark, total: int) -> None:
        """Remember the next page, which says that there are ``total`` numbers."""
        self._seen.append(mark)
        self._total = total

    def shown(self, raw: bytes, pages: range) -> bool:
        """Whether the body ``raw`` shows exactly what was seen on ``pages``."""
        seen = [self._seen[page - 1] for page in pages]
        rows = None if any(mark.length is None for mark in seen) else rows_text(raw)
        if rows is None:
            return [self.of(raw)] == seen
        text, total = rows
        place = 0
        for mark in seen:
            if place:
                between = _BETWEEN.match(text, place)
                place = between.end() if between else place
            end = place + (mark.length or 0)
            if fingerprint(text[place:end]) != mark.digest:
                return False
            place = end
        return place == len(text) and total == self._total

    def fitting(self, size: int) -> int:
        """How many pages on the average fit into ``size`` bytes; none where they can only be compared one by one."""
        lengths = [mark.length for mark in self._seen if mark.length]
        return size * len(lengths) // sum(lengths) if lengths and len(lengths) == len(self._seen) else 0


def rows_text(raw: bytes) -> tuple[memoryview, int] | None:
    """The text of the rows in the body ``raw``, and the total that it names.

    ``None`` where the body is not simply rows and whole numbers about them, so that the rows cannot be told for certain
    without decoding it.
    """
    head, end = _HEAD.match(raw), raw.rfind(b"]")
    tail = _TAIL.fullmatch(raw, max(end, 0))
    if head is None or tail is None or end < head.end() - 1:
        return None
    totals = _TOTAL.findall(head[0] + tail[0])
    if len(totals) != 1:
        return None
    while end > head.end() and raw[end - 1] in _BLANK:
        end -= 1
    return memoryview(raw)[head.end() : end], int(totals[0])
