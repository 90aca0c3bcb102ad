from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Held, PartitionBusy
from ocp_numbers.holder import Holder
from ocp_numbers.lease import CLOCK_TOLERANCE, Lease

LENGTH = timedelta(seconds=100)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 10, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_lease(tmp_path: Path, clock: Clock) -> Callable[[], Lease]:
    return lambda: Lease(DataRoot(tmp_path), "orders/x.lease", clock=clock, length=LENGTH)


def test_a_second_writer_is_kept_out_and_told_for_how_long(new_lease: Callable[[], Lease], clock: Clock) -> None:
    new_lease().acquire()
    clock.now += timedelta(seconds=30)

    with pytest.raises(Held) as held:
        new_lease().acquire()

    assert held.value.retry_after == 75


def test_who_is_kept_out_is_told_by_whom_in_the_words_of_what_is_leased(tmp_path: Path, clock: Clock) -> None:
    def lease(by: str) -> Lease:
        return Lease(DataRoot(tmp_path), "part/.lease", clock=clock, length=LENGTH, by=by, held=PartitionBusy)

    with lease("nightly/1").held(), pytest.raises(PartitionBusy, match=r"part/\.lease: nightly/1 is at work"):
        lease("nightly/2").acquire()


def test_renewing_early_does_not_even_look_and_late_prolongs(
    new_lease: Callable[[], Lease], tmp_path: Path, clock: Clock
) -> None:
    with new_lease().held() as lease:
        for _ in range(10):
            clock.now += LENGTH * 0.6
            lease.renew()
        with pytest.raises(Held):
            new_lease().acquire()
        for term in (tmp_path / "orders/x.lease").iterdir():
            term.unlink()
        lease.renew()
        clock.now += LENGTH * 0.6
        with pytest.raises(Held):
            lease.renew()


def test_a_released_lease_can_be_taken_at_once(new_lease: Callable[[], Lease]) -> None:
    with new_lease().held():
        pass

    new_lease().acquire()
    with pytest.raises(Held):
        new_lease().acquire()


def test_a_lease_that_ran_out_is_taken_over_and_the_old_holder_finds_out(
    new_lease: Callable[[], Lease], clock: Clock
) -> None:
    old, new = new_lease(), new_lease()
    old.acquire()
    clock.now += LENGTH + CLOCK_TOLERANCE

    new.acquire()

    with pytest.raises(Held, match="went to another process"):
        old.keep()
    new.keep()


def test_a_holder_that_overslept_goes_on_if_nobody_took_over(new_lease: Callable[[], Lease], clock: Clock) -> None:
    lease, other = new_lease(), new_lease()
    lease.acquire()
    clock.now += LENGTH * 10

    lease.keep()

    with pytest.raises(Held):
        other.acquire()


def test_keeping_it_prolongs_it(new_lease: Callable[[], Lease], clock: Clock) -> None:
    lease = new_lease()
    lease.acquire()
    for _ in range(10):
        clock.now += LENGTH * 0.9
        lease.keep()

    with pytest.raises(Held):
        new_lease().acquire()


def test_a_lost_data_root_is_a_lost_lease(new_lease: Callable[[], Lease], tmp_path: Path) -> None:
    lease = new_lease()
    lease.acquire()
    for term in (tmp_path / "orders/x.lease").iterdir():
        term.unlink()

    with pytest.raises(Held, match="data root was replaced"):
        lease.keep()


