"""The data root keeps documents whole through crashes and races, and no text from outside becomes a path."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.errors import InvalidInput
from ocp_numbers.stores import STAGING


@pytest.fixture(params=["folder", "file", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> DataRoot:
    uris = {"folder": str(tmp_path), "file": tmp_path.as_uri(), "memory": f"memory://{tmp_path.name}"}
    return DataRoot(uris[request.param])


def test_a_document_reads_back_as_written_and_is_replaced_whole(root: DataRoot) -> None:
    assert root.read("orders/one.json") is None
    root.write("orders/one.json", b"first, and longer")
    root.write("orders/one.json", b"second")
    assert root.read("orders/one.json") == b"second"


def test_create_refuses_an_existing_document_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    root = DataRoot(tmp_path)
    assert root.create("lease/1", b"mine")
    assert not root.create("lease/1", b"yours")
    assert root.read("lease/1") == b"mine"


def test_of_many_creators_at_once_exactly_one_wins(tmp_path: Path) -> None:
    barrier = threading.Barrier(16)
    won: list[int] = []

    def contend(contender: int) -> None:
        barrier.wait()
        if DataRoot(tmp_path).create("lease/1", str(contender).encode()):
            won.append(contender)

    threads = [threading.Thread(target=contend, args=(contender,)) for contender in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert DataRoot(tmp_path).read("lease/1") == str(won[0]).encode()


def test_keys_are_listed_in_order_below_a_folder_and_nothing_staged_is_among_them(root: DataRoot) -> None:
    for key in ("orders/b", "orders/a", "orders/deep/c", "orders2/x", ".staging/half"):
        root.write(key, b"x")
    assert root.keys("orders") == ["orders/a", "orders/b", "orders/deep/c"]
    assert root.keys() == ["orders/a", "orders/b", "orders/deep/c", "orders2/x"]
    assert root.keys("nothing/here") == []


def test_delete_is_quiet_about_what_is_not_there(root: DataRoot) -> None:
    root.write("a", b"x")
    root.delete("a")
    root.delete("a")
    assert root.read("a") is None


def test_move_renames_documents_and_folders(root: DataRoot) -> None:
    root.write("from/a", b"1")
    root.write("from/b", b"2")
    root.move("from", "to/there")
    assert root.keys() == ["to/there/a", "to/there/b"]
    root.move("to/there/a", "alone")
    assert root.read("alone") == b"1"


def test_a_move_in_a_local_root_never_overwrites_a_folder_with_content(tmp_path: Path) -> None:
    root = DataRoot(tmp_path)
    root.write("new/a", b"1")
    root.write("old/b", b"2")
    with pytest.raises(OSError, match="not empty"):
        root.move("new", "old")
    assert root.keys() == ["new/a", "old/b"]


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_write_that_dies_half_way_leaves_the_old_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    root = DataRoot(tmp_path)
    root.write("order", b"old")

    def die(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, failing, die)
    with pytest.raises(OSError, match="disk full"):
        root.write("order", b"new")
    monkeypatch.undo()
    assert root.read("order") == b"old"
    assert root.keys() == ["order"]
    assert list((tmp_path / STAGING).iterdir()) == []


@pytest.mark.parametrize(
    "key", ["", "/", "a//b", "../a", "a/../b", ".", "a/.", "/etc/passwd", "a\\b", "a\x00b", "a\nb"]
)
def test_a_key_that_is_not_a_plain_relative_path_is_refused(root: DataRoot, key: str) -> None:
    with pytest.raises(InvalidInput, match="data root key"):
        root.write(key, b"x")


@given(st.lists(st.text(min_size=1, max_size=400), min_size=2, max_size=8, unique=True))
def test_every_text_becomes_a_safe_segment_of_its_own(texts: list[str]) -> None:
    texts = [text for text in texts if text.isascii() or text.encode(errors="ignore").decode() == text]
    segments = [segment(text) for text in texts]
    assert len(set(segments)) == len(texts)
    for made in segments:
        assert len(made.encode()) <= 160
        assert made not in (".", "..")
        assert not made.startswith(".")
        assert not set(made) & set("/\\\x00\n")


@pytest.mark.parametrize("text", ["", "half \ud800 of a sign"])
def test_what_is_no_name_becomes_no_segment(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^path segment: "):
        segment(text)


def test_an_airflow_connection_is_refused_with_where_credentials_go() -> None:
    with pytest.raises(InvalidInput, match=r"names an Airflow connection.* write s3://bucket/folder"):
        DataRoot("s3://aws_default@bucket/folder")


def test_whatever_a_store_stumbles_over_is_an_error_of_reading_or_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    root = DataRoot("memory://stumbling")

    def stumble(*_: object, **__: object) -> None:
        raise RuntimeError("no credentials")

    for name in ("cat_file", "pipe_file", "find"):
        monkeypatch.setattr(type(root._store.path(()).fs), name, stumble)
    for act in (lambda: root.read("a"), lambda: root.write("a", b""), lambda: root.create("a", b""), root.keys):
        with pytest.raises(OSError, match=r"memory://.*RuntimeError: no credentials"):
            act()


def test_a_document_that_goes_while_another_is_created_in_its_place_was_not_created(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In an object store, where whoever finds one there asks whether it is its own."""
    root = DataRoot("memory://going")
    root.write("lease/1", b"theirs")
    monkeypatch.setattr(type(root._store.path(()).fs), "cat_file", _nothing_there)
    assert root.create("lease/1", b"mine") is False


