from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.records import ENVIRONMENT, NOW, TODAY, export, numbers
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.shelf import Shelf
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot

YESTERDAY = TODAY - timedelta(days=1)


def test_an_environment_is_known_by_its_inventories_or_its_orders(root: DataRoot, estate: Estate) -> None:
    export(root, numbers(1), environment="eu/1 ü")
    root.write("orders/begun/us1.json", b"{}")
    assert estate.environments() == ["eu/1 ü", "us1"]


def test_a_new_night_shows_after_a_moment(root: DataRoot, shelf: Shelf) -> None:
    seconds = [0.0]
    estate = Estate(root, shelf, clock=lambda: NOW, seconds=lambda: seconds[0])
    export(root, numbers(1), YESTERDAY)
    assert estate.latest(ENVIRONMENT) is not None
    export(root, numbers(2))
    seconds[0] = 60.0
    newest = estate.latest(ENVIRONMENT)
    assert newest is not None
    assert newest.rows == 2


def test_a_night_exported_anew_shows_anew(root: DataRoot, estate: Estate) -> None:
    export(root, numbers(3))
    assert [night.rows for night in estate.nights(ENVIRONMENT)] == [3]
    export(root, numbers(4))
    assert [night.rows for night in estate.nights(ENVIRONMENT)] == [4]


def test_the_nights_tell_what_changed_and_a_damaged_one_says_so(root: DataRoot, estate: Estate) -> None:
    for ago, count in ((3, 5), (2, 7), (1, 6)):
        export(root, numbers(count), TODAY - timedelta(days=ago))
    root.write(f"inventory/environment={ENVIRONMENT}/date={TODAY - timedelta(days=2)}/manifest.json", b"{")
    first, damaged, last = estate.nights(ENVIRONMENT)
    assert (first.rows, last.rows, last.unattached) == (5, 6, 2)
    assert "not a manifest" in damaged.fault
    assert last.changes == {"gone": 1}


def test_where_only_some_groups_are_exported_those_are_shown(root: DataRoot, estate: Estate) -> None:
    export(root, numbers(3, groupId="c"), YESTERDAY, groups=("a+b", "c"))
    assert estate.scope(ENVIRONMENT) == ("a+b", "c")
    newest = estate.latest(ENVIRONMENT)
    assert newest is not None
    assert newest.manifest.scope.groups == ("a+b", "c")


def test_the_whole_goes_before_some_groups(root: DataRoot, estate: Estate) -> None:
    export(root, numbers(3), YESTERDAY)
    export(root, numbers(1, groupId="a"), TODAY, groups=("a",))
    assert estate.scope(ENVIRONMENT) == ()


@pytest.mark.parametrize("groups", [(), ("c",)])
def test_what_somebody_searched_for_is_never_shown_as_the_inventory(
    root: DataRoot, estate: Estate, groups: tuple[str, ...]
) -> None:
    export(root, numbers(3, groupId="c"), TODAY, groups=groups, filters={"note": "line"})
    assert (estate.scope(ENVIRONMENT), estate.latest(ENVIRONMENT), estate.days(ENVIRONMENT)) == ((), None, [])
    assert estate.nights(ENVIRONMENT) == []


def test_a_damaged_newest_snapshot_is_not_passed_over(root: DataRoot, estate: Estate) -> None:
    export(root, numbers(1), YESTERDAY)
    root.write(f"inventory/environment={ENVIRONMENT}/date={TODAY}/manifest.json", b"{}")
    with pytest.raises(IncompleteSnapshot, match="not a manifest"):
        estate.latest(ENVIRONMENT)


def test_a_night_that_retention_removes_while_they_are_read_says_so(
    root: DataRoot, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(root, numbers(2))
    monkeypatch.setattr(estate, "days", lambda environment: [YESTERDAY, TODAY])
    gone, there = estate.nights(ENVIRONMENT)
    assert (gone.date, gone.fault, gone.rows) == (YESTERDAY, "It was removed meanwhile.", 0)
    assert (there.rows, there.fault) == (2, "")
