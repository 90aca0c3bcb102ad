"""Operators of ``provision_region``: plan a region, buy what an approved plan says, fill the set, verify the outcome.

Attaching is :class:`~ocp_numbers.operators.sets.AttachSetOperator`'s, asking a person is made of
:class:`~ocp_numbers.operators.approval.ApprovePlanOperator`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.utils.skipmixin import SkipMixin

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import InvalidInput, PlanChanged, VerificationFailed, shown
from ocp_numbers.links import SetLink
from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.operators import rendered
from ocp_numbers.operators.approval import ApprovePlanOperator
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.buy import BuyNumbersOperator
from ocp_numbers.operators.converge import PAUSES, converge, subjects
from ocp_numbers.operators.sets import EnsureSetOperator, joining

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.regions.plan import RegionPlan
    from ocp_numbers.regions.reserving import Planner
    from ocp_numbers.regions.spec import RegionSpec

__all__ = [
    "ApproveRegionOperator",
    "BuyPlannedNumbersOperator",
    "FillSetOperator",
    "PlanRegionOperator",
    "VerifyRegionOperator",
]

FROM_PLAN = "{{ plan }}"
"""Stands where an input is known only once the plan has been read."""


def _region(value: Any, *, field: str) -> RegionSpec:
    from ocp_numbers.regions.spec import RegionSpec

    return RegionSpec.parse(rendered.mapping(value, field=field))


def _approved(value: Any, *, field: str) -> Mapping[str, Any]:
    plan = rendered.mapping(value, field=field)
    if not {"plan", "digest", "approved"} <= set(plan):
        raise InvalidInput(f"{field}: is not an approved plan; pass the output of ApproveRegionOperator")
    if plan["approved"] is not True:
        raise PlanChanged(f"{field}: plan {plan['digest']} was not approved. Nothing was changed.")
    return plan


def cost(plan: RegionPlan) -> str:
    """What approving the plan may cost, in the few words that a question's subject has room for."""
    bought = plan.order.to_buy if plan.order else 0
    return f"{bought} numbers to buy for at most {plan.total:f}" if bought else "nothing to buy"


