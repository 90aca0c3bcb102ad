"""Operators of a cleanup: select, mark, release, verify; the approval between them is
:class:`~ocp_numbers.operators.approval.ApprovePlanOperator`.

Each takes what the one before returned, makes sure that the plan in the data root is still that one, and looks at OCP
before it writes. A dry run goes through all of them and ends each before its first write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from ocp_numbers.errors import InvalidInput, PlanChanged, VerificationFailed, shown
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.cleanup.plan import CleanupPlan
    from ocp_numbers.cleanup.policy import CleanupPolicy
    from ocp_numbers.client import OcpClient
    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.journal import Journal

LEASES = "cleanup/.lease"
"""Folder of the data root for the leases, one for each environment; no run's folder begins with a dot."""


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


def _fields(value: Any, *, field: str) -> dict[str, Any]:
    """A mapping, or a string with a JSON object; nothing of either is an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except ValueError:
            raise InvalidInput(f"{field}: {value[:80]!r} is not JSON; end the template with '| tojson'") from None
    if not isinstance(value or {}, Mapping):
        raise InvalidInput(f"{field}: {str(value)[:80]!r} is not a mapping of fields of the policy")
    return dict(value or {})


def _plan(value: Any, *, field: str) -> dict[str, Any]:
    """What a task of a cleanup returned."""
    if not isinstance(value, Mapping) or not {"digest", "key"} <= set(value):
        raise InvalidInput(
            f"{field}: {str(value)[:80]!r} is no plan; pass the output of the task before, which must have run"
        )
    return dict(value)


class CleanupOperator(OcpOperator):
    """What the operators of a cleanup share.

    :param timezone: whose dates count, such as ``Europe/Athens`` (templated).
    :param data_root: where plans and journals are kept; by default the one of the environment.
    """

    template_fields: Sequence[str] = ("ocp_conn_id", "timezone")

    def __init__(self, *, timezone: str = "UTC", data_root: DataRoot | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.timezone = timezone
        self.data_root = data_root

    @cached_property
    def worked_on(self) -> dict[str, str]:
        """The dashboard's page of the cleanup."""
        return {"page": "cleanup"}

    @property
    def root(self) -> DataRoot:
        """The data root to use."""
        from ocp_numbers.data_root import DataRoot

        return self.data_root or DataRoot.from_environment()

    def now(self) -> datetime:
        """The present moment. Its date counts and not the run's: a mark must not be older than it is."""
        return utc_now().astimezone(ZoneInfo(self.timezone))


