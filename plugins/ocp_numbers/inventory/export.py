"""The export: read until proven, write on the way, compare, publish - or leave everything as it was and say why."""

from __future__ import annotations

import gc
import logging
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timezone
from importlib.metadata import version
from itertools import pairwise
from typing import Literal

from ocp_numbers.balance import Balance
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot, InvalidInput, VolumeAnomaly, shown
from ocp_numbers.inventory.changes import CHANGES
from ocp_numbers.inventory.closing import close_books
from ocp_numbers.inventory.cross_check import cross_check
from ocp_numbers.inventory.csv_reading import CsvReading
from ocp_numbers.inventory.earlier import Earlier
from ocp_numbers.inventory.filters import check_found
from ocp_numbers.inventory.manifest import Manifest, Proof, Scope
from ocp_numbers.inventory.progress import Progress
from ocp_numbers.inventory.publish import kept_if_it_fails, last_failed, lease_of, publish, stage, tidy
from ocp_numbers.inventory.reader import Moved, PageSource, Reading, TooLarge
from ocp_numbers.inventory.report import NIGHTS, REPORT, render
from ocp_numbers.inventory.sight import FULL_SIGHT, Sight
from ocp_numbers.inventory.sink import Sink
from ocp_numbers.inventory.snapshot import CompleteSnapshot, load, partition_of
from ocp_numbers.inventory.spreadsheet import check_fits
from ocp_numbers.inventory.writer import FORMATS, PARQUET, REJECTS, Writer
from ocp_numbers.lease import Lease
from ocp_numbers.threads import Threads

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

GARBAGE = 50_000
"""New objects after which the garbage collector looks for cycles while pages, which make none, are read."""

_STEPS = ("read and written", "read again", "compared with the CSV")


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(timezone.utc)


