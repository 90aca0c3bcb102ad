"""The operator that carries out a CSV file of changes, and how such a file is read.

The columns are those of the vendor's CSV export, in any order and with any others beside them, plus ``OPERATION`` and,
where a row buys a number, ``PROVIDER``. Blank cells are ignored by OCP.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ocp_numbers.errors import InvalidInput, shown
from ocp_numbers.models import E164, PhoneNumber
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.converge import BATCH, batches, confirm_gone, send_once
from ocp_numbers.operators.guards import refuse_in_use, refuse_stealing
from ocp_numbers.operators.note_marks import with_marks_of

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

SHOWN_IN = {
    "GROUP_ID": "group_id",
    "COUNTRY": "country",
    "MINIAPP_ID": "mini_app_id",
    "LOCALE": "locale",
    "APPLICATION_TAG": "application_tag",
    "NOTE": "note",
    "PHONE_NUMBER_SET_ID": "set_id",
}
"""The columns that OCP acts on, and where a number shows them."""

ATTACHMENT = ("MINIAPP_ID", "LOCALE", "APPLICATION_TAG")


@dataclass(frozen=True)
class Row:
    """One row: what is to be done with which number. ``cells`` are those not blank, ``line`` is all of it."""

    operation: str
    number: str
    cells: Mapping[str, str] = field(repr=False)
    line: Sequence[str] = field(repr=False)

    @property
    def buys(self) -> bool:
        """Whether OCP would buy the number for it."""
        return self.operation == "create" and "PROVIDER" in self.cells

    def keeping_marks_of(self, note: str | None, header: Sequence[str]) -> Row:
        """The row with those marks of the number's present ``note`` behind its own that it would lose."""
        if "NOTE" not in self.cells:
            return self
        cells = {**self.cells, "NOTE": with_marks_of(note, self.cells["NOTE"], field="content")}
        line = [cells["NOTE"] if name == "NOTE" else cell for name, cell in zip(header, self.line, strict=False)]
        return replace(self, cells=cells, line=line)

    def is_done(self, seen: PhoneNumber | None) -> bool:
        """Whether OCP shows the number, or its absence, as the row wants it."""
        return _DONE[self.operation](self.cells, seen)


def _shows(seen: PhoneNumber | None, cells: Mapping[str, str], columns: Sequence[str]) -> bool:
    return seen is not None and all(
        (getattr(seen, SHOWN_IN[name]) or "").strip() == cells[name] for name in columns if name in cells
    )


_DONE: dict[str, Callable[[Mapping[str, str], PhoneNumber | None], bool]] = {
    "create": lambda cells, seen: _shows(seen, cells, ["GROUP_ID"]),
    "update": lambda cells, seen: _shows(seen, cells, [name for name in SHOWN_IN if name != "MINIAPP_ID"]),
    "attach": lambda cells, seen: _shows(seen, cells, ATTACHMENT),
    "detach": lambda cells, seen: seen is not None and not seen.mini_app_id,
    "delete": lambda cells, seen: seen is None,
}


def read_rows(content: str) -> tuple[list[str], list[Row]]:
    """Header and rows of a file of changes.

    :raises InvalidInput: naming each fault with its row, the header being row 1.
    """
    reader = csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header, *lines = list(reader) or [[]]
    except csv.Error as error:
        raise InvalidInput(f"content: row {reader.line_num} is not CSV: {error}") from None
    missing = [name for name in ("OPERATION", "NUMBER") if name not in header]
    if missing or not any(map(any, lines)):
        raise InvalidInput(f"content: {'column ' + shown(missing) + ' is missing' if missing else 'there are no rows'}")
    rows, problems = [], []
    for place, line in enumerate(lines, 2):
        if not any(line):
            continue  # an empty line, as at the end of many files
        cells = {name: cell.strip() for name, cell in zip(header, line, strict=False) if cell.strip()}
        operation, number = cells.get("OPERATION", "").lower(), cells.get("NUMBER", "")
        if operation not in _DONE:
            problems.append(f"content: row {place}, OPERATION: {operation!r} is none of {shown(_DONE)}")
        if not E164.fullmatch(number):
            problems.append(f"content: row {place}, NUMBER: {number!r} is not in E.164, such as +12125550123")
        rows.append(Row(operation, number, cells, line))
    twice = [number for number, count in Counter(row.number for row in rows).items() if number and count > 1]
    problems += [f"content: {number} stands in several rows; give it one row" for number in twice]
    if problems:
        raise InvalidInput(problems)
    return header, rows


