"""What holds for every command: what it costs to start, how it ends, and that it only looks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands.conftest import Shell
from ocp_numbers.client import OPERATIONS, Effect
from ocp_numbers.commands.connecting import connect
from ocp_numbers.commands.main import COMMANDS, exit_code
from ocp_numbers.errors import (
    AccessRefused,
    AnswerLost,
    Forbidden,
    IncompleteSnapshot,
    InvalidConnection,
    InvalidInput,
    OcpError,
    OverBudget,
)
from operators.world import GROUP, World

REGION = """
ocp_conn_id: ocp_default
group: retail-us
provider: telnova
country_code: US
prefix: "+1212"
quantity: 3
set_name: desk
mini_app_id: app
locale: en-US
max_unit_price: 10
max_total_price: 50
"""
CALLS = {
    "check": [],
    "doctor": [],
    "search": ["--provider", "telnova", "--country", "US", "--group", GROUP],
    "export": ["--full-check"],
    "plan": ["{region}"],
    "orders": [],
    "balance": [],
    "contract": ["--read-only", "--provider", "telnova", "--country", "US"],
}


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, list[str]]:
    region = tmp_path / "desk.yaml"
    region.write_text(REGION)
    return {name: [text.format(region=region) for text in given] for name, given in CALLS.items()}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_changes_anything_although_the_connection_may(
    world: World, shell: Shell, arguments: dict[str, list[str]], command: str
) -> None:
    before = world.all()

    shell(command, *arguments[command])

    assert (world.writes(), world.all()) == ({}, before)


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.effect is not Effect.READ])
def test_the_client_of_a_command_cannot_do_more_than_look(world: World, name: str) -> None:
    operation: Any = OPERATIONS[name]
    with connect("ocp_default") as hook, pytest.raises(AccessRefused):
        hook.client.transport.call(operation)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(shell: Shell, capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        shell(command, "--help")

    assert ended.value.code == 0
    assert COMMANDS[command].capitalize()[:40] in capsys.readouterr().out.replace("\n  ", " ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("x"), 2),
        (InvalidConnection("x"), 2),
        (Forbidden(operation="o", call="c", status=403, message="m"), 3),
        (AnswerLost(operation="o", call="c", reason="r"), 3),
        (IncompleteSnapshot("x"), 4),
        (OverBudget("x"), 4),
    ],
)
def test_the_exit_code_tells_whose_turn_it_is(error: OcpError, code: int) -> None:
    assert exit_code(error) == code


def test_a_connection_that_is_not_there_is_said_with_the_line_that_makes_it(shell: Shell) -> None:
    assert shell("check", "--conn-id", "nowhere") == 2
    assert "export AIRFLOW_CONN_NOWHERE=" in shell.err


def test_a_platform_that_is_not_there_is_said_in_the_words_of_the_form(
    world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_GONE", '{"conn_type": "ocp", "host": "http://127.0.0.1:9", "login": "a", "password": "b"}'
    )

    assert shell("search", "--conn-id", "gone", *CALLS["search"]) == 3
    assert "Host: http://127.0.0.1:9 cannot be reached" in shell.err
    assert shell.out == ""


def test_ctrl_c_is_no_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("ocp_numbers.commands.orders.run", interrupted)

    assert shell("orders") == 130
    assert shell.err == "ended\n"


def start(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("call", [["--help"], ["orders"], ["orders", "--help"]])
def test_what_needs_no_platform_loads_no_airflow(call: list[str]) -> None:
    out = start(
        "from ocp_numbers.commands.main import main\n"
        "try:\n"
        f"    main({call!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "print([name for name in ('airflow', 'requests', 'pyarrow') if name in sys.modules])"
    )

    assert out.splitlines()[-1] == "[]"


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r};"
        "from ocp_numbers.commands.main import main; sys.exit(main(['orders']))"
    )
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.close()

    assert (writer.wait(), writer.stderr.read()) == (0, b"")
    writer.stderr.close()
