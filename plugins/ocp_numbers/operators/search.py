"""Operators that look: what providers offer, and what the inventory holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ocp_numbers.errors import LimitExceeded
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class SearchAvailableNumbersOperator(OcpOperator):
    """Search the numbers that a provider offers for purchase (``POST /api/numbers``). Buys nothing, reserves nothing.

    Returns ``{"count", "offers"}``; each offer is ``{"number", "price"}`` with the price as a string, or None where the
    provider states none. ``offers`` is what ``BuyNumbersOperator`` takes.

    :param provider: name of the provider as OCP knows it (templated).
    :param country_code: two-letter country code (templated).
    :param group: OCP group that the numbers would be bought for (templated).
    :param prefix: beginning of the numbers, an optional + and digits (templated).
    """

    readers = rendered.inputs(
        provider=rendered.text,
        country_code=rendered.country_code,
        group=rendered.text,
        prefix=rendered.optional(rendered.prefix),
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self, *, provider: str, country_code: str, group: str, prefix: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.provider = provider
        self.country_code = country_code
        self.group = group
        self.prefix = prefix
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Search, and return the offers."""
        self.read_inputs()
        offers = self.client.numbers.search_available(
            provider=self.provider, code=self.country_code, group=self.group, prefix=self.prefix
        )
        self.tell(f"{self.provider} offers {len(offers):,} numbers in {self.country_code} {self.prefix or ''}".rstrip())
        return {
            "count": len(offers),
            "offers": [
                {"number": offer.number, "price": None if offer.price is None else str(offer.price)} for offer in offers
            ],
        }


class SearchNumbersOperator(OcpOperator):
    """Find numbers in the inventory (``POST /api/numbers/search``); filters left out match everything.

    Returns ``{"count", "numbers"}``. For more numbers than ``limit`` use ``ExportNumbersOperator``, which writes files.

    :param mini_app_name: name of the miniApp, or a part of it (templated).
    :param mini_app_type: type of the miniApp (templated).
    :param number: the number, or a part of it (templated).
    :param locale: locale of the form language-REGION (templated).
    :param note: the note, or a part of it (templated).
    :param set_id: id of the set that the numbers are in (templated).
    :param groups: groups that the numbers are in (templated).
    :param limit: the most numbers to return (templated).
    :raises LimitExceeded: when more numbers match; nothing is cut off in silence.
    """

    readers = rendered.inputs(
        mini_app_name=rendered.optional(rendered.text),
        mini_app_type=rendered.optional(rendered.text),
        number=rendered.optional(rendered.text),
        locale=rendered.optional(rendered.locale),
        note=rendered.optional(rendered.text),
        set_id=rendered.optional(rendered.text),
        groups=rendered.optional(rendered.names),
        limit=rendered.count,
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        mini_app_name: str | None = None,
        mini_app_type: str | None = None,
        number: str | None = None,
        locale: str | None = None,
        note: str | None = None,
        set_id: str | None = None,
        groups: Sequence[str] | str | None = None,
        limit: int | str = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mini_app_name = mini_app_name
        self.mini_app_type = mini_app_type
        self.number = number
        self.locale = locale
        self.note = note
        self.set_id = set_id
        self.groups = groups
        self.limit = limit
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Search, and return the numbers found."""
        self.read_inputs()
        filters = {name: getattr(self, name) for name in self.readers if name != "limit"}
        count = self.client.numbers.search(**filters, page_size=1).all_numbers
        if count > int(self.limit):
            raise LimitExceeded(
                f"limit: {count} numbers match, {self.limit} may be returned; narrow the filters, raise limit, or "
                f"export them with ExportNumbersOperator"
            )
        found = [number.number for number in self.client.numbers.iterate(**filters)] if count else []
        self.tell(f"Found {len(found):,} numbers")
        return {"count": len(found), "numbers": found}