class SelectUnusedNumbersOperator(CleanupOperator):
    """Decide which numbers are unused and what is to become of each. Writes to the data root, never to OCP.

    Leaves ``plan.json`` and ``numbers.csv`` under ``cleanup/<run>/``. Returns the plan's ``digest``, how many numbers
    each action concerns, and the question that ``ApprovePlanOperator`` asks.

    :param policy_file: path of the policy, see :class:`~ocp_numbers.cleanup.policy.CleanupPolicy` (templated).
    :param overrides: fields of the policy that differ in this run, as a mapping or its JSON; ``None`` leaves the file's
        value. A scheduled run keeps the file's ``dry_run`` (templated).
    :raises LimitExceeded: when more numbers are due than the policy allows; the plan is on record then.
    :raises IncompleteSnapshot: when there is no inventory that is recent enough.
    """

    template_fields = (*CleanupOperator.template_fields, "policy_file", "overrides")
    readers: ClassVar[rendered.Readers] = {
        "timezone": rendered.text,
        "policy_file": rendered.text,
        "overrides": _fields,
    }

    def __init__(self, *, policy_file: str, overrides: Mapping[str, Any] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.policy_file = policy_file
        self.overrides = overrides
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide, put the plan on record, show it."""
        from ocp_numbers.cleanup import report
        from ocp_numbers.cleanup.plan import folder, save_plan
        from ocp_numbers.cleanup.planning import plan_cleanup

        self.read_inputs()
        overrides = {
            name: value for name, value in _fields(self.overrides, field="overrides").items() if value is not None
        }
        if context["dag_run"].run_type == "scheduled":
            overrides.pop("dry_run", None)
        plan = plan_cleanup(
            self.client,
            self.root,
            environment=self.hook.environment,
            run=context["dag_run"].run_id,
            policy=_policy(self.policy_file, overrides),
            now=self.now(),
        )
        place = folder(plan.run)
        self.root.write(f"{place}/numbers.csv", report.spreadsheet(plan))
        key = save_plan(self.root, plan)
        self.tell(f"{report.summary(plan)} All of them: {place}/numbers.csv")
        for line in report.log_lines(plan):
            self.log.info("%s", line)
        plan.check_limits()
        unasked = report.unasked(plan)
        return {
            "digest": plan.digest,
            "key": key,
            "policy_file": self.policy_file,
            "overrides": overrides,
            "dry_run": plan.policy.dry_run,
            "estate": plan.estate,
            "counts": plan.counts,
            "summary": report.summary(plan),
            "record": f"{place}/approvals",
            "ask": unasked is None,
            "unasked": unasked,
            "subject": f"Give up {len(plan.releases)} numbers in {plan.environment}?",
            "body": report.page(plan, more=f"{place}/numbers.csv"),
        }


class _PlanOperator(CleanupOperator):
    """Does something about a plan.

    :param plan: what ``SelectUnusedNumbersOperator`` or ``ApprovePlanOperator`` returned (templated).
    """

    template_fields = (*CleanupOperator.template_fields, "plan")
    readers: ClassVar[rendered.Readers] = {"timezone": rendered.text, "plan": _plan}

    def __init__(self, *, plan: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.check_literals()

    def load(self, context: Context) -> tuple[CleanupPlan, Journal, date]:
        """The plan, the journal of its run, and today's date.

        :raises PlanChanged: when the data root holds another plan by now.
        """
        from ocp_numbers.cleanup.plan import load_plan
        from ocp_numbers.operators.journals import journal_of

        self.read_inputs()
        plan = load_plan(self.root, self.plan["key"], environment=self.hook.environment, digest=self.plan["digest"])
        journal = journal_of(self, data_root=self.root, plan=plan.digest)
        return plan, journal, self.now().date()

    def reserved(self) -> Mapping[str, str]:
        """The numbers that plans for regions count on at the moment, and what for."""
        from ocp_numbers.ordering import Reservations

        return Reservations(self.root, self.hook.environment).taken().owner

    @contextmanager
    def alone(self) -> Iterator[Callable[[], OcpClient]]:
        """Keep other cleanups of the environment out; gives what makes the client for each call, as long as that holds.

        :raises Held: when another one is at work.
        """
        from ocp_numbers.data_root import segment
        from ocp_numbers.lease import Lease

        key = f"{LEASES}/{segment(self.hook.environment)}"
        # Longer than any call, so that none is under way when the next holder begins.
        length = timedelta(seconds=2 * self.hook.settings.total_timeout)
        lease = Lease(self.root, key, clock=utc_now, length=length)

        def connect() -> OcpClient:
            lease.keep()
            return self.client

        with lease.held():
            yield connect


class MarkUnusedNumbersOperator(_PlanOperator):
    """Mark unused numbers and put them into quarantine; clear those that are used again. All of it can be undone.

    Returns ``{"changed"}``, how many numbers this attempt changed; a second run finds nothing to do.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Mark, quarantine and clear; in a dry run, say what would be."""
        from ocp_numbers.cleanup.marking import Marking, look
        from ocp_numbers.cleanup.selection import Action

        plan, journal, today = self.load(context)
        if plan.policy.dry_run:
            undone = look(self.client, plan, today, self.reserved())
            self.tell(f"Dry run: {len(undone)} numbers would be marked, put into quarantine or cleared")
            return {"changed": 0}
        with self.alone() as connect:
            changed = Marking(connect, journal, plan, today=today, reserved=self.reserved).carry_out()
        self.tell(f"{changed} numbers marked, put into quarantine or cleared")
        if changed and (marked := plan.only(Action.MARK)):
            self.notify(
                "marked",
                subject=f"{len(marked)} numbers are marked as unused",
                text=f"{shown(line.number for line in marked)}.\n\nEach is given up {plan.policy.grace_days} days from "
                "now at the earliest, once a person approves. To keep one, attach it or write the word keep into its "
                "note.",
                page="cleanup",
            )
        return {"changed": changed}


class ReleaseUnusedNumbersOperator(_PlanOperator):
    """Give up the numbers of an approved plan, **for good**: purchased ones through a set, others by deleting them.

    Each number is read again immediately before. Where one is not as it was approved, none that is still there goes.
    Returns ``{"released"}``, how many numbers went in this attempt.

    :param plan: what ``ApprovePlanOperator`` returned (templated).
    :raises PlanChanged: when nobody approved the plan, or the policy or a number is not as it was.
    :raises LimitExceeded: when the plan gives up more than the policy allows of the numbers there are now.
    :raises OutcomeUnknown: when a call may or may not have taken effect; the next attempt finds out first.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Check everything again, then give the numbers up; in a dry run, say what would be."""
        from ocp_numbers.cleanup.planning import recalled
        from ocp_numbers.cleanup.releasing import Releasing

        plan, journal, today = self.load(context)
        recall = partial(recalled, self.root, plan)
        if not plan.releases:
            self.tell("Nothing to do: no number is due")
            return {"released": 0}
        self._check_approval(plan)
        policy = _policy(self.plan["policy_file"], self.plan["overrides"])
        if plan.policy.dry_run:
            releasing = Releasing(lambda: self.client, journal, plan, policy=policy, today=today, recall=recall)
            self.tell(f"Dry run: {len(releasing.check())} numbers would be given up")
            return {"released": 0}
        with self.alone() as connect:
            released = Releasing(connect, journal, plan, policy=policy, today=today, recall=recall).carry_out()
        self.tell(f"{released} numbers given up")
        return {"released": released}

    def _check_approval(self, plan: CleanupPlan) -> None:
        asked = plan.policy.require_approval and not plan.policy.dry_run
        if self.plan.get("approved") is not True or (asked and not self.plan.get("approved_by")):
            raise PlanChanged(
                f"Nobody approved plan {plan.digest[:12]}, and the policy asks for it. Nothing was given up."
            )


class VerifyCleanupOperator(_PlanOperator):
    """Read everything back, compare it with the plan, and put the account on record: ``cleanup/<run>/result.json``.

    Give it the trigger rule ``none_failed``: also where nobody approved, the marks are to be verified.
    Returns ``{"released", "deleted", "marked", "cleared", "dry_run", "summary"}``, counts and a sentence.

    :param released: what ``ReleaseUnusedNumbersOperator`` returned, ``None`` where it was skipped (templated).
    :raises VerificationFailed: naming each number that is not as it should be; the account is on record then.
    """

    template_fields = (*_PlanOperator.template_fields, "released")
    readers: ClassVar[rendered.Readers] = {
        **_PlanOperator.readers,
        "released": rendered.optional(rendered.mapping),
    }

    def __init__(self, *, released: Any, **kwargs: Any) -> None:
        self.released = released
        super().__init__(**kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Read back, record, compare."""
        from ocp_numbers.cleanup.plan import folder
        from ocp_numbers.cleanup.verifying import read_back

        plan, journal, today = self.load(context)
        approved = self.released is not None
        result = read_back(self.client, journal, plan, today, approved=approved, reserved=self.reserved())
        self.root.write(f"{folder(plan.run)}/result.json", result.model_dump_json(indent=1).encode())
        self.tell(result.summary)
        if result.differences:
            raise VerificationFailed(
                f"{result.summary} Not as planned: {shown(result.differences)}. Look at them in OCP's console; the "
                "next run plans them anew.",
                differences=result.differences,
            )
        return {
            "released": 0 if result.dry_run else len(result.released),
            "deleted": len(result.deleted),
            "marked": 0 if result.dry_run else result.marked,
            "cleared": 0 if result.dry_run else result.cleared,
            "dry_run": result.dry_run,
            "summary": result.summary,
        }


def _policy(path: str, overrides: Mapping[str, Any]) -> CleanupPolicy:
    from ocp_numbers.cleanup.policy import CleanupPolicy

    known = set(CleanupPolicy.model_fields)
    return CleanupPolicy.load(Path(path), {name: value for name, value in overrides.items() if name in known})
