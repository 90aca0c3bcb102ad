"""``make mutants``: change the code that decides, one place at a time, and count the changes that no test notices.

``make mutants ARGS="cleanup-rules ordering.steps"`` looks at a room or at modules; ``ARGS="--again cleanup-rules"``
tries again what survived the last time, after tests were added.

Done by mutmut, in a copy of the project below ``build/mutants``. A survivor is a missing test, or it is explained in
``survivors.yaml``; the score counts it as survived either way.
"""

from __future__ import annotations

import argparse
import sys

from tests.mutants.rooms import ROOMS
from tests.mutants.survivors import load_explanations
from tests.mutants.workspace import Mutant, Workspace

GOAL = 90
"""Percent of the mutants that tests must notice."""


def main(arguments: list[str]) -> None:
    """Run what ``arguments`` name; a line a module, and every survivor that nobody explained. Fails below the goal."""
    parser = argparse.ArgumentParser(prog="make mutants ARGS=...", description=__doc__)
    parser.add_argument(
        "where", nargs="*", help="rooms or modules, such as cleanup-rules or ordering.steps; default all"
    )
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    given = parser.parse_args(arguments)
    rooms = {name: [f"{room.package}.{module}" for module in room.modules] for name, room in ROOMS.items()}
    known = {module for modules in rooms.values() for module in modules}
    named = {where for where in given.where or ROOMS if where not in rooms}.union(
        *(rooms[where] for where in given.where or ROOMS if where in rooms)
    )
    if unknown := sorted(named - known):
        parser.error(f"nothing is mutated in {', '.join(unknown)}; choose from {', '.join([*rooms, *sorted(known)])}")
    mutants: list[Mutant] = []
    for name, modules in rooms.items():
        if chosen := [module for module in modules if module in named]:
            workspace = Workspace(name)
            workspace.run(chosen, again=given.again)
            mutants += workspace.mutants(chosen)
    sys.exit(_report(mutants))


def _report(mutants: list[Mutant]) -> int:
    explanations = load_explanations()
    unexplained = [
        mutant for mutant in mutants if mutant.survived and not any(one.fits(mutant) for one in explanations)
    ]
    print(f"\n{'module':26}{'mutants':>9}{'killed':>9}{'survived':>10}{'explained':>11}{'score':>9}")
    for module in sorted({mutant.module for mutant in mutants}):
        _line(module, [mutant for mutant in mutants if mutant.module == module], unexplained)
    score = _line("all", mutants, unexplained)
    for mutant in unexplained:
        print(f"\n{mutant.name}\n{mutant.change}")
    if score < GOAL:
        print(f"\nthe score is {score:.1f} %, and {GOAL} % is the least", file=sys.stderr)
    if unexplained:
        print(f"\n{len(unexplained)} survivors need a test, or a word in survivors.yaml", file=sys.stderr)
    return int(score < GOAL or bool(unexplained))


def _line(title: str, mutants: list[Mutant], unexplained: list[Mutant]) -> float:
    survived = [mutant for mutant in mutants if mutant.survived]
    explained = len(survived) - len([mutant for mutant in survived if mutant in unexplained])
    killed = len(mutants) - len(survived)
    score = 100 * killed / len(mutants)
    print(f"{title:26}{len(mutants):9}{killed:9}{len(survived):10}{explained:11}{score:8.1f}%")
    return score


if __name__ == "__main__":
    main(sys.argv[1:])
