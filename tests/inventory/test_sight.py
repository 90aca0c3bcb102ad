"""What a login may not look at any more is told from what is gone, and what it may look at again from what is new."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from inventory.estate import DAY, NOON, Estate, estate_of
from inventory.test_source import connected
from ocp_numbers.balance import read
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import ServerFault, VolumeAnomaly
from ocp_numbers.inventory import CompleteSnapshot, Scope, latest
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.sight import LoginSight
from ocp_numbers.inventory.source import ClientSource
from ocp_sandbox import Fault, Sandbox, Settings, User

ExportOf = Callable[..., Export]
ENVIRONMENT = "ocp_default"
SCOPE = Scope(environment=ENVIRONMENT, login="ops")


@dataclass
class Eyes:
    """A login that may look at everything but ``blind``."""

    blind: set[str] = field(default_factory=set)
    roles: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def rights(self) -> tuple[str, ...]:
        return self.roles

    def sees(self, group: str) -> bool:
        self.asked.append(group)
        return group not in self.blind


def without(group: str, count: int = 30) -> Estate:
    estate = estate_of(count)
    estate.rows = [each for each in estate.rows if each["groupId"] != group]
    return estate


Night = Callable[..., CompleteSnapshot]


@pytest.fixture
def night(export_of: ExportOf) -> Night:
    """Publishes the next night's snapshot."""
    nights = iter(range(100))

    def publish(estate: Estate, eyes: Eyes, **given: Any) -> CompleteSnapshot:
        later = timedelta(next(nights))
        export = export_of(estate, scope=SCOPE, day=DAY + later, sight=eyes, clock=lambda: NOON + later, **given)
        return export.run()

    return publish


def changes(snapshot: CompleteSnapshot) -> set[tuple[str, str]]:
    with snapshot.open("changes.parquet") as stream:
        table = pq.read_table(stream)
    return set(zip(table["change"].to_pylist(), table["before"].to_pylist(), strict=True))


def counts(snapshot: CompleteSnapshot) -> dict[str, int]:
    assert snapshot.manifest.changes is not None
    return snapshot.manifest.changes.counts


def test_numbers_of_a_group_out_of_sight_are_hidden_and_not_gone(night: Night) -> None:
    eyes = Eyes()
    night(estate_of(30), eyes)
    assert eyes.asked == []
    eyes.blind = {"group-1"}
    snapshot = night(without("group-1"), eyes)
    assert eyes.asked == ["group-1"]
    assert counts(snapshot) == {"hidden": 10}
    assert changes(snapshot) == {("hidden", "group-1")}
    assert snapshot.manifest.hidden == {"group-1": 10}
    assert snapshot.manifest.notices == (
        "Out of this login's sight, which does not mean gone: group-1 (10 numbers); see its rights in OCP",
    )
    with snapshot.open("report.html") as stream:
        assert b"Out of this login&#39;s sight, which does not mean gone: group-1 (10 numbers)" in stream.read()


def test_numbers_of_an_emptied_group_that_is_still_in_sight_are_gone(night: Night) -> None:
    eyes = Eyes()
    night(estate_of(30), eyes)
    snapshot = night(without("group-1"), eyes)
    assert (counts(snapshot), snapshot.manifest.hidden, snapshot.manifest.notices) == ({"gone": 10}, {}, ())


def test_a_group_in_sight_again_brings_no_orphans(night: Night) -> None:
    eyes = Eyes()
    night(estate_of(30), eyes)
    eyes.blind = {"group-1"}
    hidden = night(without("group-1"), eyes)
    balance = read(hidden)
    assert balance is not None
    assert (balance.verdict, balance.departed, balance.strangers, balance.unknowns) == ("unbalanced", 10, 0, 1)
    assert [each.what for each in balance.first] == ["10 numbers of group-1 are out of this login's sight"]
    still = night(without("group-1"), eyes)
    assert (counts(still), still.manifest.hidden) == ({}, {"group-1": 10})
    eyes.blind = set()
    again = night(estate_of(33), eyes)
    assert counts(again) == {"added": 2, "seen": 11}
    assert (again.manifest.hidden, again.manifest.notices) == ({}, ("In this login's sight again: group-1",))
    balance = read(again)
    assert balance is not None
    assert (balance.orphans, balance.arrived, balance.rows) == (2, 13, 33)
    assert balance.before == 20
    eyes.blind = {"group-1"}
    night(without("group-1", 33), eyes)
    eyes.blind = set()
    balance = read(night(estate_of(33), eyes))
    assert balance is not None
    assert balance.verdict == "balanced"
    assert balance.summary.endswith("22 numbers on 2026-03-05, 11 came (11 in sight again) and 0 went, each on record.")


