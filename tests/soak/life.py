"""Many nights of an operations team: regions come and go, unused numbers are found and given up, every night an export.

In the middle of it calls go wrong and processes die. What is promised is looked at after each night and at the end.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow.sdk.bases.operator import ExecutorSafeguard

from ocp_numbers.data_root import DataRoot
from ocp_numbers.hooks import ocp
from ocp_numbers.ordering import OrderBook
from ocp_sandbox import Fault, Sandbox, Settings

from . import audit, gauges
from .compressed import compress
from .dying import Death
from .work import Crew, NeverDone

DAY = 86_400.0
GROUP = "retail-us"
QUANTITY = 2
KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "retry_after": 2},
    {"kind": "status_after", "status": 500},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "truncated"},
    {"kind": "broken_json"},
    {"kind": "html"},
    {"kind": "unauthorized"},
    {"kind": "drift", "field": "allNumbers"},
    {"kind": "delay", "seconds": 1.5},
)
READ_TIMEOUT = 1.0
"""Seconds, less than a delayed answer takes: that becomes a timeout."""
DEATHS = 0.002
"""The share of steps at which the process dies: a provisioning takes about a hundred."""
LEFT_FREE = 4
"""One in so many of a new platform's free numbers is left: all would be used up before any is bought."""


@dataclass(frozen=True)
class Plan:
    """What is lived through.

    :param faults: the share of calls that go wrong. :param plant: ``leak`` or ``ledger``: what is broken on purpose.
    """

    nights: int = 500
    provisionings: int = 500
    cleanups: int = 100
    faults: float = 0.01
    plant: tuple[str, ...] = ()

    @property
    def grace_days(self) -> int:
        """How long a mark stands before its number is given up, and a region lives."""
        return 10 if self.nights >= 60 else 2

    @property
    def keep_days(self) -> int:
        """How long snapshots and journals are kept; the platform's history needs a few days more than the grace."""
        return 3 * self.grace_days


@dataclass
class Account:
    """What came of it."""

    readings: list[gauges.Reading] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)


