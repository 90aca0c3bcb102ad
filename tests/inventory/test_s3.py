"""In S3 the inventory, orders and leases behave as in a folder: whole or not at all, and one writer at a time.

The store is a real server on the loopback that speaks S3's protocol, asked through the same library as in production.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from inventory.bucket import root, store
from inventory.estate import DAY, NOON, content, estate_of
from inventory.mortal import Killed, MortalRoot
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Held, IncompleteSnapshot, InvalidInput, PartitionBusy
from ocp_numbers.inventory import Scope, as_of, dates, history, latest, read_number
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.retention import KEEP_AT_LEAST, expire
from ocp_numbers.lease import Lease
from ocp_numbers.ordering import OrderBook
from ocp_sandbox import Sandbox, Settings
from ordering.shop import ENVIRONMENT, Shop

ExportOf = Callable[..., Export]
OLD, NEW = 25, 31


__all__ = ["root", "store"]


def names(root: DataRoot, folder: str) -> list[str]:
    return [key.removeprefix(f"{folder}/") for key in root.keys(folder)]


def test_documents_are_written_replaced_listed_moved_copied_and_deleted(root: DataRoot) -> None:
    assert root.read("orders/one.json") is None
    root.write("orders/one.json", b"first, and longer")
    root.write("orders/one.json", b"second")
    root.write("orders2/x", b"x")
    root.copy("orders/one.json", "orders/deep/copy")
    root.move("orders/one.json", "orders/two.json")
    assert root.keys("orders") == ["orders/deep/copy", "orders/two.json"]
    assert root.read("orders/two.json") == root.read("orders/deep/copy") == b"second"
    root.move("orders", "moved/here")
    assert root.keys() == ["moved/here/deep/copy", "moved/here/two.json", "orders2/x"]
    root.delete("orders2/x")
    root.delete("orders2/x")
    root.delete_folder("moved")
    assert root.keys() == []
    with pytest.raises(FileNotFoundError):
        root.move("nothing", "somewhere")
    with pytest.raises(FileNotFoundError):
        root.copy("nothing", "somewhere")


def test_of_many_creators_at_once_exactly_one_wins(root: DataRoot) -> None:
    barrier = threading.Barrier(8)
    won: list[bytes] = []

    def contend(mine: bytes) -> None:
        barrier.wait()
        if root.create("lease/1", mine):
            won.append(mine)

    threads = [threading.Thread(target=contend, args=(str(contender).encode(),)) for contender in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [root.read("lease/1")] == won


def test_a_put_repeated_because_its_answer_was_lost_has_created(root: DataRoot) -> None:
    assert root.create("lease/1", b"mine")
    assert root.create("lease/1", b"mine")
    assert not root.create("lease/1", b"yours")


def test_a_lease_keeps_others_out_and_a_sleeper_finds_nothing_to_put(root: DataRoot) -> None:
    now = NOON

    def lease() -> Lease:
        return Lease(root, "order/.lease", clock=lambda: now)

    sleeper = lease()
    sleeper.acquire()
    sleeper.write("order/document", b"sleeper's")
    with pytest.raises(Held):
        lease().acquire()
    now = NOON + timedelta(hours=1)
    with lease().held() as taker:
        taker.write("order/document", b"taker's")
        with pytest.raises(Held):
            sleeper.write("order/document", b"late")
    assert root.read("order/document") == b"taker's"


def test_what_another_machine_wrote_a_moment_ago_is_seen(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    root.write("orders/one", b"1")
    assert root.keys("orders") == ["orders/one"]
    other = DataRoot(root.uri)
    monkeypatch.setattr(other._store, "fs", type(other._store.fs)(skip_instance_cache=True))  # type: ignore[attr-defined]
    other.write("orders/two", b"2")
    other.write("orders/one", b"new")
    assert root.keys("orders") == ["orders/one", "orders/two"]
    assert root.read("orders/one") == b"new"


def test_a_snapshot_is_published_replaced_and_read_back(export_of: ExportOf, root: DataRoot) -> None:
    first = export_of(estate_of(OLD), root=root, formats=("parquet", "csv", "xlsx")).run()
    assert content(first) == estate_of(OLD).state()
    again = export_of(estate_of(NEW), root=root).run()
    assert latest(root, "ocp_default") == again
    assert content(again) == estate_of(NEW).state()
    files = ["balance.json", "manifest.json", "numbers.csv.gz", "numbers.parquet", "rejects.jsonl", "report.html"]
    assert names(root, again.folder) == files
    with pytest.raises(IncompleteSnapshot, match="replaced or damaged"):
        content(first)


def test_nights_are_compared_found_by_date_followed_and_expire(export_of: ExportOf, root: DataRoot) -> None:
    nights = KEEP_AT_LEAST + 2
    for night in range(nights):
        snapshot = export_of(estate_of(5 + night), root=root, day=DAY + timedelta(night)).run()
    assert snapshot.manifest.changes is not None
    assert snapshot.manifest.changes.counts == {"added": 1}
    with snapshot.open("changes.parquet") as stream:
        assert pq.read_table(stream).column("change").to_pylist() == ["added"]
    third = as_of(root, "ocp_default", DAY + timedelta(2))
    assert third is not None
    assert third.rows == 7
    number = "+12120000006"
    assert read_number(third, number) is not None
    assert [each.since for each in history(root, "ocp_default", number)] == [DAY, DAY + timedelta(2)]
    last = DAY + timedelta(nights - 1)
    gone = expire(root, Scope(environment="ocp_default"), today=last, keep_days=1)
    assert gone == [DAY, DAY + timedelta(1)]
    assert dates(root, "ocp_default")[0] == DAY + timedelta(2)
    assert not [key for key in root.keys("inventory") if f"date={DAY}" in key]


class Doomed(MortalRoot):
    """The data root of a process that is killed when it puts the document ``at`` into its place."""

    def __init__(self, uri: str, at: str, *, after: bool) -> None:
        super().__init__(uri, last=1_000, after=after)
        self.at = at

    def move(self, source: str, target: str) -> None:
        if target.endswith(self.at):
            self.last = self.done + 1
        super().move(source, target)


@pytest.mark.parametrize(
    ("same_date", "at", "after", "seen"),
    [
        (True, "manifest.json", False, OLD),  # it is about to point into the folder of the new files
        (True, "manifest.json", True, NEW),
        (True, "numbers.csv.gz", True, NEW),  # between two of the files that are put in the place of the old ones
        (False, "numbers.csv.gz", False, OLD),  # between two of the files that are put where nothing was
        (False, "manifest.json", True, NEW),  # it is there, its folder not yet tidied
    ],
)
def test_killed_in_the_middle_readers_see_old_or_new_whole_and_the_next_run_finishes(
    export_of: ExportOf, root: DataRoot, same_date: bool, at: str, after: bool, seen: int
) -> None:
    export_of(estate_of(OLD), root=root, day=DAY if same_date else DAY - timedelta(1)).run()
    with pytest.raises(Killed):
        export_of(estate_of(NEW), root=Doomed(root.uri, f"date={DAY}/{at}", after=after)).run()
    snapshot = latest(root, "ocp_default")
    assert snapshot is not None
    assert snapshot.rows == seen
    assert content(snapshot) == estate_of(seen).state()
    finished = export_of(estate_of(NEW), root=root, clock=lambda: NOON + timedelta(hours=1)).run()
    assert content(finished) == estate_of(NEW).state()
    assert not [name for name in names(root, finished.folder) if name.startswith(".")]


def test_two_exports_of_the_same_date_at_once_do_not_mix(export_of: ExportOf, root: DataRoot) -> None:
    estate = estate_of(OLD)

    def meanwhile(call: int) -> None:
        if call == 2:
            with pytest.raises(PartitionBusy):
                export_of(estate_of(NEW), root=root, holder="other").run()

    estate.before = meanwhile
    assert content(export_of(estate, root=root).run()) == estate.state()
    assert estate.calls > 2


def test_many_rows_are_uploaded_piece_by_piece(root: DataRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is streamed is never whole in memory: the writer hands on part after part while it goes on."""
    uploaded: list[int] = []
    opened: Any = root.path("big").open("wb")
    send = opened._call_s3

    def counted(method: str, *args: Any, **given: Any) -> Any:
        if method == "upload_part":
            uploaded.append(len(given["Body"]))
        return send(method, *args, **given)

    monkeypatch.setattr(opened, "_call_s3", counted)
    piece = bytes(2**20)
    with opened:
        for _ in range(40):
            opened.write(piece)
            assert opened.buffer.getbuffer().nbytes <= 17 * 2**20
        assert len(uploaded) >= 2
    with root.open("big") as stream:
        assert sum(len(chunk) for chunk in iter(lambda: stream.read(2**20), b"")) == 40 * 2**20


