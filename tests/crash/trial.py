"""One case under way: attempts, accidents, recoveries, and the look at the promises after each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from airflow.sdk import DAG

from .accidents import Case, Effect, Recovery
from .attempt import Attempt, answer_of
from .promises import always, at_the_end
from .scenario import Scenario, Violation
from .scheduling import Ending, Scheduler, Task, Told
from .world import Platform, World
from .zygote import FROZEN, Zygote

LADDER: tuple[Recovery, ...] = ("clear", "clear", "recompute", "trigger", "trigger", "trigger")
"""How people go on when a task failed for good and the case does not say how: in the end with a new run."""
MOST_ATTEMPTS = 60
HEARTBEAT_TIMEOUT = 300.0
"""Seconds after which Airflow takes a process for dead that it does not hear of."""
MOST_RUNS_MORE = 3
DAY = 86_400.0


@dataclass
class Verdict:
    """What became of a case.

    :param story: how each attempt ended. :param effects: everything that was done to the world, in sequence.
    :param met: how many of the case's accidents happened. :param recoveries: how often people had to go on.
    :param bought: the numbers bought in the end.
    """

    case: Case
    violations: list[Violation] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    met: int = 0
    recoveries: int = 0
    bought: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        broken = [f"  {promise}: {what}" for promise, what in self.violations]
        return "\n".join([str(self.case), *broken, *(f"    {line}" for line in self.story)])


@dataclass(frozen=True)
class Milestone:
    """The state of an undisturbed run before one of its attempts: cases whose first accident is later begin here.

    :param folder: a copy of the world.
    """

    folder: Path
    scheduler: Scheduler
    effects: tuple[Effect, ...]
    story: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """What all trials of a scenario share."""

    scenario: Scenario
    dag: DAG
    zygote: Zygote
    platform: Platform


class Trial:
    """One case from a milestone, or the very beginning, to its end.

    :param world: already as at the milestone.
    :param before_attempt: called before each attempt; may replace the trial's ``world`` by an equal one.
    """

    def __init__(
        self,
        stage: Stage,
        case: Case,
        world: World,
        *,
        since: Milestone | None = None,
        before_attempt: Callable[[Trial], None] = lambda trial: None,
    ) -> None:
        self._stage = stage
        self._scenario = stage.scenario
        self._variants = self._scenario.chosen(case.variants)
        self._many_machines = any(variant.many_machines for variant in self._variants)
        self._before_attempt = before_attempt
        self._left = list(case.accidents)
        self._ladder = iter(LADDER)
        self._then: Recovery | None = None
        self._attempts = 0
        self._rootless = False
        self._frozen = 0
        self._runs_more = 0
        self.world = world
        self.verdict = Verdict(case)
        if since:
            self.scheduler = copy.deepcopy(since.scheduler)
            self.verdict.effects += since.effects
            self.verdict.story += since.story
        else:
            self.scheduler = Scheduler(stage.dag)
            self.scheduler.trigger()
        self._counted = len(self.verdict.effects)

    def run(self) -> Verdict:
        """Go on until the run is complete, a promise is broken, or people give up."""
        while self._attempts < MOST_ATTEMPTS and not self.verdict.violations:
            standing_still = self._frozen
            ending = self.scheduler.step(self._launch)
            if ending is None and self._another_run():
                continue
            if ending is None:
                break
            self.verdict.story.append(str(ending))
            if ending.error and not self._rootless:
                published = self._scenario.check_failed(self.world, self.scheduler.results)
                self._judge(("exact", fault) for fault in published)
            for _ in range(standing_still):
                self._thaw()
            self._judge(always(self._scenario, self.world, rootless=self._rootless))
            if ending.state in ("failed", "up_for_retry") and not self._go_on(ending):
                break
        while self._frozen:
            self._thaw()
        if self.verdict.violations:
            return self.verdict
        if self.scheduler.complete:
            self._judge(always(self._scenario, self.world, rootless=False))
            self._judge(at_the_end(self._scenario, self.world, self.scheduler.results))
        else:
            self._judge([("ends", f"not complete after {self._attempts} attempts")])
        self.verdict.bought = [line.number for line in self.world.bought()]
        return self.verdict

    def _another_run(self) -> bool:
        """Begin another run, a day later, where the last one has left something for it to do."""
        needed = self.scheduler.complete and not self._scenario.settled(self.world)
        if not needed or self._runs_more == MOST_RUNS_MORE:
            return False
        self._runs_more += 1
        self.verdict.story.append("another run")
        self._sleep_over_it()
        self.scheduler.trigger()
        return True

    def _sleep_over_it(self) -> None:
        self.world.sandbox.clock.advance(DAY)
        self._scenario.overnight(self.world)

    def _judge(self, found: Iterable[Violation]) -> None:
        self.verdict.violations += found

    def _go_on(self, ending: Ending) -> bool:
        """Recover as the case says for the accident that ended the attempt, else as Airflow and people do."""
        how = self._then or ("retry" if ending.state == "up_for_retry" else next(self._ladder, None))
        self._then = None
        if how is None:
            return False
        self.verdict.recoveries += 1
        self.verdict.story.append(how)
        if how == "lose-root":
            self.world.lose_data_root()
            self._rootless = True
        seconds = self.scheduler.recover(ending, how)
        if self._frozen and how == "retry":
            seconds += HEARTBEAT_TIMEOUT
        self.world.sandbox.clock.advance(seconds)
        if how == "next-day":
            self._sleep_over_it()
        if not self._frozen:
            # What a process does that was frozen between its last look and a call, nobody can help.
            for variant in self._variants:
                variant.meanwhile(self.world)
        return True

    def _thaw(self) -> None:
        """Let the process go on that was taken for dead. Airflow does not listen to it any more."""
        self._frozen -= 1
        for name, value in self._stage.zygote.thaw():
            if name == "effect":
                self.verdict.effects.append(value)
            elif name == "error":
                self.verdict.story.append(f"thawed: {': '.join(value)}")
            elif name == "ended":
                self.verdict.story.append("the frozen process has ended")

    def _launch(self, task_id: str, task: Task) -> Told:
        self._before_attempt(self)
        self._attempts += 1
        attempt = self._attempt(task_id, task)
        # Where nothing more is to happen nobody will be killed, and the work can be done in the zygote itself.
        start = self._stage.zygote.run if self._left else self._stage.zygote.run_in_place
        for name, value in start(attempt):
            if name == "effect":
                self.verdict.effects.append(value)
                self._counted += 1
            elif name == "met":
                met = self._left.pop(0)
                self._then, self._counted = met.then, 0
                self.verdict.met += 1
                self.verdict.story.append(f"{met.what} at {self.verdict.effects[-1].label}")
            elif name == "ended":
                self._frozen += value == FROZEN
            yield name, value

    def _attempt(self, task_id: str, task: Task) -> Attempt:
        clock, url = self.world.sandbox.clock, self._stage.platform.url
        resume = None
        if task.resume is not None:
            method, arguments = task.resume
            answer = answer_of(task.options or [], datetime.fromtimestamp(clock.now(), timezone.utc))
            resume = (method, {**arguments, "event": answer})
        results = self.scheduler.results
        return Attempt(
            task_id=task_id,
            run_id=self.scheduler.run_id,
            try_number=task.tries,
            max_tries=task.max_tries,
            task_instance=task.instance,
            conf=self._scenario.conf,
            xcoms={(name, key): value for name, found in results.items() for key, value in found.items()},
            may_retry=task.tries <= task.max_tries,
            platform=url,
            data=self.world.data,
            environment=self._scenario.environment(url, self.world),
            resume=resume,
            now=clock.offset,
            accidents=tuple(self._left),
            counted=self._counted,
            machine=f"machine-{self._attempts}" if self._many_machines else "",
        )
