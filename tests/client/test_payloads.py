"""Input: checked before any call, everything wrong named at once, sent in the vendor's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from client.conftest import NewClient, Serve
from client.raw_server import answer
from ocp_numbers.client import OPERATIONS
from ocp_numbers.errors import InvalidInput

NUMBER = "+12125550123"
OTHER = "+12125550124"
APP = "app.Name.Flow.group@Name.group"


def sent(operation: str, /, **fields: Any) -> Any:
    payload = OPERATIONS[operation].payload
    assert payload is not None
    return json.loads(payload.checked(fields).as_request()["data"])


@pytest.mark.parametrize(
    ("name", "fields", "body"),
    [
        (
            "numbers.search_available",
            {"provider": "telnova", "code": "US", "group": "g", "prefix": "+1212"},
            {"provider": "telnova", "code": "US", "group": "g", "prefix": "+1212"},
        ),
        (
            "numbers.buy",
            {"provider": "telnova", "numbers": [NUMBER], "group": "g", "note": "for ☎"},
            {"provider": "telnova", "numbers": [NUMBER], "group": "g", "note": "for ☎"},
        ),
        ("numbers.update_group", {"numbers": (NUMBER,), "group": "g"}, {"numbers": [NUMBER], "group": "g"}),
        (
            "numbers.attach",
            {"numbers": [NUMBER], "mini_app_id": APP, "locale": "en-US", "application_tag": "t"},
            {"numbers": [NUMBER], "miniAppId": APP, "locale": "en-US", "applicationTag": "t"},
        ),
        ("numbers.detach", {"numbers": [NUMBER, OTHER]}, {"numbers": [NUMBER, OTHER]}),
        ("numbers.update_note", {"number": NUMBER, "note": ""}, {"number": NUMBER, "note": ""}),
        (
            "numbers.search",
            {"mini_app_name": "n", "set_id": "s", "groups": ["g"], "page": 2, "page_size": 5, "order_by": "number"},
            {"miniAppName": "n", "setId": "s", "groups": ["g"], "page": 2, "pageSize": 5, "orderBy": "number"},
        ),
        ("numbers.export_csv", {"mini_app_type": "Flow", "note": "x"}, {"miniAppType": "Flow", "note": "x"}),
        (
            "numbers.add_direct",
            {"numbers": [NUMBER], "group": "g", "country": "US", "log_ani": False, "log_dnis": True},
            {"numbers": [NUMBER], "group": "g", "country": "US", "logAni": False, "logDnis": True},
        ),
        ("sets.create", {"name": "Pilot", "group_id": "g"}, {"name": "Pilot", "groupId": "g"}),
        ("sets.update", {"name": "Pilot"}, {"name": "Pilot"}),
        ("sets.attach", {"mini_app_id": APP, "locale": "en-US"}, {"miniAppId": APP, "locale": "en-US"}),
    ],
)
def test_a_payload_speaks_the_vendors_words_and_leaves_out_what_was_not_given(
    name: str, fields: dict[str, Any], body: dict[str, Any]
) -> None:
    assert sent(name, **fields) == body


@pytest.mark.parametrize(
    ("name", "fields", "problems"),
    [
        ("numbers.detach", {"numbers": []}, ["numbers: the list is empty"]),
        ("numbers.detach", {"numbers": NUMBER}, ["numbers: '+12125550123' is not a list"]),
        ("numbers.detach", {"numbers": 5}, ["numbers: 5 is not a list"]),
        ("numbers.detach", {"numbers": {NUMBER: 1}}, ["numbers: {'+12125550123': 1} is not a list"]),
        ("numbers.detach", {"numbers": iter(())}, ["numbers: the list is empty"]),
        ("numbers.search", {"groups": []}, ["groups: the list is empty"]),
        ("numbers.search", {"groups": ["a", " "]}, ["groups: ' ' is empty"]),
        ("numbers.list", {"page_size": 0}, ["page_size: 0: Input should be greater"]),
        ("numbers.update_note", {"number": NUMBER}, ["note: missing; give a value"]),
        (
            "numbers.detach",
            {"numbers": ["12125550123", "+0123456", NUMBER, NUMBER]},
            ["numbers: '12125550123'", "numbers: '+0123456'", f"numbers: {NUMBER} "],
        ),
        (
            "numbers.attach",
            {"numbers": [NUMBER], "mini_app_id": " ", "locale": "english"},
            ["mini_app_id: ' ' is empty", "locale: 'english' is not of the form language-REGION"],
        ),
        (
            "numbers.search_available",
            {"provider": "", "code": "usa", "group": "", "prefix": "+1(212)"},
            ["provider: ''", "code: 'usa'", "group: ''", "prefix: '+1(212)'"],
        ),
        ("numbers.update_note", {"number": "0800", "note": "x"}, ["number: '0800' is not in E.164"]),
        ("numbers.update_note", {"number": NUMBER, "note": "\ud800"}, ["note: "]),
        ("numbers.search", {"page": 0, "page_size": 0}, ["page: ", "page_size: "]),
        ("numbers.search", {"order_by": "price", "direction": "up"}, ["order_by: ", "direction: "]),
        ("numbers.search", {"locale": "en_US"}, ["locale: 'en_US'"]),
        ("numbers.add_direct", {"numbers": [NUMBER], "group": "g", "log_ani": "yes"}, ["log_ani: "]),
        ("sets.update", {}, ["group_id, name: both are missing"]),
        ("sets.create", {"name": "", "group_id": ""}, ["name: ''", "group_id: ''"]),
        ("numbers.import_csv", {"content": b""}, ["content: "]),
    ],
)
def test_everything_wrong_is_named_at_once_and_by_our_names(
    name: str, fields: dict[str, Any], problems: list[str]
) -> None:
    payload = OPERATIONS[name].payload
    assert payload is not None
    with pytest.raises(InvalidInput) as caught:
        payload.checked(fields)
    assert len(caught.value.problems) == len(problems)
    for problem, start in zip(caught.value.problems, problems, strict=True):
        assert problem.startswith(start)


def test_a_csv_file_goes_up_as_the_part_named_file(serve: Serve, by_token: NewClient) -> None:
    server = serve(answer(body=b'{"success": true}'))
    by_token(server.url).numbers.import_csv(b"NUMBER,OPERATION\r\n+12125550123,Delete\r\n")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"Content-Type: multipart/form-data; boundary=" in head
    assert b'name="File"; filename="numbers.csv"' in body
    assert b"\r\n\r\nNUMBER,OPERATION\r\n+12125550123,Delete\r\n\r\n--" in body
