"""The export: read until proven, write on the way, compare, publish - or leave everything as it was and say why."""

from __future__ import annotations

import gc
import logging
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from importlib.metadata import version
from typing import Literal

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot, InvalidInput, PartitionBusy, VolumeAnomaly, shown
from ocp_numbers.inventory.attribution import Deeds
from ocp_numbers.inventory.changes import CHANGES, compare, numbers_in
from ocp_numbers.inventory.cross_check import cross_check
from ocp_numbers.inventory.csv_reading import CsvReading
from ocp_numbers.inventory.manifest import Comparison, Manifest, Proof, Scope
from ocp_numbers.inventory.progress import Progress
from ocp_numbers.inventory.publish import publish, stage, tidy
from ocp_numbers.inventory.reader import Fingerprint, Moved, PageSource, Reading
from ocp_numbers.inventory.report import NIGHTS, REPORT, render
from ocp_numbers.inventory.schema import content_fingerprint, fingerprint
from ocp_numbers.inventory.sink import Sink
from ocp_numbers.inventory.snapshot import CompleteSnapshot, dates, load, partition_of
from ocp_numbers.inventory.spreadsheet import check_fits
from ocp_numbers.inventory.writer import FORMATS, PARQUET, REJECTS, Writer
from ocp_numbers.lease import Lease

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

LEASE_LENGTH = timedelta(minutes=5)
"""How long a partition stays locked when the machine that writes it is gone."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(timezone.utc)


@contextmanager
def _heap_at_rest() -> Iterator[None]:
    """Keep the garbage collector from going through all of Airflow's objects again and again while pages are read."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass(frozen=True, kw_only=True)
