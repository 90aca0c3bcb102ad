"""The rows of a table, each checked by itself: what is asked for with which number, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ocp_numbers.bulk.cells import check_cell, read_number
from ocp_numbers.bulk.change import CHANGED_BY, EMPTY, FIELDS, OPERATIONS, Operation
from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.spreadsheet import Unreadable
from ocp_numbers.bulk.table import Cell, Line, Table
from ocp_numbers.errors import InvalidInput, shown

SHOWN_ONLY = ("MINIAPP_NAME", "MINIAPP_TYPE", "MINIAPP_DIAMANT_APP_NAME", "MINIAPP_GROUP")
"""Columns of the platform's export that follow from others and change nothing."""

_NEEDED = ("OPERATION", "NUMBER")
_KNOWN = (*_NEEDED, *FIELDS, "PROVIDER", *SHOWN_ONLY)
_ALSO = {
    "GROUP": "GROUP_ID",
    "COUNTRYCODE": "COUNTRY",
    "MINIAPP": "MINIAPP_ID",
    "TAG": "APPLICATION_TAG",
    "SETID": "PHONE_NUMBER_SET_ID",
    "PHONENUMBERSSETID": "PHONE_NUMBER_SET_ID",
    "PHONENUMBER": "NUMBER",
}
_NO_LETTER = re.compile(r"[^A-Z0-9]")
_PLAIN_NAMES = {name.replace("_", ""): name for name in _KNOWN} | _ALSO


class Row(NamedTuple):
    """One row that is right in itself.

    :param fields: the cells that are not blank by the fields they mean, ``None`` for one that is to be emptied.
    :param as_written: whether the number stood there with its ``+``.
    :param provider: whom to buy the number from.
    :param extra: cells that are not blank of columns that only the platform understands.
    """

    row: int
    operation: Operation
    number: str
    fields: dict[str, str | None]
    as_written: bool = True
    provider: str | None = None
    extra: Mapping[str, str] = MappingProxyType({})

    @property
    def kind(self) -> str:
        """Rows of different kinds for one number go together: its binding, its other fields; its existence does not."""
        return {"create": "existence", "delete": "existence", "update": "fields"}.get(self.operation, "binding")


class Wrong(NamedTuple):
    """All that is wrong with a row; ``ends`` says that nothing behind it could be read."""

    faults: tuple[Fault, ...]
    ends: bool = False