def test_published_files_are_read_by_other_tools_where_they_lie(export_of: ExportOf, root: DataRoot) -> None:
    snapshot = export_of(estate_of(OLD), root=root).run()
    path = root.path(f"{snapshot.folder}/numbers.parquet")
    with path.open("rb") as stream:
        table: pa.Table = pq.read_table(stream)
    assert table.num_rows == OLD
    assert str(path).startswith(root.uri)


def test_a_bucket_that_is_not_there_is_named_and_not_made(export_of: ExportOf, store: None) -> None:
    root = DataRoot("s3://mistyped/data")
    with pytest.raises(IncompleteSnapshot, match=r"could not be written: .*bucket does not exist.*s3://mistyped/data"):
        export_of(estate_of(5), root=root).run()
    assert not UPath("s3://mistyped").exists()


def test_a_store_that_refuses_the_login_is_named(export_of: ExportOf, root: DataRoot) -> None:
    denied = PermissionError("The AWS Access Key Id you provided does not exist in our records.")

    def refuse(*_: Any, **__: Any) -> None:
        raise denied

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(root._store.fs, "find", refuse)  # type: ignore[attr-defined]
        with pytest.raises(IncompleteSnapshot, match="could not be written: The AWS Access Key"):
            export_of(estate_of(5), root=root).run()


def test_missing_credentials_are_an_error_of_the_store_with_its_address(root: DataRoot) -> None:
    class NoCredentialsError(Exception):
        pass

    def nobody(*_: Any, **__: Any) -> None:
        raise NoCredentialsError("Unable to locate credentials")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(root._store.fs, "pipe_file", nobody)  # type: ignore[attr-defined]
        with pytest.raises(OSError, match=r"^s3://numbers/\w+: NoCredentialsError: Unable to locate credentials"):
            root.write("a", b"")


def test_an_airflow_connection_in_the_uri_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="names an Airflow connection, which is not read here; write s3://bucket"):
        DataRoot("s3://aws_default@numbers/data")


def test_an_order_whose_answer_is_lost_is_bought_once(root: DataRoot, tmp_path: Path) -> None:
    class Kept(Shop):
        book = OrderBook(root, ENVIRONMENT)

    with Sandbox(Settings(numbers=0, stock=20)) as sandbox, Kept(sandbox, tmp_path) as shop:
        shop.fault("drop_after")
        receipt = shop.order()
        assert shop.agrees_with(receipt)
        assert shop.order().bought == receipt.bought
        assert len(shop.bought()) == 5
    assert [key for key in root.keys("orders") if key.endswith("trial.json")]
