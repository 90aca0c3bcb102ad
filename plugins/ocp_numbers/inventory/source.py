"""Pages of the inventory as the platform answers them, for a reader that decodes bodies itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar

from ocp_numbers.client import OPERATIONS, OcpClient, Reply
from ocp_numbers.errors import UnexpectedAnswer
from ocp_numbers.inventory.schema import NotAPage

ResultT = TypeVar("ResultT")


class ClientSource:
    """``GET /api/numbers`` or, for some groups only, ``POST /api/numbers/search``, always in the order of the numbers.

    :param client: asked for the client before each page, so that whoever gives it can end the reading there.
    :param groups: ids of the groups to read; none for all that the login sees. The search does not name a number's set,
        so that ``set_name`` is missing there.
    """

    def __init__(self, client: Callable[[], OcpClient], groups: Sequence[str] = ()) -> None:
        self._client = client
        self._operation = OPERATIONS["numbers.search" if groups else "numbers.list"]
        self._fields: dict[str, Any] = {"order_by": "number", **({"groups": tuple(groups)} if groups else {})}
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

        def take(reply: Reply) -> ResultT:
            try:
                return read(reply.content)
            except NotAPage as fault:
                error = UnexpectedAnswer(
                    operation=reply.call.operation,
                    call=f"{reply.call}, page {page}",
                    status=reply.status,
                    message=str(fault),
                )
                error.transient = True
                raise error from fault

        return self._asked().transport.fetch(self._operation, take, page=page, page_size=page_size, **self._fields)

    def csv(self) -> str:
        """The platform's own CSV of the same numbers, ``POST /api/numbers/csv``, as one text.

        :raises ApiError, NoAnswer: see :meth:`ocp_numbers.client.Transport.call`.
        """
        return self._asked().numbers.export_csv(**self._fields)
