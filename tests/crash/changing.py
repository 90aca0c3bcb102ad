"""The scenario ``bulk``: the whole DAG apply_number_changes with a table that has a row for each kind of change."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ocp_numbers.bulk.applying import apply
from ocp_numbers.journal import Journal
from ocp_sandbox import Settings

from .attempt import WorldClock
from .buying import CONNECTION, VARIANTS, account, begun_book, connect_clocks, environment
from .evidence import Memory, estate, on_record
from .provisioning import dag_of
from .scenario import Results, Scenario, Variant, Violation
from .world import World

TABLE = "uploads/changes.csv"
OFFER, ENTERED, DELETED = "+12125559000", "+12125559001", "+12125550006"
FIELDS = {"note": "NOTE", "setId": "PHONE_NUMBER_SET_ID", "groupId": "GROUP_ID", "miniAppId": "MINIAPP_ID"}
JOURNAL = {"note": "note", "setId": "set_id", "groupId": "group_id", "miniAppId": "mini_app_id"}

EDITED, MINE = "+12125550001", "mine, do not touch"

PROMISES = {
    "not-overwritten": "what somebody changed after the plan was made stays until another plan is approved",
    "as-planned": "each number is as it was or as its row says, field by field, and one without a row is as it was",
    "way-back": "before anything is changed, the file that brings it back is there",
    "on-record": "each number that was changed is in the journal as it was before",
}


def changing() -> Scenario:
    """One number is bought, one entered, one deleted; six are changed, and two have nothing to change."""
    return Scenario(
        name="bulk",
        dag=lambda: dag_of("apply_number_changes"),
        wanted=1,
        budget=Decimal(2),
        account=account,
        environment=environment,
        conf={"ocp_conn_id": CONNECTION, "file": TABLE, "max_unit_price": 2, "max_total_price": 2},
        promises=PROMISES,
        watch=watch,
        settings=Settings(numbers=0, stock=0),
        variants={**{name: VARIANTS[name] for name in ("delayed", "elsewhere")}, "edited": Variant(meanwhile=_edit)},
        worlds=((), ("delayed",), ("edited",)),
        furnish=furnish,
        prepare=prepare,
        check=check,
        recoveries=("retry", "clear", "recompute", "trigger"),
    )


def furnish(world: World) -> None:
    """The numbers, and the table."""
    begun_book(world)
    edit = world.sandbox.edit
    for group in ("us", "eu"):
        edit.add_group(group)
    front, back = edit.add_set("front", "us"), edit.add_set("back", "us")
    sales, support = edit.add_mini_app("Sales", "us"), edit.add_mini_app("Support", "us")
    edit.add_offer(OFFER, "telnova", "US", "2")
    bound = {"mini_app_id": sales, "locale": "en-US"}
    cases: list[tuple[dict[str, Any], dict[str, str] | None]] = [
        ({"note": "lobby"}, {"OPERATION": "Update", "NOTE": "front desk"}),
        ({"note": "hall", "set_id": front}, {"OPERATION": "Update", "PHONE_NUMBER_SET_ID": back}),
        ({}, {"OPERATION": "Attach", "MINIAPP_ID": sales, "LOCALE": "en-US"}),
        ({"note": "busy", **bound}, {"OPERATION": "Detach"}),
        ({"note": "old"}, {"OPERATION": "Update", "NOTE": "<empty>", "GROUP_ID": "eu"}),
        ({"note": "to go"}, {"OPERATION": "Delete"}),
        (bound, {"OPERATION": "Attach", "MINIAPP_ID": support, "LOCALE": "en-US"}),
        ({"note": "roof"}, {"OPERATION": "Update", "NOTE": "roof"}),
        ({"note": "bystander", "set_id": front, **bound}, None),
    ]
    rows: list[dict[str, str]] = []
    for place, (fields, wish) in enumerate(cases, 1):
        number = f"+1212555{place:04}"
        edit.add_number(number, "us", **fields)
        rows += [{"NUMBER": number, **wish}] if wish else []
    rows.append({"NUMBER": OFFER, "OPERATION": "Create", "PROVIDER": "telnova", "GROUP_ID": "us", "COUNTRY": "US"})
    rows.append({"NUMBER": ENTERED, "OPERATION": "Create", "GROUP_ID": "eu", "NOTE": "by hand"})
    table = world.data / TABLE
    table.parent.mkdir(parents=True)
    table.write_text(_csv(rows), encoding="utf-8")
    Memory(world).remember(rows=estate(world), wishes={row["NUMBER"]: row for row in rows}, plan=None)


def prepare(clock: WorldClock, machine: str) -> None:
    """The clocks and pauses of a bulk change follow the world's clock, too."""
    connect_clocks(clock, machine)
    apply.__kwdefaults__.update(now=clock.now, sleep=clock.sleep)  # type: ignore[union-attr]
    Journal.__init__.__kwdefaults__.update(now=clock.now)  # type: ignore[union-attr]


