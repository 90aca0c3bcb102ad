"""Operators of ``reconcile_regions``: read what is declared, compare each region with reality, publish the drift, and
have ``provision_region`` triggered where a person asks for it. None of them changes anything on OCP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import InvalidInput, OcpError, shown
from ocp_numbers.links import ProvisioningRunLink, dashboard_address
from ocp_numbers.operators import rendered
from ocp_numbers.operators.approval import ApprovePlanOperator
from ocp_numbers.operators.regions import PlanRegionOperator, cost
from ocp_numbers.operators.telling import explained, tell
from ocp_numbers.retry import retry_policy

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.regions.declared import DeclaredRegion
    from ocp_numbers.regions.drift import DriftReport

PROVISIONING = "provision_region"


def _declared(value: Any, *, field: str) -> DeclaredRegion:
    from ocp_numbers.regions.declared import DeclaredRegion

    return DeclaredRegion.parse(rendered.mapping(value, field=field))


class ReadDeclaredRegionsOperator(BaseOperator):
    """Read all declared regions, or refuse them with every fault of every file at once.

    Returns a list of them, each as :class:`CompareRegionOperator` takes it; it is empty where nothing is declared.

    :param folder: path of the folder with the files.
    :raises InvalidInput: naming file, field, value and fix of each fault.
    """

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", retry_policy())
        super().__init__(**kwargs)
        self.folder = folder

    @explained
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Read, and name what was found."""
        from ocp_numbers.regions.declared import read_declared

        regions = read_declared(Path(self.folder))
        tell(context, f"{len(regions)} regions declared: {shown(region.name for region in regions) or 'none'}")
        return [region.model_dump(mode="json") for region in regions]


class CompareRegionOperator(PlanRegionOperator):
    """Compare a declared region with what is there, and keep the plan that would make it true. Changes nothing on OCP.

    Returns the finding: ``name``, ``state``, ``summary``; for a drift also what
    :class:`AskToProvisionOperator` takes. A region that cannot be provisioned as it is declared fails the task, after
    the finding has been published.

    :param region: one item of what ``ReadDeclaredRegionsOperator`` returned (templated).
    :param policy_file: as in :class:`~ocp_numbers.operators.regions.PlanRegionOperator`.
    :raises NumberInUse, NotEnoughNumbers, OverBudget, OrderConflict, InvalidInput: what is in the way.
    """

    readers = rendered.inputs(region=_declared)

    def execute(self, context: Context) -> dict[str, Any]:
        """Survey, plan, compare."""
        from ocp_numbers.regions.drift import Finding, State, state_after
        from ocp_numbers.regions.page import page
        from ocp_numbers.regions.register import PlanRegister

        self.read_inputs()
        region: DeclaredRegion = self.region
        declared = region.model_dump(mode="json")
        try:
            plan = self.plan(region)
        except OcpError as error:
            finding = Finding.about(declared, state=state_after(error), summary=str(error))
            context["ti"].xcom_push(key="return_value", value=finding.model_dump(mode="json"))
            raise
        state = State.AS_DECLARED if plan.changes_nothing else State.DRIFTED
        finding = Finding.about(declared, state=state, summary=plan.summary)
        self.worked_on["page"] = "regions"
        self.log.info("%s", page(plan))
        self.tell(f"{region.name}: {state.value}. {plan.summary}")
        if state is State.AS_DECLARED:
            return finding.model_dump(mode="json")
        register = PlanRegister(DataRoot.from_environment())
        finding = finding.model_copy(update={"digest": plan.digest, "plan": register.keep(plan)})
        return {
            **finding.model_dump(mode="json"),
            "subject": f"Provision {region.name}, which has drifted: {cost(plan)}?",
            "body": f"{page(plan)}\n\n{_what_follows(region)}",
            "ask": region.apply == "when_asked",
            "unasked": f"its file says apply: {region.apply}",
            "record": f"{register.folder(plan)}/requests",
            "parameters": region.parameters,
        }


def _what_follows(region: DeclaredRegion) -> str:
    approval = "asks for approval of its own plan" if region.require_approval else "carries its own plan out"
    return f"*Provision* triggers `{PROVISIONING}`, which looks again and {approval}. No answer leaves all as it is."


