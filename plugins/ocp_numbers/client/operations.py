"""The platform's operations as data. A line here is all that the transport needs to know about one.

What an operation does decides how it is treated, never its verb: ``POST /api/numbers`` only reads and ``PUT
/api/numbers`` spends money.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from string import Formatter
from types import MappingProxyType
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from ocp_numbers.client import payloads as p
from ocp_numbers.client.payloads import Payload
from ocp_numbers.models import AvailableNumber, NumberSet, Outcome, Page, PhoneNumber, Purchase

AnswerT = TypeVar("AnswerT")

Numbers = Page[PhoneNumber]
Sets = tuple[NumberSet, ...]

CSV_COLUMNS = (
    "APPLICATION_TAG",
    "COUNTRY",
    "GROUP_ID",
    "LOCALE",
    "MINIAPP_DIAMANT_APP_NAME",
    "MINIAPP_GROUP",
    "MINIAPP_ID",
    "MINIAPP_NAME",
    "MINIAPP_TYPE",
    "NUMBER",
    "PHONE_NUMBER_SET_ID",
    "NOTE",
)
"""The columns of the platform's own CSV, as the vendor lists them."""


class Effect(Enum):
    """What an operation does to the world, and so how it may be repeated and who may call it."""

    READ = "read"
    WRITE = "write"
    PAID = "paid"
    DESTRUCTIVE = "destructive"

    @property
    def needs(self) -> str:
        """The ``access`` that a connection must have. Giving numbers up is as grave as paying for them."""
        return "paid" if self is Effect.DESTRUCTIVE else self.value


READ, WRITE, PAID, DESTRUCTIVE = Effect


@dataclass(frozen=True)
class Operation(Generic[AnswerT]):
    """One operation.

    :param name: the client's ``resource.method``, such as ``numbers.buy``.
    :param path: below ``/integrations``; ``{fields}`` are filled in, percent-encoded.
    :param answer: type of what comes back.
    :param payload: model of what is sent; ``None`` for nothing.
    :param may_be_empty: whether an answer without a body, such as a 204, is a success.
    :param may_be_single: whether one object may come in place of a list of one.
    :param columns: of the CSV that comes back, where one does.
    """

    name: str
    method: str
    path: str
    effect: Effect
    answer: type[AnswerT]
    payload: type[Payload] | None = None
    may_be_empty: bool = False
    may_be_single: bool = False
    columns: tuple[str, ...] = ()

    @cached_property
    def adapter(self) -> TypeAdapter[AnswerT]:
        """Reads the answer."""
        return TypeAdapter(self.answer)

    @cached_property
    def path_fields(self) -> tuple[str, ...]:
        """Names of the fields that go into the path."""
        return tuple(field for _, field, _, _ in Formatter().parse(self.path) if field)


# ruff: noqa: E501 (a table is read by its lines)
# fmt: off
LIST = Operation("numbers.list", "GET", "/api/numbers", READ, Numbers, p.Listing)
SEARCH_AVAILABLE = Operation("numbers.search_available", "POST", "/api/numbers", READ, tuple[AvailableNumber, ...], p.Wanted)
BUY = Operation("numbers.buy", "PUT", "/api/numbers", PAID, Purchase, p.Buying)
UPDATE_GROUP = Operation("numbers.update_group", "PUT", "/api/numbers/group", WRITE, Outcome, p.Grouping, True)
ATTACH = Operation("numbers.attach", "PUT", "/api/numbers/attach", WRITE, Outcome, p.Attaching, True)
DETACH = Operation("numbers.detach", "PUT", "/api/numbers/detach", WRITE, Outcome, p.Members, True)
UPDATE_NOTE = Operation("numbers.update_note", "PUT", "/api/number/note", WRITE, Outcome, p.Noting, True)
SEARCH = Operation("numbers.search", "POST", "/api/numbers/search", READ, Numbers, p.Search)
EXPORT_CSV = Operation("numbers.export_csv", "POST", "/api/numbers/csv", READ, str, p.Search, columns=CSV_COLUMNS)
IMPORT_CSV = Operation("numbers.import_csv", "PUT", "/api/numbers/csv", PAID, Outcome, p.CsvFile, True)
ADD_DIRECT = Operation("numbers.add_direct", "POST", "/api/numbers/direct", WRITE, Outcome, p.Adding, True)
DELETE = Operation("numbers.delete", "DELETE", "/api/numbers/delete/{number}", DESTRUCTIVE, Outcome, None, True)
CREATE_SET = Operation("sets.create", "POST", "/api/numbers-set", WRITE, NumberSet, p.NewSet)
LIST_SETS = Operation("sets.list", "GET", "/api/numbers-set", READ, Sets)
LIST_SETS_FOR_GROUP = Operation("sets.list_for_group", "GET", "/api/numbers-set/group/{group_id}", READ, Sets, may_be_single=True)
GET_SET = Operation("sets.get", "GET", "/api/numbers-set/{set_id}", READ, NumberSet)
UPDATE_SET = Operation("sets.update", "PATCH", "/api/numbers-set/{set_id}", WRITE, Outcome, p.SetChange, True)
SET_NUMBERS = Operation("sets.numbers", "GET", "/api/numbers-set/{set_id}/numbers", READ, tuple[PhoneNumber, ...])
ADD_TO_SET = Operation("sets.add_numbers", "POST", "/api/numbers-set/{set_id}/numbers", WRITE, Outcome, p.Members, True)
REMOVE_FROM_SET = Operation("sets.remove_numbers", "DELETE", "/api/numbers-set/{set_id}/numbers", WRITE, Outcome, p.Members, True)
ATTACH_SET = Operation("sets.attach", "PUT", "/api/numbers-set/{set_id}/attach", WRITE, Outcome, p.SetAttaching, True)
DETACH_SET = Operation("sets.detach", "PUT", "/api/numbers-set/{set_id}/detach", WRITE, Outcome, None, True)
RELEASE_SET_NUMBERS = Operation("sets.release_numbers", "DELETE", "/api/numbers-set/{set_id}/delete", DESTRUCTIVE, Outcome, None, True)
DELETE_SET = Operation("sets.delete", "DELETE", "/api/numbers-set/{set_id}", DESTRUCTIVE, Outcome, None, True)
# fmt: on

OPERATIONS = MappingProxyType({row.name: row for row in list(vars().values()) if isinstance(row, Operation)})
"""Every operation by its name."""
