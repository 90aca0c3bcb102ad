from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ocp_sandbox import Fault, Sandbox, faults
from ocp_sandbox.messages import answer
from sandbox.caller import Caller, until

Serve = Callable[..., Sandbox]


@pytest.fixture(autouse=True)
def logged_in(ops: Caller) -> None:
    ops.log_in()


def statuses(ops: Caller, calls: int) -> list[int]:
    return [ops.raw("GET", "/api/numbers").status_code for _ in range(calls)]


def purchase(ops: Caller) -> dict[str, object]:
    return {"provider": "telnova", "numbers": ops.offered(2), "group": "retail-us"}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"nth": 2}, "01000000"),
        ({"nth": 2, "times": 3}, "01110000"),
        ({"every": 3}, "00100100"),
        ({"every": 2, "times": 2}, "01010000"),
        ({"times": 2}, "11000000"),
        ({"probability": 0.0}, "00000000"),
        ({"probability": 1.0, "times": 1}, "10000000"),
        ({}, "11111111"),
    ],
)
def test_rules_fire_when_they_are_told_to(box: Sandbox, ops: Caller, when: dict[str, float], expected: str) -> None:
    box.faults.add(Fault("GET", "/api/numbers", **when))  # type: ignore[arg-type]
    assert "".join("01"[code == 503] for code in statuses(ops, 8)) == expected


def test_chance_is_drawn_from_the_seed(box: Sandbox, ops: Caller) -> None:
    seen = []
    for seed in (1, 1, 2):
        box.faults.clear()
        box.faults.add(Fault(probability=0.5, seed=seed))
        seen.append(statuses(ops, 30))
    assert seen[0] == seen[1] != seen[2]
    assert {200, 503} == set(seen[0])


def test_rules_concern_their_method_and_path_only(box: Sandbox, ops: Caller) -> None:
    box.faults.add(
        Fault("PUT", "/api/numbers"),
        Fault("*", "/api/numbers-set/*/attach"),
        Fault("GET", "/api/numbers-set", status=500),
    )
    assert statuses(ops, 1) == [200]
    assert ops.raw("GET", "/api/numbers-set").status_code == 500
    assert ops.raw("PUT", "/api/numbers-set/x%2Fy/attach").status_code == 503
    assert [rule["fired"] for rule in box.faults.listed()] == [0, 1, 1]


def test_a_rule_that_another_forestalled_keeps_its_turn(box: Sandbox, ops: Caller) -> None:
    box.faults.add(Fault(nth=1, status=500), Fault(nth=1, status=502))
    assert statuses(ops, 3) == [500, 502, 200]


def test_status_carries_retry_after_and_body(box: Sandbox, ops: Caller) -> None:
    box.faults.add(Fault(status=429, retry_after=7, nth=1), Fault(status=500, body="<oops>"))
    answer = ops.raw("GET", "/api/numbers")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["success"] is False
    assert ops.raw("GET", "/api/numbers").text == "<oops>"


@pytest.mark.parametrize("kind", ["status", "drop_before", "html", "unauthorized", "redirect", "refuse"])
def test_nothing_is_bought_by_a_call_that_fails_before_processing(box: Sandbox, ops: Caller, kind: str) -> None:
    wish = purchase(ops)
    box.faults.add(Fault("PUT", "/api/numbers", kind=kind, nth=1))  # type: ignore[arg-type]
    if kind == "drop_before":
        with pytest.raises(requests.ConnectionError):
            ops.raw("PUT", "/api/numbers", json=wish)
    else:
        answer = ops.raw("PUT", "/api/numbers", json=wish)
        expected = {"status": 503, "html": 200, "unauthorized": 401, "redirect": 302, "refuse": 200}
        assert answer.status_code == expected[kind]
    assert box.ledger()["entries"] == []
    assert ops.ok("PUT", "/api/numbers", wish)["failedNumbers"] == []


