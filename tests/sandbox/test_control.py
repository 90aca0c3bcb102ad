from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ocp_sandbox import Sandbox
from ocp_sandbox.seed import STORE_LOCATOR
from sandbox.caller import Caller


class Pages:
    """The sandbox's own pages, without a login."""

    def __init__(self, ops: Caller) -> None:
        self.session, self.url = ops.session, f"{ops.url}/_sandbox"

    def __call__(self, method: str, page: str, body: object = None) -> Any:
        answer = self.session.request(method, f"{self.url}/{page}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, status: int, method: str, page: str, body: object = None) -> str:
        answer = self.session.request(method, f"{self.url}/{page}", json=body)
        assert answer.status_code == status
        return str(answer.json()["message"])


@pytest.fixture
def pages(ops: Caller) -> Pages:
    return Pages(ops)


def test_it_is_healthy_before_anybody_logs_in(pages: Pages) -> None:
    assert pages("GET", "health") == {"status": "healthy"}


def test_http_and_python_tell_the_same_truth(box: Sandbox, ops: Caller, pages: Pages) -> None:
    box.edit.add_set("home", "retail-us")
    ops.buy(ops.offered(3))
    assert pages("GET", "ledger") == box.ledger()
    assert pages("GET", "miniapps") == box.miniapps()
    assert pages("GET", "groups") == box.groups()
    assert pages("GET", "sets") == box.sets()
    assert pages("GET", "stock") == box.stock()
    assert pages("GET", "stock?provider=telnova&country=US") == box.stock("telnova", "US")
    assert pages("GET", "calls") == {"calls": box.calls(), "most_in_flight": 1}
    assert pages("GET", "faults") == box.faults.listed() == []


@pytest.mark.parametrize("numbers", [0, 6000])
def test_numbers_come_as_json_lines(serve: Callable[..., Sandbox], numbers: int) -> None:
    box = serve(numbers=numbers)
    answer = requests.get(f"{box.url}/_sandbox/numbers")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.iter_lines()] == box.numbers()


def test_faults_are_set_and_taken_away(ops: Caller, pages: Pages) -> None:
    pages("POST", "faults", {"method": "GET", "path": "/api/numbers", "kind": "status", "status": 418})
    assert len(pages("POST", "faults", [{"nth": 5}, {"every": 7, "kind": "html"}])) == 3
    assert ops.raw("GET", "/api/numbers").status_code == 418
    assert [rule["matched"] for rule in pages("GET", "faults")] == [1, 2, 2]
    assert pages("DELETE", "faults") == []
    assert ops.raw("GET", "/api/numbers").status_code == 200


def test_the_clock_is_read_and_advanced(box: Sandbox, pages: Pages) -> None:
    before = pages("GET", "clock")
    after = pages("POST", "clock", {"advance": 3600.5})
    assert after["offset"] == before["offset"] + 3600.5 == box.clock.offset
    assert 3600 < after["now"] - before["now"] < 3660


@pytest.mark.parametrize("body", [{"advance": -1}, {"advance": "1"}, {"advance": True}, {}, [], {"advance": 1, "x": 2}])
def test_time_goes_forward_only(box: Sandbox, pages: Pages, body: object) -> None:
    pages.refused(400, "POST", "clock", body)
    assert box.clock.offset == 0


def test_calls_are_forgotten_on_request(ops: Caller, pages: Pages) -> None:
    ops.ok("GET", "/api/numbers")
    assert pages("DELETE", "calls") == []
    assert pages("GET", "calls") == {"calls": [], "most_in_flight": 0}


def test_unknown_pages_parameters_and_rules_are_named(pages: Pages) -> None:
    assert "GET ledger" in pages.refused(404, "GET", "money")
    assert "POST 'ledger'" in pages.refused(404, "POST", "ledger")
    assert "colour" in pages.refused(400, "GET", "stock?colour=red")
    assert "kind" in pages.refused(400, "POST", "faults", {"kind": "x"})
    assert "not an object" in pages.refused(400, "POST", "faults", None)


def test_the_documented_mini_app_is_there(pages: Pages) -> None:
    found = [app for app in pages("GET", "miniapps") if app["name"] == "Store_Locator" and app["group"] == "retail-us"]
    assert [app["id"] for app in found] == [STORE_LOCATOR]


def test_a_fault_of_the_sandbox_itself_is_a_500(box: Sandbox, ops: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    ops.log_in()
    with box.store.transaction() as db:
        db.execute("ALTER TABLE ledger RENAME TO gone")
    message = ops.no(500, "POST", "/api/numbers/direct", {"numbers": ["+12125550101"], "group": "retail-us"})
    assert message == "Internal error"
    assert "no such table" in capsys.readouterr().err
    assert box.numbers() == []
