"""Parsers of our own documents in the data root, as somebody could have damaged, forged or half restored them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest

from dashboard import records as past
from fuzz.files import folder
from fuzz.hostile import body, mangled, spoilt, text, written
from fuzz.promise import Parser
from inventory.estate import row
from ocp_numbers import balance
from ocp_numbers.bulk.change import Change
from ocp_numbers.bulk.plan import ChangePlan, PlanWriter, load_plan
from ocp_numbers.cleanup import plan as cleanup_plan
from ocp_numbers.data_root import DataRoot
from ocp_numbers.documents import digest
from ocp_numbers.inventory import dates, latest, load
from ocp_numbers.inventory.attribution import Deeds
from ocp_numbers.journal import entries, entries_since, runs
from ocp_numbers.lease import Lease
from ocp_numbers.ordering import Order, OrderBook, Receipt
from ocp_numbers.regions.drift import DOCUMENT, DriftReport
from ocp_numbers.regions.plan import RegionPlan
from ocp_numbers.regions.planning import plan_region
from ocp_numbers.regions.register import PlanRegister
from regions.examples import offer, region, seen

NOW = past.NOW
ENVIRONMENT = past.ENVIRONMENT


@cache
def root() -> DataRoot:
    """A data root as it is after some nights, each document of it good."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        made = DataRoot(folder() / "data")
        past.export(made, [row(place) for place in range(5)])
        past.order(made, ["+12120000001", "+12120000002"], unknown=["+12120000003"])
        past.cleanup(made)
        past.drift(made, athens="drifted")  # type: ignore[arg-type]
        past.done(made, "note", "+12120000001", {"note": "x"}, run="d/r", confirmed=True)
        OrderBook(made, ENVIRONMENT).begin(NOW)
        OrderBook(made, ENVIRONMENT).register(next(iter(OrderBook(made, ENVIRONMENT).orders())), NOW)
        writer = PlanWriter(made, environment=ENVIRONMENT, run="bulk/r", made_at=NOW, source="upload")
        writer.add(Change(number="+12120000001", operation="update", before={"note": "a"}, after={"note": "b"}))
        writer.close()
        PlanRegister(made).keep(plan_region(region(), seen(offers=tuple(offer(each) for each in range(6)))))
        lease = Lease(made, "orders/x.lease", clock=lambda: NOW)
        lease.acquire()
    return made


def _key(ending: str) -> str:
    (found, *_) = [key for key in root().keys("") if key.endswith(ending)]
    return found


def _document(ending: str) -> Any:
    return json.loads(root().read(_key(ending)) or b"")


def _put(ending: str, content: bytes) -> str:
    """Put ``content`` in the place of a document, without the care of a data root, which waits for the disk."""
    key = _key(ending)
    Path(str(root().path(key))).write_bytes(content)
    return key


ORDER = "Athens%2F1.json"


def _whole(wish: Any) -> bytes:
    """An order with the digest that belongs to it, where it has one."""
    if isinstance(wish, dict):
        with suppress(Exception):
            wish["digest"] = digest(Order.model_validate({k: v for k, v in wish.items() if k != "digest"}))
    return written(wish)


def _order(content: bytes) -> object:
    _put(ORDER, content)
    book = OrderBook(root(), ENVIRONMENT)
    damaged: list[str] = []
    list(book.orders(damaged=lambda key, error: damaged.append(str(error))))
    Deeds.since(NOW - timedelta(days=9), root=root(), environment=ENVIRONMENT)
    for order in book.orders():
        receipt = Receipt.of(order)
        assert len(str(receipt)) < 20 * len(content) + 5_000
        order.committed_since(NOW)
        order.excess(order.lines)
        order.model_dump_json().encode()
    return list(book.registered(NOW))


def _begun(content: bytes) -> object:
    _put("begun/ocp_default.json", content)
    return OrderBook(root(), ENVIRONMENT).begin(NOW) < NOW


def _listed(content: bytes) -> object:
    _put("2026-03/" + _key(ORDER).rpartition("/")[2].removesuffix(".json"), content)
    return list(OrderBook(root(), ENVIRONMENT).registered(NOW))


def _region_plan(content: bytes) -> object:
    key = _put(f"{_plan_name()}", content)
    approved = ""
    with suppress(Exception):
        approved = RegionPlan.model_validate_json(content).digest
    plan = PlanRegister(root()).find(key, approved)
    assert len(plan.summary) < 10 * len(content) + 5_000
    return plan


