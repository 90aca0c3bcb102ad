"""One writer per partition, and no partition that stays locked for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from inventory.estate import NOON
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import PartitionBusy
from ocp_numbers.inventory.lease import LEASE, VALID_FOR, Lease

KEY = f"part/{LEASE}"


class Wall:
    """A clock on the wall, turned by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def lease(root: DataRoot, wall: Wall, holder: str) -> Lease:
    return Lease(root, "part", holder=holder, clock=wall)


def test_a_second_holder_is_refused_until_the_first_gives_it_back(root: DataRoot, wall: Wall) -> None:
    with lease(root, wall, "a"), pytest.raises(PartitionBusy, match="written by a"), lease(root, wall, "b"):
        pass
    with lease(root, wall, "b") as mine:
        mine.check()
    assert root.read(KEY) is None


def test_the_same_holder_gets_it_back_at_once_and_its_former_self_has_lost_it(root: DataRoot, wall: Wall) -> None:
    with lease(root, wall, "a") as zombie:
        with lease(root, wall, "a") as retry:
            retry.check()
            with pytest.raises(PartitionBusy, match="taken over by a"):
                zombie.check()
        assert root.read(KEY) is None


def test_it_runs_out_when_it_is_not_renewed(root: DataRoot, wall: Wall) -> None:
    with lease(root, wall, "a") as hung:
        wall.now += VALID_FOR
        with lease(root, wall, "b") as taker:
            taker.check()
            with pytest.raises(PartitionBusy):
                hung.renew()


def test_it_lasts_as_long_as_it_is_renewed(root: DataRoot, wall: Wall) -> None:
    with lease(root, wall, "a") as long:
        for _ in range(10):
            wall.now += VALID_FOR * 0.6
            long.renew()
        with pytest.raises(PartitionBusy), lease(root, wall, "b"):
            pass


def test_an_early_renewal_writes_nothing(root: DataRoot, wall: Wall) -> None:
    with lease(root, wall, "a") as mine:
        before = root.read(KEY)
        wall.now += timedelta(seconds=30)
        mine.renew()
        assert root.read(KEY) == before


def test_who_lost_it_does_not_give_away_the_new_holders(root: DataRoot, wall: Wall) -> None:
    with lease(root, wall, "b") as taker:
        with lease(root, wall, "b"):
            pass
        root.create(KEY, b"{}")
        with pytest.raises(PartitionBusy):
            taker.check()
    assert root.read(KEY) == b"{}"


def test_a_lease_that_cannot_be_read_counts_as_none(root: DataRoot, wall: Wall) -> None:
    root.write(KEY, b"garbage")
    with lease(root, wall, "a") as mine:
        mine.check()