class PlanRegionOperator(OcpOperator, SkipMixin):
    """Look at what is there, and plan what makes the region true. Changes nothing on OCP.

    The plan is kept in the data root, and its numbers are reserved: no other region's plan picks them until it is
    carried out, rejected, or older than a day. A dry run only shows it, and skips all that follows. Returns what
    :class:`ApproveRegionOperator` takes: ``digest``, ``subject`` and ``body`` of the question, ``ask``; and ``plan``,
    its key in the data root, ``summary``, and ``region``, the wish.

    :param region: the fields of :class:`~ocp_numbers.regions.spec.RegionSpec`, as a mapping or as JSON (templated).
    :param policy_file: the cleanup's policy, whose ``protect`` keeps numbers from being reused as well. Those with
        *keep* in their note, and those marked for a cleanup, are never reused.
    :raises InvalidInput: naming every field that is missing or wrong.
    :raises NumberInUse, NotEnoughNumbers, OverBudget, OrderConflict: with the figures; see
        :func:`~ocp_numbers.regions.planning.plan_region`.
    """

    readers = rendered.inputs(region=_region)
    template_fields = ("region",)

    def __init__(self, *, region: Mapping[str, Any] | str, policy_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.region: Any = region
        self.policy_file = policy_file
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Survey, plan, show."""
        from ocp_numbers.regions.page import page
        from ocp_numbers.regions.register import PlanRegister

        self.read_inputs()
        spec: RegionSpec = self.region
        planner = self.planner(spec)
        plan = planner.propose(spec.region) if spec.dry_run else planner.reserve(spec.region, run=_run(context))
        self.worked_on["page"] = "regions"
        self.log.info("%s", page(plan))
        self.tell(plan.summary)
        register = PlanRegister(DataRoot.from_environment())
        result = {
            "digest": plan.digest,
            "subject": f"Provision {spec.set_name} of {spec.group}: {cost(plan)}?",
            "body": page(plan),
            "ask": spec.require_approval and not plan.changes_nothing,
            "unasked": "nothing is to be changed" if plan.changes_nothing else "require_approval is off",
            "record": f"{register.folder(plan)}/approvals",
            "plan": register.key(plan),
            "summary": plan.summary,
            "region": plan.region.model_dump(mode="json"),
        }
        if spec.dry_run:
            self.log.info("Dry run: nothing is written and nothing follows.")
            # Skipping ends the task here, so what it found is handed over first.
            context["ti"].xcom_push(key="return_value", value=result)
            self.skip(ti=context["ti"], tasks=context["task"].get_flat_relatives(upstream=False))
        else:
            register.keep(plan)
        return result

    def planner(self, spec: RegionSpec) -> Planner:
        """What looks at what is there, and makes the plan for it."""
        from ocp_numbers.ordering import OrderBook, Reservations
        from ocp_numbers.regions.reserving import Planner

        self.ocp_conn_id = spec.ocp_conn_id
        root, environment = DataRoot.from_environment(), self.hook.environment
        return Planner(
            self.client, OrderBook(root, environment), Reservations(root, environment), is_protected=self._protection()
        )

    def plan(self, spec: RegionSpec) -> RegionPlan:
        """The plan as it would be made now; nothing is reserved."""
        return self.planner(spec).propose(spec.region)

    def _protection(self) -> Callable[[PhoneNumber], bool]:
        """Which free numbers are not to be touched."""
        from ocp_numbers.cleanup.marks import kept, marked_since
        from ocp_numbers.cleanup.policy import CleanupPolicy

        policy = CleanupPolicy.load(Path(self.policy_file), {}) if self.policy_file else CleanupPolicy()

        def is_protected(number: PhoneNumber) -> bool:
            marked = kept(number.note) or marked_since(number.note) is not None
            return marked or policy.protection(number, None) is not None

        return is_protected


class ApproveRegionOperator(ApprovePlanOperator):
    """Ask for approval of a region's plan; one that is not approved frees the numbers that it had reserved."""

    def refused(self) -> None:
        """Let other plans have the numbers."""
        from ocp_numbers.ordering import Reservations
        from ocp_numbers.regions.reserving import owner
        from ocp_numbers.regions.spec import Region

        region = Region.model_validate(self.plan["region"])
        root = self.data_root or DataRoot.from_environment()
        Reservations(root, region.ocp_conn_id).withdraw(owner(region), self.plan["digest"])


class BuyPlannedNumbersOperator(BuyNumbersOperator):
    """Buy what an approved plan says, exactly once. **Costs money.** Put it into a one-slot pool.

    Looks first whether the plan still holds: what it found in the set, and the free numbers it reuses, must be as they
    were, or as this plan makes them, and its numbers must still be reserved, or be so again. Returns what
    ``BuyNumbersOperator`` returns, and ``for_set``: all numbers that the region's set is to hold attached.

    :param plan: the output of ``ApproveRegionOperator`` (templated).
    :raises PlanChanged: the plan is not the approved one, or no longer holds; nothing was bought.
    """

    readers = rendered.inputs(**BuyNumbersOperator.readers, plan=_approved)
    template_fields = ("plan",)

    def __init__(self, *, plan: Mapping[str, Any] | Any, **kwargs: Any) -> None:
        self.plan = plan
        super().__init__(provider=FROM_PLAN, group=FROM_PLAN, country_code=FROM_PLAN, offers=FROM_PLAN, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Check that the plan still holds, and fulfil its order."""
        plan = _find(_approved(self.plan, field="plan"))
        self.ocp_conn_id = plan.region.ocp_conn_id
        self.mark_log(plan=plan.short_digest)
        self._keep_reserved(plan, context)
        self._check_still_holds(plan)
        if plan.order is None:
            self.tell(f"Nothing to buy. {plan.summary}")
            return {"numbers": [], "bought": 0, "spent": "0", "for_set": list(plan.known)}
        wishes = plan.order.wishes.model_dump()
        for name, value in wishes.items():
            setattr(self, name, value)
        self.order_id = plan.order.order_id
        account = super().execute(context)
        return {**account, "for_set": list(dict.fromkeys((*plan.known, *account["numbers"])))}

    def _keep_reserved(self, plan: RegionPlan, context: Context) -> None:
        from ocp_numbers.ordering import OrderBook, Reservations
        from ocp_numbers.regions.reserving import claim_of

        if plan.changes_nothing:
            return
        root = DataRoot.from_environment()
        lost = Reservations(root, plan.environment).renew(claim_of(plan), run=_run(context))
        begun = plan.order and OrderBook(root, plan.environment).read(plan.order.order_id)
        if lost and not begun:
            raise PlanChanged(
                f"Plan {plan.short_digest} no longer holds: its reservation ran out, and others count on its numbers: "
                f"{shown(f'{number} ({owner})' for number, owner in lost.items())}. Nothing was bought. Trigger a new "
                "run."
            )

    def _check_still_holds(self, plan: RegionPlan) -> None:
        from ocp_numbers.regions.checks import obstacles

        found, members = _look(self, plan)
        inside = {number.number for number in members}
        outside = [number.number for number in plan.reuse if number.number not in inside]
        reusable = self.client.numbers.find(outside) if outside else {}
        changed = obstacles(plan, found=found, members=members, reusable=reusable)
        if changed:
            raise PlanChanged(
                f"Plan {plan.short_digest} no longer holds: {shown(changed)}. Nothing was bought. Trigger a new run."
            )


class FillSetOperator(EnsureSetOperator):
    """See to it that the set exists and holds these numbers; never takes a number out of another set.

    Returns ``{"set_id", "created", "added"}``.

    :param name: name of the set (templated).
    :param group: group that the set belongs to (templated).
    :param numbers: numbers in E.164 (templated).
    :raises NumberInUse: when a number is in another set.
    """

    readers = rendered.inputs(**EnsureSetOperator.readers, numbers=rendered.numbers)
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, numbers: Sequence[str] | str, **kwargs: Any) -> None:
        self.numbers = numbers
        super().__init__(**kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Find or create the set, and add what is not in it yet."""
        ensured = super().execute(context)
        set_id = ensured["set_id"]

        added = converge(
            self,
            f"add to set {self.name}",
            operation="put into set",
            todo=lambda: joining(self.client, set_id, self.numbers),
            change=lambda batch: self.client.sets.add_numbers(set_id, numbers=subjects(batch)),
        )
        self.tell(
            f"Set {self.name} of {self.group} {'created' if ensured['created'] else 'found'}, {added} numbers added, "
            f"{len(self.numbers) - added} were in it"
        )
        return {**ensured, "added": added}


class VerifyRegionOperator(OcpOperator):
    """Read everything back: set, numbers, miniApp, locale, tag and count, as the approved plan promised.

    OCP may show a change some seconds late, so a difference is looked at again before it counts. Returns ``summary``,
    a sentence, ``set_id``, ``attached``, ``bought``, ``spent``, ``digest`` and ``approved_by``.

    :param plan: the output of ``ApproveRegionOperator`` (templated).
    :param bought: the output of ``BuyPlannedNumbersOperator`` (templated).
    :raises VerificationFailed: naming each difference.
    """

    readers = rendered.inputs(plan=_approved, bought=rendered.mapping)
    template_fields = ("plan", "bought")
    operator_extra_links = (SetLink(), *OcpOperator.operator_extra_links)

    def __init__(self, *, plan: Mapping[str, Any] | Any, bought: Mapping[str, Any] | Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.bought = bought

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, and say what came of it."""
        from ocp_numbers.client import Clock
        from ocp_numbers.ordering import Reservations
        from ocp_numbers.regions.checks import account, differences
        from ocp_numbers.regions.reserving import owner

        self.read_inputs()
        plan = _find(self.plan)
        self.ocp_conn_id = plan.region.ocp_conn_id
        self.mark_log(plan=plan.short_digest)
        for pause in (*PAUSES, 0.0):
            found, members = _look(self, plan)
            wrong = differences(plan, bought=self.bought["numbers"], found=found, members=members)
            if found is not None and not wrong:
                break
            Clock().pause(pause)
        else:
            raise VerificationFailed(
                f"Plan {plan.short_digest} did not come true: {shown(wrong)}. Look at the set in OCP's console, then "
                "trigger a new run: it changes only what is missing.",
                differences=wrong,
            )
        Reservations(DataRoot.from_environment(), plan.environment).fulfil(owner(plan.region))
        summary = account(plan, bought=int(self.bought["bought"]), spent=str(self.bought["spent"]))
        self.worked_on["set"] = found.id
        self.tell(summary)
        return {
            "summary": summary,
            "set_id": found.id,
            "attached": len({*plan.known, *self.bought["numbers"]}),
            "bought": self.bought["bought"],
            "spent": self.bought["spent"],
            "digest": plan.digest,
            "approved_by": self.plan.get("approved_by"),
        }


def _run(context: Context) -> str:
    """The DAG run, as reservations and answers name it."""
    run = context["dag_run"]
    return f"{run.dag_id}/{run.run_id}"


def _find(approved: Mapping[str, Any]) -> RegionPlan:
    """The approved plan, read from the data root and proven to be it."""
    from ocp_numbers.regions.register import PlanRegister

    return PlanRegister(DataRoot.from_environment()).find(approved["plan"], approved["digest"])


def _look(operator: OcpOperator, plan: RegionPlan) -> tuple[NumberSet | None, tuple[PhoneNumber, ...]]:
    """The region's set and its numbers as OCP shows them now."""
    from ocp_numbers.regions.planning import the_set

    found = the_set(plan.region, operator.client.sets.list())
    return found, operator.client.sets.numbers(found.id) if found else ()