@cache
def _plan_name() -> str:
    (found,) = [key for key in root().keys("regions") if "/plan-" in key]
    return found


def _cleanup_plan(content: bytes) -> object:
    key = _put("2026-03-03/plan.json", content)
    approved = ""
    with suppress(Exception):
        approved = cleanup_plan.CleanupPlan.model_validate_json(content).digest
    plan = cleanup_plan.load_plan(root(), key, environment=ENVIRONMENT, digest=approved)
    return plan.counts


def _change_plan(content: bytes) -> object:
    key = _put("bulk%2Fr/plan.json", content)
    approved = ""
    with suppress(Exception):
        approved = ChangePlan.model_validate_json(content).digest
    plan = load_plan(root(), key, digest=approved)
    return list(plan.changes(root()))


def _manifest(content: bytes) -> object:
    key = _put("manifest.json", content)
    dates(root(), ENVIRONMENT)
    snapshot = load(root(), key.rpartition("/")[0])
    assert snapshot is not None
    assert len(snapshot.digest) == 64
    for name in snapshot.manifest.files:
        with snapshot.open(name) as stream:
            stream.read(1)
    return latest(root(), ENVIRONMENT)


class _Night:
    """A snapshot whose account is what is given."""

    manifest = SimpleNamespace(files={balance.account.BALANCE: None})

    def __init__(self, content: bytes) -> None:
        self._content = content

    def open(self, name: str) -> nullcontext[BinaryIO]:
        return nullcontext(io.BytesIO(self._content))


def _balance(content: bytes) -> object:
    account = balance.read(_Night(content))
    assert account is not None
    return account.summary


def _journal(content: bytes) -> object:
    _put("000001.json", content)
    told: list[tuple[str, str]] = []
    list(entries(root(), ENVIRONMENT, "apply_number_changes/d/r", damaged=lambda *fault: told.append(fault)))
    found = list(
        entries_since(root(), ENVIRONMENT, NOW - timedelta(days=400), damaged=lambda *fault: told.append(fault))
    )
    Deeds.since(NOW - timedelta(days=400), root=root(), environment=ENVIRONMENT)
    for entry in sorted(found, key=lambda each: each.age_key):
        entry.document()
    return runs(root(), ENVIRONMENT, date(2020, 1, 1))


def _lease(content: bytes) -> object:
    _put("x.lease/00000001", content)
    lease = Lease(root(), "orders/x.lease", clock=lambda: NOW)
    try:
        lease.acquire()
    finally:
        for key in root().keys("orders/x.lease"):
            if not key.endswith("00000001"):
                root().delete(key)
    return lease


def _drift(content: bytes) -> object:
    _put(DOCUMENT, content)
    with suppress(ValueError):  # the dashboard and the DAG take what cannot be read for no report
        report = DriftReport.model_validate_json(content)
        return report.summary, report.table
    return None


@cache
def _good() -> dict[str, Any]:
    """The documents as they were, before anything was put in their place."""
    endings = {
        "order": ORDER,
        "begun": "begun/ocp_default.json",
        "region plan": _plan_name(),
        "cleanup plan": "2026-03-03/plan.json",
        "change plan": "bulk%2Fr/plan.json",
        "manifest": "manifest.json",
        "balance": "balance.json",
        "journal": "000001.json",
        "lease": "x.lease/00000001",
        "drift": DOCUMENT,
    }
    return {name: _document(ending) for name, ending in endings.items()}


def _instead_of(name: str) -> Callable[[Random], bytes]:
    return lambda rng: body(rng, _good()[name])


def _orders(rng: Random) -> bytes:
    wish = _good()["order"]
    return _whole(spoilt(rng, wish)) if rng.random() < 0.5 else body(rng, wish)


def _ids(rng: Random) -> bytes:
    return mangled(rng, text(rng).encode("utf-8", "surrogatepass"))


PARSERS = (
    Parser("order document", _orders, _order),
    Parser("beginning of the order book", _instead_of("begun"), _begun),
    Parser("list of the month's orders", _ids, _listed),
    Parser("region's plan", _instead_of("region plan"), _region_plan),
    Parser("cleanup's plan", _instead_of("cleanup plan"), _cleanup_plan),
    Parser("plan of changes", _instead_of("change plan"), _change_plan),
    Parser("manifest", _instead_of("manifest"), _manifest),
    Parser("balance", _instead_of("balance"), _balance),
    Parser("journal's entry", _instead_of("journal"), _journal),
    Parser("lease", _instead_of("lease"), _lease),
    Parser("report of drift", _instead_of("drift"), _drift),
)
