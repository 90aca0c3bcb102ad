"""Published snapshots of the inventory: finding them, and reading them whole or not at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, BinaryIO

from pydantic import ValidationError

from ocp_numbers.data_root import DataRoot, day_of, segment
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory.manifest import Manifest
from ocp_numbers.models import PhoneNumber

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
_PUBLISHED = re.compile(rf"/date=(?P<date>\d{{4}}-\d\d-\d\d)/{re.escape(MANIFEST)}")
ROWS_AT_ONCE = 16_384


@dataclass(frozen=True)
class CompleteSnapshot:
    """The inventory as it was at one moment, proven complete and published.

    ``folder`` is its key in the data root; its numbers come from :func:`read_rows`.
    """

    root: DataRoot
    folder: str
    manifest: Manifest

    @property
    def environment(self) -> str:
        """Name of the environment, which is the connection's id."""
        return self.manifest.scope.environment

    @property
    def date(self) -> date:
        """The date that the snapshot stands for."""
        return self.manifest.date

    @property
    def taken(self) -> datetime:
        """When the reading that it is made of ended; what its age is counted from."""
        return self.manifest.proof.ended

    @property
    def rows(self) -> int:
        """How many numbers it holds."""
        return self.manifest.rows

    @property
    def digest(self) -> str:
        """What tells this publication from any other."""
        return self.manifest.digest

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """The snapshot's file ``name``, proven to be the one that the manifest names.

        :raises IncompleteSnapshot: when it is missing, damaged, or replaced since the manifest was read.
        """
        file = self.manifest.files.get(name)
        if file is None:
            raise IncompleteSnapshot(
                f"{self.folder} has no {name}, only {', '.join(self.manifest.files)}; export that date again with it"
            )
        key = f"{self.folder}/{file.path}"
        with ExitStack() as stack:
            try:
                stream = stack.enter_context(self.root.open(key))
            except FileNotFoundError:
                raise IncompleteSnapshot(f"{key}: missing; {_ADVICE}") from None
            sha256 = hashlib.sha256()
            for chunk in iter(lambda: stream.read(2**20), b""):
                sha256.update(chunk)
            if sha256.hexdigest() != file.sha256:
                raise IncompleteSnapshot(f"{key}: not the file that its manifest names; {_ADVICE}")
            stream.seek(0)
            yield stream


_ADVICE = (
    "the snapshot was replaced or damaged since it was loaded; load it again, and export that date again if it stays"
)


def folder_of(environment: str, groups: Sequence[str] = (), filters: Mapping[str, str] = {}) -> str:
    """Key of the folder that holds the snapshots of a scope, one partition a date.

    Snapshots of some numbers live apart from those of the whole environment: who reads the whole never meets a part.
    """
    folder = f"inventory/environment={segment(environment)}"
    if groups:
        folder += f"/groups={segment('+'.join(segment(group) for group in sorted(set(groups))))}"
    if filters:
        folder += f"/filters={segment('+'.join(f'{name}~{segment(text)}' for name, text in sorted(filters.items())))}"
    return folder


def partition_of(environment: str, day: date, groups: Sequence[str] = (), filters: Mapping[str, str] = {}) -> str:
    """Key of the folder of one snapshot."""
    return f"{folder_of(environment, groups, filters)}/date={day.isoformat()}"


def dates(root: DataRoot, environment: str, groups: Sequence[str] = (), filters: Mapping[str, str] = {}) -> list[date]:
    """The dates of all published snapshots of a scope, oldest first; of the whole where no part is named."""
    folder = folder_of(environment, groups, filters)
    found = (_PUBLISHED.fullmatch(key, len(folder)) for key in root.keys(folder))
    return sorted(day for each in found if each and (day := day_of(each["date"])))


def latest(
    root: DataRoot, environment: str, groups: Sequence[str] = (), filters: Mapping[str, str] = {}
) -> CompleteSnapshot | None:
    """The newest published snapshot of a scope, or ``None`` where there is none yet.

    :raises IncompleteSnapshot: when its manifest cannot be read.
    """
    return as_of(root, environment, date.max, groups, filters)


def as_of(
    root: DataRoot, environment: str, day: date, groups: Sequence[str] = (), filters: Mapping[str, str] = {}
) -> CompleteSnapshot | None:
    """The snapshot that was the newest one at the end of ``day``, or ``None`` where there was none yet.

    :raises IncompleteSnapshot: when its manifest cannot be read.
    """
    known = [published for published in dates(root, environment, groups, filters) if published <= day]
    return load(root, partition_of(environment, known[-1], groups, filters)) if known else None


def load(root: DataRoot, folder: str) -> CompleteSnapshot | None:
    """The snapshot in ``folder``, or ``None`` where none is published.

    :raises IncompleteSnapshot: when its manifest cannot be read.
    """
    document = root.read(f"{folder}/{MANIFEST}")
    if document is None:
        return None
    try:
        return CompleteSnapshot(root, folder, Manifest.model_validate_json(document))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the document"
        raise IncompleteSnapshot(
            f"{folder}/{MANIFEST}: not a manifest of this version ({where}: {fault['msg']}); export that date again"
        ) from error


def read_batches(snapshot: CompleteSnapshot, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The snapshot's numbers as Arrow batches, in the order of the export; all columns unless some are named.

    :raises IncompleteSnapshot: when the file is not the one that was published.
    """
    import pyarrow.parquet as pq

    with snapshot.open("numbers.parquet") as stream:
        file = pq.ParquetFile(stream)
        yield from file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(columns) if columns else None)


def read_rows(snapshot: CompleteSnapshot) -> Iterator[PhoneNumber]:
    """The snapshot's numbers, one by one, in the order of the export; memory stays flat.

    :raises IncompleteSnapshot: when the file is not the one that was published.
    """
    for batch in read_batches(snapshot, list(PhoneNumber.model_fields)):
        yield from map(PhoneNumber.model_validate, batch.to_pylist())


def read_number(snapshot: CompleteSnapshot, number: str) -> PhoneNumber | None:
    """The record of one ``number``, or ``None`` where the snapshot does not have it; the rest is not decoded.

    :raises IncompleteSnapshot: when the file is not the one that was published.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with snapshot.open("numbers.parquet") as stream:
        file = pq.ParquetFile(stream)
        for place in range(file.num_row_groups):
            known = file.metadata.row_group(place).column(0).statistics
            if known is not None and known.has_min_max and not known.min <= number <= known.max:
                continue
            row = pc.index(file.read_row_group(place, ["number"])["number"], number).as_py()
            if row >= 0:
                rows = file.read_row_group(place, list(PhoneNumber.model_fields))
                return PhoneNumber.model_validate(rows.slice(row, 1).to_pylist()[0])
    return None
