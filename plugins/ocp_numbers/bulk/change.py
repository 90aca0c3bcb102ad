"""What is to become of one number: a change, and the columns of the platform's CSV that its fields go by."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ocp_numbers.models import PhoneNumber
from ocp_numbers.ordering.wishes import Money

Operation = Literal["create", "update", "attach", "detach", "delete"]
OPERATIONS: tuple[Operation, ...] = ("create", "update", "attach", "detach", "delete")
"""What a row can ask for, in the order in which a plan is carried out."""

FIELDS = {
    "GROUP_ID": "group_id",
    "COUNTRY": "country",
    "MINIAPP_ID": "mini_app_id",
    "LOCALE": "locale",
    "APPLICATION_TAG": "application_tag",
    "NOTE": "note",
    "PHONE_NUMBER_SET_ID": "set_id",
}
"""The platform's columns that can be changed, and the fields of a number that show them."""

COLUMN_OF = {field: column for column, field in FIELDS.items()}

BINDING = ("mini_app_id", "locale", "application_tag")
"""Fields of what a number is attached to; the others belong to the number itself."""

CHANGED_BY: dict[Operation, tuple[str, ...]] = {
    "create": tuple(FIELDS.values()),
    "update": ("group_id", "country", "note", "set_id", "locale", "application_tag"),
    "attach": BINDING,
    "detach": BINDING,
    "delete": (),
}
"""The fields that each operation changes."""

EMPTY = "<empty>"
"""Written into a cell to empty the field: a blank cell leaves it as it is."""


class Change(BaseModel):
    """One number, what is to be done with it, and how it was when that was planned.

    :param before: the fields concerned as they were; all of them for a delete, none for a create.
    :param after: the fields as they are to be, ``None`` for those that become empty; none for a delete.
    :param row: where the file asks for it, its header being row 1.
    :param place: how many numbers the listing showed before this one, to find it again quickly.
    :param provider: whom the number is bought from, for one that is bought, and ``price`` at most for how much.
    :param extra: cells of columns that only the platform understands; they go along as they came.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    operation: Operation
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    row: int | None = None
    place: int | None = None
    provider: str | None = None
    price: Money | None = None
    extra: dict[str, str] = {}

    @property
    def takes_over(self) -> bool:
        """Whether it takes the number from a miniApp that it serves now and gives it to another."""
        former = self.before.get("mini_app_id")
        return self.operation == "attach" and bool(former) and former != self.after.get("mini_app_id")

    @property
    def is_final(self) -> bool:
        """Whether it cannot be taken back: money is spent, or a number is given up."""
        return self.operation == "delete" or self.provider is not None


def fields_of(number: PhoneNumber) -> dict[str, str | None]:
    """The fields of a number that can be changed; an empty text and no value are the same."""
    return {field: getattr(number, field) or None for field in FIELDS.values()}
