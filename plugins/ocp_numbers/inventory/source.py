"""Pages of the inventory as the platform answers them, for a reader that decodes bodies itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

from ocp_numbers.client import OPERATIONS, OcpClient, Reply
from ocp_numbers.errors import UnexpectedAnswer, shown
from ocp_numbers.inventory.schema import NotAPage
from ocp_numbers.models import PhoneNumber

ResultT = TypeVar("ResultT")

_NEEDED = {
    PhoneNumber.spellings(name)[0]: tuple(f'"{spelling}"'.encode() for spelling in PhoneNumber.spellings(name))
    for name in ("group_id", "mini_app_id", "set_id", "note")
}
"""What decisions are made from, as it stands in a page. Where no number of one has it, it is not empty but unknown."""


class ClientSource:
    """``GET /api/numbers`` or, for some numbers only, ``POST /api/numbers/search``, always in the order of the numbers.

    :param client: asked for the client before each page, so that whoever gives it can end the reading there.
    :param groups: ids of the groups to read; none for all that the login sees. The search does not name a number's set,
        so that ``set_name`` is missing there.
    :param filters: texts to search by, see :data:`ocp_numbers.inventory.filters.FIELDS`.
    """

    def __init__(
        self, client: Callable[[], OcpClient], groups: Sequence[str] = (), filters: Mapping[str, str] = {}
    ) -> None:
        self._client = client
        searched: dict[str, Any] = {**filters, **({"groups": tuple(groups)} if groups else {})}
        self._operation = OPERATIONS["numbers.search" if searched else "numbers.list"]
        self._fields: dict[str, Any] = {"order_by": "number", **searched}
        self._counter = count(1)
        self._repeated: Callable[[], int] = lambda: 0
        self.calls = 0

    @property
    def retries(self) -> int:
        """How many of the calls were sent again after a passing fault, by all that use the client."""
        return self._repeated()

    def _asked(self) -> OcpClient:
        self.calls = next(self._counter)
        client = self._client()
        self._repeated = lambda: client.transport.repeats
        return client

    def fetch(self, page: int, page_size: int, read: Callable[[bytes], ResultT]) -> ResultT:
        """What ``read`` makes of the body of page ``page``; a body that is not a page counts as a passing fault.

        :raises ApiError, NoAnswer: see :meth:`ocp_numbers.client.Transport.call`.
        """

        client = self._asked()

        def take(reply: Reply) -> ResultT:
            content = reply.content
            if page == 1 or _untold(content):
                content = client.drift.as_documented(self._operation, content)
            if untold := _untold(content):
                said = f"no number has {shown(untold)}, which decisions are made from; see ocp-numbers contract"
                raise _unexpected(reply, page, said)
            try:
                return read(content)
            except NotAPage as fault:
                said = client.clean(str(fault))  # which shows some of the answer, and that may repeat what it was sent
            error = _unexpected(reply, page, said)
            error.transient = True
            raise error

        return client.transport.fetch(self._operation, take, page=page, page_size=page_size, **self._fields)

    def csv(self) -> str:
        """The platform's own CSV of the same numbers, ``POST /api/numbers/csv``, as one text.

        :raises ApiError, NoAnswer: see :meth:`ocp_numbers.client.Transport.call`.
        """
        return self._asked().numbers.export_csv(**self._fields)


def _untold(content: bytes) -> list[str]:
    """The needed fields that a page with numbers does not speak of: to know that costs far less than to decode it."""
    if b'"number"' not in content:
        return []
    return [name for name, spellings in _NEEDED.items() if not any(spelling in content for spelling in spellings)]


def _unexpected(reply: Reply, page: int, message: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        operation=reply.call.operation, call=f"{reply.call}, page {page}", status=reply.status, message=message
    )
