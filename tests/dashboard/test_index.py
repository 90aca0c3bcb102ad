from __future__ import annotations

import fcntl
import logging
from pathlib import Path
from threading import Event

import pytest

from dashboard.records import export, numbers
from ocp_numbers.dashboard import estate as estate_module
from ocp_numbers.dashboard import index
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.index import Indexer, build
from ocp_numbers.dashboard.question import Question
from ocp_numbers.dashboard.shelf import Shelf
from ocp_numbers.data_root import DataRoot


def test_a_large_snapshot_is_asked_at_once_and_of_its_index_once_that_is_made(
    root: DataRoot, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estate_module, "WORTH_ROWS", 10)
    snapshot = export(root, numbers(120))
    first = estate.table(snapshot)
    assert not first.indexed
    estate.indexer.wait()
    second = estate.table(snapshot)
    assert second.indexed
    asked = Question(sort="note", order="desc", page=2)
    assert first.page(asked) == second.page(asked)


def test_a_small_snapshot_needs_no_index(root: DataRoot, estate: Estate) -> None:
    snapshot = export(root, numbers(20))
    assert not estate.table(snapshot).indexed
    estate.indexer.wait()
    assert not list(estate.shelf.folder.glob("*.duckdb"))


def test_only_one_process_makes_indexes_at_a_time(root: DataRoot, shelf: Shelf) -> None:
    parquet = shelf.file(export(root, numbers(20)), "numbers.parquet")
    indexer = Indexer(shelf)
    with (shelf.folder / "index.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert indexer.find(parquet) is None
        indexer.wait()
        assert not list(shelf.folder.glob("*.duckdb"))
    assert indexer.find(parquet) is None
    indexer.wait()
    assert indexer.find(parquet) is not None


def test_an_index_that_cannot_be_made_is_logged_and_missed_by_nobody(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.keep("something", Path.touch)
    (tmp_path / "broken.parquet").write_bytes(b"not Parquet")
    indexer = Indexer(shelf)
    with caplog.at_level(logging.ERROR):
        assert indexer.find(tmp_path / "broken.parquet") is None
        indexer.wait()
    assert "read from the Parquet file" in caplog.text
    assert {path.name for path in shelf.folder.iterdir()} == {"something", "index.lock"}


def test_who_asks_again_meanwhile_begins_no_second_one(
    root: DataRoot, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []
    goes_on = Event()

    def slow(parquet: Path, target: Path) -> None:
        begun.append(target)
        goes_on.wait(10)
        build(parquet, target)

    monkeypatch.setattr(index, "build", slow)
    parquet = shelf.file(export(root, numbers(20)), "numbers.parquet")
    indexer = Indexer(shelf)
    assert [indexer.find(parquet) for _ in range(5)] == [None] * 5
    goes_on.set()
    indexer.wait()
    assert indexer.find(parquet) is not None
    assert len(begun) == 1
