from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

import ocp_sandbox
from ocp_sandbox import Sandbox, Settings
from ocp_sandbox.__main__ import settings_of
from sandbox.caller import Caller

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HOME = Path(ocp_sandbox.__file__).parents[1]
Launch = Callable[..., "subprocess.Popen[str]"]


def run(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ocp_sandbox", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HOME)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def launch() -> Iterator[Launch]:
    with ExitStack() as stack:

        def start(*arguments: object) -> subprocess.Popen[str]:
            process = stack.enter_context(run("--port", 0, *arguments))
            stack.callback(process.kill)
            return process

        yield start


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.match(r"OCP sandbox listening on (http://127\.0\.0\.1:\d+) ", line)
    assert found, line
    return found[1]


def failed(*arguments: object) -> str:
    with run(*arguments) as process:
        out, error = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_one_line_serves_and_ends_cleanly(launch: Launch, number: signal.Signals) -> None:
    process = launch("--numbers", 20, "--user", "ann:pass", "--token-ttl", 60)
    caller = Caller(url_of(process), "ann", "pass")
    assert caller.log_in()["expires_in"] == 60
    assert caller.ok("GET", "/api/numbers")["allNumbers"] == 20
    process.send_signal(number)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_what_was_answered_survives_a_kill_and_tokens_too(launch: Launch, tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = launch("--numbers", 10, "--state", state, "--visibility-delay", 3600)
    caller = Caller(url_of(process))
    numbers = caller.offered(5)
    caller.buy(numbers[:2])
    target = caller.ok("POST", "/api/numbers-set", {"name": "kept", "groupId": "retail-us"})
    requests.post(f"{caller.url}/_sandbox/clock", json={"advance": 100})
    process.kill()
    process.wait()
    caller.url = url_of(launch("--numbers", 99, "--state", state, "--seed", 7, "--visibility-delay", 3600))
    assert caller.ok("GET", f"/api/numbers-set/{target['id']}") == target
    assert caller.buy(numbers[:3])["failedNumbers"] == numbers[:2]
    assert requests.get(f"{caller.url}/_sandbox/ledger").json()["totals"]["bought"] == 3
    assert requests.get(f"{caller.url}/_sandbox/clock").json()["offset"] == 100
    assert len(caller.listed(orderBy="number")) == 10
    requests.post(f"{caller.url}/_sandbox/clock", json={"advance": 3600})
    caller.log_in()
    assert set(numbers[:3]) < set(caller.listed(orderBy="number"))


def test_a_kill_amid_purchases_leaves_each_whole(launch: Launch, tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = launch("--numbers", 0, "--state", state, "--stock", 2000, "--offers-cap", 2000)
    caller = Caller(url_of(process))
    numbers = caller.offered(600)
    orders = [numbers[place : place + 5] for place in range(0, 600, 5)]
    answered: list[list[str]] = []
    enough = threading.Event()

    def buy(order: list[str]) -> None:
        own = Caller(caller.url)
        own.session.headers.update(caller.session.headers)
        own.buy(order)
        answered.append(order)
        if len(answered) >= 10:
            enough.set()

    with ThreadPoolExecutor(8) as pool:
        pending = [pool.submit(buy, order) for order in orders]
        assert enough.wait(20)
        process.kill()
        for each in pending:
            each.exception()
    with Sandbox(Settings(state=state)) as box:
        owned = {row["number"] for row in box.numbers()}
        assert sorted(owned) == sorted(entry["number"] for entry in box.ledger()["entries"])
    for order in orders:
        assert owned.isdisjoint(order) or owned.issuperset(order)
    assert all(owned.issuperset(order) for order in answered)
    assert len(owned) < 600


def test_a_state_has_one_sandbox_at_a_time(launch: Launch, tmp_path: Path) -> None:
    state = tmp_path / "state"
    url_of(launch("--numbers", 0, "--state", state))
    assert "is another sandbox running on it?" in failed("--port", 0, "--state", state)


def test_a_file_that_is_no_state_is_left_alone(tmp_path: Path) -> None:
    text, folder = tmp_path / "notes.txt", tmp_path / "no" / "where"
    text.write_text("shopping list, long enough to be no database at all\n" * 40)
    assert "notes.txt" in failed("--port", 0, "--state", text)
    assert text.read_text().startswith("shopping list")
    assert "where" in failed("--port", 0, "--state", folder)


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine(x)")
    with pytest.raises(ValueError, match="another program"):
        Sandbox(Settings(state=other))


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} on 127.0.0.1 cannot be used: Address already in use" in failed("--port", port)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--numbers", "many"], "--numbers"),
        (["--numbers", "1000001"], "numbers: 1000001"),
        (["--user", "ann"], "ann:…: user: name and password"),
        (["--user", "ann:x:boss"], "boss"),
        (["--user-from", "NO_SUCH_VARIABLE"], "the environment has no NO_SUCH_VARIABLE"),
        (["--totp", "bob:ABC"], "--totp: there is no --user bob"),
        (["--user", "bob:x", "--totp", "bob:short"], "totp of bob"),
        (["--pat", "bob"], "NAME:VALUE"),
        (["--csv-limit", "create=x"], "OPERATION=ROWS"),
        (["--faults", "/nowhere.json"], "/nowhere.json"),
        (["--colour"], "--colour"),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, ValueError)) as caught:
        settings_of(arguments)
    assert named in (capsys.readouterr().err if caught.type is SystemExit else str(caught.value))


