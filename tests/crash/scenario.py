"""What is put to the proof: a DAG, the world it runs in, and what it must not do there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from airflow.sdk import DAG

from ocp_sandbox import Settings

from .accidents import RECOVERIES, Recovery
from .attempt import Prepare, WorldClock
from .world import World

Results = Mapping[str, Mapping[str, Any]]
"""What the tasks of a run have published, by task and key."""


@dataclass(frozen=True)
class Account:
    """What the program itself knows of its purchases, at any moment.

    :param owned: numbers that it holds for its own, bought by it. :param doubtful: numbers that it knows it may own.
    :param spent: what it says the owned ones cost. :param estimated: whether a price among them had to be assumed.
    """

    owned: frozenset[str]
    doubtful: frozenset[str]
    spent: Decimal
    estimated: bool = False


@dataclass(frozen=True)
class Variant:
    """A way in which the world can differ: settings of the platform, furniture, another machine for each attempt."""

    settings: Callable[[Settings], Settings] = lambda settings: settings
    furnish: Callable[[World], None] = lambda world: None
    many_machines: bool = False


def _nothing_to_prepare(clock: WorldClock, machine: str) -> None:
    pass


@dataclass(frozen=True)
class Scenario:
    """A DAG and its promises.

    :param dag: makes the DAG, once; called in a process that is forked for each attempt.
    :param wanted: numbers that have to be bought, and not one more. :param budget: what they may cost together.
    :param account: reads the program's own account from the world.
    :param conf: parameters of the run. :param settings: of the platform.
    :param variants: by the name that a case has after a +.
    :param worlds: the combinations of variants in which all single accidents are gone through.
    :param furnish: puts things into a new world.
    :param prepare: called before each attempt, in its process, to connect clocks of the program to the world's.
    :param environment: environment variables of the attempts, made of the platform's URL and the data root.
    :param check: what else is wrong when the run ended complete, in sentences.
    :param check_failed: what is wrong with what a failed attempt published, in sentences.
    :param recoveries: ways to go on after an accident; without ``lose-root`` where the program need not survive that.
    :param mutant: called once in the process that all attempts are forked from, to break the program on purpose.
    """

    name: str
    dag: Callable[[], DAG]
    wanted: int
    budget: Decimal
    account: Callable[[World], Account]
    environment: Callable[[str, World], Mapping[str, str]]
    conf: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=lambda: Settings(numbers=0, stock=20))
    variants: Mapping[str, Variant] = field(default_factory=dict)
    worlds: tuple[tuple[str, ...], ...] = ((),)
    furnish: Callable[[World], None] = lambda world: None
    prepare: Prepare = _nothing_to_prepare
    check: Callable[[World, Results], Iterable[str]] = lambda world, results: ()
    check_failed: Callable[[World, Results], Iterable[str]] = lambda world, results: ()
    recoveries: tuple[Recovery, ...] = RECOVERIES
    mutant: Callable[[], None] = lambda: None

    def broken_by(self, mutant: Callable[[], None]) -> Scenario:
        """This scenario with a program that ``mutant`` breaks, once, before the first attempt."""
        return replace(self, mutant=mutant)

    def chosen(self, names: Iterable[str]) -> list[Variant]:
        """The variants of these names.

        :raises ValueError: for a name that is none of them.
        """
        unknown = set(names) - set(self.variants)
        if unknown:
            raise ValueError(
                f"{self.name} has no variant {', '.join(sorted(unknown))}; it has {', '.join(self.variants)}"
            )
        return [self.variants[name] for name in names]