def _nothing_there(*_: object) -> bytes:
    raise FileNotFoundError


def test_a_root_of_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="data root: 'cloud9://bucket' cannot be used"):
        DataRoot("cloud9://bucket")


def test_readable_names_stay_readable() -> None:
    assert segment("retail-us") == "retail-us"
    assert segment("../../etc") == "%2E.%2F..%2Fetc"
    with pytest.raises(InvalidInput):
        segment("")


def test_the_environment_variable_names_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
    assert DataRoot.from_environment().uri == str(tmp_path)
    monkeypatch.delenv("OCP_NUMBERS_DATA")
    assert DataRoot.from_environment().uri == str(Path(__file__).resolve().parents[1] / "data")


def test_a_copy_replaces_the_document_whole_and_leaves_its_source(root: DataRoot) -> None:
    root.write("from", b"new")
    root.write("to", b"old and longer")
    root.copy("from", "to")
    root.copy("from", "deep/er")
    assert (root.read("from"), root.read("to"), root.read("deep/er")) == (b"new", b"new", b"new")
    with pytest.raises(FileNotFoundError):
        root.copy("nothing", "to")
    assert root.read("to") == b"new"


def test_a_folder_is_made_for_streaming_and_removed_with_everything_in_it(root: DataRoot) -> None:
    root.make_folder("folder/inside")
    with root.path("folder/inside/file").open("wb") as stream:
        stream.write(b"x")
    root.write("folder2/file", b"y")
    assert root.keys() == ["folder/inside/file", "folder2/file"]
    root.delete_folder("folder")
    root.delete_folder("folder")
    assert root.keys() == ["folder2/file"]


def test_who_has_opened_a_document_goes_on_reading_what_it_was(root: DataRoot) -> None:
    root.write("document", b"a" * 100_000)
    with root.open("document") as stream:
        first = stream.read(10)
        root.write("document", b"b" * 100_000)
        assert first + stream.read() == b"a" * 100_000
        assert stream.seek(0) == 0
        assert stream.read(3) == b"aaa"
    with pytest.raises(FileNotFoundError), root.open("nothing"):
        pass


def test_what_a_killed_process_left_half_written_is_swept_away_a_day_later(tmp_path: Path) -> None:
    root = DataRoot(tmp_path)
    root.sweep()
    for name, hours in (("old", 25), ("fresh", 23)):
        root.write(f"{STAGING}/{name}", b"half")
        then = (tmp_path / STAGING / name).stat().st_mtime - hours * 3600
        os.utime(tmp_path / STAGING / name, (then, then))
    root.sweep()
    assert [path.name for path in (tmp_path / STAGING).iterdir()] == ["fresh"]


def test_a_move_of_what_is_not_there_makes_no_folder(root: DataRoot, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        root.move("nothing", "to/there")
    assert not (tmp_path / "to").exists()