class Columns:
    """What the columns of a header mean.

    Names are read as the platform writes them, as this project's own export does, or plainly: ``MINIAPP_ID``,
    ``mini_app_id`` and ``miniApp`` are one. Other columns go along to the platform as they came, where the table is in
    the shape of its export; in a plain table they are notes of whoever made it, and stay behind.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self.header = tuple(header)
        self.known = {place: name for place, name in enumerate(map(_meaning, header)) if name}
        whole = {"GROUP_ID", "MINIAPP_ID", "LOCALE", "NOTE", "MINIAPP_NAME"} <= set(header)
        others = [place for place, name in enumerate(header) if name and place not in self.known]
        self.extra = tuple(others) if whole else ()
        self.left_out = () if whole else tuple(header[place] for place in others)

    @staticmethod
    def are_in(header: Sequence[str]) -> bool:
        """Whether ``header`` has what every table of changes needs."""
        return set(_NEEDED) <= set(map(_meaning, header))

    def check(self) -> None:
        """Make sure that no two columns mean the same.

        :raises InvalidInput: naming those that do.
        """
        places: dict[str, list[int]] = {}
        for place, name in self.known.items():
            places.setdefault(name, []).append(place)
        problems = [
            f"the columns {shown(repr(self.header[place]) for place in same)} both mean {name}; keep one of them"
            for name, same in places.items()
            if len(same) > 1
        ]
        names = [self.header[place] for place in self.extra]
        problems += [
            f"the column {name!r} is there twice; keep one" for name in sorted({*names}) if names.count(name) > 1
        ]
        if problems:
            raise InvalidInput(problems)


def _meaning(name: str) -> str:
    return _PLAIN_NAMES.get(_NO_LETTER.sub("", name.upper()), "")


def read_rows(table: Table, columns: Columns) -> Iterator[Row | Wrong | None]:
    """For each row below the header what it asks for, ``None`` for nothing, or what is wrong with it."""
    for line in table.lines:
        yield Wrong((line.fault,), line.ends) if line.fault else _Reading(line, columns).result()


class _Reading:
    """One row on its way to a meaning."""

    def __init__(self, line: Line, columns: Columns) -> None:
        self._line = line
        self._columns = columns
        self._faults: list[Fault] = []
        self._cells = {name: line.cells[place] for place, name in columns.known.items()}
        self._name = {name: columns.header[place] for place, name in columns.known.items()}
        self._number = _shown(self._cells["NUMBER"])

    def result(self) -> Row | Wrong | None:
        """What the row asks for, ``None`` for nothing, or its faults."""
        asked = self._text("OPERATION")
        if not asked.strip() and not self._faults:
            return None
        operation = self._operation(asked)
        number, as_written = self._dialled(operation)
        fields = self._fields(operation)
        provider = self._text("PROVIDER").strip() or None
        extra = self._extra()
        if operation is None or self._faults:
            return Wrong(tuple(self._faults))
        return Row(self._line.row, operation, number, fields, as_written, provider, extra)

    def _operation(self, asked: str) -> Operation | None:
        found = next((known for known in OPERATIONS if known == asked.strip().lower()), None)
        if found is None and asked.strip():
            names = ", ".join(known.title() for known in OPERATIONS)
            self._fault("OPERATION", asked, f"is none of {names}; leave the cell blank for a row that asks for nothing")
        return found

    def _dialled(self, operation: Operation | None) -> tuple[str, bool]:
        text = self._text("NUMBER")
        if self._faults and not text:
            return "", True
        try:
            number, as_written = read_number(text)
        except ValueError as error:
            self._fault("NUMBER", text, str(error))
            return "", True
        if operation == "create" and not as_written:
            self._fault("NUMBER", text, f"has lost its +, or is half a number; write {number} if that is meant")
        return number, as_written

    def _fields(self, operation: Operation | None) -> dict[str, str | None]:
        fields: dict[str, str | None] = {}
        for column, field in FIELDS.items():
            text = self._text(column)
            if not text.strip():
                continue
            if text.strip().lower() == EMPTY:
                self._check_emptied(operation, column, field)
                fields[field] = None
                continue
            try:
                fields[field] = check_cell(column, text)
            except ValueError as error:
                self._fault(column, text, str(error))
        return fields

    def _check_emptied(self, operation: Operation | None, column: str, field: str) -> None:
        if operation == "create":
            self._fault(column, EMPTY, "makes no sense for a new number; leave the cell blank")
        elif field == "mini_app_id":
            self._fault(column, EMPTY, "is what Detach is for; write Detach into OPERATION and leave this cell blank")
        elif field in ("group_id", "country", "locale"):
            why = "a binding always has one; Detach empties it" if field == "locale" else "every number has one"
            self._fault(column, EMPTY, f"cannot be done: {why}")
        elif operation and field not in CHANGED_BY[operation]:
            self._fault(column, EMPTY, f"is not done by {operation.title()}; write Update into a row of its own")

    def _extra(self) -> dict[str, str]:
        extra = {}
        for place in self._columns.extra:
            name, cell = self._columns.header[place], self._line.cells[place]
            if isinstance(cell, Unreadable):
                self._faults.append(Fault(self._line.row, name, cell.shown, cell.problem, self._number))
            elif cell.strip():
                extra[name] = cell
        return extra

    def _text(self, column: str) -> str:
        cell = self._cells.get(column, "")
        if isinstance(cell, Unreadable):
            if not any(fault.column == self._name[column] for fault in self._faults):
                self._fault(column, cell.shown, cell.problem)
            return ""
        return cell

    def _fault(self, column: str, value: str, problem: str) -> None:
        name = self._name.get(column, column)
        self._faults.append(Fault(self._line.row, name, value, problem, self._number))


def _shown(cell: Cell) -> str:
    return cell.shown if isinstance(cell, Unreadable) else cell
