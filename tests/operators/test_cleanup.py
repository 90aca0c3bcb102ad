"""The operators of a cleanup, one after the other, as the DAG runs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from cleanup.scene import DUE, NOON, TODAY, Scene, mark
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import (
    Held,
    IncompleteSnapshot,
    InvalidInput,
    LimitExceeded,
    OutcomeUnknown,
    PlanChanged,
    Refused,
    VerificationFailed,
)
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_numbers.lease import Lease
from ocp_numbers.operators.cleanup import (
    LEASES,
    CleanupOperator,
    MarkUnusedNumbersOperator,
    ReleaseUnusedNumbersOperator,
    SelectUnusedNumbersOperator,
    VerifyCleanupOperator,
)
from ocp_sandbox import Fault, Sandbox, Settings
from operators.world import Run, connect

POLICY = "dry_run: false\nmax_release_percent: 50\nprotect: ['note:*emergency*']\n"


class Cleanup:
    """One run of a cleanup, task by task."""

    def __init__(self, run: Run, policy: Path, run_id: str = "manual__1", run_type: str = "manual") -> None:
        self._run = run
        self._policy = policy
        self._context = {"dag_run": SimpleNamespace(dag_id="cleanup", run_id=run_id, run_type=run_type)}

    def select(self, **overrides: Any) -> dict[str, Any]:
        operator = SelectUnusedNumbersOperator(
            task_id="select", policy_file=str(self._policy), overrides=json.dumps(overrides)
        )
        return self._run(operator, **self._context)

    def mark(self, plan: dict[str, Any]) -> dict[str, Any]:
        return self._run(MarkUnusedNumbersOperator(task_id="mark", plan=plan), **self._context)

    def release(self, plan: dict[str, Any], **answer: Any) -> dict[str, Any]:
        approved = plan | {"approved": True, "approved_by": "ann"} | answer
        return self._run(ReleaseUnusedNumbersOperator(task_id="release", plan=approved), **self._context)

    def verify(self, plan: dict[str, Any], released: Any = MappingProxyType({"released": 0})) -> dict[str, Any]:
        return self._run(VerifyCleanupOperator(task_id="verify", plan=plan, released=released), **self._context)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(CleanupOperator, "now", lambda self: NOON)
    monkeypatch.setattr("ocp_numbers.cleanup.releasing.PAUSES", (0.0,))
    with Sandbox(Settings(numbers=0)) as sandbox:
        connect(monkeypatch, sandbox)
        settings = ClientSettings(host=sandbox.url, login="ops", password="secret")  # type: ignore[arg-type]
        with OcpClient(settings) as client:
            yield Scene(sandbox, client, DataRoot(tmp_path / "data"))


@pytest.fixture
def publish(scene: Scene) -> Callable[[], None]:
    def export() -> None:
        source = ClientSource(lambda: scene.client)
        scope = Scope(environment="ocp_default")
        clock = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)
        Export(source=source, root=scene.data_root, scope=scope, day=TODAY, holder="export", clock=lambda: clock).run()

    return export


@pytest.fixture
def cleanup(run: Run, scene: Scene, publish: Callable[[], None], tmp_path: Path) -> Cleanup:
    publish()
    policy = tmp_path / "cleanup.yaml"
    policy.write_text(POLICY)
    return Cleanup(run, policy)


def test_from_selection_to_the_account(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    assert (plan["ask"], plan["unasked"], plan["dry_run"]) == (True, None, False)
    assert plan["counts"] == {"mark": 3, "quarantine": 1, "clear": 5, "wait": 1, "release": 5, "leave": 1}
    assert plan["subject"] == "Give up 5 numbers in ocp_default?"
    assert scene.writes() == []
    assert cleanup.mark(plan) == {"changed": 9}
    assert cleanup.release(plan) == {"released": 5}
    account = cleanup.verify(plan)
    assert (account["released"], account["deleted"], account["marked"], account["cleared"]) == (5, 2, 4, 5)
    assert scene.gone() == scene.due
    stored = scene.data_root.keys("cleanup/manual__1")
    assert {key.split("/")[2] for key in stored} == {"plan.json", "numbers.csv", "result.json"}
    assert json.loads(scene.data_root.read("cleanup/manual__1/result.json") or b"")["released"] == scene.due


def test_a_second_run_of_each_task_changes_nothing(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    for _ in range(2):
        scene.sandbox.clear_calls()
        cleanup.mark(plan)
        cleanup.release(plan)
        account = cleanup.verify(plan)
    assert scene.writes() == []
    assert account["released"] == 5


def test_where_no_number_is_due_nothing_is_given_up_and_nobody_had_to_approve(scene: Scene, cleanup: Cleanup) -> None:
    for number in scene.due:
        scene.sandbox.edit.remove_number(number)
    plan = cleanup.select()
    assert (plan["counts"]["release"], plan["ask"]) == (0, False)
    assert cleanup.release(plan, approved=False) == {"released": 0}
    assert scene.gone() == []


def test_a_dry_run_goes_all_the_way_and_writes_nothing(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select(dry_run=True)
    assert (plan["ask"], plan["unasked"]) == (False, "it is a dry run")
    before = scene.sandbox.numbers()
    assert cleanup.mark(plan) == {"changed": 0}
    assert cleanup.release(plan, approved_by=None) == {"released": 0}
    account = cleanup.verify(plan)
    assert account["summary"].startswith("Dry run: 4 numbers would be marked, 5 cleared and 5 given up.")
    assert scene.writes() == []
    assert scene.sandbox.numbers() == before
    assert not scene.data_root.keys("journal")


def test_a_dry_run_finds_the_faults_of_a_real_one(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select(dry_run=True)
    scene.sandbox.edit.change_number(scene.numbers["due bought"], note=f"keep {mark(DUE)}")
    with pytest.raises(PlanChanged, match="keep"):
        cleanup.release(plan, approved_by=None)


@pytest.mark.parametrize(
    ("run_type", "in_file", "parameter", "dry"),
    [
        ("manual", "false", True, True),
        ("manual", "true", False, False),
        ("scheduled", "true", False, True),
        ("scheduled", "false", True, False),
    ],
)
def test_scheduled_runs_do_as_the_file_says_and_others_as_their_form_says(
    run: Run, cleanup: Cleanup, tmp_path: Path, run_type: str, in_file: str, parameter: bool, dry: bool
) -> None:
    policy = tmp_path / "other.yaml"
    policy.write_text(f"dry_run: {in_file}\nmax_release_percent: 50\n")
    plan = Cleanup(run, policy, run_type=run_type).select(dry_run=parameter)
    assert plan["dry_run"] is dry


def test_the_parameters_of_a_run_override_the_file(cleanup: Cleanup) -> None:
    plan = cleanup.select(ocp_conn_id="ocp_default", groups=["eu"], grace_days=None, protect=["number:+12125550003"])
    assert plan["estate"] == 3
    assert plan["counts"]["release"] == 1
    assert plan["overrides"] == {"ocp_conn_id": "ocp_default", "groups": ["eu"], "protect": ["number:+12125550003"]}


@pytest.mark.parametrize("overrides", ["[1]", "no JSON", "7"])
def test_overrides_that_are_no_mapping_are_refused_before_any_call(
    run: Run, scene: Scene, cleanup: Cleanup, overrides: str
) -> None:
    scene.sandbox.clear_calls()
    with pytest.raises(InvalidInput, match="overrides"):
        run(SelectUnusedNumbersOperator(task_id="select", policy_file="x.yaml", overrides=overrides))
    assert scene.sandbox.calls() == []


def test_limits_refuse_the_whole_run_and_leave_the_list_to_read(scene: Scene, cleanup: Cleanup) -> None:
    with pytest.raises(LimitExceeded, match="max_release is 4"):
        cleanup.select(max_release=4)
    assert scene.writes() == []
    assert scene.data_root.read("cleanup/manual__1/numbers.csv")


def test_without_an_inventory_nothing_is_selected(scene: Scene, run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "cleanup.yaml"
    policy.write_text(POLICY)
    with pytest.raises(IncompleteSnapshot, match="nightly_inventory_export"):
        Cleanup(run, policy).select()


@pytest.mark.parametrize(
    "answer", [{"approved": False}, {"approved_by": None}, {"approved": "yes"}, {"approved": None, "approved_by": None}]
)
def test_without_an_approval_nothing_is_given_up(scene: Scene, cleanup: Cleanup, answer: dict[str, Any]) -> None:
    plan = cleanup.select()
    with pytest.raises(PlanChanged, match="Nobody approved"):
        cleanup.release(plan, **answer)
    assert scene.writes() == []


def test_where_the_file_asks_for_no_approval_none_is_needed(
    scene: Scene, run: Run, publish: Any, tmp_path: Path
) -> None:
    publish()
    policy = tmp_path / "cleanup.yaml"
    policy.write_text(POLICY + "require_approval: false\n")
    cleanup = Cleanup(run, policy)
    plan = cleanup.select()
    assert (plan["ask"], plan["unasked"]) == (False, "the policy file asks for no approval")
    assert cleanup.release(plan, approved_by=None) == {"released": 5}


def test_an_approval_of_an_older_plan_releases_nothing(scene: Scene, cleanup: Cleanup, publish: Any) -> None:
    old = cleanup.select()
    scene.sandbox.edit.change_number(scene.numbers["stray"], set_id=scene.sets["us"])
    publish()
    assert cleanup.select()["counts"]["release"] == 6
    with pytest.raises(PlanChanged, match=old["digest"][:12]):
        cleanup.release(old)
    assert scene.writes() == []


def test_a_file_changed_after_the_approval_stops_the_release(scene: Scene, cleanup: Cleanup, tmp_path: Path) -> None:
    plan = cleanup.select()
    (tmp_path / "cleanup.yaml").write_text(POLICY.replace("emergency", "desk"))
    with pytest.raises(PlanChanged, match="policy was changed"):
        cleanup.release(plan)
    assert scene.writes() == []


def test_a_lost_answer_turns_the_task_red_and_the_next_attempt_finishes(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    scene.sandbox.faults.add(Fault("DELETE", "/api/numbers-set/*/delete", kind="drop_after", nth=1))
    with pytest.raises(OutcomeUnknown) as caught:
        cleanup.release(plan)
    assert caught.value.numbers == tuple(scene.of("due entered abroad"))
    assert cleanup.release(plan) == {"released": 4}
    assert scene.gone() == scene.due
    cleanup.mark(plan)
    assert cleanup.verify(plan)["released"] == 5


def test_two_cleanups_of_an_environment_do_not_work_at_once(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    other = Lease(scene.data_root, f"{LEASES}/ocp_default", clock=lambda: datetime.now(timezone.utc))
    with other.held():
        for task in (cleanup.mark, cleanup.release):
            with pytest.raises(Held):
                task(plan)
    assert scene.writes() == []
    assert cleanup.mark(plan) == {"changed": 9}


def test_verify_names_what_is_not_as_planned_after_putting_it_on_record(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    cleanup.mark(plan)
    scene.sandbox.edit.change_number(scene.numbers["new"], note="lobby")
    with pytest.raises(VerificationFailed) as caught:
        cleanup.verify(plan)
    assert len(caught.value.differences) == 6
    assert f"{scene.numbers['new']} was to be marked and is not" in caught.value.differences
    assert scene.data_root.read("cleanup/manual__1/result.json")


def test_a_plan_of_another_environment_is_refused(run: Run, scene: Scene, cleanup: Cleanup, monkeypatch: Any) -> None:
    plan = cleanup.select()
    connect(monkeypatch, scene.sandbox, "ocp_other")
    with pytest.raises(PlanChanged, match="ocp_other"):
        run(
            MarkUnusedNumbersOperator(task_id="mark", plan=plan, ocp_conn_id="ocp_other"),
            dag_run=SimpleNamespace(dag_id="cleanup", run_id="manual__1"),
        )


@pytest.mark.parametrize("plan", [None, {}, "a plan", ["digest", "key"]])
def test_what_is_no_plan_is_refused(run: Run, scene: Scene, plan: Any) -> None:
    with pytest.raises(InvalidInput, match="plan"):
        run(VerifyCleanupOperator(task_id="verify", plan=plan, released=None), dag_run=None)


def test_marks_bear_the_day_on_which_they_are_made(scene: Scene, cleanup: Cleanup, monkeypatch: Any) -> None:
    plan = cleanup.select()
    later = NOON.replace(month=12)
    monkeypatch.setattr(CleanupOperator, "now", lambda self: later)
    cleanup.mark(plan)
    assert scene.now("blank")["note"] == mark(later.date())
    assert scene.now("stray")["note"] == f"yard {mark(DUE)}"


def test_what_nobody_approved_is_no_difference_and_the_marks_are_verified(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    with pytest.raises(VerificationFailed) as caught:
        cleanup.verify(plan, released=None)
    assert all("was to be marked" in said or "was to be cleared" in said for said in caught.value.differences)
    cleanup.mark(plan)
    assert cleanup.verify(plan, released=None)["summary"].endswith("Nobody approved giving up 5 more: they stay.")


def test_verify_names_what_vanished_without_the_runs_doing(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    cleanup.mark(plan)
    scene.sandbox.edit.remove_number(scene.numbers["due bought"])
    with pytest.raises(VerificationFailed) as caught:
        cleanup.verify(plan)
    assert f"{scene.numbers['due bought']} is no longer in the inventory, but this run did not give it up" in (
        caught.value.differences
    )
    account = json.loads(scene.data_root.read("cleanup/manual__1/result.json") or b"")
    assert (account["released"], account["vanished"]) == ([], scene.of("due bought"))


def test_a_refusal_fails_the_release_at_once_in_ocps_own_words(scene: Scene, cleanup: Cleanup) -> None:
    plan = cleanup.select()
    scene.sandbox.faults.add(
        Fault("DELETE", "/api/numbers-set/*/delete", kind="refuse", nth=1, message="A port-out is under way")
    )
    with pytest.raises(Refused, match="A port-out is under way"):
        cleanup.release(plan)
    assert scene.gone() == []
    assert cleanup.release(plan) == {"released": 5}
    assert scene.gone() == scene.due