@contextmanager
def _heap_at_rest() -> Iterator[None]:
    """Keep the garbage collector from going through all of Airflow's objects again and again while pages are read."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(GARBAGE, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@dataclass(frozen=True, kw_only=True)
class Export:
    """One export of one scope to one date's partition.

    :param scope: what is exported.
    :param day: the date that the snapshot will stand for.
    :param holder: who exports, for others that want to meanwhile, such as the DAG run's id.
    :param formats: ``parquet``, without which there is no snapshot, ``csv``, and ``xlsx`` for up to a million numbers.
    :param page_size: numbers a page; the server may give fewer, and is asked for several times as many where the bodies
        are small enough.
    :param concurrency: pages fetched at the same time.
    :param attempts: how often the reading may start anew because the inventory moved.
    :param max_reject_percent: rows that may be rejected before the whole export is.
    :param max_change_percent: how many more or fewer numbers than in the last snapshot are believed.
    :param expected_rows: how many numbers a person said there are, instead of the last snapshot's.
    :param full_check: compare the pages with the platform's own CSV as well, which is held in memory for that.
    :param sight: tells groups that the login may not look at any more from those whose numbers are gone.
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
    sight: Sight = FULL_SIGHT
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
        return partition_of(self.scope.environment, self.day, *self.scope.part)

    @property
    def _earlier(self) -> Earlier:
        return Earlier(self.root, self.scope, self.day)

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
                try:
                    return self._published_by(lease)
                except OSError:
                    lease.keep()  # the reason may be that another run took over and tidied up
                    raise
        except OSError as error:
            raise IncompleteSnapshot(
                f"{self.folder} could not be written: {error}. What was published before stays as it was; see that the "
                f"data root {self.root.uri} is there, has room and may be written, then run the export again"
            ) from error

    def _published_by(self, lease: Lease) -> CompleteSnapshot:
        staging, manifest = self._proven(lease)
        with self._kept(staging, lease):
            self._check_rejects(staging, manifest)
            seen = self._earlier.sight(manifest, self.sight)
            manifest = manifest.model_copy(update={"hidden": seen.hidden, "notices": tuple(seen.sentences)})
            self._check_volume(staging, manifest)
            lease.keep()
            manifest, balance = close_books(self.root, staging, self._earlier.compared(staging, manifest, seen))
            manifest = self._reported(staging, manifest, balance)
        return publish(self.root, self.folder, staging, manifest, lease)

    def _lease(self) -> Lease:
        return lease_of(self.root, self.folder, clock=self.clock, by=self.holder)

    def _kept(self, staging: str, lease: Lease) -> AbstractContextManager[None]:
        return kept_if_it_fails(staging, lease, clock=self.clock, by=self.holder)

    def _proven(self, lease: Lease) -> tuple[str, Manifest]:
        """The staged folder of a reading that was confirmed, and the manifest of what is in it."""
        started = self.clock()
        moves: list[str] = []
        enlarge = True
        failed = last_failed(self.root, self.folder)
        with (
            _heap_at_rest(),
            Threads(self.concurrency, thread_name_prefix="inventory-reader") as executor,
        ):
            while len(moves) < self.attempts:
                # A body may differ where the numbers do not; after the first surprise only the numbers count.
                reading = self._reading(executor, by_content=bool(moves), enlarge=enlarge)
                tidy(self.root, self.folder, self._published(), lease, spare=failed)
                staging = stage(self.root, self.folder)
                try:
                    with self._kept(staging, lease):
                        return staging, self._attempt(reading, staging, lease, started, len(moves) + 1)
                except Moved as moved:
                    log.info("The inventory moved: %s. Reading it again.", moved)
                    moves.append(str(moved))
                    enlarge = enlarge and not isinstance(moved, TooLarge)
        raise IncompleteSnapshot(
            f"The inventory of {self.scope} was read {self.attempts} times and never held still or never "
            f"fitted together; nothing was published. Seen: {'; '.join(dict.fromkeys(moves))}. What was read last is "
            f"kept in {staging}. Run the export again at a quieter time; if it always says the same, the platform "
            f"contradicts itself and its support should know"
        )

    def _reading(self, executor: ThreadPoolExecutor, *, by_content: bool, enlarge: bool) -> Reading | CsvReading:
        if self.via == "csv":
            return CsvReading(self.source)
        return Reading(
            self.source,
            page_size=self.page_size,
            executor=executor,
            concurrency=self.concurrency,
            by_content=by_content,
            enlarge=enlarge,
        )

    def _attempt(
        self, reading: Reading | CsvReading, staging: str, lease: Lease, started: datetime, attempt: int
    ) -> Manifest:
        times = [self.clock()]
        with Writer(self.root.path(staging), self.formats) as writer:
            progress = Progress("Read", self.clock, lease.renew)
            for page in reading.pages(progress):
                check_found(page.batch, *self.scope.part)
                if "xlsx" in self.formats:
                    check_fits(reading.shape.total)
                writer.write(page)
            files = writer.close()
        times.append(self.clock())
        reading.confirm(Progress("Compared", self.clock, lease.renew))
        times.append(self.clock())
        if self.full_check:
            cross_check(self.source.csv(), self.root.path(f"{staging}/{PARQUET}"), writer.rejects)
        times.append(self.clock())
        spans = zip(_STEPS, pairwise(times), strict=True)
        return Manifest(
            scope=self.scope.model_copy(update={"rights": self.sight.rights()}),
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
                retries=self.source.retries,
                full_check=self.full_check,
                started=started,
                ended=times[-1],
                milliseconds={step: round((end - start).total_seconds() * 1000) for step, (start, end) in spans},
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

    def _check_volume(self, staging: str, manifest: Manifest) -> None:
        last = self._earlier.last()
        # An inventory that was empty has its first numbers some day; a person who accepted nothing accepted just that.
        first_ones = self.expected_rows is None and last is not None and last.rows == 0
        before = self.expected_rows if self.expected_rows is not None else last.rows if last else None
        rows = manifest.rows
        if before is None and not rows:
            found = "shows no numbers at all, and there is no earlier snapshot to compare with"
        elif before is not None and abs(rows - before) * 100 > self.max_change_percent * before and not first_ones:
            found = f"has {rows:,} numbers now and had {before:,} in the last snapshot, a change of more than "
            found += f"{self.max_change_percent} %"
        else:
            return
        why = "".join(f" {notice}." for notice in manifest.notices)
        raise VolumeAnomaly(
            f"{self.scope} {found}; nothing was published, and what was read is kept in {staging}.{why} If "
            f"that is right, accept it",
            rows=rows,
            before=before or 0,
        )

    def _reported(self, staging: str, manifest: Manifest, balance: Balance | None) -> Manifest:
        """The manifest with the report, which tells of the nights before this date, too."""
        with ExitStack() as stack:
            path = self.root.path(f"{staging}/{CHANGES}")
            changes = stack.enter_context(path.open("rb")) if manifest.changes else None
            report = render(manifest, self._earlier.manifests(NIGHTS - 1), changes, balance)
        with closing(Sink(self.root.path(f"{staging}/{REPORT}").open("wb"))) as sink:
            sink.write(report)
        return manifest.model_copy(update={"files": manifest.files | {REPORT: sink.file(REPORT)}})

    def _published(self) -> Manifest | None:
        """The manifest of what is published in the partition; a damaged one counts as none, and is replaced."""
        with suppress(IncompleteSnapshot):
            snapshot = load(self.root, self.folder)
            return snapshot.manifest if snapshot else None
        return None
