"""What can be waited for on OCP, as values that a trigger may carry: they say what to look for and hold no secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from ocp_numbers.errors import shown

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient
    from ocp_numbers.models import PhoneNumber


class Awaited(Protocol):
    """Something that is to become true on OCP."""

    def lacking(self, client: OcpClient) -> str:
        """What is still missing, in words; "" once it is true.

        :raises ApiError, NoAnswer: when OCP cannot be asked.
        """


@dataclass(frozen=True)
class NumbersOwned:
    """These numbers are in the inventory, and in ``group`` where one is named."""

    numbers: tuple[str, ...]
    group: str | None = None

    def lacking(self, client: OcpClient) -> str:
        """Which numbers are not there yet."""
        found = client.numbers.find(self.numbers)
        missing = [
            number for number in self.numbers if number not in found or self.group not in (None, found[number].group_id)
        ]
        where = f"in group {self.group}" if self.group else "in the inventory"
        return f"{len(missing)} of {len(self.numbers)} are not {where}: {shown(missing)}" if missing else ""


@dataclass(frozen=True)
class SetAttached:
    """The set holds at least ``quantity`` numbers, and all of them are attached to the miniApp.

    A locale and a tag of ``None`` are not compared.
    """

    set_id: str
    mini_app_id: str
    locale: str | None = None
    application_tag: str | None = None
    quantity: int = 1

    def lacking(self, client: OcpClient) -> str:
        """Which numbers are not attached yet, or how many are not there."""
        members = client.sets.numbers(self.set_id)
        if len(members) < self.quantity:
            return f"set {self.set_id} holds {len(members)} of {self.quantity} numbers"
        missing = [number.number for number in members if not self._attached(number)]
        return (
            f"{len(missing)} of {len(members)} are not attached to miniApp {self.mini_app_id}: {shown(missing)}"
            if missing
            else ""
        )

    def _attached(self, number: PhoneNumber) -> bool:
        return (
            number.mini_app_id == self.mini_app_id
            and self.locale in (None, number.locale)
            and self.application_tag in (None, number.application_tag)
        )


KINDS: Mapping[str, type[NumbersOwned] | type[SetAttached]] = MappingProxyType(
    {"numbers owned": NumbersOwned, "set attached": SetAttached}
)