class Export:
    """One export of one scope to one date's partition.

    :param scope: what is exported.
    :param day: the date that the snapshot will stand for.
    :param holder: who exports, for others that want to meanwhile, such as the DAG run's id.
    :param formats: ``parquet``, without which there is no snapshot, ``csv``, and ``xlsx`` for up to a million numbers.
    :param page_size: numbers a page; the server may give fewer.
    :param concurrency: pages fetched at the same time.
    :param attempts: how often the reading may start anew because the inventory moved.
    :param max_reject_percent: rows that may be rejected before the whole export is.
    :param max_change_percent: how many more or fewer numbers than in the last snapshot are believed.
    :param expected_rows: how many numbers a person said there are, instead of the last snapshot's.
    :param full_check: compare the pages with the platform's own CSV as well, which is held in memory for that.
    :param via: read the pages of the listing, or the platform's own CSV, all of it in memory.
    """

    source: PageSource
    root: DataRoot
    scope: Scope
    day: date
    holder: str
    formats: Sequence[str] = ("parquet", "csv")
    page_size: int = 500
    concurrency: int = 8
    attempts: int = 5
    max_reject_percent: float = 0.1
    max_change_percent: float = 20
    expected_rows: int | None = None
    full_check: bool = False
    via: Literal["pages", "csv"] = "pages"
    clock: Clock = utc_now

    def __post_init__(self) -> None:
        unknown = sorted(set(self.formats) - set(FORMATS))
        if unknown:
            raise InvalidInput(f"formats: {shown(unknown)} is not known; choose among {', '.join(FORMATS)}")
        if "parquet" not in self.formats:
            raise InvalidInput("formats: parquet is missing; what compares and cleans up reads it, so leave it in")
        if self.via not in ("pages", "csv"):
            raise InvalidInput(f"source: {self.via!r} is not known; choose pages or csv")
        if self.full_check and self.via == "csv":
            raise InvalidInput("full_check: compares pages with the CSV, and source is csv alone; choose one of them")

    @property
    def folder(self) -> str:
        """Key of the partition."""
        return partition_of(self.scope.environment, self.day, self.scope.groups)

    def run(self) -> CompleteSnapshot:
        """Export, and publish.

        :raises IncompleteSnapshot: when it could not be proven complete, or too many rows are not what they should be.
        :raises InvalidInput: when a format cannot hold so many numbers.
        :raises VolumeAnomaly: when there are unbelievably many or few numbers.
        :raises PartitionBusy: when another run writes the same partition.
        :raises ApiError: when the platform refuses.
        :raises NoAnswer: when the platform cannot be reached.
        """
        try:
            with self._lease().held() as lease:
                staging, manifest = self._proven(lease)
                self._check_rejects(staging, manifest)
                self._check_volume(manifest)
                lease.keep()
                manifest = self._reported(staging, self._compared(staging, manifest))
                lease.keep()
                return publish(self.root, self.folder, staging, manifest)
        except OSError as error:
            raise IncompleteSnapshot(
                f"{self.folder} could not be written: {error}. What was published before stays as it was; see that the "
                f"data root {self.root.uri} is there, has room and may be written, then run the export again"
            ) from error

    def _lease(self) -> Lease:
        scope, _, date_ = self.folder.rpartition("/")
        return Lease(
            self.root,
            f"{scope}/.lease/{date_}",
            clock=self.clock,
            length=LEASE_LENGTH,
            by=self.holder,
            held=PartitionBusy,
        )

    def _proven(self, lease: Lease) -> tuple[str, Manifest]:
        """The staged folder of a reading that was confirmed, and the manifest of what is in it."""
        started = self.clock()
        moves: list[str] = []
        with (
            _heap_at_rest(),
            ThreadPoolExecutor(self.concurrency, thread_name_prefix="inventory-reader") as executor,
        ):
            while len(moves) < self.attempts:
                # A body may differ where the numbers do not; after the first surprise only the numbers count.
                reading = self._reading(executor, content_fingerprint if moves else fingerprint)
                tidy(self.root, self.folder, self._published())
                staging = stage(self.root, self.folder)
                try:
                    return staging, self._attempt(reading, staging, lease, started, len(moves) + 1)
                except Moved as moved:
                    log.info("The inventory moved: %s. Reading it again.", moved)
                    moves.append(str(moved))
        raise IncompleteSnapshot(
            f"The inventory of {self.scope.environment} was read {self.attempts} times and never held still or never "
            f"fitted together; nothing was published. Seen: {'; '.join(dict.fromkeys(moves))}. Run the export again at "
            f"a quieter time; if it always says the same, the platform contradicts itself and its support should know"
        )

    def _reading(self, executor: ThreadPoolExecutor, mark: Fingerprint) -> Reading | CsvReading:
        if self.via == "csv":
            return CsvReading(self.source)
        return Reading(
            self.source, page_size=self.page_size, executor=executor, concurrency=self.concurrency, mark=mark
        )

    def _attempt(
        self, reading: Reading | CsvReading, staging: str, lease: Lease, started: datetime, attempt: int
    ) -> Manifest:
        with Writer(self.root.path(staging), self.formats) as writer:
            progress = Progress("Read", self.clock, lease.renew)
            for page in reading.pages(progress):
                if "xlsx" in self.formats:
                    check_fits(reading.shape.total)
                writer.write(page)
            files = writer.close()
        reading.confirm(Progress("Compared", self.clock, lease.renew))
        if self.full_check:
            cross_check(self.source.csv(), self.root.path(f"{staging}/{PARQUET}"), writer.rejects)
        return Manifest(
            scope=self.scope,
            date=self.day,
            rows=writer.rows,
            rejects=writer.rejects,
            files={file.path: file for file in files},
            counts=writer.counts,
            proof=Proof(
                source=self.via,
                total=reading.shape.total,
                pages=reading.shape.pages,
                page_size=reading.shape.page_size,
                attempts=attempt,
                calls=self.source.calls,
                full_check=self.full_check,
                started=started,
                ended=self.clock(),
            ),
            versions={
                "ocp_numbers": version("airflow-provider-ocp-numbers"),
                "phonenumbers": version("phonenumbers"),
                "pyarrow": version("pyarrow"),
                "python": platform.python_version(),
            },
        )

    def _check_rejects(self, staging: str, manifest: Manifest) -> None:
        if not manifest.rejects:
            return
        found = f"{manifest.rejects} of {manifest.proof.total} rows are not records of numbers"
        if manifest.rejects * 100 > self.max_reject_percent * manifest.proof.total:
            raise IncompleteSnapshot(
                f"{found}, more than {self.max_reject_percent} %; nothing was published. Each stands with its reason "
                f"in {staging}/{REJECTS}"
            )
        log.warning("%s; they stand with their reasons in %s", found, REJECTS)

    def _check_volume(self, manifest: Manifest) -> None:
        last = self._last()
        before = self.expected_rows if self.expected_rows is not None else last.rows if last else 0
        if before and abs(manifest.rows - before) * 100 > self.max_change_percent * before:
            raise VolumeAnomaly(
                f"{self.scope.environment} has {manifest.rows} numbers now and had {before} in the last snapshot, a "
                f"change of more than {self.max_change_percent} %; nothing was published. If that is right, accept it",
                rows=manifest.rows,
                before=before,
            )

    def _last(self, until: date = date.max) -> CompleteSnapshot | None:
        """The newest snapshot of the scope, of ``until`` at the latest, that can be read."""
        for day in reversed(dates(self.root, self.scope.environment, self.scope.groups)):
            try:
                snapshot = load(self.root, partition_of(self.scope.environment, day, self.scope.groups))
            except IncompleteSnapshot as damaged:
                log.warning("Passed over for comparison: %s", damaged)
                continue
            if snapshot and day <= until:
                return snapshot
        return None

    def _compared(self, staging: str, manifest: Manifest) -> Manifest:
        """The manifest with the changes since the last snapshot before this date, where there is one."""
        last = self._last(self.day - timedelta(1))
        if last is None:
            return manifest
        try:
            with (
                last.open(PARQUET) as before,
                last.open(REJECTS) as rejects_before,
                self.root.path(f"{staging}/{PARQUET}").open("rb") as after,
                self.root.path(f"{staging}/{REJECTS}").open("rb") as rejects_after,
            ):
                unsure = {*numbers_in(rejects_before), *numbers_in(rejects_after)}
                file, counts, authors = compare(
                    before,
                    after,
                    self.root.path(f"{staging}/{CHANGES}"),
                    deeds=Deeds.since(last.manifest.proof.started, root=self.root, environment=self.scope.environment),
                    unsure=unsure,
                )
        except IncompleteSnapshot as damaged:
            log.warning("Not compared: %s", damaged)
            return manifest
        log.info("Since %s: %s", last.date, ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing")
        changes = Comparison(date=last.date, digest=last.digest, counts=counts, by=authors)
        return manifest.model_copy(update={"files": manifest.files | {CHANGES: file}, "changes": changes})

    def _reported(self, staging: str, manifest: Manifest) -> Manifest:
        """The manifest with the report, which tells of the nights before this date, too."""
        with ExitStack() as stack:
            path = self.root.path(f"{staging}/{CHANGES}")
            changes = stack.enter_context(path.open("rb")) if manifest.changes else None
            report = render(manifest, self._nights(), changes)
        with closing(Sink(self.root.path(f"{staging}/{REPORT}").open("wb"))) as sink:
            sink.write(report)
        return manifest.model_copy(update={"files": manifest.files | {REPORT: sink.file(REPORT)}})

    def _nights(self) -> list[Manifest]:
        """The manifests of the last nights before this date, oldest first; a damaged one is passed over."""
        manifests = []
        scope = self.scope
        for day in [day for day in dates(self.root, scope.environment, scope.groups) if day < self.day][1 - NIGHTS :]:
            with suppress(IncompleteSnapshot):
                if snapshot := load(self.root, partition_of(scope.environment, day, scope.groups)):
                    manifests.append(snapshot.manifest)
        return manifests

    def _published(self) -> Manifest | None:
        """The manifest of what is published in the partition; a damaged one counts as none, and is replaced."""
        with suppress(IncompleteSnapshot):
            snapshot = load(self.root, self.folder)
            return snapshot.manifest if snapshot else None
        return None