class Life:
    """One life, in ``folder``."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.account = Account()
        self._data = folder / "data"
        self._policy = folder / "cleanup.yaml"
        self._policy.write_text(
            f"dry_run: false\ngrace_days: {plan.grace_days}\nmax_release: 1000\nmax_release_percent: 60\n",
            encoding="utf-8",
        )
        self._settings = Settings(numbers=300, stock=2 * QUANTITY * plan.provisionings + 200, state=folder / "world.db")
        self._regions: dict[int, list[dict[str, Any]]] = {}
        self._released: list[str] = []
        self._planted: list[Any] = []
        self._calls = self._faults = 0

    def live(self) -> Account:
        """All nights, and the reckoning."""
        began, cpu = time.monotonic(), time.process_time()
        with Sandbox(self._settings) as sandbox:
            compress(sandbox)
            self._connect(sandbox)
            self._furnish(sandbox)
            crew = Crew(sandbox, Death(DEATHS), policy=self._policy, keep_days=self.plan.keep_days)
            self._root = DataRoot(self._data)
            with self._faulty(sandbox):
                for night in range(self.plan.nights):
                    self._night(sandbox, crew, night)
            self._reckon(sandbox, crew)
        self.account.figures["duration"] = f"{time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU"
        return self.account

    def _connect(self, sandbox: Sandbox) -> None:
        ExecutorSafeguard.test_mode = True
        vars(ocp)["mask_secret"] = lambda secret: None  # one process here does what thousands do there
        extra = {"read_timeout": READ_TIMEOUT, "page_size": 100, "settle_seconds": 5}
        connection = {"conn_type": "ocp", "host": sandbox.url, "login": "ops", "password": "secret", "extra": extra}
        os.environ["AIRFLOW_CONN_OCP_DEFAULT"] = json.dumps(connection)
        os.environ["OCP_NUMBERS_DATA"] = str(self._data)

    def _furnish(self, sandbox: Sandbox) -> None:
        free = [row for row in sandbox.numbers() if row["groupId"] == GROUP and not (row["miniAppId"] or row["setId"])]
        for place, row in enumerate(free):
            if place % LEFT_FREE:
                sandbox.edit.remove_number(row["number"])

    @contextmanager
    def _faulty(self, sandbox: Sandbox) -> Iterator[None]:
        for seed, kind in enumerate(KINDS):
            sandbox.faults.add(Fault(path="/api/*", probability=self.plan.faults / len(KINDS), seed=seed, **kind))
        yield
        sandbox.faults.clear()

    def _night(self, sandbox: Sandbox, crew: Crew, night: int) -> None:
        plan = self.plan
        try:
            self._people_give_up_regions(sandbox, night)
            self._provision(sandbox, crew, night)
            self.account.verdicts[crew.export(night)["balance"]] += 1
            if _times(plan.cleanups, plan.nights, night):
                self._clean_up(sandbox, crew, night)
        except NeverDone as error:
            self.account.breaches.append(f"night {night}: {error}")
        if "leak" in plan.plant:
            self._leak()
        calls = sandbox.calls()
        self._calls += len(calls)
        self._faults += sum(call["fault"] is not None for call in calls)
        sandbox.clear_calls()
        if night % max(1, plan.nights // 50) == 0 or night == plan.nights - 1:
            self.account.readings.append(gauges.read(night, self._data))
        sandbox.clock.advance(DAY)

    def _provision(self, sandbox: Sandbox, crew: Crew, night: int) -> None:
        """As many regions as are due; always at least two at a time, all in one area."""
        due = _times(self.plan.provisionings, self.plan.nights, night, every=2)
        app = next(app["id"] for app in sandbox.miniapps() if app["group"] == GROUP)
        regions = [
            {
                "ocp_conn_id": audit.ENVIRONMENT,
                "group": GROUP,
                "provider": "telnova",
                "country_code": "US",
                "prefix": "",
                "quantity": QUANTITY,
                "set_name": f"desk-{night}-{place}",
                "mini_app_id": app,
                "locale": "en-US",
                "max_unit_price": 1000,
                "max_total_price": 100_000,
            }
            for place in range(due)
        ]
        if not regions:
            return
        self._regions[night] = regions
        crew.provision(*regions)
        sizes = Counter(row["setName"] for row in sandbox.numbers())
        wrong = [region["set_name"] for region in regions if sizes[region["set_name"]] != QUANTITY]
        if wrong:
            self.account.breaches.append(f"night {night}: not {QUANTITY} numbers in {', '.join(wrong)}")

    def _people_give_up_regions(self, sandbox: Sandbox, night: int) -> None:
        """Who used the oldest regions does not any more: their numbers are attached to nothing and in no set."""
        over = [each for each in self._regions if each <= night - self.plan.grace_days]
        names = {region["set_name"] for each in over for region in self._regions.pop(each)}
        for row in sandbox.numbers() if names else ():
            if row["setName"] in names:
                sandbox.edit.change_number(row["number"], mini_app_id=None, set_id=None, locale=None)

    def _clean_up(self, sandbox: Sandbox, crew: Crew, night: int) -> None:
        used = {row["number"] for row in sandbox.numbers() if row["miniAppId"]}
        before = set(audit.gone(sandbox))
        crew.clean_up(night)
        went = set(audit.gone(sandbox)) - before
        self._released += sorted(went)
        if went & used:
            self.account.breaches.append(f"night {night}: {len(went & used)} numbers in use were given up")

    def _reckon(self, sandbox: Sandbox, crew: Crew) -> None:
        account, plan = self.account, self.plan
        if "ledger" in plan.plant:
            book = OrderBook(self._root, audit.ENVIRONMENT)
            self._root.delete(book.key(next(book.orders()).order_id))
        account.breaches += audit.differences(sandbox, self._root, self._on_record())
        last = crew.export(plan.nights)
        if last["balance"] != "balanced":
            account.breaches.append(f"the books of the last night are {last['balance']}")
        account.breaches += gauges.breaches(account.readings)
        account.troubles = crew.troubles
        totals = sandbox.ledger()["totals"]
        account.figures |= {
            "bought": f"{totals['bought']} numbers for {totals['spent']}",
            "calls": f"{self._calls:,}, of which {self._faults:,} went wrong",
            "given up": f"{len(audit.gone(sandbox))} numbers",
            "in the inventory": f"{len(sandbox.numbers())} numbers",
        }

    def _on_record(self) -> list[str]:
        """What our journals and cleanups' results say was given up; results are kept for good."""
        results = [json.loads(path.read_bytes()) for path in sorted((self._data / "cleanup").glob("*/result.json"))]
        return [number for result in results for number in result["released"]]

    def _leak(self) -> None:
        """As a program would that forgets what it opened."""
        self._planted += [bytearray(os.urandom(8 * gauges.MEBIBYTE)), self._policy.open("rb")]
        threading.Thread(target=threading.Event().wait, daemon=True).start()


def _times(total: int, nights: int, night: int, *, every: int = 1) -> int:
    """How many of ``total`` fall to this night when they are spread over all, in lots for ``every`` nights."""
    if night % every:
        return 0
    after = min(nights, night + every)
    return total * after // nights - total * night // nights
