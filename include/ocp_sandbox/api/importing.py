"""Operations on numbers by CSV file: the whole file takes effect, or none of it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from ocp_sandbox import validation as check
from ocp_sandbox.api.call import Call, Route
from ocp_sandbox.api.changing import done
from ocp_sandbox.messages import Refusal, Request, Response, answer, listed
from ocp_sandbox.rules import inventory, purchase, sets
from ocp_sandbox.rules.session import Session
from ocp_sandbox.settings import OPERATIONS
from ocp_sandbox.validation import Field

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_PART_NAME = re.compile(rb'^content-disposition:[^\r\n]*[; ]name="([^"]*)"', re.IGNORECASE | re.MULTILINE)
_CELLS = {
    "NUMBER": Field(check.number, required=True),
    "GROUP_ID": Field(check.text),
    "COUNTRY": Field(check.country),
    "MINIAPP_ID": Field(check.text),
    "LOCALE": Field(check.locale),
    "APPLICATION_TAG": Field(check.text),
    "NOTE": Field(check.text),
    "PHONE_NUMBER_SET_ID": Field(check.text),
    "PROVIDER": Field(check.text),
}
_Row = Mapping[str, str]


class _Undone(Exception):
    """Ends the transaction of a file with faults in it."""


def import_csv(call: Call) -> Response:
    """Applies a file row by row in one transaction; any fault undoes all of it. A row with a PROVIDER may buy."""
    rows = _rows(_file(call.request))
    operations = Counter(row["OPERATION"] for row in rows)
    for operation, count in operations.items():
        limit = call.settings.csv_limits.get(operation, count)
        if count > limit:
            raise Refusal(400, f"File: {count} rows of the operation {operation}; at most {limit} are allowed")
    faults: list[str] = []
    try:
        with call.session() as session:
            for place, row in enumerate(rows, 2):
                try:
                    _apply(session, row)
                except Refusal as refusal:
                    faults.append(f"row {place}: {refusal.message}")
            if faults:
                raise _Undone
    except _Undone:
        message = f"Nothing was changed, {len(faults)} row(s) are wrong: {listed(faults)}"
        return answer({"success": False, "message": message})
    summary = ", ".join(f"{count} {operation}" for operation, count in sorted(operations.items()))
    return done(f"{len(rows)} row(s) processed: {summary or 'none'}")


def _file(request: Request) -> str:
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if request.media_type != "multipart/form-data" or boundary is None:
        raise Refusal(400, f"Content-Type: {request.media_type or 'none'!r} is not supported; send multipart/form-data")
    for part in (b"\r\n" + request.body).split(b"\r\n--" + boundary[1].encode())[1:]:
        head, blank, content = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if blank and name and name[1] == b"File":
            try:
                return content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise Refusal(400, f"File: is not UTF-8: {error}") from None
    raise Refusal(400, "File: missing; send the CSV as a part of that name")


def _rows(text: str) -> list[dict[str, str]]:
    """The rows with what is in their cells, blank ones left out, OPERATION in lower case."""
    if "\0" in text:
        raise Refusal(400, "File: contains NUL characters; it is not a CSV")
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True)
    try:
        if missing := [name for name in ("OPERATION", "NUMBER") if name not in (reader.fieldnames or ())]:
            raise Refusal(400, f"File: column {' and '.join(missing)} missing")
        rows = [{name: cell for name, cell in row.items() if name and cell and cell.strip()} for row in reader]
    except csv.Error as error:
        raise Refusal(400, f"File: line {reader.line_num}: {error}") from None
    return [row | {"OPERATION": row.get("OPERATION", "").strip().lower()} for row in rows]


def _apply(session: Session, row: _Row) -> None:
    operation = row["OPERATION"]
    if operation not in OPERATIONS:
        raise Refusal(400, f"OPERATION: {operation!r} is unknown; take one of {', '.join(OPERATIONS)}")
    cells = check.check({name: cell for name, cell in row.items() if name in _CELLS}, _CELLS)
    _OPERATIONS[operation](session, cells)


def _need(cells: _Row, *names: str) -> None:
    if missing := [name for name in names if name not in cells]:
        raise Refusal(400, f"{' and '.join(missing)}: missing")


def _create(session: Session, cells: _Row) -> None:
    _need(cells, "GROUP_ID")
    number, group, note = cells["NUMBER"], cells["GROUP_ID"], cells.get("NOTE")
    if "PROVIDER" not in cells:
        inventory.add(session, [number], group, country=cells.get("COUNTRY"), note=note)
    elif purchase.buy(session, cells["PROVIDER"], [number], group, note)["failedNumbers"]:
        raise Refusal(409, f"Number {number} is not for sale at {cells['PROVIDER']}")
    session = replace(session, now=session.now + session.settings.visibility_delay)
    if "MINIAPP_ID" in cells:
        _attach(session, cells)
    if "PHONE_NUMBER_SET_ID" in cells:
        sets.put_in(session, cells["PHONE_NUMBER_SET_ID"], [number])


def _update(session: Session, cells: _Row) -> None:
    number = cells["NUMBER"]
    (row,) = session.numbers([number])
    if cells.get("GROUP_ID", row["group_id"]) != row["group_id"]:
        inventory.move(session, [number], cells["GROUP_ID"])
    if "PHONE_NUMBER_SET_ID" in cells:
        sets.put_in(session, cells["PHONE_NUMBER_SET_ID"], [number])
    session.db.execute(
        "UPDATE numbers SET note = coalesce(?, note), country = coalesce(?, country) WHERE id = ?",
        (cells.get("NOTE"), cells.get("COUNTRY"), row["id"]),
    )
    if row["mini_app"] is not None:
        session.db.execute(
            "UPDATE numbers SET locale = coalesce(?, locale), application_tag = coalesce(?, application_tag)"
            " WHERE id = ?",
            (cells.get("LOCALE"), cells.get("APPLICATION_TAG"), row["id"]),
        )


def _attach(session: Session, cells: _Row) -> None:
    _need(cells, "MINIAPP_ID", "LOCALE")
    app, locale = cells["MINIAPP_ID"], cells["LOCALE"]
    inventory.attach(session, [cells["NUMBER"]], app, locale, cells.get("APPLICATION_TAG"))


def _detach(session: Session, cells: _Row) -> None:
    inventory.detach(session, [cells["NUMBER"]])


def _delete(session: Session, cells: _Row) -> None:
    inventory.delete(session, cells["NUMBER"])


_OPERATIONS: dict[str, Callable[[Session, _Row], None]] = {
    "create": _create,
    "update": _update,
    "attach": _attach,
    "detach": _detach,
    "delete": _delete,
}
ROUTES = (Route("PUT", "/api/numbers/csv", import_csv, "owner", "multipart"),)
