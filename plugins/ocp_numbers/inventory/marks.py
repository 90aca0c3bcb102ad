"""What was on each page of a reading, remembered in a few bytes, to tell later whether another look shows the same.

Pages are compared by the text of their rows and by the total.
"""

from __future__ import annotations

from ocp_numbers.inventory.envelope import parts_of
from ocp_numbers.inventory.schema import content_fingerprint, fingerprint


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
        parts = None if self._by_content else parts_of(raw)
        return self._whole(raw) if parts is None else fingerprint(parts.rows) + b"%d" % parts.total

    def add(self, mark: bytes) -> None:
        """Remember the next page."""
        self._seen.append(mark)

    def shown(self, raw: bytes, page: int) -> bool:
        """Whether the body ``raw`` shows exactly what was seen on ``page``, counted from 1."""
        return self.of(raw) == self._seen[page - 1]
