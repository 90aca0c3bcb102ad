"""Operators of ``apply_number_changes``: plan what a table asks for, and carry an approved plan out; asking a person is
:class:`~ocp_numbers.operators.approval.ApprovePlanOperator`'s."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from airflow.providers.standard.utils.skipmixin import SkipMixin

from ocp_numbers.errors import AccessRefused, InvalidInput, PlanChanged, VerificationFailed
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.counting import purchases_counted

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.bulk import ChangePlan
    from ocp_numbers.data_root import DataRoot

ROWS_PER_CALL = 500


def _approved(value: Any, *, field: str) -> Mapping[str, Any]:
    """The output of an approval that was given."""
    plan = rendered.mapping(value, field=field)
    if not {"plan", "digest", "ocp_conn_id"} <= set(plan) or plan.get("approved") is not True:
        raise PlanChanged(f"{field}: is not an approved plan of changes. Nothing was changed. Trigger a new run.")
    return plan


class BulkOperator(OcpOperator):
    """What the operators of bulk changes share.

    :param data_root: where plans are kept; by default the one of the environment.
    """

    def __init__(self, *, data_root: DataRoot | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_root = data_root

    @property
    def root(self) -> DataRoot:
        """The data root to use."""
        from ocp_numbers.data_root import DataRoot

        return self.data_root or DataRoot.from_environment()


class PlanChangesOperator(BulkOperator, SkipMixin):
    """Read a table of changes, look at every number in it, and plan what is to be done. Changes nothing on OCP.

    All that is wrong with the table is found at once and listed in ``faults.csv``. The plan is kept in the data root
    under ``bulk/``; a dry run only shows it, and skips all that follows. Returns what
    :class:`~ocp_numbers.operators.approval.ApprovePlanOperator` takes, and ``plan``, its key in the data root,
    ``summary``, ``ocp_conn_id``, and the counts ``changes``, ``unchanged`` and ``refused``.

    Give exactly one of ``file``, ``upload`` and ``restore``.

    :param file: key of a CSV or XLSX in the data root, such as ``uploads/moves.xlsx`` (templated).
    :param upload: the CSV itself, or an XLSX in Base64 (templated).
    :param restore: a run whose changes are to be undone, such as ``cleanup_unused_numbers/manual__1``, or the date of
        a snapshot that all is to be as in (templated).
    :param overwrite: whether a restore also puts back what somebody changed since (templated).
    :param max_unit_price: the most that one number may cost (templated). :param max_total_price: the most that all of
        them may cost together; without both, no row may buy (templated).
    :param skip_faulty: whether rows with a fault are left alone, instead of having the whole table refused (templated).
    :param require_approval: whether a person is asked also for a plan that neither buys nor deletes nor takes numbers
        from other miniApps; for one that does, somebody always is (templated).
    :param plan_only: whether only to plan (templated).
    :raises InvalidInput: naming each fault with row and column.
    :raises OverBudget: when the rows that buy cost more than the limits allow.
    """

    readers = rendered.inputs(
        file=rendered.optional(rendered.text),
        upload=rendered.optional(rendered.text),
        restore=rendered.optional(rendered.text),
        overwrite=rendered.flag,
        max_unit_price=rendered.optional(rendered.amount),
        max_total_price=rendered.optional(rendered.amount),
        skip_faulty=rendered.flag,
        require_approval=rendered.flag,
        plan_only=rendered.flag,
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        file: str | None = None,
        upload: str | None = None,
        restore: str | None = None,
        overwrite: bool | str = False,
        max_unit_price: Decimal | int | str | None = None,
        max_total_price: Decimal | int | str | None = None,
        skip_faulty: bool | str = False,
        require_approval: bool | str = True,
        plan_only: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.upload = upload
        self.restore = restore
        self.overwrite = overwrite
        self.max_unit_price = max_unit_price
        self.max_total_price = max_total_price
        self.skip_faulty = skip_faulty
        self.require_approval = require_approval
        self.plan_only = plan_only
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Read, look, plan, show."""
        self.read_inputs()
        self._check_source()
        if not self.plan_only:
            self._check_access()
        plan = self._plan(context)
        question = _question(plan, ask=bool(self.require_approval)) | {"ocp_conn_id": self.ocp_conn_id}
        self.log.info("%s", question["body"])
        self.tell(f"{question['summary']} All of them: {plan.folder}/changes.jsonl")
        if self.plan_only:
            self.log.info("Dry run: nothing is written and nothing follows.")
            # Skipping ends the task here, so what it found is handed over first.
            context["ti"].xcom_push(key="return_value", value=question)
            self.skip(ti=context["ti"], tasks=context["task"].get_flat_relatives(upstream=False))
        return question

    def _plan(self, context: Context) -> ChangePlan:
        about: dict[str, Any] = {
            "environment": self.hook.environment,
            "run": context["dag_run"].run_id,
            "now": datetime.now(timezone.utc),
        }
        if self.restore:
            from ocp_numbers.restoring import plan_restore

            return plan_restore(lambda: self.client, self.root, self.restore, overwrite=bool(self.overwrite), **about)
        from ocp_numbers.bulk import Limits, plan_changes

        limits = Limits(
            max_unit_price=cast("Decimal | None", self.max_unit_price),
            max_total_price=cast("Decimal | None", self.max_total_price),
        )
        with self._table() as (stream, name):
            return plan_changes(
                lambda: self.client,
                self.root,
                stream,
                name=name,
                limits=limits,
                skip_faulty=bool(self.skip_faulty),
                **about,
            )

    @contextmanager
    def _table(self) -> Iterator[tuple[BinaryIO, str]]:
        if self.upload:
            from ocp_numbers.bulk.table import bytes_of

            yield io.BytesIO(bytes_of(self.upload, name="upload")), "upload"
            return
        try:
            stream = self.root.path(str(self.file)).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise InvalidInput(
                f"file: {self.file!r} is not in the data root {self.root.uri}; put it there, or paste it as upload"
            ) from None
        with stream:
            yield stream, f"file {self.file}"

    def _check_source(self) -> None:
        given = [name for name in ("file", "upload", "restore") if getattr(self, name)]
        if len(given) != 1:
            raise InvalidInput(
                f"file, upload, restore: {' and '.join(given) or 'none'} given; give exactly one of them"
            )

    def _check_access(self) -> None:
        """Rather now than after the approval."""
        allowed = self.hook.settings.access
        if allowed != "paid":
            raise AccessRefused(operation="numbers.import_csv", needs="paid", allowed=allowed)


