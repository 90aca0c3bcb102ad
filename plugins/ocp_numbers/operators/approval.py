"""A person says yes to one plan, by its digest; silence, a timeout or an answer to another plan never does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import TaskAwaitingInput

from ocp_numbers.errors import InvalidInput, PlanChanged
from ocp_numbers.links import required_actions_address
from ocp_numbers.operators.telling import explained, tell
from ocp_numbers.progress import duration
from ocp_numbers.retry import retry_policy as default_retry_policy

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.data_root import DataRoot

SHORT_DIGEST = 12


class ApprovePlanOperator(ApprovalOperator):
    """Ask for approval of the plan that an upstream task returned, and pass it on only when it was given.

    The digest is part of the answer itself ("Approve 7f3a9c2e1b40"): Airflow shows a cleared task's old question again,
    and an answer to that is refused instead of being taken for the new plan. A refusal, and a timeout, skip all that
    follows.

    Returns the plan's mapping without its page, with ``requested_by``, ``approved_by`` (``None`` where nobody had to be
    asked), ``approved_at`` and ``run``.

    :param plan: what the planning task returned (templated): ``digest``; ``subject`` and ``body`` (Markdown) of the
        question; ``ask``, whether a person has to be asked; ``unasked``, why not; ``record``, the folder of the data
        root that keeps the answers.
    :param data_root: where answers are kept; by default the one of the environment.
    """

    template_fields: Sequence[str] = ("plan",)

    def __init__(self, *, plan: Mapping[str, Any] | Any, data_root: DataRoot | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("retry_policy", default_retry_policy())
        kwargs.setdefault("defaults", self.REJECT)
        kwargs.setdefault("ignore_downstream_trigger_rules", True)
        super().__init__(subject="A plan waits for approval", **kwargs)
        self.plan = plan
        self.data_root = data_root

    @explained
    def execute(self, context: Context) -> Any:
        """Ask, or go on at once where the plan says that nobody has to be asked.

        :raises InvalidInput: when ``plan`` is not what a planning task returns.
        """
        self._put_question()
        if self.plan["ask"]:
            try:
                return super().execute(context)
            except TaskAwaitingInput:
                self._tell_who_may_answer(context)
                raise
        tell(context, f"Nobody is asked: {self.plan.get('unasked', 'the plan says so')}")
        return self._answer(context, by=None)

    @explained
    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on with the approved plan, or skip all that follows.

        :raises PlanChanged: when the answer was given to another plan than the present one.
        """
        self._put_question()
        strange = set(event.get("chosen_options", ())) - set(self.options)
        if strange:
            raise PlanChanged(
                f"The answer was {', '.join(sorted(strange))!r}, but the plan is now {self._short_digest}. "
                "This run had asked about an older plan before it was cleared, and Airflow keeps that question. "
                "Nothing was changed. Trigger a new run."
            )
        user = event.get("responded_by_user") or {}
        approved = event.get("chosen_options") == [self.APPROVE]
        if not approved:
            why = f"rejected by {user['name']}" if user else "nobody answered in time"
            tell(context, f"Plan {self._short_digest} was not approved ({why}): nothing is changed.")
            self.refused()
        else:
            tell(context, f"Plan {self._short_digest} was approved by {user.get('name', 'somebody unnamed')}.")
        answer = self._answer(context, by=user.get("name"), approved=approved)
        # Ends here for a refusal, unless the task is mapped: there Airflow skips nothing, and the answer has to say it.
        super().execute_complete(context, event)
        return answer

    def refused(self) -> None:
        """What else is to be done once it is certain that the plan will not be carried out; here nothing."""

    def _tell_who_may_answer(self, context: Context) -> None:
        from ocp_numbers.notifications import Event, notify

        within = f" within {duration(self.response_timeout.total_seconds())}" if self.response_timeout else ""
        event = Event(
            kind="approval_needed",
            environment=str({**(self.plan.get("region") or {}), **self.plan}.get("ocp_conn_id", "")),
            subject=str(self.subject),
            text=f"Plan {self._short_digest} waits for an answer{within}; without one nothing is changed.",
            link=required_actions_address(context["ti"]),
        )
        notify(dict(context), event)

    @property
    def _short_digest(self) -> str:
        return str(self.plan["digest"])[:SHORT_DIGEST]

    def _put_question(self) -> None:
        missing = {"digest", "subject", "body", "ask"} - set(self.plan if isinstance(self.plan, Mapping) else ())
        if missing:
            raise InvalidInput(
                f"plan: lacks {', '.join(sorted(missing))}; pass the output of the planning task, which must have run"
            )
        self.APPROVE = f"{type(self).APPROVE} {self._short_digest}"
        self.options = [self.APPROVE, self.REJECT]
        self.subject, self.body = self.plan["subject"], self.plan["body"]

    def _answer(self, context: Context, *, by: str | None, approved: bool = True) -> dict[str, Any]:
        from ocp_numbers.data_root import DataRoot, segment
        from ocp_numbers.documents import canonical

        run = context["dag_run"]
        answer = {
            "digest": self.plan["digest"],
            "approved": approved,
            "requested_by": run.triggering_user_name,
            "approved_by": by,
            "approved_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "run": f"{run.dag_id}/{run.run_id}",
        }
        if self.plan.get("record"):
            place = f"{self.plan['record']}/{self._short_digest}-{segment(answer['run'])}.json"
            (self.data_root or DataRoot.from_environment()).write(place, canonical(answer))
        return {key: value for key, value in self.plan.items() if key not in ("subject", "body")} | answer