def test_who_comes_with_an_old_list_of_terms_does_not_get_it(
    new_lease: Callable[[], Lease], tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, winner = new_lease(), new_lease()
    winner.acquire()
    for _ in range(3):
        clock.now += LENGTH
        winner.keep()
    monkeypatch.setattr(late, "_latest", lambda: (0, None))

    with pytest.raises(Held):
        late.acquire()

    winner.keep()


@pytest.mark.parametrize("asleep_before", ["write", "keep", "move"])
def test_a_holder_that_overslept_in_the_middle_of_a_save_changes_nothing(
    new_lease: Callable[[], Lease], tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, asleep_before: str
) -> None:
    """Wherever it falls asleep: what its successor wrote stays."""
    old, new, root = new_lease(), new_lease(), DataRoot(tmp_path)
    old.acquire()
    sleeper = old if asleep_before == "keep" else old._root
    go_on = getattr(sleeper, asleep_before)

    def oversleep(*what: Any) -> None:
        monkeypatch.undo()
        clock.now += LENGTH + CLOCK_TOLERANCE
        new.acquire()
        new.write("orders/x.json", b"new")
        go_on(*what)

    monkeypatch.setattr(sleeper, asleep_before, oversleep)
    with pytest.raises(Held):
        old.write("orders/x.json", b"old")

    assert root.read("orders/x.json") == b"new"
    new.write("orders/x.json", b"newer")
    assert root.read("orders/x.json") == b"newer"
    assert root.keys("orders/x.lease") == ["orders/x.lease/00000001", "orders/x.lease/00000002"]


def test_a_copy_of_what_is_not_there_is_told_from_a_lost_lease(new_lease: Callable[[], Lease], clock: Clock) -> None:
    lease = new_lease()
    lease.acquire()
    with pytest.raises(FileNotFoundError):
        lease.copy("orders/nothing.json", "orders/x.json")

    clock.now += LENGTH + CLOCK_TOLERANCE
    new_lease().acquire()
    with pytest.raises(Held):
        lease.copy("orders/nothing.json", "orders/x.json")


def test_a_term_that_is_tidied_away_while_it_is_read_is_none(
    new_lease: Callable[[], Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, late = new_lease(), new_lease()
    gone.acquire()
    with monkeypatch.context() as patch:
        patch.setattr(DataRoot, "read", lambda self, key: None)
        late.acquire()

    late.keep()
    with pytest.raises(Held):
        gone.keep()


def test_something_else_in_its_place_is_named(new_lease: Callable[[], Lease], tmp_path: Path) -> None:
    place = tmp_path / "orders/x.lease/00000001"
    place.parent.mkdir(parents=True)
    place.write_text("?")

    with pytest.raises(Held, match="is not a lease"):
        new_lease().acquire()


class TestHolder:
    def test_a_live_process_is_not_dead(self) -> None:
        assert not Holder.this_process().certainly_dead()

    def test_an_ended_process_of_this_machine_is_dead_and_its_lease_free_at_once(
        self, new_lease: Callable[[], Lease], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        child = subprocess.Popen([sys.executable, "-c", "pass"])
        ended = Holder.this_process().model_copy(update={"pid": child.pid})
        child.wait()
        assert ended.certainly_dead()

        lease = new_lease()
        monkeypatch.setattr(lease, "_holder", ended)
        lease.acquire()
        new_lease().acquire()

    def test_an_id_used_again_is_not_the_same_process(self) -> None:
        assert Holder.this_process().model_copy(update={"started": "1"}).certainly_dead()

    @pytest.mark.parametrize("place", [None, "another machine"])
    def test_elsewhere_nobody_is_taken_for_dead(self, place: str | None) -> None:
        assert not Holder(place=place, pid=2**22 + 1, started="1").certainly_dead()

    def test_a_process_of_another_user_lives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(pid: int, signal: int) -> None:
            raise PermissionError

        monkeypatch.setattr("os.kill", forbidden)
        assert not Holder.this_process().certainly_dead()

    def test_where_the_system_does_not_tell_nobody_is_taken_for_dead(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def hidden(path: Path, **_: Any) -> str:
            raise PermissionError(path)

        known = Holder.this_process()
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_text", hidden)
            unknown = Holder.this_process()
            assert (unknown.place, unknown.started) == (None, None)
            assert not known.certainly_dead()
        assert not unknown.certainly_dead()

        patched = known.model_copy(update={"started": None})
        assert not patched.certainly_dead()
