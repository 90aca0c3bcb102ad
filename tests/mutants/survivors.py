"""The mutants that may survive, each with the reason why no test can or need notice it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from tests.mutants.workspace import Mutant


@dataclass(frozen=True)
class Explanation:
    """``function`` and ``becomes`` are patterns with ``*``: of the function's name, and of the line put in place."""

    function: str
    becomes: str
    why: str

    def fits(self, mutant: Mutant) -> bool:
        """Whether this is about ``mutant``."""
        if not fnmatchcase(mutant.function, self.function):
            return False
        lines = [line[1:].strip() for line in mutant.change.splitlines() if line.startswith("+")]
        return any(fnmatchcase(line, self.becomes.replace("[", "[[]")) for line in lines)


def load_explanations() -> list[Explanation]:
    """All of them, as ``survivors.yaml`` beside this file has them."""
    content = yaml.safe_load(Path(__file__).with_name("survivors.yaml").read_text()) or []
    return [
        Explanation(function, becomes, group["why"])
        for group in content
        for function, changes in group["mutants"].items()
        for becomes in changes
    ]
