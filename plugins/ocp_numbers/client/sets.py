"""Sets of phone numbers: what ``client.sets`` offers, a method for each operation."""

from __future__ import annotations

from collections.abc import Sequence

from ocp_numbers.client import operations as op
from ocp_numbers.client.transport import Transport
from ocp_numbers.models import NumberSet, Outcome, PhoneNumber


class Sets:
    """Operations on sets. Everything here raises as :meth:`.Transport.call` does."""

    def __init__(self, transport: Transport) -> None:
        self._call = transport.call

    def create(self, *, name: str, group_id: str) -> NumberSet:
        """Create an empty set, ``POST /api/numbers-set``."""
        return self._call(op.CREATE_SET, name=name, group_id=group_id)

    def list(self) -> tuple[NumberSet, ...]:
        """The sets that this login may see, ``GET /api/numbers-set``."""
        return self._call(op.LIST_SETS)

    def list_for_group(self, group_id: str) -> tuple[NumberSet, ...]:
        """The sets of one group, ``GET /api/numbers-set/group/{groupId}``."""
        return self._call(op.LIST_SETS_FOR_GROUP, group_id=group_id)

    def get(self, set_id: str) -> NumberSet:
        """One set, ``GET /api/numbers-set/{setId}``."""
        return self._call(op.GET_SET, set_id=set_id)

    def update(self, set_id: str, *, group_id: str | None = None, name: str | None = None) -> Outcome:
        """Give the set another group or name, or both, ``PATCH /api/numbers-set/{setId}``."""
        return self._call(op.UPDATE_SET, set_id=set_id, group_id=group_id, name=name)

    def numbers(self, set_id: str) -> tuple[PhoneNumber, ...]:
        """All numbers in the set, ``GET /api/numbers-set/{setId}/numbers``."""
        return self._call(op.SET_NUMBERS, set_id=set_id)

    def add_numbers(self, set_id: str, *, numbers: Sequence[str]) -> Outcome:
        """Put ``numbers`` into the set, ``POST /api/numbers-set/{setId}/numbers``."""
        return self._call(op.ADD_TO_SET, set_id=set_id, numbers=numbers)

    def remove_numbers(self, set_id: str, *, numbers: Sequence[str]) -> Outcome:
        """Take ``numbers`` out of the set; they stay in the inventory. ``DELETE /api/numbers-set/{setId}/numbers``."""
        return self._call(op.REMOVE_FROM_SET, set_id=set_id, numbers=numbers)

    def attach(
        self,
        set_id: str,
        *,
        mini_app_id: str,
        locale: str,
        numbers: Sequence[str] | None = None,
        application_tag: str | None = None,
    ) -> Outcome:
        """Attach numbers of the set to a miniApp, ``PUT /api/numbers-set/{setId}/attach``.

        :param locale: language-REGION.
        :param numbers: which; ``None`` for every number in the set.
        """
        return self._call(
            op.ATTACH_SET,
            set_id=set_id,
            mini_app_id=mini_app_id,
            locale=locale,
            numbers=numbers,
            application_tag=application_tag,
        )

    def detach(self, set_id: str) -> Outcome:
        """Detach every number of the set from its miniApp, ``PUT /api/numbers-set/{setId}/detach``."""
        return self._call(op.DETACH_SET, set_id=set_id)

    def release_numbers(self, set_id: str) -> Outcome:
        """Give up the purchased numbers of the set, ``DELETE /api/numbers-set/{setId}/delete``. **Cannot be undone**;
        sent once."""
        return self._call(op.RELEASE_SET_NUMBERS, set_id=set_id)

    def delete(self, set_id: str) -> Outcome:
        """Delete the set itself, ``DELETE /api/numbers-set/{setId}``. **Cannot be undone**; sent once."""
        return self._call(op.DELETE_SET, set_id=set_id)
