"""A copy of the project in which mutmut may write, one for each room, so that their tests stay apart."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.mutants.rooms import NO_DECISION, ROOMS

PROJECT = Path(__file__).parents[2]
MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()")
FEWER_EXAMPLES = """
hypothesis.settings.register_profile("mutants", hypothesis.settings.get_profile("project"), max_examples=25)
hypothesis.settings.load_profile("mutants")
"""
_SURVIVED = (0, 5, 33)
"""How the tests of a mutant ended: they passed, or there were none."""


@dataclass(frozen=True)
class Mutant:
    """One change of one function. ``exit_code`` is how its tests ended."""

    name: str
    place: Path
    exit_code: int

    @property
    def module(self) -> str:
        """Where it is, without the package's name: ``cleanup.policy``."""
        return self.name.removeprefix("ocp_numbers.").rpartition(".")[0]

    @property
    def function(self) -> str:
        """The changed function with its module: ``cleanup.policy.CleanupPolicy.load``."""
        function = re.sub(r"^x_?", "", self.name.rpartition(".")[2].partition("__mutmut_")[0])
        return f"{self.module}.{function.strip('ǁ').replace('ǁ', '.')}"

    @property
    def survived(self) -> bool:
        """Whether no test noticed."""
        return self.exit_code in _SURVIVED

    @cached_property
    def change(self) -> str:
        """The lines taken away and put in their place, with the sign of either before them."""
        shown = subprocess.run(
            [*MUTMUT, "show", self.name],
            cwd=self.place,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        lines = [line for line in shown.splitlines() if re.match(r"[-+](?!\+\+ |-- )", line)]
        return "\n".join(lines)


class Workspace:
    """Where the mutants of the room named ``name`` live and die."""

    def __init__(self, name: str) -> None:
        self._room = ROOMS[name]
        self._place = PROJECT / "build" / "mutants" / name

    def run(self, modules: Collection[str], *, again: bool) -> None:
        """Let the tests meet the mutants of ``modules``; those killed before rest in peace with ``again``."""
        survivors = [mutant.name for mutant in self.mutants(modules) if mutant.survived] if again else []
        if again and not survivors:
            return
        if not again:
            shutil.rmtree(self._place, ignore_errors=True)
        self._copy()
        subprocess.run(
            [*MUTMUT, "run", *(survivors or [f"ocp_numbers.{module}.*" for module in modules])],
            cwd=self._place,
            # The same examples for each mutant: none may survive, or die, by luck.
            env=os.environ | {"CI": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
        )

    def mutants(self, modules: Collection[str]) -> list[Mutant]:
        """Every mutant of ``modules`` that met its tests."""
        verdicts = self._place.glob(f"mutants/src/ocp_numbers/{self._room.package}/*.meta")
        found = [
            Mutant(name, self._place, exit_code)
            for file in sorted(verdicts)
            for name, exit_code in json.loads(file.read_text())["exit_code_by_key"].items()
            if exit_code is not None
        ]
        return [mutant for mutant in found if mutant.module in modules]

    def _copy(self) -> None:
        """The project as it is now; what did not change keeps its date, by which mutmut knows it."""
        hidden = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for source, target in {
            "plugins/ocp_numbers": "src/ocp_numbers",
            "include": "include",
            "tests": "tests",
        }.items():
            shutil.copytree(PROJECT / source, self._place / target, ignore=hidden, dirs_exist_ok=True)
        with (self._place / "tests" / "conftest.py").open("a") as conftest:
            conftest.write(FEWER_EXAMPLES)
        package = self._room.package
        settings = {
            "source_paths": ["src/ocp_numbers"],
            "also_copy": ["include"],
            "only_mutate": [f"src/ocp_numbers/{package}/{module}.py" for module in self._room.modules],
            "do_not_mutate_patterns": NO_DECISION,
            "pytest_add_cli_args_test_selection": [f"tests/{package}/{name}" for name in self._room.tests],
            # The tests start threads, and the copy of a process has none of them.
            "process_isolation": "forkserver",
            "use_git_change_detection": False,
            # A mutant that never ends is known by five times the time of its tests, with six seconds for imports, or by
            # ten times as much CPU time; mutmut's own three times as long would cost hours.
            "timeout_multiplier": 5.0,
            "timeout_constant": 6.0,
        }
        (self._place / "pyproject.toml").write_text(
            "[tool.pytest.ini_options]\n"
            'pythonpath = ["src", "include", "tests"]\n'
            'addopts = "--import-mode=importlib -p no:cacheprovider"\n'
            "[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        )
