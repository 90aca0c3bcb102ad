from __future__ import annotations

import json
from typing import Any

import pytest

from ocp_sandbox import Sandbox
from sandbox.caller import Caller

N = "+12125550101"
OFFERS = {"provider": "telnova", "code": "US", "group": "retail-us"}
BUY = {"provider": "telnova", "numbers": [N], "group": "retail-us"}
ATTACH = {"numbers": [N], "miniAppId": "a.b.c", "locale": "en-US"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("page=0", "page: 0"),
        ("pageSize=0", "pageSize: 0"),
        ("pageSize=-1", "pageSize: -1"),
        ("page=one", 'page: "one"'),
        ("page=1.5", 'page: "1.5"'),
        ("page=", 'page: ""'),
        ("page=99999999999999999999", "page"),
        ("page=2147483648", "page: 2147483648"),
        ("page=1&page=2", "page: given more than once"),
        ("orderBy=price", 'orderBy: "price"'),
        ("direction=UP", 'direction: "UP"'),
        ("direction=asc", 'direction: "asc"'),
        ("search=x", "search: unknown field"),
        ("searchTerm=+12125550101", "%2B"),
        ("searchTerm=%25+12125550101", "%2B"),
        ("searchTerm=%ff", "searchTerm"),
    ],
)
def test_a_bad_query_is_refused_by_name(ops: Caller, query: str, named: str) -> None:
    assert named in ops.no(400, "GET", f"/api/numbers?{query}")


