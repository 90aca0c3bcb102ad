from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dashboard.records import TODAY, export, numbers
from ocp_numbers.dashboard.shelf import IN_USE_SECONDS, Shelf
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot


def _hundred_bytes(target: Path) -> None:
    target.write_bytes(b"x" * 100)


def test_a_file_is_made_once(shelf: Shelf) -> None:
    made = []

    def make(target: Path) -> None:
        made.append(target)
        target.write_text("content")

    assert shelf.keep("a", make) == shelf.keep("a", make) == shelf.folder / "a"
    assert len(made) == 1
    assert (shelf.folder / "a").read_text() == "content"


def test_a_file_that_cannot_be_made_leaves_nothing(shelf: Shelf) -> None:
    def make(target: Path) -> None:
        target.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        shelf.keep("a", make)
    assert list(shelf.folder.iterdir()) == []


def test_a_copy_is_proven_to_be_the_published_file(root: DataRoot, shelf: Shelf) -> None:
    snapshot = export(root, numbers(3))
    path = shelf.file(snapshot, "numbers.parquet")
    original = root.path(f"{snapshot.folder}/numbers.parquet")
    assert path.read_bytes() == original.read_bytes()
    original.write_bytes(b"damaged")
    assert shelf.file(snapshot, "numbers.parquet") == path, "what was proven once is kept"
    with pytest.raises(IncompleteSnapshot, match="not the file that its manifest names"):
        Shelf(shelf.folder / "other").file(snapshot, "numbers.parquet")


def test_a_file_that_was_not_published_is_named(root: DataRoot, shelf: Shelf) -> None:
    with pytest.raises(IncompleteSnapshot, match=r"has no numbers\.xlsx"):
        shelf.file(export(root, numbers(1), TODAY), "numbers.xlsx")


def test_the_longest_unused_files_make_room_and_those_in_use_stay(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", most_bytes=250)
    for name in "abc":
        shelf.keep(name, _hundred_bytes)
    assert {path.name for path in shelf.folder.iterdir()} == {"a", "b", "c"}, "all of them are in use"
    long_ago = time.time() - IN_USE_SECONDS - 60
    for age, name in enumerate("bca"):
        os.utime(shelf.folder / name, (long_ago + age, long_ago + age))
    assert shelf.has("c")
    shelf.keep("d", _hundred_bytes)
    assert {path.name for path in shelf.folder.iterdir()} == {"c", "d"}


def test_a_folder_that_leads_elsewhere_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shelf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        Shelf(tmp_path / "shelf").keep("a", Path.touch)


def test_the_folder_is_this_users_alone(shelf: Shelf) -> None:
    shelf.keep("a", Path.touch)
    assert shelf.folder.stat().st_mode & 0o077 == 0
