"""Reconciling task by task against a platform: what has drifted is found, kept and shown; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException, TaskAwaitingInput

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Forbidden, InvalidConnection, InvalidInput, NumberInUse, OcpError, OverBudget
from ocp_numbers.operators.reconciling import (
    AskToProvisionOperator,
    CompareRegionOperator,
    PublishDriftOperator,
    ReadDeclaredRegionsOperator,
    TriggerProvisioningOperator,
)
from ocp_numbers.regions.drift import DOCUMENT
from ocp_numbers.regions.register import PlanRegister
from ocp_numbers.regions.spec import RegionSpec
from ocp_sandbox import Fault
from operators.provisioning import POLICY, DagRun, Provisioning, TaskInstance, followed
from operators.world import Run, World, connect

REQUESTED = datetime(2026, 11, 24, 3, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataRoot:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
    return DataRoot(tmp_path)


@dataclass
class Target:
    """As much of a DAG as the trigger looks at."""

    is_paused: bool = False


@dataclass
class Instance(TaskInstance):
    """A task instance that knows another DAG."""

    map_index: int = 0
    dag_id: str = "reconcile_regions"
    target: Target = field(default_factory=Target)

    def get_dag(self, dag_id: str) -> Target:
        assert dag_id == "provision_region"
        return self.target


@dataclass
class NightlyRun(DagRun):
    """A scheduled run."""

    dag_id: str = "reconcile_regions"
    run_id: str = "scheduled__2026-11-24"
    triggering_user_name: str = ""
    run_after: datetime = REQUESTED


class Reconciling:
    """One run for one declared region; each method is a task, and returns what the task would."""

    def __init__(self, run: Run, world: World, **fields: Any) -> None:
        self._run = run
        self.ti = Instance()
        self.context = {"ti": self.ti, "task_instance": self.ti, "dag_run": NightlyRun()}
        self.region = {**Provisioning(run, world).region, "name": "manhattan", **fields}

    def compare(self) -> dict[str, Any]:
        operator = CompareRegionOperator(task_id="compare", region=self.region, policy_file=str(POLICY))
        return dict(self._run(operator, **self.context, task=operator))

    def fail(self, error: type[OcpError]) -> dict[str, Any]:
        """What the comparison publishes before it fails."""
        with pytest.raises(error) as raised:
            self.compare()
        finding = dict(self.ti.pushed["return_value"])
        assert finding["summary"] == str(raised.value)
        return finding

    def ask(self, finding: dict[str, Any], **arguments: Any) -> dict[str, Any]:
        operator = AskToProvisionOperator(task_id="ask", plan=finding, **arguments)
        return dict(self._run(operator, **self.context, task=operator))

    def answer(self, finding: dict[str, Any], option: str, by: str | None = "anna") -> dict[str, Any]:
        operator = followed(AskToProvisionOperator, task_id="ask", plan=finding)
        event = {
            "chosen_options": [option],
            "params_input": {},
            "responded_at": datetime.now(timezone.utc),
            "responded_by_user": {"id": by, "name": by} if by else None,
        }
        context: Any = {**self.context, "task": operator}
        return dict(operator.execute_complete(context, event))

    def provision(self, asked: dict[str, Any]) -> DagRunTriggerException:
        """What the task asks Airflow for."""
        self.trigger = TriggerProvisioningOperator(task_id="provision", plan=asked)
        with pytest.raises(DagRunTriggerException) as request:
            self._run(self.trigger, **self.context, task=self.trigger)
        return request.value


Reconcile = Callable[..., Reconciling]


@pytest.fixture
def reconcile(run: Run, world: World) -> Reconcile:
    return lambda **fields: Reconciling(run, world, **fields)


class TestComparing:
    def test_a_region_as_declared_is_found_to_be_so(self, run: Run, world: World, reconcile: Reconcile) -> None:
        Provisioning(run, world).whole()
        finding = reconcile().compare()
        assert (finding["name"], finding["state"], finding["plan"]) == ("manhattan", "as declared", None)
        assert finding["summary"].startswith("Nothing to do")

    def test_a_drift_is_kept_as_a_plan_and_nothing_is_changed(
        self, world: World, reconcile: Reconcile, data_root: DataRoot
    ) -> None:
        finding = reconcile().compare()
        assert finding["state"] == "drifted"
        assert finding["summary"].endswith("5 to buy for at most 5.")
        assert PlanRegister(data_root).find(finding["plan"], finding["digest"]).total == 5
        assert not world.writes()

    def test_the_plan_is_the_one_that_provisioning_makes(self, run: Run, world: World, reconcile: Reconcile) -> None:
        assert reconcile().compare()["digest"] == Provisioning(run, world).search()["digest"]

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({"max_unit_price": 0}, OverBudget),
            ({"set_name": "taken"}, NumberInUse),
            ({"set_name": "away"}, InvalidInput),
        ],
    )
    def test_an_obstacle_is_published_and_then_fails_the_task(
        self, world: World, reconcile: Reconcile, fields: dict[str, Any], error: type[OcpError]
    ) -> None:
        world.add_set("taken", 1, mini_app_id=world.other_app, locale="en-US")
        world.sandbox.edit.add_set("away", "banking-eu")
        assert reconcile(**fields).fail(error)["state"] == "blocked"

    def test_a_platform_that_fails_leaves_the_region_not_compared(self, world: World, reconcile: Reconcile) -> None:
        world.sandbox.faults.add(Fault("GET", "/api/numbers-set", kind="status", status=403, every=1, times=9))
        assert reconcile().fail(Forbidden)["state"] == "not compared"

    def test_a_connection_that_cannot_be_used_says_nothing_about_the_region(
        self, world: World, reconcile: Reconcile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, world.sandbox, login="", password="")
        assert reconcile().fail(InvalidConnection)["state"] == "not compared"

    def test_a_connection_that_may_only_read_is_enough(
        self, world: World, reconcile: Reconcile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, world.sandbox, extra={"access": "read"})
        assert reconcile().compare()["state"] == "drifted"


class TestAsking:
    def test_the_question_shows_the_plan_and_silence_is_a_no(
        self, reconcile: Reconcile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: dict[str, Any] = {}
        monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **question: asked.update(question))
        task = reconcile()
        finding = task.compare()
        with pytest.raises(TaskAwaitingInput):
            task.ask(finding)
        assert asked["options"] == [f"Provision {finding['digest'][:12]}", "Not now"]
        assert asked["defaults"] == ["Not now"]
        assert asked["subject"] == "Provision manhattan, which has drifted: 5 numbers to buy for at most 5?"
        assert "**Total: at most 5**" in asked["body"]
        assert "asks for approval of its own plan" in asked["body"]

    def test_a_file_may_leave_the_question_to_the_approval(self, reconcile: Reconcile) -> None:
        task = reconcile(apply="on_approval")
        answer = task.ask(task.compare())
        assert (answer["approved"], answer["approved_by"]) == (True, None)

    @pytest.mark.parametrize("apply", ["when_asked", "on_approval"])
    def test_a_run_that_only_reports_asks_nobody(self, reconcile: Reconcile, apply: str) -> None:
        task = reconcile(apply=apply)
        with pytest.raises(AirflowSkipException, match="only reports"):
            task.ask(task.compare(), report_only="True")

    def test_nothing_is_asked_where_nothing_has_drifted(self, run: Run, world: World, reconcile: Reconcile) -> None:
        Provisioning(run, world).whole()
        task = reconcile()
        with pytest.raises(AirflowSkipException, match="Nothing to do"):
            task.ask(task.compare())

    def test_the_answer_and_who_gave_it_are_kept(self, reconcile: Reconcile, data_root: DataRoot) -> None:
        task = reconcile()
        finding = task.compare()
        task.answer(finding, f"Provision {finding['digest'][:12]}")
        (key,) = [key for key in data_root.keys("regions") if "/requests/" in key]
        assert json.loads(data_root.read(key) or b"")["approved_by"] == "anna"


class TestProvisioning:
    def asked(self, task: Reconciling) -> dict[str, Any]:
        finding = task.compare()
        return task.answer(finding, f"Provision {finding['digest'][:12]}")

    def test_the_request_carries_the_regions_parameters_and_whose_wish_it_was(self, reconcile: Reconcile) -> None:
        task = reconcile(max_unit_price="9.95", note="front desk")
        request = task.provision(self.asked(task))
        assert request.trigger_dag_id == "provision_region"
        assert request.note == "manhattan drifted, anna asked for it; reconcile_regions, scheduled__2026-11-24"
        wish = {name: value for name, value in task.region.items() if name != "name"}
        assert RegionSpec.parse(json.loads(json.dumps(request.conf))) == RegionSpec.parse(wish)

    def test_the_same_run_asks_for_the_same_plan_under_one_name(self, reconcile: Reconcile) -> None:
        task, other = reconcile(), reconcile(set_name="brooklyn")
        first, again, elsewhere = (one.provision(self.asked(one)) for one in (task, task, other))
        assert first.dag_run_id == again.dag_run_id != elsewhere.dag_run_id
        assert first.dag_run_id.startswith("reconcile__20261124T030000__")
        assert first.skip_when_already_exists

    @pytest.mark.parametrize("by", ["anna", None])
    def test_after_a_no_or_a_silence_nothing_is_triggered(self, reconcile: Reconcile, run: Run, by: str | None) -> None:
        task = reconcile()
        refused = task.answer(task.compare(), "Not now", by=by)
        operator = TriggerProvisioningOperator(task_id="provision", plan=refused)
        with pytest.raises(AirflowSkipException, match="Nobody asked"):
            run(operator, **task.context, task=operator)

    def test_a_paused_provisioning_is_named(self, reconcile: Reconcile, run: Run) -> None:
        task = reconcile()
        task.ti.target.is_paused = True
        operator = TriggerProvisioningOperator(task_id="provision", plan=self.asked(task))
        with pytest.raises(InvalidInput, match="unpause it"):
            run(operator, **task.context, task=operator)

    def test_the_task_links_to_the_run_once_it_has_asked_for_it(self, reconcile: Reconcile) -> None:
        task = reconcile()
        request = task.provision(self.asked(task))
        (link,) = task.trigger.operator_extra_links
        address = link.get_link(task.trigger, ti_key=None)  # type: ignore[arg-type]
        assert address.endswith(f"/dags/provision_region/runs/{quote(request.dag_run_id)}")
        untried = TriggerProvisioningOperator(task_id="provision", plan={})
        assert link.get_link(untried, ti_key=None) == ""  # type: ignore[arg-type]


class TestReadingAndPublishing:
    def test_what_is_declared_can_be_compared(self, run: Run, reconcile: Reconcile, tmp_path: Path) -> None:
        content = {name: value for name, value in reconcile().region.items() if name != "name"}
        (tmp_path / "manhattan.yaml").write_text(json.dumps(content), encoding="utf-8")
        (region,) = run(ReadDeclaredRegionsOperator(task_id="declared", folder=str(tmp_path)))
        assert reconcile(**region).compare()["state"] == "drifted"

    @pytest.mark.parametrize("single", [True, False])
    def test_the_report_holds_each_region_also_where_airflow_hands_over_a_single_one(
        self, run: Run, reconcile: Reconcile, data_root: DataRoot, single: bool
    ) -> None:
        task = reconcile()
        finding = task.compare()
        declared = [{"apply": "when_asked", **task.region}]
        operator = PublishDriftOperator(task_id="drift", declared=declared, found=finding if single else [finding])
        published = run(operator, **task.context)
        assert published["summary"] == "Of 1 declared regions: 1 drifted (manhattan)."
        assert published["counts"]["drifted"] == 1
        report = json.loads(data_root.read(DOCUMENT) or b"")
        assert report["findings"][0]["plan"] == finding["plan"]
        assert report["run"] == "reconcile_regions/scheduled__2026-11-24"

    def test_a_comparison_that_never_ended_is_reported_as_such(self, run: Run, reconcile: Reconcile) -> None:
        task = reconcile()
        operator = PublishDriftOperator(task_id="drift", declared=[{"apply": "when_asked", **task.region}], found=None)
        assert run(operator, **task.context)["counts"]["not compared"] == 1

    def test_there_is_no_report_where_the_declarations_could_not_be_read(
        self, run: Run, reconcile: Reconcile, data_root: DataRoot
    ) -> None:
        operator = PublishDriftOperator(task_id="drift", declared=None, found=None)
        with pytest.raises(AirflowSkipException, match="could not be read"):
            run(operator, **reconcile().context)
        assert data_root.read(DOCUMENT) is None
