"""A data root restored from a backup, however old: nothing is bought twice, and what was bought is found again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import OrderBook
from operators.conftest import run, sandbox, world
from operators.purchase import ORDER_ID, begun_book, buy
from operators.world import Run, World

__all__ = ["run", "sandbox", "world"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root that was taken into service a day ago."""
    data = tmp_path / "data"
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(data))
    begun_book(DataRoot(data))
    return data


@pytest.fixture
def backups(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A copy of the data root from before each of the writes that a purchase makes."""
    backups: list[Path] = []
    orders = OrderBook(DataRoot(data), "ocp_default")

    def backed_up(name: str) -> None:
        real = getattr(DataRoot, name)

        def write(self: DataRoot, *arguments: Any) -> Any:
            order = orders.read(ORDER_ID)
            if order is None or order.is_open:
                backups.append(tmp_path / "backups" / str(len(backups)))
                shutil.copytree(data, backups[-1])
            return real(self, *arguments)

        monkeypatch.setattr(DataRoot, name, write)

    for name in ("write", "create", "move", "delete"):
        backed_up(name)
    return backups


def restore(backup: Path, data: Path) -> None:
    """Put a backup in place, so long after it was made that the leases in it have run out."""
    shutil.rmtree(data)
    shutil.copytree(backup, data, ignore=shutil.ignore_patterns("*.lease"))


def test_one_from_any_moment_of_a_purchase_buys_nothing_twice(
    world: World, run: Run, data: Path, backups: list[Path]
) -> None:
    first = run(buy())
    ledger = world.sandbox.ledger()["totals"]
    assert ledger["bought"] == 3
    moments = tuple(backups)
    assert len(moments) > 5
    for backup in moments:
        restore(backup, data)
        again = run(buy())
        assert sorted(again["numbers"]) == sorted(first["numbers"]), backup.name
        assert again["outcome"] == "complete"
        assert world.sandbox.ledger()["totals"] == ledger


def test_none_at_all_buys_nothing_twice_either(world: World, run: Run, data: Path) -> None:
    first = run(buy())
    shutil.rmtree(data)
    again = run(buy())
    assert again["adopted"] == 3
    assert sorted(again["numbers"]) == sorted(first["numbers"])
    assert world.sandbox.ledger()["totals"]["bought"] == 3
