"""The scenario ``export``: the nightly export of 25 numbers, of which the last published snapshot knows 23."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import DAG

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot
from ocp_sandbox import Settings

from .attempt import WorldClock
from .buying import connect_clocks
from .scenario import Results, Scenario, Variant, Violation
from .world import World, connection

if TYPE_CHECKING:
    from ocp_numbers.inventory import CompleteSnapshot

CONNECTION = "ocp_crash"
NUMBERS, KNOWN = 25, 23
PAGE_SIZE = 10
FURNISHED = "furnished"
"""Document that is there as long as the data root is the one that the world began with."""

State = list[tuple[Any, ...]]
FIELDS = (
    *("number", "country", "groupId", "miniAppId", "miniAppName", "miniAppType", "miniAppDiamantAppName"),
    *("miniAppGroup", "locale", "note", "applicationTag", "setId", "setName"),
)
"""The fields of the sandbox's numbers, in the order of the export's columns."""

ResultT = TypeVar("ResultT")


class Known:
    """A listing of numbers as they were known earlier."""

    calls = retries = 0

    def __init__(self, numbers: Sequence[Mapping[str, Any]]) -> None:
        self._numbers = [{**each, "phoneNumbersSetId": each["setId"]} for each in numbers]

    def fetch(self, page: int, page_size: int, read: Callable[[bytes], ResultT]) -> ResultT:
        """What ``read`` makes of a page."""
        count = len(self._numbers)
        rows = self._numbers[(page - 1) * page_size : page * page_size]
        pages = -(-count // page_size)
        return read(json.dumps({"numbers": rows, "page": page, "numberOfPages": pages, "allNumbers": count}).encode())

    def csv(self) -> str:
        """Not asked for."""
        raise NotImplementedError


def exporting() -> Scenario:
    """Export over yesterday's snapshot, or in its variant ``again`` over one of the same date."""
    return Scenario(
        name="export",
        dag=_dag,
        environment=environment,
        settings=Settings(numbers=NUMBERS, stock=0),
        promises={
            "whole": "every published snapshot is the inventory of one night, row for row and in every file",
            "kept": "there is a snapshot to read at any moment",
        },
        watch=_watch,
        variants=VARIANTS,
        worlds=((), ("again",)),
        furnish=lambda world: _publish_known(world, days_ago=1),
        prepare=connect,
        check=_published,
    )


def _dag() -> DAG:
    from ocp_numbers.operators.export import ExportNumbersOperator

    with DAG("export_all", schedule=None) as dag:
        ExportNumbersOperator(task_id="export", ocp_conn_id=CONNECTION, keep_days=30, retries=2)
    return dag


def environment(url: str, world: World) -> Mapping[str, str]:
    """A connection that reads small pages one after the other, so that a case always has the same effects."""
    fields = {**connection(url), "extra": {"page_size": PAGE_SIZE, "max_concurrency": 1}}
    return {f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(fields), "OCP_NUMBERS_DATA": str(world.data)}


def connect(clock: WorldClock, machine: str) -> None:
    """The export's clocks follow the world's, too."""
    from ocp_numbers.inventory.export import Export
    from ocp_numbers.inventory.retention import expire

    connect_clocks(clock, machine)
    for function in (Export.__init__, expire):
        function.__kwdefaults__.update(clock=clock.now)  # type: ignore[union-attr]


def _publish_known(world: World, *, days_ago: int) -> None:
    """Publish what was known of the inventory on an earlier day, or earlier on the same one."""
    from ocp_numbers.inventory import Scope
    from ocp_numbers.inventory.export import Export

    now = _now(world) - timedelta(hours=1)
    Export(
        source=Known(world.sandbox.numbers()[:KNOWN]),
        root=_root(world),
        scope=Scope(environment=CONNECTION, login="ops"),
        day=(_now(world) - timedelta(days_ago)).date(),
        holder="yesterday",
        page_size=PAGE_SIZE,
        clock=lambda: now,
    ).run()
    _root(world).write(FURNISHED, b"")


VARIANTS = {
    "again": Variant(furnish=lambda world: _publish_known(world, days_ago=0)),
    "elsewhere": Variant(many_machines=True),
}
"""``again``: there is a snapshot of the same date, which the export replaces. ``elsewhere``: no attempt can see that
the process of the last one is dead."""


def _watch(world: World) -> Iterator[Violation]:
    """Look at every published snapshot as any reader does."""
    from ocp_numbers.inventory import dates, load, partition_of

    root = _root(world)
    now = _state(world)
    nights = [[(*row[:-1], None) for row in now[:KNOWN]], now]
    days = dates(root, CONNECTION)
    if not days and root.read(FURNISHED) is not None:
        yield "kept", "no snapshot is published"
    for day in days:
        try:
            snapshot = load(root, partition_of(CONNECTION, day))
            assert snapshot is not None
            rows = _content(snapshot)
            for name in snapshot.manifest.files:
                with snapshot.open(name):
                    pass  # its digest is the manifest's
            with snapshot.open("numbers.csv.gz") as stream:
                cells = list(csv.reader(io.TextIOWrapper(gzip.GzipFile(fileobj=stream), "utf-8", newline="")))[1:]
        except IncompleteSnapshot as fault:
            yield "whole", f"{day}: {fault}"
            continue
        if rows not in nights:
            yield "whole", f"{day}: {len(rows)} rows that no night had"
        if [tuple(value or "" for value in row) for row in rows] != [tuple(line[: len(rows[0])]) for line in cells]:
            yield "whole", f"{day}: the CSV says something else than the Parquet file"


def _published(world: World, results: Results) -> Iterator[str]:
    from ocp_numbers.inventory import latest

    root, told = _root(world), results["export"]["return_value"]
    snapshot = latest(root, CONNECTION)
    assert snapshot is not None
    if _content(snapshot) != _state(world):
        yield f"the latest snapshot is {snapshot.date}'s and not the inventory"
    # Not its digest: who was taken for dead before it had begun may wake up, and rightly export the date once more.
    if (told["rows"], told["path"]) != (NUMBERS, str(_root(world).path(snapshot.folder))):
        yield f"the task returned {told}"
    pointer = json.loads(root.read(f"inventory/environment={CONNECTION}/latest.json") or b"{}")
    if pointer.get("digest") != snapshot.digest:
        yield f"latest.json names {pointer}"
    named = {"manifest.json", *(file.path for file in snapshot.manifest.files.values())}
    lying = {path.name for path in (world.data / snapshot.folder).iterdir()}
    if lying != named:
        yield f"in {snapshot.folder} lie {sorted(lying)}, named are {sorted(named)}"


def _root(world: World) -> DataRoot:
    return DataRoot(world.data)


def _now(world: World) -> datetime:
    return datetime.fromtimestamp(world.sandbox.clock.now(), timezone.utc)


def _state(world: World) -> State:
    return [tuple(each[name] for name in FIELDS) for each in world.sandbox.numbers()]


def _content(snapshot: CompleteSnapshot) -> State:
    from ocp_numbers.inventory import read_rows

    return [tuple(row.model_dump().values()) for row in read_rows(snapshot)]