class AskToProvisionOperator(ApprovePlanOperator):
    """Ask whether a drifted region is to be provisioned; go on at once where its file says ``apply: on_approval``.

    Skips where nothing has drifted. Returns what :class:`TriggerProvisioningOperator` takes.

    :param plan: what ``CompareRegionOperator`` returned (templated).
    :param report_only: whether nobody is to be asked at all (templated).
    """

    APPROVE = "Provision"
    REJECT = "Not now"
    template_fields: Sequence[str] = ("plan", "report_only")

    def __init__(self, *, report_only: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report_only = report_only

    def execute(self, context: Context) -> Any:
        """Ask, go on, or skip."""
        from ocp_numbers.regions.drift import State

        finding = rendered.mapping(self.plan, field="plan")
        if finding["state"] != State.DRIFTED:
            _skip(finding["summary"])
        if rendered.flag(self.report_only, field="report_only"):
            _skip("This run only reports: nobody is asked and nothing is triggered.")
        return super().execute(context)


class TriggerProvisioningOperator(BaseOperator):
    """Trigger ``provision_region`` for a drifted region, once per run and plan.

    A ``TriggerDagRunOperator`` made for this: importing that one costs 0.3 s whenever the DAG file is parsed.

    :param plan: what ``AskToProvisionOperator`` returned (templated).
    :raises InvalidInput: when ``provision_region`` is paused: the run would wait unseen.
    """

    template_fields: Sequence[str] = ("plan",)
    operator_extra_links = (ProvisioningRunLink(),)
    ui_color = "#ffefeb"

    def __init__(self, *, plan: Mapping[str, Any] | Any, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", retry_policy())
        super().__init__(**kwargs)
        self.plan = plan
        self.triggered_dag_id = PROVISIONING
        self.triggered_run_id = ""

    @explained
    def execute(self, context: Context) -> NoReturn:
        """Hand the request over to Airflow, which carries it out and ends the task."""
        from airflow.sdk.exceptions import DagRunTriggerException

        plan = rendered.mapping(self.plan, field="plan")
        if plan["approved"] is not True:
            # Airflow skips what follows a refusal only outside of mapped task groups.
            _skip("Nobody asked for it: nothing is triggered.")
        if context["ti"].get_dag(PROVISIONING).is_paused:
            raise InvalidInput(f"{PROVISIONING}: is paused; unpause it, then clear this task")
        run = context["dag_run"]
        self.triggered_run_id = f"reconcile__{run.run_after:%Y%m%dT%H%M%S}__{plan['digest'][:12]}"
        raise DagRunTriggerException(
            trigger_dag_id=PROVISIONING,
            dag_run_id=self.triggered_run_id,
            conf=plan["parameters"],
            note=f"{plan['name']} drifted, {_on_whose_word(plan)}; {run.dag_id}, {run.run_id}",
            # The same run asks for the same plan once, however often this task is tried or cleared.
            skip_when_already_exists=True,
            reset_dag_run=False,
            wait_for_completion=False,
            allowed_states=[],
            failed_states=[],
            poke_interval=0,
            deferrable=False,
        )


class PublishDriftOperator(BaseOperator):
    """Publish how all declared regions stand: a document in the data root, a table in the log, the sums as a result.

    Needs the trigger rule ``all_done``: it also reports what could not be compared. Skips where the declarations could
    not be read. Returns ``summary``, ``document`` and the ``counts`` by state.

    :param declared: what ``ReadDeclaredRegionsOperator`` returned (templated).
    :param found: what the ``CompareRegionOperator`` returned, all of them (templated).
    """

    template_fields: Sequence[str] = ("declared", "found")

    def __init__(
        self, *, declared: Sequence[Mapping[str, Any]] | Any, found: Iterable[Mapping[str, Any]] | Any, **kwargs: Any
    ) -> None:
        kwargs.setdefault("retry_policy", retry_policy())
        super().__init__(**kwargs)
        self.declared = declared
        self.found = found

    def _tell_of_drift(self, context: Context, report: DriftReport) -> None:
        from ocp_numbers.notifications import Event, notify
        from ocp_numbers.regions.drift import State

        astray = [finding for finding in report.findings if finding.state is not State.AS_DECLARED]
        if not astray:
            return
        environments = sorted({finding.environment for finding in astray})
        event = Event(
            kind="drift",
            environment=shown(environments),
            subject=report.summary,
            text="\n".join(f"{finding.name}: {finding.state.value}. {finding.summary}" for finding in astray),
            link=dashboard_address(environments[0], "regions"),
        )
        notify(dict(context), event)

    @explained
    def execute(self, context: Context) -> dict[str, Any]:
        """Gather, keep, show."""
        from ocp_numbers.regions.drift import DriftReport

        if self.declared is None:
            _skip("The declarations could not be read: there is nothing to report.")
        # Of a single mapped task Airflow hands over the result itself, not a list of one.
        found = [self.found] if isinstance(self.found, Mapping) else self.found or ()
        run = context["dag_run"]
        report = DriftReport.over(
            self.declared, found, run=f"{run.dag_id}/{run.run_id}", now=datetime.now(timezone.utc)
        )
        key = report.save(DataRoot.from_environment())
        self.log.info("%s", report.table)
        tell(context, report.summary)
        self._tell_of_drift(context, report)
        return {"summary": report.summary, "document": key, "counts": report.counts}


def _on_whose_word(plan: Mapping[str, Any]) -> str:
    return f"{plan['approved_by']} asked for it" if plan["approved_by"] else str(plan["unasked"])


def _skip(reason: str) -> NoReturn:
    from airflow.sdk.exceptions import AirflowSkipException

    raise AirflowSkipException(reason)