@pytest.mark.parametrize(("to", "left"), [("colour", {"colour"}), ("", set())])
def test_a_field_that_drifts_has_another_name_or_is_left_out(to: str, left: set[str]) -> None:
    fault = Fault(kind="drift", field="note", to=to)

    spoilt = faults.spoiled(fault, answer({"numbers": [{"number": "+1", "note": "lobby"}], "page": 1}))

    drifted = json.loads(spoilt.body)
    assert drifted["page"] == 1
    assert set(drifted["numbers"][0]) == {"number"} | left


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "broken_json", "status_after"])
def test_everything_is_bought_by_a_call_whose_answer_is_lost(box: Sandbox, ops: Caller, kind: str) -> None:
    wish = purchase(ops)
    box.faults.add(Fault("PUT", "/api/numbers", kind=kind, nth=1, status=502))  # type: ignore[arg-type]
    if kind in ("drop_after", "truncated"):
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            ops.raw("PUT", "/api/numbers", json=wish)
    else:
        answer = ops.raw("PUT", "/api/numbers", json=wish)
        assert answer.status_code == {"broken_json": 200, "status_after": 502}[kind]
        if kind == "broken_json":
            with pytest.raises(requests.exceptions.JSONDecodeError):
                answer.json()
    assert [entry["number"] for entry in box.ledger()["entries"]] == wish["numbers"]
    assert ops.ok("PUT", "/api/numbers", wish)["failedNumbers"] == wish["numbers"]


def test_pages_redirects_and_refusals_look_real(box: Sandbox, ops: Caller) -> None:
    box.faults.add(
        Fault(kind="html", nth=1),
        Fault(kind="redirect", url="http://evil.example/", nth=1),
        Fault(kind="refuse", message="Provider is busy", nth=1),
    )
    page, away, no = (ops.raw("GET", "/api/numbers") for _ in range(3))
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.text.startswith("<!DOCTYPE html>")
    assert away.headers["Location"] == "http://evil.example/"
    assert no.json() == {"success": False, "message": "Provider is busy"}


def test_a_delay_comes_before_the_call_and_adds_to_other_faults(box: Sandbox, ops: Caller) -> None:
    box.faults.add(Fault(kind="delay", seconds=0.05), Fault(kind="delay", seconds=0.05), Fault(nth=1, status=500))
    began = time.monotonic()
    assert statuses(ops, 1) == [500]
    assert time.monotonic() - began >= 0.1


def test_calls_run_at_once_and_are_counted(box: Sandbox, ops: Caller) -> None:
    box.faults.add(Fault(kind="delay", seconds=0.6))
    token = ops.session.headers["Authorization"]
    box.clear_calls()
    url = f"{ops.url}/integrations/api/numbers"
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda _: requests.get(url, headers={"Authorization": str(token)}), range(16))
        assert {answer.status_code for answer in answers} == {200}
    assert box.most_in_flight() == 16
    assert {call["fault"] for call in box.calls()} == {"delay"}


def test_ending_the_sandbox_ends_a_delay(serve: Serve) -> None:
    box = Sandbox(serve().settings).start()
    ops = Caller(box.url)
    ops.log_in()
    box.faults.add(Fault(kind="delay", seconds=600))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ops.raw, "GET", "/api/numbers")
        until(lambda: box.calls()[-1]["fault"] is not None)
        box.stop()
        assert isinstance(waiting.exception(timeout=5), requests.ConnectionError)


def test_the_token_endpoint_has_faults_too(box: Sandbox, ops: Caller) -> None:
    box.faults.add(Fault("POST", "/auth/realms/*/token", kind="status", status=503, nth=1))
    assert ops.token().status_code == 503
    assert ops.token().status_code == 200


def test_the_log_tells_what_befell_each_call(box: Sandbox, ops: Caller) -> None:
    box.clear_calls()
    box.faults.add(Fault(kind="drop_after", nth=1), Fault(status=502, nth=1))
    with pytest.raises(requests.ConnectionError):
        ops.raw("GET", "/api/numbers?page=3")
    statuses(ops, 2)
    shown = [
        (call["method"], call["path"], call["query"], call["status"], call["dropped"], call["fault"], call["login"])
        for call in box.calls()
    ]
    assert shown == [
        ("GET", "/api/numbers", "page=3", None, True, "drop_after", "ops"),
        ("GET", "/api/numbers", "", 502, False, "status", None),
        ("GET", "/api/numbers", "", 200, False, None, "ops"),
    ]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": "explode"}, "kind: 'explode'"),
        ({"nth": 0}, "nth: 0"),
        ({"nth": 1, "every": 2}, "nth and every"),
        ({"times": 1.5}, "times: 1.5"),
        ({"probability": 2}, "probability: 2"),
        ({"status": 99}, "status: 99"),
        ({"seconds": -1}, "seconds: -1"),
        ({"kind": "drift"}, "field: '' with kind 'drift'"),
        ({"field": "note"}, "field: 'note' with kind 'status'"),
        ({"path": 5}, "path: 5"),
        ({"colour": 1}, "unknown colour"),
        ({"seconds": "x"}, "fault"),
        (7, "not an object"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(fields: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Fault.from_json(fields)
