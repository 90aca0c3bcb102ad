"""What an order costs: time, memory and calls, for ten, a hundred and a thousand numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.measure import BASE, PROJECT, Cost, median, once, python

QUANTITIES = (10, 100, 1_000)
BATCH = 50
STOCK = 5_000
"""Numbers for sale per provider and country; three tenths of them begin with the prefix that is ordered from."""
RUNS = 3
NAMES = {
    "PUT /api/numbers": "buy",
    "POST /api/numbers": "search what is on offer",
    "POST /api/numbers/search": "read back",
}

ORDER = """
import datetime, tempfile
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import Buyer, OrderBook, Policy, Wishes
with OcpClient(ClientSettings(host="{host}", login="ops", password="secret")) as client:
    with tempfile.TemporaryDirectory() as folder:
        book = OrderBook(DataRoot(folder), "bench")
        book.begin(datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1))
        wishes = Wishes(
            provider="telnova", group="retail-us", country_code="US", prefix="+1212", quantity={quantity},
            max_total_price="{budget}",
        )
        receipt = Buyer(client, book, policy=Policy(batch_size={batch})).fulfil(wishes, order_id="bench/order")
assert receipt.outcome == "complete" and len(receipt.bought) == {quantity}, receipt
"""


def run() -> None:
    """Print wall time, CPU time, peak memory and the calls by operation of an order of each size."""
    print(
        f"One order in batches of {BATCH}, {STOCK:,} numbers for sale; medians of {RUNS}, each on a new platform; over "
        f"import {BASE}"
    )
    for quantity in QUANTITIES:
        costs, calls = zip(*(order(quantity) for _ in range(RUNS)), strict=True)
        figures, counted = median(costs), calls[-1]
        batches = -(-quantity // BATCH)
        total = counted.total()
        print(
            f"  {quantity:>5,} numbers  {figures}   {total} calls, {total / batches:.1f} a batch, "
            f"{total / quantity:.3f} a number"
        )
        for operation, count in counted.most_common():
            print(f"      {NAMES.get(operation, operation):<26} {count:>4}   {count / batches:5.2f} a batch")


def order(quantity: int) -> tuple[Cost, Counter[str]]:
    """The cost of one order on a platform of its own, and how often it called each operation.

    :raises RuntimeError: when the platform's ledger does not hold exactly what was ordered.
    """
    with sandbox() as host:
        code = ORDER.format(host=host, quantity=quantity, budget=10 * quantity, batch=BATCH)
        cost = once(python(code, after=BASE))
        bought = ask(host, "ledger")["totals"]["bought"]
        if bought != quantity:
            raise RuntimeError(f"ordered {quantity} numbers, the ledger has {bought}")
        calls = [
            f"{call['method']} {call['path'].removeprefix('/integrations')}" for call in ask(host, "calls")["calls"]
        ]
    return cost, Counter(call for call in calls if "/api/" in call)


@contextmanager
def sandbox(numbers: int = 5_000) -> Iterator[str]:
    """A platform as a process of its own; its address."""
    command = [sys.executable, "-m", "ocp_sandbox", "--port", "0", "--numbers", str(numbers), "--stock", str(STOCK)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "include")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        finally:
            process.terminate()


def ask(host: str, page: str) -> dict[str, Any]:
    """One of the platform's own pages."""
    with urllib.request.urlopen(f"{host}/_sandbox/{page}") as answer:
        content: dict[str, Any] = json.load(answer)
    return content
