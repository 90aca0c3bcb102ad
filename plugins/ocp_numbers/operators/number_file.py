"""The operator that carries out a table of changes in one task: what ``apply_number_changes`` does, without asking."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from ocp_numbers.errors import InvalidInput, NumberInUse, VerificationFailed, shown
from ocp_numbers.operators import rendered
from ocp_numbers.operators.bulk import ROWS_PER_CALL, BulkOperator
from ocp_numbers.operators.journals import journal_of

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.bulk import Change, ChangePlan


class ImportNumbersCsvOperator(BulkOperator):
    """Carry out a table of changes (``PUT /api/numbers/csv``), in chunks, and read every row back.

    Rows that are so already are left out, so a second run finds nothing to do. What the table may hold and what is
    refused in it is as in ``PlanChangesOperator``; nobody is asked, so that what would be asked for has to be allowed
    here. Returns ``{"changed", "unchanged"}``, as counts of rows.

    :param content: the CSV as text, or an XLSX in Base64 (templated).
    :param allow_reassign: numbers that may be taken from another miniApp, or ids of the miniApps that numbers may be
        taken from (templated).
    :param allow_delete: numbers that may be deleted (templated).
    :param max_unit_price: the most that one number may cost (templated). :param max_total_price: the most that all of
        them may cost together; without both, no row may buy (templated).
    :param rows_per_call: rows of one file; fewer are sent where OCP takes fewer (templated).
    :raises InvalidInput: naming each wrong row, and each delete that is not allowed.
    :raises OverBudget: when the rows that buy cost more than the limits allow.
    :raises NumberInUse: when a row would take a number from a miniApp that is not named.
    :raises VerificationFailed: when OCP refuses rows, or goes on showing something else; all others are done.
    :raises OutcomeUnknown: when an answer went missing and reading back does not tell.
    """

    readers = rendered.inputs(
        content=rendered.text,
        allow_reassign=rendered.names,
        allow_delete=rendered.names,
        max_unit_price=rendered.optional(rendered.amount),
        max_total_price=rendered.optional(rendered.amount),
        rows_per_call=rendered.count,
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        content: str,
        allow_reassign: Sequence[str] | str = (),
        allow_delete: Sequence[str] | str = (),
        max_unit_price: Decimal | int | str | None = None,
        max_total_price: Decimal | int | str | None = None,
        rows_per_call: int | str = ROWS_PER_CALL,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.content = content
        self.allow_reassign = allow_reassign
        self.allow_delete = allow_delete
        self.max_unit_price = max_unit_price
        self.max_total_price = max_total_price
        self.rows_per_call = rows_per_call
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Plan, make sure that all of it is allowed, carry it out."""
        from ocp_numbers.bulk import apply

        self.read_inputs()
        plan = self._plan()
        self._check_allowed(plan)
        if not plan.total:
            self.tell(f"Nothing to do: {plan.unchanged:,} rows are so already")
            return {"changed": 0, "unchanged": plan.unchanged}
        journal = journal_of(self, data_root=self.root, plan=plan.digest)
        account = apply(lambda: self.client, self.root, plan, journal, rows_per_call=int(self.rows_per_call))
        self.tell(f"{account.summary} Row by row: {plan.folder}/results.csv")
        if account.problem:
            raise VerificationFailed(f"{account.problem} All others are done.", differences=account.wrong)
        return {"changed": account.done, "unchanged": account.unchanged}

    def _plan(self) -> ChangePlan:
        from ocp_numbers.bulk import Limits, plan_changes
        from ocp_numbers.bulk.table import bytes_of

        by = journal_of(self, data_root=self.root).by
        return plan_changes(
            lambda: self.client,
            self.root,
            io.BytesIO(bytes_of(self.content, name="content")),
            environment=self.hook.environment,
            run=f"{by.run}/{by.task}",
            name="content",
            now=datetime.now(timezone.utc),
            limits=Limits(
                max_unit_price=cast("Decimal | None", self.max_unit_price),
                max_total_price=cast("Decimal | None", self.max_total_price),
            ),
        )

    def _check_allowed(self, plan: ChangePlan) -> None:
        deleted = [change.number for change in plan.changes(self.root, "delete")]
        if unnamed := [number for number in deleted if number not in self.allow_delete]:
            raise InvalidInput(
                f"content: rows with OPERATION Delete would delete {shown(unnamed)} for good; name them in allow_delete"
            )
        taken = list(self._taken_over(plan))
        if taken:
            listed = shown(f"{change.number} (miniApp {change.before['mini_app_id']})" for change in taken)
            raise NumberInUse(
                f"{listed}: attached to another miniApp than the row's. Nothing was changed. To take them, name the "
                f"numbers or their miniApp in allow_reassign."
            )

    def _taken_over(self, plan: ChangePlan) -> Iterator[Change]:
        for change in plan.changes(self.root, "attach"):
            if change.takes_over and not {change.number, change.before["mini_app_id"]} & {*self.allow_reassign}:
                yield change