class ApplyChangesOperator(BulkOperator):
    """Carry out an approved plan of changes, read every number back, and put the account on record.

    Does only what is missing, so that a retry and a cleared task go on where the last attempt ended. **May buy and
    delete numbers**: put it into a one-slot pool. Returns ``done``, ``unchanged``, ``refused`` and ``different`` as
    counts, ``bought``, ``spent`` (a string), ``summary``, and the keys ``results`` and ``restore`` in the data root.

    :param plan: what ``ApprovePlanOperator`` returned (templated).
    :param rows_per_call: rows of one file; how many an installation takes for each operation is its own setting
        (templated).
    :raises PlanChanged: when the plan is not the approved one; nothing was changed.
    :raises VerificationFailed: when a row was refused or is not as it should be; the account is on record then.
    :raises OutcomeUnknown: when a call may or may not have taken effect; the next attempt finds out first.
    """

    readers = rendered.inputs(plan=_approved, rows_per_call=rendered.count)
    template_fields = ("plan", "rows_per_call")
    ui_color = "#f7e3c8"

    def __init__(
        self, *, plan: Mapping[str, Any] | Any, rows_per_call: int | str = ROWS_PER_CALL, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.rows_per_call = rows_per_call
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Make sure that it is the approved plan, carry it out, publish the account; fail unless all is as planned."""
        from ocp_numbers.bulk import apply, load_plan
        from ocp_numbers.operators.journals import journal_of
        from ocp_numbers.ordering import OrderBook

        self.read_inputs()
        self.ocp_conn_id = self.plan["ocp_conn_id"]
        plan = load_plan(self.root, self.plan["plan"], digest=self.plan["digest"])
        if plan.needs_a_person and not self.plan.get("approved_by"):
            raise PlanChanged(f"Nobody approved plan {plan.short_digest}, which buys, deletes or takes over numbers.")
        journal = journal_of(self, data_root=self.root, plan=plan.digest)
        orders = (order.order_id for order in plan.purchases)
        with purchases_counted(OrderBook(self.root, plan.environment), *orders):
            account = apply(lambda: self.client, self.root, plan, journal, rows_per_call=int(self.rows_per_call))
        result = {
            **account.model_dump(include={"digest", "done", "unchanged", "refused", "different", "bought"}),
            "spent": f"{account.spent:f}",
            "summary": account.summary,
            "results": f"{plan.folder}/results.csv",
            "restore": plan.restore,
        }
        self.tell(f"{account.summary} Row by row: {result['results']}. The way back: {result['restore']}.")
        if account.problem:
            context["ti"].xcom_push(key="account", value=result)
            raise VerificationFailed(
                f"{account.problem} Row by row: {result['results']} in the data root. Correct those rows and trigger a "
                f"new run with them.",
                differences=account.wrong,
            )
        return result


def _question(plan: ChangePlan, *, ask: bool) -> dict[str, Any]:
    """What the plan puts before a person, and what the tasks behind need to find it again."""
    from ocp_numbers.bulk.page import page, subject, summary

    changes = bool(plan.total or plan.bought)
    return {
        "digest": plan.digest,
        "subject": subject(plan),
        "body": page(plan),
        "ask": changes and (ask or plan.needs_a_person),
        "unasked": "require_approval is off" if changes else "nothing is to be changed",
        "record": f"{plan.folder}/approvals",
        "plan": plan.key,
        "summary": summary(plan),
        "changes": plan.total,
        "unchanged": plan.unchanged,
        "refused": plan.refused,
    }