def test_a_space_in_a_search_term_is_a_space(box: Sandbox, ops: Caller) -> None:
    box.edit.add_number("+12125550101", "retail-us", note="service desk 24")
    for space in ("+", "%20"):
        assert ops.ok("GET", f"/api/numbers?searchTerm=service{space}desk{space}24")["allNumbers"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/api/numbers", {**OFFERS, "prefix": "+12a"}, 'prefix: "+12a"'),
        ("POST", "/api/numbers", {**OFFERS, "prefix": "1+2"}, "prefix"),
        ("POST", "/api/numbers", {**OFFERS, "code": "us"}, 'code: "us"'),
        ("POST", "/api/numbers", {**OFFERS, "provider": " "}, "provider: is empty"),
        ("POST", "/api/numbers", {"provider": "telnova"}, "code: missing; it is required; group: missing"),
        ("POST", "/api/numbers", {**OFFERS, "color": 1}, "color: unknown field; known are provider, prefix"),
        ("PUT", "/api/numbers", {**BUY, "numbers": []}, "numbers: the list is empty"),
        ("PUT", "/api/numbers", {**BUY, "numbers": N}, "is not a list"),
        ("PUT", "/api/numbers", {**BUY, "numbers": [N, N]}, f"more than once: {N}"),
        ("PUT", "/api/numbers", {**BUY, "numbers": [N, "12125550102"]}, '"12125550102"'),
        ("PUT", "/api/numbers", {**BUY, "numbers": ["+1 212 555"]}, "not in E.164"),
        ("PUT", "/api/numbers", {**BUY, "numbers": ["+0123456789"]}, "not in E.164"),
        ("PUT", "/api/numbers", {**BUY, "numbers": ["+1234567890123456"]}, "not in E.164"),
        ("PUT", "/api/numbers", {**BUY, "numbers": ["+١٢١٢٥٥٥٠١٠١"]}, "not in E.164"),
        ("PUT", "/api/numbers", {**BUY, "numbers": [N + "\n"]}, "not in E.164"),
        ("PUT", "/api/numbers", {**BUY, "numbers": [12125550101]}, "12125550101"),
        ("PUT", "/api/numbers", {**BUY, "numbers": None}, "numbers: missing"),
        ("PUT", "/api/numbers", {**BUY, "note": 7}, "note: 7 is not a string"),
        ("PUT", "/api/numbers", {**BUY, "note": "\ud800"}, "lone surrogate"),
        ("PUT", "/api/numbers/group", {"numbers": [N]}, "group: missing"),
        ("PUT", "/api/numbers/attach", {**ATTACH, "locale": "en"}, 'locale: "en"'),
        ("PUT", "/api/numbers/attach", {**ATTACH, "locale": "EN-us"}, "language-REGION"),
        ("PUT", "/api/numbers/attach", {**ATTACH, "locale": "en_US"}, "en-US"),
        ("PUT", "/api/numbers/attach", {**ATTACH, "numbers": []}, "empty"),
        ("POST", "/api/numbers/search", {"locale": "en-"}, 'locale: "en-"'),
        ("PUT", "/api/numbers/attach", {"numbers": [N]}, "miniAppId: missing; it is required; locale: missing"),
        ("PUT", "/api/numbers/detach", {}, "numbers: missing"),
        ("PUT", "/api/number/note", {"number": N}, "note: missing"),
        ("PUT", "/api/number/note", {"number": "x" * 500, "note": ""}, "…"),
        ("PUT", "/api/number/note", {"number": " 12125550101", "note": ""}, "%2B"),
        ("POST", "/api/numbers/search", {"page": "1"}, 'page: "1" is not a whole number'),
        ("POST", "/api/numbers/search", {"page": True}, "page: true"),
        ("POST", "/api/numbers/search", {"pageSize": 0}, "pageSize: 0"),
        ("POST", "/api/numbers/search", {"groups": "retail-us"}, "groups"),
        ("POST", "/api/numbers/search", {"groups": [1]}, "groups[0]: 1"),
        ("POST", "/api/numbers/search", {"orderBy": "x"}, "miniapp-type"),
        ("POST", "/api/numbers/csv", {"direction": "down"}, "ASC or DESC"),
        ("POST", "/api/numbers/direct", {"numbers": [N], "group": "g", "logAni": "yes"}, 'logAni: "yes"'),
        ("POST", "/api/numbers/direct", {"numbers": [N], "group": "g", "country": "USA"}, 'country: "USA"'),
        ("POST", "/api/numbers-set", {"name": "", "groupId": "retail-us"}, "name: is empty"),
        ("PATCH", "/api/numbers-set/x", {"name": 1}, "name: 1"),
        ("DELETE", "/api/numbers-set/x/numbers", {"numbers": ["1"]}, "not in E.164"),
    ],
)
def test_a_bad_body_is_refused_by_name(ops: Caller, method: str, path: str, body: Any, named: str) -> None:
    assert named in ops.no(400, method, path, data=json.dumps(body), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a": NaN}', b'{"page": 1, "page": 2}', b"[" * 100_000, b"1" * 5000],
)
def test_a_body_that_is_no_json_object_is_refused(ops: Caller, body: bytes) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert ops.no(400, "POST", "/api/numbers/search", data=body, headers=headers).startswith(("body:", "page:"))


def test_null_counts_as_absent(ops: Caller) -> None:
    assert ops.ok("POST", "/api/numbers/search", {"note": None, "groups": None, "page": None})["page"] == 1


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_json_is_wanted_where_json_is_documented(ops: Caller, media_type: str) -> None:
    message = ops.no(400, "PUT", "/api/numbers", data=json.dumps(BUY), headers={"Content-Type": media_type})
    assert "application/json" in message


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/numbers"),
        ("GET", "/api/numbers-set"),
        ("PUT", "/api/numbers-set/x/detach"),
        ("DELETE", "/api/numbers-set/x/delete"),
        ("DELETE", "/api/numbers/delete/%2B12125550101"),
    ],
)
def test_a_body_where_none_is_documented_is_refused(ops: Caller, method: str, path: str) -> None:
    assert "body" in ops.no(400, method, path, {"page": 1})


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/numbers-set?page=1"), ("PUT", "/api/numbers/detach?x=1")])
def test_a_query_where_none_is_documented_is_refused(ops: Caller, method: str, path: str) -> None:
    assert "unknown field" in ops.no(400, method, path, {"numbers": [N]} if method == "PUT" else None)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/numbers/delete/+12125550101", "%2B"),
        ("/api/numbers/delete/%2012125550101", "%2B"),
        ("/api/numbers/delete/12125550101", "E.164"),
        ("/api/numbers/delete/%2B1212%00", "E.164"),
    ],
)
def test_a_number_in_a_path_needs_its_plus_encoded(box: Sandbox, ops: Caller, path: str, named: str) -> None:
    box.edit.add_number(N, "retail-us")
    assert named in ops.no(400, "DELETE", path)
    assert N in ops.listed()


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/numbers/", "/api/numbers/none", "/api/numbers-set/a/b/c", "/api/numbers/delete"]
)
def test_unknown_paths_are_not_found(ops: Caller, path: str) -> None:
    assert "No such resource" in ops.no(404, "GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/numbers", "GET, POST, PUT"),
        ("PATCH", "/api/numbers/attach", "PUT"),
        ("POST", "/api/numbers-set/x", "DELETE, GET, PATCH"),
        ("OPTIONS", "/api/numbers-set", "GET, POST"),
    ],
)
def test_wrong_methods_are_told_the_right_ones(ops: Caller, method: str, path: str, allowed: str) -> None:
    answer = ops.raw(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_head_is_answered_without_a_body(ops: Caller) -> None:
    answer = ops.raw("HEAD", "/api/numbers")
    assert (answer.status_code, answer.content) == (405, b"")
    ops.ok("GET", "/api/numbers")


def test_nothing_is_served_outside_the_documented_bases(ops: Caller) -> None:
    assert ops.session.get(f"{ops.url}/api/numbers").status_code == 404
    assert ops.session.get(f"{ops.url}/").status_code == 404


def test_a_body_in_pieces_or_too_large_is_refused_before_it_is_read(ops: Caller) -> None:
    ops.log_in()
    url = f"{ops.url}/integrations/api/numbers"
    assert ops.session.put(url, data=iter([b"{}"])).status_code == 411
    assert ops.session.put(url, headers={"Content-Length": str(2**40)}, data=b"").status_code == 413
    ops.ok("GET", "/api/numbers")
