"""The way back: a table, in the shape of the input, that undoes a plan as far as it can be undone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from ocp_numbers.bulk.change import BINDING, COLUMN_OF, EMPTY, FIELDS, Change, Operation

HEADER = ("OPERATION", "NUMBER", *FIELDS)


def undoing(change: Change) -> tuple[Operation, Mapping[str, str | None]] | None:
    """What brings the number back to how it was before ``change``; ``None`` where nothing does."""
    if change.operation == "create":
        return None if change.provider is not None else ("delete", {})
    before = change.before
    if change.operation == "delete":
        return "create", {field: value for field, value in before.items() if value is not None}
    if change.operation == "update":
        return "update", {field: value for field, value in before.items() if field in change.after}
    if before["mini_app_id"] is None:
        return "detach", {}
    return "attach", {field: before[field] for field in BINDING if before[field] or field == "application_tag"}


def restore_table(changes: Iterable[Change]) -> Iterator[bytes]:
    """The table as CSV, line by line; feed it to ``apply_number_changes`` to go back."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for change in changes:
        back = undoing(change)
        if back is None:
            continue
        operation, fields = back
        cells = {COLUMN_OF[field]: EMPTY if value is None else value for field, value in fields.items()}
        writer.writerow([operation.title(), change.number, *(cells.get(column, "") for column in FIELDS)])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()
