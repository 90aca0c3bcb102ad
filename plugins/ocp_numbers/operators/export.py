"""The operator that exports the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow.sdk import Asset, AssetAlias

from ocp_numbers.errors import InvalidInput, VolumeAnomaly, shown
from ocp_numbers.links import ReportLink
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.counting import tell_snapshot

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.data_root import DataRoot
    from ocp_numbers.inventory import CompleteSnapshot

INVENTORY = AssetAlias("ocp_inventory")
"""Stands for the inventory of whichever environment was exported; a DAG scheduled on it runs after each of them."""

BY_DAY = Asset(name="ocp_inventory_by_day", uri="ocp://inventory/by-day")
"""The inventories of all environments, partitioned: ``<environment>|<date>`` is the key of one night's."""

ACCEPT, REFUSE = "Accept", "Refuse"


def _filters(value: Any, *, field: str) -> dict[str, str]:
    from ocp_numbers.inventory.filters import check_filters

    return check_filters(rendered.mapping(value, field=field), field=field)


class ExportNumbersOperator(OcpOperator):
    """Export the inventory to the data root: complete and proven, or not at all (``GET /api/numbers``).

    Reads everything twice and publishes only what both readings agree on, as ``numbers.parquet`` and ``numbers.csv.gz``
    with ``manifest.json`` in ``inventory/environment=<connection>/date=<date>``; beside them, ``changes.parquet`` and
    ``report.html`` tell what is new. Running again for a date replaces it as a whole. The date is that of the run's
    logical date in ``timezone``, or of its start where it has none.

    When the number of rows is unbelievable beside the last snapshot's, nothing is published and a person is asked in
    the Airflow UI; silence refuses. After publishing, the asset ``ocp://<connection>/inventory`` gets an event with
    counts and digest, and so does the partition ``<connection>|<date>`` of :data:`BY_DAY`; an export of some numbers
    tells neither.

    Returns ``{"environment", "date", "rows", "rejects", "attached", "unattached", "changes", "balance", "digest",
    "path", "report"}``: ``changes`` counts each kind of change since the last snapshot, ``balance`` says whether the
    books are ``balanced``, ``unbalanced`` or ``opening``, ``None`` for some numbers only; ``report`` is a page for
    people.

    :param groups: ids of the groups to export, in a folder of their own; none for all that the login sees (templated).
    :param filters: texts that the numbers must have in ``locale``, ``mini_app_name``, ``mini_app_type``, ``note``,
        ``number`` or ``set_id``, in a folder of their own, too; ``%`` stands for anything, a set's id must be whole,
        and blank ones do not count (templated).
    :param formats: ``parquet``, which is always needed, ``csv``, and ``xlsx`` for up to a million numbers (templated).
    :param source: ``pages`` of the listing, or ``csv``: the platform's own (``POST /api/numbers/csv``), which takes few
        calls, holds all of it in memory, and does not name sets (templated).
    :param timezone: name of the time zone that the date is taken in (templated).
    :param full_check: compare with the CSV that the platform makes itself (``POST /api/numbers/csv``), too (templated).
    :param max_reject_percent: rows that may fail validation before the export does.
    :param max_change_percent: how many more or fewer numbers than in the last snapshot are believed.
    :param keep_days: delete the environment's journals and the snapshots of the same scope that are older, once a new
        one is published, but never the last seven snapshots; ``None`` keeps all.
    :param response_timeout: how long a person has to accept an unbelievable number of rows.
    :param data_root: where to export to; by default the one of the environment.
    """

    template_fields: Sequence[str] = ("ocp_conn_id", "groups", "filters", "formats", "source", "timezone", "full_check")
    readers: ClassVar[rendered.Readers] = {
        "groups": rendered.names,
        "filters": _filters,
        "formats": rendered.names,
        "source": rendered.text,
        "timezone": rendered.text,
        "full_check": rendered.flag,
    }
    operator_extra_links = (ReportLink(), *OcpOperator.operator_extra_links)
    ui_color = "#e2ecf7"

    _published: CompleteSnapshot | None = None

    def __init__(
        self,
        *,
        groups: Sequence[str] | str = (),
        filters: Mapping[str, str] | str = {},
        formats: Sequence[str] | str = ("parquet", "csv"),
        source: str = "pages",
        timezone: str = "UTC",
        full_check: bool | str = False,
        max_reject_percent: float = 0.1,
        max_change_percent: float = 20,
        keep_days: int | None = None,
        response_timeout: timedelta = timedelta(days=1),
        data_root: DataRoot | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(outlets=[*(kwargs.pop("outlets", None) or ()), INVENTORY, BY_DAY], **kwargs)
        self.groups = groups
        self.filters: Any = filters
        self.formats = formats
        self.source = source
        self.timezone = timezone
        self.full_check = full_check
        self.max_reject_percent = max_reject_percent
        self.max_change_percent = max_change_percent
        self.keep_days = keep_days
        self.response_timeout = response_timeout
        self.data_root = data_root
        self.check_literals()

    def execute(self, context: Context, accepted_rows: int | None = None) -> dict[str, Any]:
        """Export, publish and tell; or ask a person first."""
        self.read_inputs()
        try:
            snapshot = self._export(context, accepted_rows)
        except VolumeAnomaly as anomaly:
            if accepted_rows is not None:
                # Not asked again: Airflow would show the old question, with the old number in it.
                raise VolumeAnomaly(
                    f"{accepted_rows} numbers were accepted, but now there are {anomaly.rows}; nothing was published. "
                    f"Trigger a new run",
                    rows=anomaly.rows,
                    before=accepted_rows,
                ) from anomaly
            self._ask(context, anomaly)
        if snapshot.manifest.scope.whole:
            self.worked_on["date"] = snapshot.date.isoformat()
        self._published = snapshot
        self._announce(context, snapshot)
        self._expire(snapshot)
        return _summary(snapshot)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """What was read and written, for Airflow's OpenLineage provider, which asks once the task has ended."""
        from ocp_numbers.operators.lineage import of_export

        return of_export(self._published, host=self.hook.settings.host) if self._published else None

    def answered(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Export again once a person has accepted the number of rows: within the same bounds around what they accepted.

        :raises VolumeAnomaly: when it was refused, or nobody answered in time.
        """
        (answer,) = event.get("chosen_options") or (REFUSE,)
        by = (event.get("responded_by_user") or {}).get("name")
        if not answer.startswith(ACCEPT):
            raise VolumeAnomaly(
                f"The number of rows was {f'refused by {by}' if by else 'not accepted in time'}; nothing was published "
                f"and the last snapshot stays the latest. Find out what happened, then clear this task"
            )
        self.log.info("%s chose: %s. Exporting again.", by, answer)
        return self.execute(context, accepted_rows=int(answer.split()[1]))

    def _export(self, context: Context, accepted_rows: int | None) -> CompleteSnapshot:
        from ocp_numbers.data_root import DataRoot
        from ocp_numbers.inventory import Scope
        from ocp_numbers.inventory.export import Export
        from ocp_numbers.inventory.sight import LoginSight
        from ocp_numbers.inventory.source import ClientSource

        settings = self.hook.settings
        return Export(
            source=ClientSource(lambda: self.client, self.groups, self.filters),
            root=self.data_root or DataRoot.from_environment(),
            scope=Scope(
                environment=self.hook.environment,
                groups=tuple(sorted(set(self.groups))),
                filters=self.filters,
                login=settings.login,
            ),
            day=self._day(context),
            holder=_holder(context),
            formats=self.formats,
            page_size=settings.page_size,
            concurrency=settings.max_concurrency,
            max_reject_percent=self.max_reject_percent,
            max_change_percent=self.max_change_percent,
            expected_rows=accepted_rows,
            full_check=self.full_check is True,
            sight=LoginSight(lambda: self.client),
            via=cast("Literal['pages', 'csv']", self.source),
        ).run()

    def _day(self, context: Context) -> date:
        try:
            zone = ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, such as Europe, is an OSError
            raise InvalidInput(
                f"timezone: {self.timezone!r} is not known; write a name such as Europe/Athens"
            ) from None
        run = context["dag_run"]
        day = (run.logical_date or run.run_after).astimezone(zone).date()
        if day > datetime.now(zone).date() + timedelta(1):
            # It would be the latest until that day, and old snapshots would be deleted as of then.
            raise InvalidInput(f"logical date: {day} lies in the future; trigger a run for a date up to today")
        return day

    def _ask(self, context: Context, anomaly: VolumeAnomaly) -> None:
        from airflow.sdk.exceptions import TaskAwaitingInput
        from airflow.sdk.execution_time.hitl import upsert_hitl_detail

        self.log.warning("%s", anomaly)
        self.notify(
            "anomalous_export",
            subject=_told(anomaly),
            text=f"{anomaly}. Answer under Required Actions of this run; without an answer it is refused.",
        )
        upsert_hitl_detail(
            ti_id=context["ti"].id,
            # The number is part of the answer: an answer to an older question cannot be taken for one to this.
            options=[f"{ACCEPT} {anomaly.rows} numbers", REFUSE],
            subject=f"{self.ocp_conn_id}: {_told(anomaly)}",
            body=f"{anomaly}. Until then the last snapshot stays the latest; without an answer this one is refused.",
            defaults=[REFUSE],
            params={},
        )
        raise TaskAwaitingInput(method_name="answered", timeout=self.response_timeout)

    def _announce(self, context: Context, snapshot: CompleteSnapshot) -> None:
        if snapshot.manifest.scope.whole:  # some numbers are not the environment's inventory
            tell_snapshot(snapshot)
            context["outlet_events"][INVENTORY].add(
                Asset(name=f"{snapshot.environment} inventory", uri=f"ocp://{snapshot.environment}/inventory"),
                extra=_metadata(snapshot),
            )
            by_day = context["outlet_events"][BY_DAY]
            by_day.extra = _metadata(snapshot)
            by_day.add_partitions(f"{snapshot.environment}|{snapshot.date}")
        from ocp_numbers.balance import read

        balance = read(snapshot)
        self.tell(
            f"Published {snapshot.folder}: {snapshot.rows:,} numbers, proven complete by reading them twice. "
            f"{_news(snapshot)} {balance.summary if balance else ''}".rstrip()
        )
        if balance and balance.verdict == "unbalanced":
            self.notify(
                "balance_broken",
                subject=f"the books of {snapshot.date} do not balance",
                text=balance.summary,
                page="balance",
            )

    def _expire(self, snapshot: CompleteSnapshot) -> None:
        from ocp_numbers import journal
        from ocp_numbers.inventory.retention import expire

        if self.keep_days is not None:
            gone = expire(snapshot.root, snapshot.manifest.scope, today=snapshot.date, keep_days=self.keep_days)
            self.log.info("Deleted as older than %d days: %s", self.keep_days, shown(gone) or "nothing")
            runs = journal.expire(snapshot.root, snapshot.environment, today=snapshot.date, keep_days=self.keep_days)
            self.log.info("Deleted journals of runs that old: %d", runs)
        snapshot.root.sweep()


def _told(anomaly: VolumeAnomaly) -> str:
    before = f"{anomaly.before:,} in the last snapshot" if anomaly.before else "and no earlier snapshot to compare with"
    return f"{anomaly.rows:,} numbers, {before}"


def _news(snapshot: CompleteSnapshot) -> str:
    changes, notices = snapshot.manifest.changes, snapshot.manifest.notices
    if changes is None:
        return "Nothing to compare with."
    counted = ", ".join(f"{count:,} {kind}" for kind, count in changes.counts.items())
    return " ".join([f"Since {changes.date}: {counted or 'no change'}.", *(f"{each}." for each in notices)])


def _metadata(snapshot: CompleteSnapshot) -> dict[str, Any]:
    """What the asset's event says to those who are scheduled on it: counts, digest, and that it is complete."""
    return {**_told_of(snapshot), "taken": snapshot.taken.isoformat(), "complete": True}


def _summary(snapshot: CompleteSnapshot) -> dict[str, Any]:
    """What the task returns."""
    return {**_told_of(snapshot), "report": str(snapshot.root.path(f"{snapshot.folder}/report.html"))}


def _told_of(snapshot: CompleteSnapshot) -> dict[str, Any]:
    manifest = snapshot.manifest
    return {
        "environment": snapshot.environment,
        "date": snapshot.date.isoformat(),
        "rows": snapshot.rows,
        "rejects": manifest.rejects,
        "attached": manifest.counts.attached,
        "unattached": manifest.counts.unattached,
        "changes": manifest.changes.counts if manifest.changes else {},
        "balance": manifest.balance,
        "digest": snapshot.digest,
        "path": str(snapshot.root.path(snapshot.folder)),
    }


def _holder(context: Context) -> str:
    """Names this task in every of its attempts, and no other."""
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}"