def test_passwords_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("--user\nann:a long one, with spaces\n")
    (ann,) = settings_of([f"@{file}"]).users
    assert (ann.name, ann.password) == ("ann", "a long one, with spaces")


def test_passwords_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANN", "ann:a long one, with spaces")
    monkeypatch.setenv("BOB", "bob:")
    ann, bob = settings_of(["--user-from", "ANN", "--user", "bob:q"]).users
    assert (ann.name, ann.password, bob.name) == ("ann", "a long one, with spaces", "bob")
    with pytest.raises(SystemExit):
        settings_of(["--user-from", "BOB"])


def test_every_argument_arrives(tmp_path: Path) -> None:
    rules = tmp_path / "faults.json"
    rules.write_text(json.dumps([{"kind": "html", "nth": 2}]))
    line = (
        "--port 1 --numbers 5 --seed 9 --stock 3 --unpriced 0.5 --realm ocp --token-ttl 10 --refresh-ttl 20"
        " --page-cap 7 --offers-cap 8 --visibility-delay 4 --rate-limit 6 --licences 2 --restock-released --csv-as-text"
        f" --csv-limit delete=5 --faults {rules} --state x.db --host localhost"
        f" --user ann:p --user bob:q:reader:a,b --totp ann:{SECRET} --pat bob:tok"
    )
    settings = settings_of(line.split())
    ann, bob = settings.users
    assert (ann.name, ann.password, ann.role, tuple(ann.groups), ann.totp) == ("ann", "p", "owner", ("*",), SECRET)
    assert (bob.role, tuple(bob.groups), bob.pat) == ("reader", ("a", "b"), "tok")
    assert (settings.port, settings.numbers, settings.seed, settings.stock, settings.unpriced) == (1, 5, 9, 3, 0.5)
    assert (settings.realm, settings.token_ttl, settings.refresh_ttl) == ("ocp", 10, 20)
    assert (settings.page_cap, settings.offers_cap, settings.visibility_delay) == (7, 8, 4)
    assert (settings.rate_limit, settings.licences, settings.restock_released) == (6, 2, True)
    assert (settings.csv_as_text, settings.csv_limits["delete"], settings.csv_limits["create"]) == (True, 5, 1000)
    assert (settings.state, settings.host, settings.faults[0].kind) == (Path("x.db"), "localhost", "html")


def test_a_fault_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    rules = tmp_path / "faults.json"
    rules.write_text("{}")
    with pytest.raises(ValueError, match="no JSON list"):
        settings_of(["--faults", str(rules)])


def test_help_speaks_to_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        settings_of(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "/_sandbox/ledger" in text
    assert "NAME:PASSWORD[:ROLE[:GROUP,...]]" in text


def test_nothing_is_left_behind_in_process() -> None:
    before = threading.active_count()
    with Sandbox(Settings(numbers=10)) as box:
        callers = [Caller(box.url) for _ in range(5)]
        for caller in callers:
            caller.ok("GET", "/api/numbers")
        assert threading.active_count() > before
        port = int(box.url.rpartition(":")[2])
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