def _edit(world: World) -> None:
    """When something has failed, somebody changes a note that the table is about."""
    memory = Memory(world)
    if memory["plan"] is None and (plan := _plans(world)):
        world.sandbox.edit.change_number(EDITED, note=MINE)
        memory.remember(plan=plan)


def _plans(world: World) -> str:
    """What all plans say that there are."""
    return "".join(sorted(path.read_text() for path in (world.data / "bulk").rglob("plan.json")))


def watch(world: World) -> Iterator[Violation]:
    """What is neither as it was nor as it is to be; what was changed without a way back or a word in the journal."""
    memory, now = Memory(world), estate(world)
    before: dict[str, dict[str, Any]] = memory["rows"]
    wishes, recorded = memory["wishes"], on_record(world)
    kept = [row for path in (world.data / "bulk").rglob("restore*.csv") for row in _table(path.read_text())]
    ways_back = {(row["NUMBER"], column, row[column] or "<empty>") for row in kept for column in FIELDS.values()}
    if memory["plan"] and memory["plan"] == _plans(world) and now[EDITED]["note"] != MINE:
        yield "not-overwritten", f"{EDITED} has the note {now[EDITED]['note']!r} again"
    if strange := now.keys() - before.keys() - {OFFER, ENTERED}:
        yield "as-planned", f"nobody wanted {', '.join(sorted(strange))}"
    if lost := before.keys() - now.keys() - {DELETED}:
        yield "as-planned", f"lost: {', '.join(sorted(lost))}"
    for number, was in before.items():
        row = now.get(number)
        touched = number == EDITED and bool(memory["plan"])
        for key, column in FIELDS.items():
            value = None if row is None else row[key] or None
            if row is not None and value not in _on_the_way(key, was, wishes.get(number, {})) | (
                {MINE} if touched else set()
            ):
                yield "as-planned", f"{number} has {column} {value!r}"
            if touched or (row is not None and row[key] == was[key]):
                continue
            if (number, column, was[key] or "<empty>") not in ways_back:
                yield "way-back", f"no restore file has {number} with {column} {was[key]!r}"
            if (number, JOURNAL[key], was[key]) not in recorded:
                yield "on-record", f"the journal does not have {number} with {column} {was[key]!r}"
    if ENTERED in now and ENTERED not in {row["NUMBER"] for row in kept}:
        yield "way-back", f"the restore file does not take {ENTERED} away again"


def check(world: World, results: Results) -> Iterator[str]:
    """What is not as its row says when the run has ended complete."""
    memory, now = Memory(world), estate(world)
    if DELETED in now:
        yield f"{DELETED} is still there"
    for number, wish in memory["wishes"].items():
        row = now.get(number)
        if row is None and number != DELETED:
            yield f"{number} is not there"
        was = memory["rows"].get(number, dict.fromkeys(FIELDS))
        for key in FIELDS if number != OFFER else ():
            if row is not None and (row[key] or None) != _wanted(key, was, wish):
                yield f"{number} has {key} {row[key]!r}, wanted is {_wanted(key, was, wish)!r}"
    for name, order in world.documents("orders").items():
        if order["outcome"] is None:
            yield f"{name} is open, and nobody comes back to it"
    left = results["apply"]["return_value"]
    if left["refused"] or left["different"]:
        yield f"apply returned {left}"


def _wanted(key: str, was: dict[str, Any], wish: dict[str, str]) -> str | None:
    """What a field is to be in the end."""
    given = wish.get(FIELDS[key])
    if wish.get("OPERATION") == "Detach" and key == "miniAppId":
        return None
    return None if given == "<empty>" else given or was[key]


def _on_the_way(key: str, was: dict[str, Any], wish: dict[str, str]) -> set[str | None]:
    """What a field may be while the change is under way: a number goes from one set to another through none."""
    between = {None} if key == "setId" and wish.get(FIELDS[key]) else set()
    return {was[key] or None, _wanted(key, was, wish), *between}


def _csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _table(text: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO(text, newline=""))
