"""What can go wrong, where, and how people and Airflow go on after it: a case, as a value and as one line of text.

::

    buy+delayed 7:killed-during>clear 3:answer-lost>retry

reads: the scenario ``buy`` in its variant ``delayed``; the process is killed in the middle of the seventh effect, and a
person clears the task; at the third effect after that the answer is lost, and Airflow retries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

EffectKind = Literal["call", "write", "report"]
Recovery = Literal["retry", "clear", "recompute", "trigger", "lose-root", "next-day"]
RECOVERIES: tuple[Recovery, ...] = get_args(Recovery)
"""``retry`` by Airflow after its delay; ``clear`` of the failed task, by a person, at once; ``recompute`` clears all
tasks; ``trigger`` starts a new run instead; ``lose-root`` does so after the whole data root was lost, ``next-day`` one
day later."""


class Effect(NamedTuple):
    """What an attempt did to the world outside: a call to OCP, a write to the data root, a report to Airflow."""

    kind: EffectKind
    label: str


KILLED_BEFORE, KILLED_DURING, KILLED_AFTER = "killed-before", "killed-during", "killed-after"

AT_THE_SERVER: dict[str, dict[str, Any]] = {
    "not-delivered": {"kind": "drop_before"},
    "answer-lost": {"kind": "drop_after"},
    "answer-truncated": {"kind": "truncated"},
    "answer-garbled": {"kind": "broken_json"},
    "login-page": {"kind": "html"},
    "refused-401": {"kind": "unauthorized"},
    "refused-200": {"kind": "refuse"},
    "refused-429": {"kind": "status", "status": 429, "retry_after": "1"},
    "failed-500": {"kind": "status", "status": 500},
    "processed-500": {"kind": "status_after", "status": 500},
}
"""What the platform, or what is before it, can do to a call; by name, as the sandbox's faults."""

TERMINATED, FROZEN, DISK_FULL = "terminated", "frozen", "disk-full"

HAPPENS_TO: dict[EffectKind, tuple[str, ...]] = {
    "call": (KILLED_BEFORE, KILLED_DURING, KILLED_AFTER, TERMINATED, FROZEN, *AT_THE_SERVER),
    "write": (KILLED_BEFORE, KILLED_AFTER, TERMINATED, FROZEN, DISK_FULL),
    "report": (KILLED_BEFORE, KILLED_AFTER),
}
"""Which accidents can happen to an effect of each kind. A document is written in two effects, staging and placing:
killed between the two is "during". ``terminated``: Airflow asks the task to end. ``frozen``: the process stands still,
is taken for dead, and goes on where it was after the next attempt has ended."""

ACCIDENTS = tuple(dict.fromkeys(name for names in HAPPENS_TO.values() for name in names))

_STEP = re.compile(r"(?P<at>[1-9][0-9]*):(?P<what>[a-z0-9-]+)>(?P<then>[a-z-]+)")


@dataclass(frozen=True)
class Accident:
    """One thing that goes wrong: ``what`` happens to the first effect that it can happen to from the ``at``-th on.

    Effects are counted from 1, from the start or from the accident before. ``then`` is how people go on after it, if
    it ended an attempt.
    """

    at: int
    what: str
    then: Recovery = "retry"

    def __str__(self) -> str:
        return f"{self.at}:{self.what}>{self.then}"

    def befalls(self, effect: Effect, count: int) -> bool:
        """Whether it happens to ``effect``, the ``count``-th."""
        return count >= self.at and self.what in HAPPENS_TO[effect.kind]


@dataclass(frozen=True)
class Case:
    """A scenario in some of its variants, and the accidents that befall it, in sequence."""

    scenario: str
    variants: tuple[str, ...] = ()
    accidents: tuple[Accident, ...] = ()

    def __str__(self) -> str:
        return " ".join(["+".join([self.scenario, *self.variants]), *map(str, self.accidents)])

    @classmethod
    def parse(cls, line: str) -> Case:
        """The case that :meth:`__str__` wrote.

        :raises ValueError: naming the part that cannot be read.
        """
        first, *rest = line.split() or [""]
        scenario, *variants = first.split("+")
        accidents = []
        for part in rest:
            step = _STEP.fullmatch(part)
            if step is None or step["what"] not in ACCIDENTS or step["then"] not in RECOVERIES:
                raise ValueError(
                    f"{part!r} is not number:accident>recovery; accidents: {', '.join(ACCIDENTS)}; "
                    f"recoveries: {', '.join(RECOVERIES)}"
                )
            then: Any = step["then"]
            accidents.append(Accident(int(step["at"]), step["what"], then))
        return cls(scenario, tuple(variants), tuple(accidents))
