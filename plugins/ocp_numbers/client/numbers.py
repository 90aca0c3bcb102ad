"""Phone numbers: what ``client.numbers`` offers, a method for each operation and two conveniences made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypedDict

from ocp_numbers.client import operations as op
from ocp_numbers.client.transport import Transport
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.models import MOST_PAGES, AvailableNumber, Outcome, Page, PhoneNumber, Purchase, check_numbers
from ocp_numbers.threads import Threads

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Filters(TypedDict, total=False):
    """What numbers can be searched by; all that are given must match."""

    mini_app_name: str | None
    mini_app_type: str | None
    number: str | None
    locale: str | None
    note: str | None
    set_id: str | None
    groups: Sequence[str] | None


class Numbers:
    """Operations on phone numbers. Everything here raises as :meth:`.Transport.call` does."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._call = transport.call

    def list(
        self,
        *,
        page: int = 1,
        page_size: int | None = None,
        search_term: str | None = None,
        order_by: str | None = None,
        direction: str | None = None,
    ) -> Page[PhoneNumber]:
        """One page of the inventory, ``GET /api/numbers``.

        :param page: from 1.
        :param page_size: numbers a page, by default the connection's; the server may answer fewer.
        :param search_term: a pattern over number and note, ``%`` matching anything.
        :param order_by: miniapp, miniapp-type, number, locale, note, group, miniapp-group or none.
        :param direction: ASC or DESC.
        """
        return self._call(
            op.LIST,
            page=page,
            page_size=self._page_size if page_size is None else page_size,
            search_term=search_term,
            order_by=order_by,
            direction=direction,
        )

    def search_available(
        self, *, provider: str, code: str, group: str, prefix: str | None = None
    ) -> tuple[AvailableNumber, ...]:
        """Numbers on offer, ``POST /api/numbers``.

        :param code: country code of two letters.
        :param group: the group that would buy.
        :param prefix: the numbers' first digits, with or without ``+``.
        """
        return self._call(op.SEARCH_AVAILABLE, provider=provider, code=code, group=group, prefix=prefix)

    def buy(self, *, provider: str, numbers: Sequence[str], group: str, note: str | None = None) -> Purchase:
        """Buy exactly ``numbers``, ``PUT /api/numbers``. **Costs money** and is sent once.

        The answer is a report. After an error that is not ``settled`` the numbers may be bought: read them back.
        """
        return self._call(op.BUY, provider=provider, numbers=numbers, group=group, note=note)

    def update_group(self, numbers: Sequence[str], *, group: str) -> Outcome:
        """Move ``numbers`` to ``group``, ``PUT /api/numbers/group``."""
        return self._call(op.UPDATE_GROUP, numbers=numbers, group=group)

    def attach(
        self, numbers: Sequence[str], *, mini_app_id: str, locale: str, application_tag: str | None = None
    ) -> Outcome:
        """Attach ``numbers`` to a miniApp, ``PUT /api/numbers/attach``, whatever they are attached to now.

        :param locale: language-REGION.
        """
        return self._call(
            op.ATTACH, numbers=numbers, mini_app_id=mini_app_id, locale=locale, application_tag=application_tag
        )

    def detach(self, numbers: Sequence[str]) -> Outcome:
        """Detach ``numbers`` from their miniApps, ``PUT /api/numbers/detach``."""
        return self._call(op.DETACH, numbers=numbers)

    def update_note(self, number: str, *, note: str) -> Outcome:
        """Replace the note of ``number``, ``PUT /api/number/note``."""
        return self._call(op.UPDATE_NOTE, number=number, note=note)

    def search(
        self,
        *,
        page: int = 1,
        page_size: int | None = None,
        order_by: str | None = None,
        direction: str | None = None,
        **filters: Unpack[Filters],
    ) -> Page[PhoneNumber]:
        """One page of the numbers that match all ``filters``, ``POST /api/numbers/search``.

        The platform's matching of texts is not exact: look at what comes back.
        """
        return self._call(
            op.SEARCH,
            page=page,
            page_size=self._page_size if page_size is None else page_size,
            order_by=order_by,
            direction=direction,
            **filters,
        )

    def export_csv(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        order_by: str | None = None,
        direction: str | None = None,
        **filters: Unpack[Filters],
    ) -> str:
        """The matching numbers as the platform's own CSV, ``POST /api/numbers/csv``; all of them without a page."""
        return self._call(
            op.EXPORT_CSV, page=page, page_size=page_size, order_by=order_by, direction=direction, **filters
        )

    def import_csv(self, content: bytes) -> Outcome:
        """Carry out the rows of a CSV file, ``PUT /api/numbers/csv``. **May cost money**, and is sent once.

        :param content: the export's columns and ``OPERATION``; a ``Create`` with a ``PROVIDER`` buys.
        """
        return self._call(op.IMPORT_CSV, content=content)

    def add_direct(
        self,
        numbers: Sequence[str],
        *,
        group: str,
        country: str | None = None,
        mini_app_id: str | None = None,
        locale: str | None = None,
        log_ani: bool | None = None,
        log_dnis: bool | None = None,
        note: str | None = None,
        application_tag: str | None = None,
    ) -> Outcome:
        """Enter numbers that are owned already into the database, ``POST /api/numbers/direct``.

        :param log_ani, log_dnis: whether the dialling and the dialled number are logged.
        """
        return self._call(
            op.ADD_DIRECT,
            numbers=numbers,
            group=group,
            country=country,
            mini_app_id=mini_app_id,
            locale=locale,
            log_ani=log_ani,
            log_dnis=log_dnis,
            note=note,
            application_tag=application_tag,
        )

    def delete(self, number: str) -> Outcome:
        """Delete ``number`` from the database, ``DELETE /api/numbers/delete/{number}``. **Cannot be undone.**"""
        return self._call(op.DELETE, number=number)

    def iterate(self, *, page_size: int | None = None, **filters: Unpack[Filters]) -> Iterator[PhoneNumber]:
        """Every number that matches ``filters``, those of :meth:`search`, in the order of the numbers.

        :raises IncompleteSnapshot: the inventory changed while it was read, or what came is not what was announced.
        """
        seen, page_number, total = 0, 1, None
        previous: frozenset[str] = frozenset()
        while True:
            page = self.search(**filters, page=page_number, page_size=page_size, order_by="number")
            numbers = frozenset(row.number for row in page.items)
            if total is not None and page.all_numbers != total:
                raise IncompleteSnapshot(f"the total went from {total} to {page.all_numbers} while it was read")
            if numbers & previous:
                raise IncompleteSnapshot(f"page {page_number} repeats {min(numbers & previous)} of the page before")
            yield from page.items
            seen, total, previous = seen + len(page.items), page.all_numbers, numbers
            if not page.items or page_number >= page.number_of_pages or seen > total:
                break
            if page.number_of_pages > MOST_PAGES:
                raise IncompleteSnapshot(
                    f"{total:,} numbers on {page.number_of_pages:,} pages were announced, more than the {MOST_PAGES:,} "
                    f"pages that are read; give a larger page_size, or filters"
                )
            page_number += 1
        if seen != total:
            raise IncompleteSnapshot(f"{total} numbers were announced and {seen} came")

    def find(self, numbers: Sequence[str]) -> dict[str, PhoneNumber]:
        """Those of ``numbers`` that are in the inventory now, by number, exactly.

        Few are searched one by one, several at once; many are picked out of the listing where that takes fewer calls.
        """
        wanted = dict.fromkeys(check_numbers(numbers))
        found: dict[str, PhoneNumber] = {}
        if len(wanted) > 1 and self.list(page_size=1).all_numbers < len(wanted) * self._page_size:
            try:
                for row in self.iterate():
                    if row.number in wanted:
                        found[row.number] = row
            except IncompleteSnapshot:
                pass  # what is missing is searched one by one
            else:
                return found
        missing = [number for number in wanted if number not in found]
        with Threads(self._transport.settings.max_concurrency) as pool:
            found.update((row.number, row) for row in pool.map(self._find, missing) if row is not None)
        return {number: found[number] for number in wanted if number in found}

    def _find(self, number: str) -> PhoneNumber | None:
        return next((row for row in self.iterate(number=number) if row.number == number), None)

    @property
    def _page_size(self) -> int:
        return self._transport.settings.page_size
