"""What happens on the socket itself."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from ocp_sandbox import Fault, Sandbox
from sandbox.caller import Caller, until


@pytest.fixture
def line(box: Sandbox) -> Iterator[socket.socket]:
    host, port = box.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def request(ops: Caller, body: bytes, length: int) -> bytes:
    head = (
        "PUT /integrations/api/number/note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: {ops.session.headers['Authorization']!s}\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.encode() + body


def note(text: str) -> bytes:
    return json.dumps({"number": "+12125550101", "note": text}).encode()


@pytest.fixture(autouse=True)
def one_number(box: Sandbox, ops: Caller) -> None:
    box.edit.add_number("+12125550101", "retail-us", note="before")
    ops.log_in()


def test_a_request_cut_short_is_not_processed(box: Sandbox, ops: Caller, line: socket.socket) -> None:
    line.sendall(request(ops, note("after"), len(note("after")) + 1))
    line.shutdown(socket.SHUT_WR)
    assert line.recv(1) == b""
    assert box.numbers()[0]["note"] == "before"
    assert "PUT" not in {call["method"] for call in box.calls()}


def test_requests_sent_at_once_are_answered_in_turn(box: Sandbox, ops: Caller, line: socket.socket) -> None:
    line.sendall(b"".join(request(ops, note(text), len(note(text))) for text in ("1", "2", "3")))
    answers = b""
    while answers.count(b'"success":true') < 3:
        answers += line.recv(65536)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert box.numbers()[0]["note"] == "3"


def test_a_client_that_leaves_early_is_served_all_the_same(
    box: Sandbox, ops: Caller, line: socket.socket, capfd: pytest.CaptureFixture[str]
) -> None:
    box.faults.add(Fault("PUT", "/api/number/note", kind="delay", seconds=0.1))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    line.sendall(request(ops, note("after"), len(note("after"))))
    until(lambda: box.calls()[-1]["fault"] is not None)
    line.close()
    until(lambda: box.calls()[-1]["status"] is not None)
    assert ops.listed()["+12125550101"]["note"] == "after"
    assert capfd.readouterr().err == ""
