"""Reading the inventory: the list, the search, and the search as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ocp_sandbox import validation as check
from ocp_sandbox.api.call import Call, Route
from ocp_sandbox.listing import Query
from ocp_sandbox.messages import Response, answer
from ocp_sandbox.settings import EVERY_GROUP
from ocp_sandbox.validation import Field

PAGE_SIZE = 50
_COLUMNS = {
    "APPLICATION_TAG": "applicationTag",
    "COUNTRY": "country",
    "GROUP_ID": "groupId",
    "LOCALE": "locale",
    "MINIAPP_DIAMANT_APP_NAME": "miniAppDiamantAppName",
    "MINIAPP_GROUP": "miniAppGroup",
    "MINIAPP_ID": "miniAppId",
    "MINIAPP_NAME": "miniAppName",
    "MINIAPP_TYPE": "miniAppType",
    "NUMBER": "number",
    "PHONE_NUMBER_SET_ID": "setId",
    "NOTE": "note",
}
_SHARED = (
    "number",
    "country",
    "groupId",
    "miniAppId",
    "miniAppName",
    "miniAppType",
    "miniAppDiamantAppName",
    "miniAppGroup",
    "locale",
    "note",
    "applicationTag",
)
_SEARCH = {
    "miniAppName": Field(check.text),
    "miniAppType": Field(check.text),
    "number": Field(check.text),
    "locale": Field(check.locale),
    "note": Field(check.text),
    "setId": Field(check.text),
    "groups": Field(check.texts),
    "page": Field(check.counted),
    "pageSize": Field(check.counted),
    "orderBy": Field(check.order),
    "direction": Field(check.direction),
}
_LIST = {
    "page": Field(check.counted_text),
    "pageSize": Field(check.counted_text),
    "searchTerm": Field(check.searched),
    "orderBy": Field(check.order),
    "direction": Field(check.direction),
}


def found_number(row: Mapping[str, Any]) -> dict[str, Any]:
    """A number as the search and the content of a set spell it."""
    return {name: row[name] for name in _SHARED} | {"phoneNumberSetId": row["setId"]}


def _listed_number(row: Mapping[str, Any]) -> dict[str, Any]:
    """A number as the list spells it."""
    shared = {name: row[name] for name in _SHARED}
    return shared | {"phoneNumbersSetId": row["setId"], "phoneNumbersSetName": row["setName"]}


def _page_size(call: Call) -> int:
    asked = int(call.fields.get("pageSize", PAGE_SIZE))
    return min(asked, call.settings.page_cap or asked)


def _page(call: Call, query: Query) -> tuple[list[dict[str, Any]], dict[str, int]]:
    page, size = call.fields.get("page", 1), _page_size(call)
    rows, total = call.store.page(query, (page - 1) * size, size)
    return rows, {"page": page, "pageSize": size, "numberOfPages": -(-total // size), "allNumbers": total}


def _groups(call: Call) -> frozenset[str] | None:
    asked = call.fields.get("groups") or None
    seen = None if EVERY_GROUP in call.user.groups else frozenset(call.user.groups)
    if asked is None:
        return seen
    with call.session() as session:
        return frozenset(session.group(group) for group in asked)


def _order(call: Call) -> dict[str, Any]:
    return {"order": call.fields.get("orderBy", "none"), "descending": call.fields.get("direction", False)}


def _searched(call: Call) -> Query:
    fields = call.fields
    return Query(
        groups=_groups(call),
        number=fields.get("number"),
        note=fields.get("note"),
        locale=fields.get("locale"),
        mini_app_name=fields.get("miniAppName"),
        mini_app_type=fields.get("miniAppType"),
        set_id=fields.get("setId"),
        **_order(call),
    )


def list_numbers(call: Call) -> Response:
    """The numbers that this login may see, page by page."""
    rows, page = _page(call, Query(groups=_groups(call), term=call.fields.get("searchTerm"), **_order(call)))
    return answer({"numbers": [_listed_number(row) for row in rows], **page})


def search_numbers(call: Call) -> Response:
    """The numbers that fit every given field, page by page."""
    rows, page = _page(call, _searched(call))
    return answer({"numbers": [found_number(row) for row in rows], **page})


def export_csv(call: Call) -> Response:
    """The numbers that fit as CSV: one page when one is asked for, otherwise all of them."""
    query = _searched(call)
    paged = "page" in call.fields or "pageSize" in call.fields
    batches = [_page(call, query)[0]] if paged else call.store.batches(query)
    out = io.BytesIO()
    as_text = call.settings.csv_as_text
    out.write(b"" if as_text else b'"')
    for text in _csv(batches):
        out.write((text if as_text else json.dumps(text, ensure_ascii=False)[1:-1]).encode())
    out.write(b"" if as_text else b'"')
    return Response(200, out.getvalue(), "text/csv;charset=utf-8" if as_text else "application/json")


def _csv(batches: Iterable[list[dict[str, Any]]]) -> Iterator[str]:
    """The header, then each batch, as the text of a CSV file."""
    yield ",".join(_COLUMNS) + "\r\n"
    for batch in batches:
        text = io.StringIO()
        csv.writer(text).writerows([row[name] for name in _COLUMNS.values()] for row in batch)
        yield text.getvalue()


ROUTES = (
    Route("GET", "/api/numbers", list_numbers, "reader", "none", _LIST),
    Route("POST", "/api/numbers/search", search_numbers, "reader", "json", _SEARCH),
    Route("POST", "/api/numbers/csv", export_csv, "reader", "json", _SEARCH),
)
