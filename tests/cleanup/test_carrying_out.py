"""The whole of a cleanup against the sandbox, whose own ledger is the witness."""

from __future__ import annotations

from collections import Counter

from cleanup.scene import DUE, TODAY, mark


def test_a_plan_is_carried_out_exactly(scene):
    plan = scene.plan()
    assert [line.number for line in plan.releases] == scene.due
    scene.carry_out(plan)
    assert scene.gone() == scene.due
    kinds = Counter(entry["kind"] for entry in scene.sandbox.ledger()["entries"])
    assert kinds == {"released": 3, "deleted": 2}
    for case, note, quarantined in [
        ("new", f"lobby {mark(TODAY)}", True),
        ("blank", mark(TODAY), True),
        ("new abroad", mark(TODAY), True),
        ("stray", f"yard {mark(DUE)}", True),
        ("used again", "hot", False),
        ("in a set again", "cold", False),
        ("kept", "keep", False),
        ("attached outside", "gate", False),
        ("attached unmarked", "dock", False),
    ]:
        row = scene.now(case)
        assert row["note"] == note, case
        assert (row["setName"] == "unused - quarantine") is quarantined, case
    assert scene.now("in a set again")["setName"] == "front desk"
    assert sorted(row["name"] for row in scene.sandbox.sets()) == ["front desk", *["unused - quarantine"] * 2]


def test_a_second_run_finds_nothing_to_do(scene):
    plan = scene.plan()
    scene.carry_out(plan)
    scene.sandbox.clear_calls()
    assert scene.marking(plan).carry_out() == 0
    assert scene.releasing(plan).carry_out() == 0
    assert scene.writes() == []
    again = scene.plan("next")
    assert again.counts["mark"] + again.counts["quarantine"] + again.counts["clear"] == 0
    assert [line.number for line in again.releases] == scene.of("stray")