def test_each_group_that_stays_out_of_sight_is_remembered(night: Night) -> None:
    eyes = Eyes(blind={"group-0", "group-1"})
    night(estate_of(30), Eyes())
    night(without("group-1"), eyes)
    estate = without("group-1")
    estate.rows = [each for each in estate.rows if each["groupId"] == "group-2"]
    snapshot = night(estate, eyes)
    assert snapshot.manifest.hidden == {"group-0": 10, "group-1": 10}
    assert counts(snapshot) == {"hidden": 10}


def test_an_unbelievable_loss_is_asked_about_with_the_groups_that_are_out_of_sight(night: Night) -> None:
    night(estate_of(30), Eyes())
    with pytest.raises(VolumeAnomaly, match=r"had 30 in the last .*\. Out of this login's sight, .*: group-1 \(10 num"):
        night(without("group-1"), Eyes(blind={"group-1"}), max_change_percent=20)


def test_roles_that_came_and_went_are_told(night: Night) -> None:
    night(estate_of(3), Eyes(roles=("role owner", "role reader")))
    snapshot = night(estate_of(3), Eyes(roles=("role buyer", "role reader")))
    assert snapshot.manifest.scope.rights == ("role buyer", "role reader")
    assert snapshot.manifest.notices == ("The login lost role owner", "The login gained role buyer")
    silent = night(estate_of(3), Eyes())
    assert silent.manifest.notices == ()


def test_another_login_is_not_compared_at_all(export_of: ExportOf) -> None:
    eyes = Eyes(blind={"group-1"})
    export_of(estate_of(30), scope=SCOPE).run()
    other = SCOPE.model_copy(update={"login": "somebody else"})
    snapshot = export_of(without("group-1"), scope=other, day=DAY + timedelta(1), sight=eyes).run()
    assert (snapshot.manifest.changes, snapshot.manifest.hidden, eyes.asked) == (None, {}, [])


USERS = [User("ops", "secret"), User("some", "secret", role="reader", groups=("retail-us", "retail-eu"))]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Settings(numbers=200, users=USERS)) as running:
        yield running


def seen_by(sandbox: Sandbox, export_of: ExportOf, login: str, day: int) -> CompleteSnapshot:
    """The snapshot of what ``login`` sees, taken for the one that ``ops`` is."""
    with connected(sandbox, login) as client:
        source, sight = ClientSource(lambda: client), LoginSight(lambda: client)
        return export_of(source, scope=SCOPE, day=DAY + timedelta(day), sight=sight, max_change_percent=10_000).run()


def test_the_platform_is_asked_what_a_login_may_look_at(sandbox: Sandbox, export_of: ExportOf) -> None:
    whole = seen_by(sandbox, export_of, "ops", 0)
    assert whole.manifest.scope.rights == ("group *", "role owner")
    part = seen_by(sandbox, export_of, "some", 1)
    assert part.manifest.scope.rights == ("group retail-eu", "group retail-us", "role reader")
    groups = whole.manifest.counts.by_group
    assert part.manifest.hidden == {
        name: count for name, count in groups.items() if name not in ("retail-us", "retail-eu")
    }
    assert counts(part) == {"hidden": sum(part.manifest.hidden.values())}
    assert part.manifest.notices[1:] == ("The login lost group *, role owner", part.manifest.notices[2])
    again = seen_by(sandbox, export_of, "ops", 2)
    assert counts(again) == {"seen": sum(part.manifest.hidden.values())}


def test_a_platform_that_cannot_be_asked_for_the_moment_ends_the_export_and_one_that_never_answers_does_not(
    sandbox: Sandbox, export_of: ExportOf, root: DataRoot
) -> None:
    seen_by(sandbox, export_of, "ops", 0)
    fault = Fault("GET", "/api/numbers-set/group/*", kind="status", status=503)
    sandbox.faults.add(fault)
    with pytest.raises(ServerFault, match="503"):
        seen_by(sandbox, export_of, "some", 1)
    newest = latest(root, ENVIRONMENT)
    assert newest is not None
    assert newest.date == DAY
    sandbox.faults.clear()
    sandbox.faults.add(replace(fault, status=400, body=json.dumps({"message": "no such thing"})))
    part = seen_by(sandbox, export_of, "some", 1)
    assert counts(part).keys() == {"gone"}
