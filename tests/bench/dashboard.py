"""What looking costs: the overview, pages of the table and one number, of a million numbers; a plain scan beside it.

The pages are asked for through the whole application, as a browser would, in a process of its own whose peak memory is
stated. What the index costs is stated, too: it is made once for each snapshot, in the background.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from bench.measure import environment

ROWS = 1_000_000
OVERVIEW, PAGE = 1.0, 0.3
"""Seconds that the overview may take, and that a page of the table may at the 95th percentile."""

NIGHTS = 90
ENVIRONMENT = "bench"
DAY = date(2026, 3, 1)


def run() -> None:
    """Print what each takes; fails where one takes longer than it may."""
    with tempfile.TemporaryDirectory() as folder:
        for step in ("fill", "look"):
            command = [sys.executable, "-W", "ignore", "-m", "bench.dashboard", step, folder]
            paths = f"{Path(__file__).parents[1]}:{environment()['PYTHONPATH']}"
            subprocess.run(command, check=True, env=environment() | {"PYTHONPATH": paths})


def fill(folder: Path) -> None:
    """Write nights of ``ROWS`` numbers, whose notes, sets and miniApps are as different as people make them."""
    import duckdb
    import pyarrow.parquet as pq

    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.inventory import File, Manifest, Proof, Scope, partition_of
    from ocp_numbers.inventory.derived import EXPORTED
    from ocp_numbers.inventory.tally import Tally

    words = "['front', 'desk', 'billing', 'night', 'Reception', 'sales', 'spa', 'Kiosk', 'Oslo', 'Athens', 'Lima']"
    word = "{words}[1 + (hash(i * {seed}) % 11)::INT]"
    note = " || ' ' || ".join(word.format(words=words, seed=seed) for seed in (3, 5, 7))
    columns = {
        "number": "'+1' || (2012000000 + i * 7)",
        "country": "['US', 'CA', 'GR', 'GB'][1 + (hash(i) % 4)::INT]",
        "group_id": "'group-' || hash(i * 13) % 40",
        "mini_app_id": "CASE WHEN i % 5 > 0 THEN 'app-' || hash(i * 17) % 2000 END",
        "mini_app_name": "CASE WHEN i % 5 > 0 THEN 'App ' || hash(i * 17) % 2000 END",
        "locale": "CASE WHEN i % 5 > 0 THEN 'en-US' END",
        "note": f"{note} || ' ' || hash(i * 19) % 100000",
        "set_id": "CASE WHEN i % 3 > 0 THEN 'set-' || hash(i * 23) % 5000 END",
        "set_name": "CASE WHEN i % 3 > 0 THEN 'Set ' || hash(i * 23) % 5000 END",
        "derived_country": "'US'",
        "valid": "true",
        "number_type": "'mobile'",
    }
    select = ", ".join(f"{columns.get(name, 'NULL')} AS {name}" for name in EXPORTED.names)
    root = DataRoot(folder / "data")
    tally = Tally()
    parquet = folder / "numbers.parquet"
    made = duckdb.execute(f"SELECT {select} FROM range({ROWS}) AS every(i)").to_arrow_table()
    assert made is not None
    rows = made.cast(EXPORTED)
    pq.write_table(rows, parquet, compression="zstd", row_group_size=65_536)
    tally.add(rows)
    content = parquet.read_bytes()
    file = File(path=parquet.name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    for ago in range(NIGHTS):
        day = DAY - timedelta(ago)
        at = datetime(day.year, day.month, day.day, 2, tzinfo=timezone.utc)
        proof = Proof(
            total=ROWS, pages=2000, page_size=500, attempts=1, calls=4000, full_check=False, started=at, ended=at
        )
        manifest = Manifest(
            scope=Scope(environment=ENVIRONMENT),
            date=day,
            rows=ROWS,
            rejects=0,
            files={parquet.name: file},
            counts=tally.counts,
            proof=proof,
            versions={},
        )
        folder_of_night = partition_of(ENVIRONMENT, day)
        if not ago:  # of the nights before, only the manifests are looked at
            root.write(f"{folder_of_night}/{parquet.name}", content)
        root.write(f"{folder_of_night}/manifest.json", manifest.document())


def look(folder: Path) -> None:
    """Ask for pages, and say how long each took."""
    from fastapi.testclient import TestClient

    from ocp_numbers.dashboard.access import may_look
    from ocp_numbers.dashboard.application import create_app
    from ocp_numbers.dashboard.estate import Estate
    from ocp_numbers.dashboard.shelf import Shelf
    from ocp_numbers.data_root import DataRoot

    now = datetime(DAY.year, DAY.month, DAY.day, 8, tzinfo=timezone.utc)
    estate = Estate(DataRoot(folder / "data"), Shelf(folder / "shelf"), clock=lambda: now)
    app = create_app(estate)
    assert may_look.dependency is not None
    app.dependency_overrides[may_look.dependency] = lambda: None
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each request, between the figures
    logging.getLogger("httpx").setLevel(logging.WARNING)
    browser = TestClient(app)

    def ask(path: str) -> None:
        answer = browser.get(f"/{ENVIRONMENT}/{path}")
        assert answer.status_code == 200, answer.text

    print(f"{ROWS:,} numbers; wall time, and the CPU time of all threads, which a busy machine does not stretch")
    browser.get("/-/1/style.css")
    estate.shelf.keep("begun", Path.touch)
    with (estate.shelf.folder / "index.lock").open("a") as lock:
        # As long as somebody else makes the index, the Parquet file answers.
        fcntl.flock(lock, fcntl.LOCK_EX)
        overviews = [_told("overview, the very first of a night", lambda: ask(""))]
        _told("a page of the table, before there is an index", lambda: ask("numbers?sort=note&page=9000"))
    ask("")
    _told("the index, made in the background, once a night", estate.indexer.wait)
    overviews += [_told("overview, again", lambda: ask("")) for _ in range(3)]
    _told("one number and its history", lambda: ask("numbers/%2B12012000700"))

    pages = [_taken(lambda path=path: ask(path)) for path in _questions()]  # type: ignore[misc]
    page = Took(*(sorted(figures)[int(0.95 * len(pages))] for figures in zip(*pages, strict=True)))
    middle = Took(*(statistics.median(figures) for figures in zip(*pages, strict=True)))
    print(f"  {f'a page of the table, the middle one of {len(pages)}':<50} {middle}")
    print(f"  {'a page of the table, 95 % of them within':<50} {page}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {'peak memory, the index included':<50} {peak:6.0f} MiB")
    snapshot = estate.latest(ENVIRONMENT)
    assert snapshot is not None
    path = estate.shelf.file(snapshot, "numbers.parquet")
    scan = min((_taken(lambda: _scan(path)) for _ in range(3)), key=lambda took: took.cpu)
    print(f"  {'a plain scan of the file, filtered and sorted':<50} {scan}, {scan.cpu / middle.cpu:.0f} times a page")
    if max(each.least for each in overviews) > OVERVIEW or page.least > PAGE:
        raise RuntimeError(f"slower than the overview's {OVERVIEW} s or a page's {PAGE} s")


def _questions() -> list[str]:
    """Two hundred pages: any order, any page up to the last, with and without words and filters."""
    draw = random.Random(1)
    filters = (
        "",
        "",
        "&q=athens",
        "&q=Night+desk",
        "&q=%2B1+201+234",
        "&q=" + "{number}",
        "&country=GR",
        "&group=group-7",
        "&set=Set+77",
        "&mini_app=App+9",
        "&attached=no",
        "&q=spa&country=US&attached=yes",
    )
    asked = []
    for _ in range(200):
        sort = draw.choice(("number", "country", "group", "set", "mini_app", "type", "locale", "note"))
        page = draw.choice((1, 1, draw.randrange(1, 20_000), 20_000))
        narrowed = draw.choice(filters).replace("{number}", str(draw.randrange(10**4, 10**6)))
        asked.append(f"numbers?sort={sort}&order={draw.choice(('asc', 'desc'))}&page={page}{narrowed}")
    return asked


def _scan(path: Path) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = pq.read_table(path)
    found = rows.filter(pc.match_substring(rows["note"], "athens", ignore_case=True))
    assert found.sort_by("note").slice(0, 50).num_rows == 50


class Took(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float

    @property
    def least(self) -> float:
        """What it takes at most on a machine with nothing else to do."""
        return min(self)

    def __str__(self) -> str:
        return f"{self.wall:6.3f} s   cpu {self.cpu:6.3f} s"


def _taken(call: Callable[[], object]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def _told(what: str, call: Callable[[], object]) -> Took:
    took = _taken(call)
    print(f"  {what:<50} {took}", flush=True)
    return took


if __name__ == "__main__":
    {"fill": fill, "look": look}[sys.argv[1]](Path(sys.argv[2]))
