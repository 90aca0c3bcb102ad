"""What was on each page of a reading, remembered in a few bytes, to tell later whether another look shows the same.

Pages are compared by the text between the brackets of ``numbers`` and by the total: a time or a counter that a platform
may put beside them says nothing about the numbers.
"""

from __future__ import annotations

import re

from ocp_numbers.inventory.schema import content_fingerprint, fingerprint

_HEAD = re.compile(rb'\s*\{(?:\s*"\w+"\s*:\s*\d+\s*,)*\s*"numbers"\s*:\s*\[\s*')
_TAIL = re.compile(rb'\](?:\s*,\s*"\w+"\s*:\s*\d+)*\s*\}\s*')
_TOTAL = re.compile(rb'"allNumbers"\s*:\s*(\d+)')
_BLANK = b" \t\r\n"
_LONGEST_TOTAL = 18


class Marks:
    """The pages of one reading, in order.

    :param by_content: go by what the pages say and not by how they say it, at the cost of decoding them again.
    """

    def __init__(self, *, by_content: bool) -> None:
        self._whole = content_fingerprint if by_content else fingerprint
        self._by_content = by_content
        self._seen: list[bytes] = []

    def of(self, raw: bytes) -> bytes:
        """The mark of the page that ``raw`` is the body of."""
        rows = None if self._by_content else rows_text(raw)
        return self._whole(raw) if rows is None else fingerprint(rows[0]) + b"%d" % rows[1]

    def add(self, mark: bytes) -> None:
        """Remember the next page."""
        self._seen.append(mark)

    def shown(self, raw: bytes, page: int) -> bool:
        """Whether the body ``raw`` shows exactly what was seen on ``page``, counted from 1."""
        return self.of(raw) == self._seen[page - 1]


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
    if len(totals) != 1 or len(totals[0]) > _LONGEST_TOTAL:
        return None
    while end > head.end() and raw[end - 1] in _BLANK:
        end -= 1
    return memoryview(raw)[head.end() : end], int(totals[0])
