"""The scenario ``cleanup``: the whole DAG cleanup_unused_numbers over an estate with a number for each case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from ocp_numbers.cleanup.releasing import Releasing
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.journal import Journal
from ocp_numbers.operators import cleanup
from ocp_sandbox import Settings
from ocp_sandbox.server import Server

from .attempt import WorldClock
from .buying import CONNECTION, connect_clocks, environment
from .evidence import Memory, estate, given_up, now, on_record
from .provisioning import dag_of
from .scenario import Results, Scenario, Variant, Violation
from .world import LOGIN, PASSWORD, World

QUARANTINE, FRONT = "unused - quarantine", "front desk"
MARK = "[unused since "
GRACE, IDLE, EARLY = 30, 40, 20
"""Days: of grace, since the marks of numbers that are due, and of those that are not."""

Fate = Literal["goes", "waits", "marked", "cleared", "stays"]

PROMISES = {
    "only-due": "nothing but due numbers is given up: none attached, protected, unmarked, in use or not yet due",
    "date-kept": "the date of a mark never moves",
    "on-record": "each number that was changed is in the journal as it was before",
}


@dataclass(frozen=True)
class Number:
    """A number of the estate, and what a cleanup is to make of it."""

    number: str
    fate: Fate
    note: str | None = None
    idle: int | None = None
    group: str = "us"
    place: str | None = None
    attached: bool = False
    purchased: bool = True

    def marked(self, today: date) -> str | None:
        """Its note, with the mark of as many days ago as it is idle."""
        if self.idle is None:
            return self.note
        mark = f"{MARK}{(today - timedelta(days=self.idle)).isoformat()}]"
        return f"{self.note} {mark}" if self.note else mark


ESTATE = (
    Number("+12125550001", "goes", "desk", IDLE, place=QUARANTINE),
    Number("+12125550002", "goes", None, IDLE, place=QUARANTINE, purchased=False),
    Number("+442079460001", "goes", "hall", IDLE, group="eu", place=QUARANTINE),
    Number("+12125550003", "waits", "roof", EARLY, place=QUARANTINE),
    Number("+12125550004", "marked", "lobby"),
    Number("+12125550005", "stays", "busy", attached=True),
    Number("+12125550006", "cleared", "hot", IDLE, place=QUARANTINE, attached=True),
    Number("+12125550007", "stays", "Emergency line"),
    Number("+12125550008", "cleared", "keep", IDLE, place=QUARANTINE),
    Number("+12125550009", "stays", place=FRONT),
)
BUSY, STRANGER = ESTATE[0].number, ESTATE[3].number


def cleaning() -> Scenario:
    """Mark one number, clear two, give up three of two groups after an approval."""
    return Scenario(
        name="cleanup",
        dag=lambda: dag_of("cleanup_unused_numbers"),
        environment=environment,
        conf={
            "ocp_conn_id": CONNECTION,
            "grace_days": GRACE,
            "max_release_percent": 40,
            "protect": ["note:*emergency*"],
            "dry_run": False,
        },
        promises=PROMISES,
        watch=watch,
        settings=Settings(numbers=0, stock=0),
        variants=VARIANTS,
        worlds=((), ("used", "stranger")),
        furnish=furnish,
        overnight=publish,
        settled=lambda world: not any(check(world, {})),
        prepare=prepare,
        check=check,
        recoveries=("retry", "clear", "recompute", "trigger", "next-day"),
    )


def furnish(world: World) -> None:
    """The estate, and an inventory of it."""
    edit, today = world.sandbox.edit, now(world).date()
    for group in ("us", "eu"):
        edit.add_group(group)
    places: dict[tuple[str, str | None], str] = {
        (group, name): edit.add_set(name, group)
        for group, name in (("us", QUARANTINE), ("eu", QUARANTINE), ("us", FRONT))
    }
    app = edit.add_mini_app("Sales", "us")
    for each in ESTATE:
        edit.add_number(
            each.number,
            each.group,
            note=each.marked(today),
            set_id=places.get((each.group, each.place)),
            mini_app_id=app if each.attached else None,
            purchased=each.purchased,
        )
    Memory(world).remember(app=app, rows=estate(world), marks={}, touched=[])
    publish(world)


def publish(world: World) -> None:
    """What nightly_inventory_export does."""
    server = Server("127.0.0.1", 0, world.sandbox.application)
    settings = ClientSettings(host=server.url, login=LOGIN, password=PASSWORD)
    try:
        with OcpClient(settings) as client:
            Export(
                source=ClientSource(lambda: client),
                root=DataRoot(world.data),
                scope=Scope(environment=CONNECTION),
                day=now(world).date(),
                holder="prover",
                formats=("parquet",),
                max_change_percent=100,
                clock=lambda: now(world),
            ).run()
    finally:
        server.stop()
        world.sandbox.application.stopping.clear()


def prepare(clock: WorldClock, machine: str) -> None:
    """The cleanup's clocks and pauses follow the world's clock, too."""
    connect_clocks(clock, machine)
    cleanup.utc_now = clock.now
    Releasing.__init__.__kwdefaults__.update(sleep=clock.sleep)  # type: ignore[union-attr]
    Journal.__init__.__kwdefaults__.update(now=clock.now)  # type: ignore[union-attr]


def _use(world: World) -> None:
    memory = Memory(world)
    if BUSY in estate(world):
        world.sandbox.edit.change_number(BUSY, mini_app_id=memory["app"])
        memory.remember(touched=sorted({*memory["touched"], BUSY}))


def _intrude(world: World) -> None:
    memory = Memory(world)
    release_sets = [each for each in world.sandbox.sets() if each["name"].startswith("unused - release")]
    for found in release_sets:
        if found["groupId"] == "us" and STRANGER not in memory["touched"]:
            world.sandbox.edit.change_number(STRANGER, set_id=found["id"])
            memory.remember(touched=sorted({*memory["touched"], STRANGER}))


VARIANTS = {
    "used": Variant(meanwhile=_use),
    "stranger": Variant(meanwhile=_intrude),
    "elsewhere": Variant(many_machines=True),
}
"""``used``: when something has failed, people attach a number that is due. ``stranger``: they put one that is not due
into a set that is about to be given up. ``elsewhere``: no attempt can see that the process of the last one is dead."""


def watch(world: World) -> Iterator[Violation]:
    """What was given up that must not be; marks that moved; changes that are not in the journal."""
    memory, rows, gone = Memory(world), estate(world), given_up(world)
    for each in ESTATE:
        if each.number in gone and (each.fate != "goes" or each.number in memory["touched"]):
            yield "only-due", f"{each.number} was given up, but {each.fate}"
    notes = {number: row["note"] or "" for number, row in rows.items()}
    marks = {number: note[note.index(MARK) :] for number, note in notes.items() if MARK in note}
    for number, first in memory["marks"].items():
        if marks.get(number, first) != first:
            yield "date-kept", f"{number} was marked {first} and is marked {marks[number]}"
    memory.remember(marks={**marks, **memory["marks"]})
    before = on_record(world)
    for number, row in memory["rows"].items():
        if number in memory["touched"]:
            continue
        for field, key in (("note", "note"), ("set_id", "setId")):
            changed = number in gone or rows[number][key] != row[key]
            if changed and (number, field, row[key]) not in before:
                yield "on-record", f"the journal does not have {number} with {field} {row[key]!r}, as it was"


def check(world: World, results: Results) -> Iterator[str]:
    """What is not as it is to be when the last run has ended complete."""
    memory, rows = Memory(world), estate(world)
    if left := _due(world):
        yield f"still there: {', '.join(sorted(left))}"
    for each in ESTATE:
        before, now = memory["rows"][each.number], rows.get(each.number)
        if now is None:
            continue
        fate = "cleared" if each.number == BUSY and BUSY in memory["touched"] else each.fate
        note, place = now["note"], now["setName"]
        if fate == "marked":
            as_wanted = note == f"{each.note} {memory['marks'][each.number]}" and place == QUARANTINE
        elif fate == "cleared":
            as_wanted = (note or None, place) == (each.note, None)
        else:
            as_wanted = (note, place) == (before["note"], before["setName"])
        if not as_wanted:
            yield f"{each.number}, which {fate}, has the note {note!r} and is in {place}"
    if strange := [each["name"] for each in world.sandbox.sets() if each["name"] not in (QUARANTINE, FRONT)]:
        yield f"left over: {', '.join(strange)}"


def _due(world: World) -> set[str]:
    return {each.number for each in ESTATE if each.fate == "goes"} - given_up(world) - set(Memory(world)["touched"])
