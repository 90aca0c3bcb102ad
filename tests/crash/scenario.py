"""What is put to the proof: a DAG, the world it runs in, and what it must not do there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from airflow.sdk import DAG

from ocp_sandbox import Settings

from .accidents import Recovery
from .attempt import Prepare, WorldClock
from .world import World

Results = Mapping[str, Mapping[str, Any]]
"""What the tasks of a run have published, by task and key."""

Violation = tuple[str, str]
"""The name of a broken promise, and how it was broken."""


@dataclass(frozen=True)
class Account:
    """What the program itself knows of its purchases, at any moment.

    :param owned: numbers that it holds for its own, bought by it. :param doubtful: numbers that it knows it may own.
    :param spent: what it says the owned ones cost. :param estimated: whether a price among them had to be assumed.
    """

    owned: frozenset[str]
    doubtful: frozenset[str] = frozenset()
    spent: Decimal = Decimal(0)
    estimated: bool = False


@dataclass(frozen=True)
class Variant:
    """A way in which the world can differ.

    :param settings: of the platform. :param furnish: puts more things into it.
    :param many_machines: another machine for each attempt.
    :param meanwhile: what other people do on the platform after an attempt has failed, before anybody goes on.
    """

    settings: Callable[[Settings], Settings] = lambda settings: settings
    furnish: Callable[[World], None] = lambda world: None
    many_machines: bool = False
    meanwhile: Callable[[World], None] = lambda world: None


def _nothing_to_prepare(clock: WorldClock, machine: str) -> None:
    pass


@dataclass(frozen=True)
class Scenario:
    """A DAG and its promises.

    :param dag: makes the DAG, once; called in a process that is forked for each attempt.
    :param wanted: numbers that have to be bought, and not one more; none where nothing may be bought at all.
    :param budget: what they may cost together. :param account: reads the program's own account from the world.
    :param promises: what else must hold, by name, in a sentence.
    :param watch: which of these do not hold now, whatever happened.
    :param conf: parameters of the run. :param settings: of the platform.
    :param variants: by the name that a case has after a +.
    :param worlds: the combinations of variants in which all single accidents are gone through.
    :param furnish: puts things into a new world. :param overnight: what happens in the world from one day to the next.
    :param settled: whether the world is as it is to be; if not, another run follows one that ended complete.
    :param prepare: called before each attempt, in its process, to connect clocks of the program to the world's.
    :param environment: environment variables of the attempts, made of the platform's URL and the data root.
    :param check: what else is wrong when the run ended complete, in sentences.
    :param check_failed: what is wrong with what a failed attempt published, in sentences.
    :param recoveries: ways to go on after an accident; ``lose-root`` where the program survives that, too.
    :param mutant: called once in the process that all attempts are forked from, to break the program on purpose.
    """

    name: str
    dag: Callable[[], DAG]
    environment: Callable[[str, World], Mapping[str, str]]
    wanted: int = 0
    budget: Decimal = Decimal(0)
    account: Callable[[World], Account] = lambda world: Account(owned=frozenset())
    promises: Mapping[str, str] = field(default_factory=dict)
    watch: Callable[[World], Iterable[Violation]] = lambda world: ()
    conf: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=lambda: Settings(numbers=0, stock=20))
    variants: Mapping[str, Variant] = field(default_factory=dict)
    worlds: tuple[tuple[str, ...], ...] = ((),)
    furnish: Callable[[World], None] = lambda world: None
    overnight: Callable[[World], None] = lambda world: None
    settled: Callable[[World], bool] = lambda world: True
    prepare: Prepare = _nothing_to_prepare
    check: Callable[[World, Results], Iterable[str]] = lambda world, results: ()
    check_failed: Callable[[World, Results], Iterable[str]] = lambda world, results: ()
    recoveries: tuple[Recovery, ...] = ("retry", "clear", "recompute", "trigger", "lose-root")
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
