"""What a bulk change costs: a whole inventory is exported, edited, applied and exported again, as large as it may be.

The edit asks something of every number: nine of ten get another note, one of ten another miniApp. Time, memory and
calls are those of planning and applying; the exports before and after are only there to prove that what came out is
what the edit says.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from bench.buying import ask, sandbox
from bench.measure import BASE, once, python

ROWS = (10_000, 100_000)
NAMES = {
    "PUT /api/numbers/csv": "send a file",
    "GET /api/numbers": "a page, to look or to read back",
    "POST /api/numbers/search": "a page, to plan by",
}

START = """
import csv, datetime, gzip, io, sys
from itertools import count
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
root = DataRoot("{folder}")
client = OcpClient(ClientSettings(host="{host}", login="ops", password="secret"))
TABLE = root.path("edited.csv")

def exported(day):
    from ocp_numbers.inventory import Scope
    from ocp_numbers.inventory.export import Export
    from ocp_numbers.inventory.source import ClientSource
    date = datetime.date(2026, 1, day)
    snapshot = Export(source=ClientSource(lambda: client), root=root, scope=Scope(environment="bench"), day=date,
                      holder="bench").run()
    assert snapshot.rows == {rows}, snapshot.rows
    with snapshot.open("numbers.csv.gz") as packed, gzip.open(packed, "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)
"""

EDIT = (
    START
    + """
app = None
with TABLE.open("w", encoding="utf-8", newline="") as text:
    for place, row in enumerate(exported(1)):
        if place == 0:
            writer = csv.DictWriter(text, ["OPERATION", *row])
            writer.writeheader()
        app = app or (row["mini_app_id"] and (row["mini_app_id"], row["locale"]))
        if place % 10 == 9 and app:
            edit = {{"OPERATION": "Attach", "mini_app_id": app[0], "locale": app[1]}}
        else:
            edit = {{"OPERATION": "Update", "note": f"edited {{place}}"}}
        writer.writerow(row | edit)
client.close()
"""
)

APPLY = (
    START
    + """
import time
from ocp_numbers.bulk import apply, plan_changes
from ocp_numbers.journal import Actor, Journal
now = datetime.datetime.now(datetime.timezone.utc)
began = time.perf_counter()
with TABLE.open("rb") as stream:
    plan = plan_changes(lambda: client, root, stream, environment="bench", run="bench", name="file", now=now)
planned = time.perf_counter()
journal = Journal(root, "bench", Actor(dag_id="bench", run_id="bench", task_id="apply"), plan=plan.digest)
account = apply(lambda: client, root, plan, journal)
assert account.done == plan.total > {rows} * 0.9 and not account.problem, account
root.write("seconds", f"{{planned - began:.1f}} {{time.perf_counter() - planned:.1f}} {{plan.total}}".encode())
client.close()
"""
)

COMPARE = (
    START
    + """
FIELDS = ("number", "group_id", "mini_app_id", "locale", "note", "set_id")
compared = 0
with TABLE.open("r", encoding="utf-8", newline="") as text:
    for wanted, found in zip(csv.DictReader(text), exported(2), strict=True):
        differing = [field for field in FIELDS if wanted[field] != found[field]]
        assert not differing, (differing, wanted, found)
        compared += 1
assert compared == {rows}
client.close()
"""
)


def run() -> None:
    """Print time, memory and calls of planning and applying a change to every number of an inventory."""
    print(f"A change to every number, planned and applied, over import {BASE}; the export afterwards says what it does")
    for rows in ROWS:
        with sandbox(numbers=rows) as host, tempfile.TemporaryDirectory() as folder:
            about = {"host": host, "folder": folder, "rows": rows}
            once(python(EDIT.format(**about), after=BASE))
            before = _calls(host)
            cost = once(python(APPLY.format(**about), after=BASE))
            calls = _calls(host) - before
            once(python(COMPARE.format(**about), after=BASE))
            planned, applied, changes = (Path(folder) / "seconds").read_text().split()
        print(
            f"  {rows:>7,} numbers  wall {cost.wall:7.2f} s   cpu {cost.cpu:7.2f} s   peak {cost.peak / 2**20:5.0f} MiB"
        )
        print(f"      planned in {planned} s, {int(changes):,} changes applied and read back in {applied} s")
        for call, count in calls.most_common():
            print(f"      {NAMES.get(call, call):<32} {count:>6}   {count / rows:6.4f} a number")


def _calls(host: str) -> Counter[str]:
    """How often each operation was called so far."""
    called = (f"{call['method']} {call['path'].removeprefix('/integrations')}" for call in ask(host, "calls")["calls"])
    return Counter(call for call in called if "/api/" in call)
