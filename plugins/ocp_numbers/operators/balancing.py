"""The operator that looks at the books of a night: red where they do not balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException

from ocp_numbers.errors import IncompleteSnapshot, InvalidInput, VerificationFailed, shown
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.balance import Finding
    from ocp_numbers.data_root import DataRoot

KINDS = ("orphan", "stranger", "unknown")


def _kinds(value: Any, *, field: str) -> tuple[str, ...]:
    kinds = rendered.names(value, field=field)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InvalidInput(f"{field}: {shown(unknown)} is no kind of finding; choose among {', '.join(KINDS)}")
    return kinds


def _day(value: Any, *, field: str) -> date:
    try:
        return date.fromisoformat(rendered.text(value, field=field))
    except ValueError:
        raise InvalidInput(f"{field}: {value!r} is not a date; write it as 2026-03-01") from None


class CheckBalanceOperator(OcpOperator):
    """Say whether the books of a snapshot's night balance, and fail where they do not.

    They were closed when the snapshot was exported, which is published whatever the verdict: what reads it needs it,
    and a difference that stopped it would hide itself. This task is the loud half: it makes no call to OCP, and it is
    red until somebody has looked. Returns ``verdict``, ``summary``, ``orphans``, ``strangers``, ``unknowns`` as counts,
    and ``findings``, the key of the whole list in the data root, or ``None``.

    :param export: what ``ExportNumbersOperator`` returned: its environment and date are looked at, and the task is
        skipped where it exported some groups only (templated).
    :param day: date of the snapshot, such as ``2026-03-01``; the latest if both are left out (templated).
    :param fail_on: which findings fail the task: ``orphan``, ``stranger``, ``unknown`` (templated).
    :param data_root: where the snapshots are; by default the one of the environment.
    :raises VerificationFailed: naming the findings.
    :raises IncompleteSnapshot: when there is no such snapshot, or it has no balance.
    """

    template_fields: Sequence[str] = ("ocp_conn_id", "export", "day", "fail_on")
    readers: ClassVar[rendered.Readers] = rendered.inputs(
        export=rendered.optional(rendered.mapping), day=rendered.optional(_day), fail_on=_kinds
    )
    ui_color = "#e2ecf7"

    def __init__(
        self,
        *,
        export: Mapping[str, Any] | Any = None,
        day: str | None = None,
        fail_on: Sequence[str] | str = KINDS,
        data_root: DataRoot | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.export = export
        self.day: Any = day
        self.fail_on = fail_on
        self.data_root = data_root
        self.check_literals()

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the balance, tell it, and fail on what is to be looked at."""
        from ocp_numbers.balance import FINDINGS, read
        from ocp_numbers.data_root import DataRoot
        from ocp_numbers.inventory import latest, load, partition_of

        self.read_inputs()
        if self.export:
            self._take_up(self.export)
        root = self.data_root or DataRoot.from_environment()
        snapshot = load(root, partition_of(self.ocp_conn_id, self.day)) if self.day else latest(root, self.ocp_conn_id)
        balance = read(snapshot) if snapshot else None
        if snapshot is None or balance is None:
            raise IncompleteSnapshot(
                f"There is no balance of {self.ocp_conn_id} of {self.day or 'any date'}. Trigger "
                f"nightly_inventory_export for this connection, for all groups, then clear this task."
            )
        self.worked_on["date"] = snapshot.date.isoformat()
        self.tell(f"{balance.until}: {balance.summary}")
        table = f"{snapshot.folder}/{FINDINGS}" if balance.findings else None
        result = {
            "verdict": balance.verdict,
            "summary": balance.summary,
            "orphans": balance.orphans,
            "strangers": balance.strangers,
            "unknowns": balance.unknowns,
            "findings": table,
        }
        counts = {"orphan": balance.orphans, "stranger": balance.strangers, "unknown": balance.unknowns}
        if any(counts[kind] for kind in self.fail_on):
            if "ti" in context:
                context["ti"].xcom_push(key="return_value", value=result)
            named = [_in_words(each) for each in balance.first if each.finding in self.fail_on]
            raise VerificationFailed(
                f"{balance.summary} {shown(named)}. All of them: {table} in the data root. The snapshot is published. "
                f"An orphan is on the books from the next night on; a stranger or an unknown wants a person: see the "
                f"order or run that is named.",
                differences=named,
            )
        return result

    def _take_up(self, export: Mapping[str, Any]) -> None:
        """Look at what was exported just now.

        :raises AirflowSkipException: where nothing can add up.
        """
        if export.get("balance") is None:
            raise AirflowSkipException("Some groups were exported; books are closed for a whole environment only.")
        self.ocp_conn_id = export["environment"]
        self.day = _day(export["date"], field="export")


def _in_words(finding: Finding) -> str:
    record = f" ({finding.record})" if finding.record else ""
    return f"{finding.number or finding.finding} {finding.what}{record}"
