"""Puts a scenario to the proof: all single accidents, or whatever cases it is given."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from .accidents import HAPPENS_TO, Accident, Case
from .attempt import Attempt, be_quiet, run_attempt
from .effects import Tell
from .scenario import Scenario
from .trial import Milestone, Stage, Trial, Verdict
from .world import Platform, World, scratch
from .zygote import Zygote


@dataclass(frozen=True)
class Calm:
    """The undisturbed run in a world of some variants, and its milestones in sequence."""

    verdict: Verdict
    milestones: tuple[Milestone, ...]

    def last_before(self, effect: int) -> Milestone:
        """The last milestone before the ``effect``-th effect."""
        return [each for each in self.milestones if len(each.effects) < effect][-1]


class Prover:
    """Carries out cases of one scenario. A context manager; enter it where this process has no threads."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    def __enter__(self) -> Prover:
        self._scratch = scratch()
        self._folder = self._scratch.__enter__()
        self._calm: dict[tuple[str, ...], Calm] = {}
        dag, scenario = self.scenario.dag(), self.scenario

        def prepare() -> None:
            be_quiet()
            scenario.mutant()

        def work(attempt: Attempt, tell: Tell) -> None:
            run_attempt(dag, scenario.prepare, attempt, tell)

        zygote = Zygote(work, prepare=prepare)
        self._stage = Stage(scenario, dag, zygote, Platform())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stage.zygote.close()
        self._stage.platform.close()
        self._scratch.__exit__(kind, error, trace)

    def run(self, case: Case) -> Verdict:
        """Carry out one case and judge it."""
        calm = self.calm(case.variants)
        if not case.accidents or calm.verdict.violations:
            return calm.verdict
        since = calm.last_before(case.accidents[0].at)
        world = self._world(case.variants, like=since)
        trial = Trial(self._stage, case, world, since=since)
        try:
            return trial.run()
        finally:
            trial.world.close()

    def single_accidents(self, variants: tuple[str, ...] = ()) -> Iterator[list[Case]]:
        """The undisturbed run, then every accident at every effect of it; each with the cases that differ in how people
        go on.
        """
        name = self.scenario.name
        yield [Case(name, variants)]
        for at, effect in enumerate(self.calm(variants).verdict.effects, 1):
            for what in HAPPENS_TO[effect.kind]:
                yield [Case(name, variants, (Accident(at, what, then),)) for then in self.scenario.recoveries]

    def prove(self, alternatives: list[Case]) -> Iterator[Verdict]:
        """The verdicts on cases that differ in how people go on; only one where nobody had to."""
        for case in alternatives:
            verdict = self.run(case)
            yield verdict
            if not verdict.recoveries:
                return

    def calm(self, variants: tuple[str, ...]) -> Calm:
        """The undisturbed run in a world of these variants, carried out once."""
        if variants not in self._calm:
            milestones: list[Milestone] = []

            def remember(trial: Trial) -> None:
                folder = self._folder / "+".join(["milestone", *variants, str(len(milestones))])
                trial.world = self._copied(trial.world, folder, variants)
                effects, story = tuple(trial.verdict.effects), tuple(trial.verdict.story)
                milestones.append(Milestone(folder, copy.deepcopy(trial.scheduler), effects, story))

            case = Case(self.scenario.name, variants)
            trial = Trial(self._stage, case, self._world(variants), before_attempt=remember)
            verdict = trial.run()
            trial.world.close()
            self._calm[variants] = Calm(verdict, tuple(milestones))
        return self._calm[variants]

    def _world(self, variants: tuple[str, ...], *, like: Milestone | None = None) -> World:
        """A new world, or one as it was at a milestone. All live in the same place, one after the other."""
        place = self._folder / "world"
        if place.exists():
            shutil.rmtree(place)
        if like:
            shutil.copytree(like.folder, place)
            return self._opened(variants)
        world = self._opened(variants)
        self.scenario.furnish(world)
        for variant in self.scenario.chosen(variants):
            variant.furnish(world)
        return world

    def _copied(self, world: World, folder: Path, variants: tuple[str, ...]) -> World:
        world.close()
        shutil.copytree(world.folder, folder)
        return self._opened(variants)

    def _opened(self, variants: tuple[str, ...]) -> World:
        settings = self.scenario.settings
        for variant in self.scenario.chosen(variants):
            settings = variant.settings(settings)
        world = World(self._folder / "world", settings)
        self._stage.platform.show(world.sandbox)
        return world
