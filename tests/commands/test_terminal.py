"""What somebody at a terminal sees; everywhere else there is plain text, which other tests read."""

from __future__ import annotations

import os
import pty
import re
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from commands.test_main import REGION
from ocp_numbers.commands.main import main
from ocp_numbers.commands.screen import Screen
from ocp_numbers.progress import tell
from operators.world import World

_STEERING = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(autouse=True)
def _a_terminal_of_120_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "120", "_AIRFLOW_PROCESS_CONTEXT": "shell"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def shown(act: Callable[[], object]) -> str:
    """What ``act`` shows on a terminal, without colours and movements."""
    near, far = pty.openpty()
    parts: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(near, 65_536):
                parts.append(part)
        except OSError:  # how Linux tells that nobody writes any more
            return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(far, "w", encoding="utf-8") as stream, redirect_stdout(stream), redirect_stderr(stream):
        act()
    reader.join()
    os.close(near)
    return _STEERING.sub("", b"".join(parts).decode())


def test_a_table_shows_markup_as_text_and_folds_what_is_long() -> None:
    row = ["+12125550101", "[red]hot[/red] " + "x" * 150, 5]

    seen = shown(lambda: Screen().table(["Number", "Note", "Price"], [row], figures=["Price"]))

    assert "+12125550101" in seen
    assert "[red]hot[/red]" in seen
    assert seen.count("x") == 150
    assert max(map(len, seen.splitlines())) <= 120


HOSTILE = "[b]page 2 of \x1b[2J5"


@pytest.mark.parametrize(("doing", "told"), [(HOSTILE, []), ("asking", [HOSTILE])])
def test_while_the_work_lasts_its_newest_line_is_shown_and_steers_nothing(doing: str, told: list[str]) -> None:
    def work() -> None:
        with Screen().working(doing):
            for line in told:
                tell(line)

    seen = shown(work)
    assert "[b]page 2 of" in seen
    assert "[2J5" in seen


def test_a_plan_is_shown_as_it_is_meant_to_look(world: World, tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(REGION.replace("mini_app_id: app", f"mini_app_id: {world.app}"))

    seen = shown(lambda: main(["plan", str(tmp_path / "desk.yaml")]))

    assert "desk" in seen
    assert "**" not in seen
    assert world.writes() == {}