class ImportNumbersCsvOperator(OcpOperator):
    """Carry out a CSV file of changes (``PUT /api/numbers/csv``), in chunks, and read every row back.

    Rows that are so already are left out, so a second run finds nothing to do. Each chunk is sent once; when its answer
    goes missing, reading back decides. Returns ``{"changed", "unchanged"}``, as counts of rows.

    :param content: the file as text (templated).
    :param allow_purchases: numbers that rows with a PROVIDER may buy; no price limit protects these, unlike
        ``BuyNumbersOperator`` (templated).
    :param allow_reassign: numbers that may be taken from another miniApp, or ids of the miniApps that numbers may be
    taken
        from (templated).
    :param allow_in_use: numbers that may be deleted although they are attached or in a set (templated).
    :param rows_per_call: rows sent at once; OCP refuses a file with more rows of an operation than the installation
        allows (templated).
    :raises InvalidInput: naming each wrong row, and each purchase that ``allow_purchases`` does not name.
    :raises NumberInUse: when a row would take a number away or delete one in use that is not named.
    :raises OutcomeUnknown: when an answer went missing and reading back does not tell.
    """

    readers = rendered.inputs(
        content=rendered.text,
        allow_purchases=rendered.names,
        allow_reassign=rendered.names,
        allow_in_use=rendered.names,
        rows_per_call=rendered.count,
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        content: str,
        allow_purchases: Sequence[str] | str = (),
        allow_reassign: Sequence[str] | str = (),
        allow_in_use: Sequence[str] | str = (),
        rows_per_call: int | str = BATCH,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.content = content
        self.allow_purchases = allow_purchases
        self.allow_reassign = allow_reassign
        self.allow_in_use = allow_in_use
        self.rows_per_call = rows_per_call
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Send the rows that are not done yet, chunk by chunk, and read them back."""
        self.read_inputs()
        header, rows = read_rows(self.content)
        self._refuse_purchases(rows)
        todo = self._todo(header, rows)
        for chunk in batches(todo, int(self.rows_per_call)):
            self._send(header, chunk)
        self.log.info("%d rows done, %d were so already", len(todo), len(rows) - len(todo))
        return {"changed": len(todo), "unchanged": len(rows) - len(todo)}

    def _refuse_purchases(self, rows: Sequence[Row]) -> None:
        bought = [row.number for row in rows if row.buys and row.number not in self.allow_purchases]
        if bought:
            raise InvalidInput(
                f"content: rows with OPERATION Create and a PROVIDER would buy {shown(bought)} at an unknown price; "
                f"use BuyNumbersOperator, or name them in allow_purchases"
            )

    def _todo(self, header: Sequence[str], rows: Sequence[Row]) -> list[Row]:
        """The rows not done yet, once none of them takes anything away unasked."""
        seen = self.client.numbers.find([row.number for row in rows])
        notes = {number: found.note for number, found in seen.items()}
        marked = [row.keeping_marks_of(notes.get(row.number), header) for row in rows]
        todo = [row for row in marked if not row.is_done(seen.get(row.number))]
        for row in todo:
            present = [seen[row.number]] if row.number in seen else []
            if row.operation == "attach" and "MINIAPP_ID" in row.cells:
                refuse_stealing(present, mini_app_id=row.cells["MINIAPP_ID"], allow_reassign=self.allow_reassign)
            if row.operation == "delete":
                refuse_in_use(present, allow=self.allow_in_use, in_sets=True)
        return todo

    def _send(self, header: Sequence[str], chunk: Sequence[Row]) -> None:
        todo = self._todo(header, chunk)
        if not todo:
            return
        text = io.StringIO(newline="")
        csv.writer(text).writerows([header, *(row.line for row in todo)])
        doing = f"import {len(todo)} rows"

        def undone() -> list[str]:
            return [row.number for row in self._todo(header, todo)]

        send_once(
            self,
            doing,
            send=lambda: self.client.numbers.import_csv(text.getvalue().encode()),
            remaining=undone,
        )
        confirm_gone(doing, remaining=undone)
