"""The plan that is carried out is the one that was approved, to the last byte, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import PlanChanged
from ocp_numbers.regions.plan import RegionPlan
from ocp_numbers.regions.planning import plan_region
from ocp_numbers.regions.register import PlanRegister
from regions.examples import number, offer, region, seen


@pytest.fixture
def register(tmp_path: Path) -> PlanRegister:
    return PlanRegister(DataRoot(tmp_path))


def planned(quantity: int = 3) -> RegionPlan:
    return plan_region(region(quantity=quantity), seen(free=(number(1),), offers=tuple(map(offer, range(10, 20)))))


def test_a_plan_that_was_kept_is_found_by_its_key_and_digest(register: PlanRegister) -> None:
    one, other = planned(3), planned(4)
    keys = [register.keep(each) for each in (one, other, one)]
    assert len(set(keys)) == 2
    assert register.find(keys[0], one.digest) == one
    assert register.find(keys[1], other.digest) == other


def test_one_that_is_not_there_is_named_with_its_data_root(register: PlanRegister, tmp_path: Path) -> None:
    plan = planned()
    with pytest.raises(PlanChanged, match=f"{register.key(plan)} is not in the data root {tmp_path}"):
        register.find(register.key(plan), plan.digest)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"region": 1}'])
def test_one_that_cannot_be_read_is_refused(register: PlanRegister, tmp_path: Path, content: bytes) -> None:
    plan = planned()
    DataRoot(tmp_path).write(register.keep(plan), content)
    with pytest.raises(PlanChanged, match=r"cannot be read \(\d+ faults\)\. Trigger a new run"):
        register.find(register.key(plan), plan.digest)


def test_one_that_was_edited_is_refused_although_it_can_be_read(register: PlanRegister, tmp_path: Path) -> None:
    plan, dearer = planned(3), planned(4)
    DataRoot(tmp_path).write(register.keep(plan), dearer.model_dump_json().encode())
    with pytest.raises(PlanChanged, match=f"has the digest {dearer.digest}, approved was {plan.digest}"):
        register.find(register.key(plan), plan.digest)


def test_a_hostile_name_leads_nowhere_else(register: PlanRegister, tmp_path: Path) -> None:
    plan = plan_region(region(set_name="../../x/y"), seen(offers=tuple(map(offer, range(10, 20)))))
    assert register.find(register.keep(plan), plan.digest) == plan
    assert register.key(plan).count("/") == 4
    assert [path for path in tmp_path.parent.iterdir() if path.name == "x"] == []
