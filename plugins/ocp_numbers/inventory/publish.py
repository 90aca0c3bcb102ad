"""Making a written snapshot the one that readers see: all of it at once, or none of it.

A snapshot is written into a folder of its own inside the partition. Readers go by ``manifest.json``, which is replaced
in one step, and by nothing else. Where the partition has a snapshot already, the manifest first points into that
folder, so that the files of the old snapshot can make room for the new ones while readers see the new one, whole.

What could not be published stays in its folder for a person to look at, the last one of each partition, until an export
of that date succeeds.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from ocp_numbers.data_root import DataRoot
from ocp_numbers.documents import canonical
from ocp_numbers.errors import Held, IncompleteSnapshot, PartitionBusy
from ocp_numbers.inventory.manifest import Manifest, Scope
from ocp_numbers.inventory.snapshot import MANIFEST, CompleteSnapshot, dates, folder_of, load, partition_of
from ocp_numbers.lease import Lease

LATEST = "latest.json"
INCOMPLETE = "incomplete.json"
"""In a folder that was not published: why, when, and by whose export."""

LEASE_LENGTH = timedelta(minutes=5)
"""How long a partition stays locked when the machine that writes it is gone."""

_STAGED = ".new-"


def lease_of(root: DataRoot, folder: str, *, clock: Callable[[], datetime], by: str) -> Lease:
    """The right to write or delete the partition ``folder``; :class:`.PartitionBusy` while another has it."""
    scope, _, day = folder.rpartition("/")
    return Lease(root, f"{scope}/.lease/{day}", clock=clock, length=LEASE_LENGTH, by=by, held=PartitionBusy)


def stage(root: DataRoot, folder: str) -> str:
    """Key of a new, empty folder inside the partition ``folder`` that a snapshot can be written into."""
    staging = f"{folder}/{_STAGED}{uuid.uuid4().hex[:12]}"
    root.make_folder(staging)
    return staging


@contextmanager
def kept_if_it_fails(staging: str, lease: Lease, *, clock: Callable[[], datetime], by: str) -> Iterator[None]:
    """Put down in ``staging`` why what lies there will not be published, if so and if the partition is still ours."""
    try:
        yield
    except Exception as error:
        reason = {"reason": f"{type(error).__name__}: {error}", "at": clock(), "by": by}
        with suppress(OSError, Held):
            lease.write(f"{staging}/{INCOMPLETE}", canonical(reason))
        raise


def last_failed(root: DataRoot, folder: str) -> str | None:
    """Key of the newest folder in the partition ``folder`` that was kept for a look, where there is one."""
    failed = [key for key in root.keys(folder) if key.startswith(f"{folder}/{_STAGED}") and key.endswith(INCOMPLETE)]
    newest = max(failed, key=lambda key: _at(root.read(key)), default=None)
    return newest.rpartition("/")[0] if newest else None


def _at(document: bytes | None) -> str:
    try:
        return str(json.loads(document or b"")["at"])
    except (ValueError, TypeError, KeyError):
        return ""


def publish(root: DataRoot, folder: str, staging: str, manifest: Manifest, lease: Lease) -> CompleteSnapshot:
    """Make what lies in ``staging`` the snapshot of the partition ``folder``.

    ``manifest`` names the files as they will lie in the partition, and ``lease`` is the partition's: who lost it,
    asleep at whichever step, puts nothing in the place of what others published since.

    :raises PartitionBusy: when the lease was lost.
    """
    # Written into the staged folder as well: that puts the folder's other entries on disk.
    lease.write(f"{staging}/{MANIFEST}", manifest.document())
    if root.read(f"{folder}/{MANIFEST}") is None:
        for file in manifest.files.values():
            root.move(f"{staging}/{file.path}", f"{folder}/{file.path}")
    else:
        lease.write(f"{folder}/{MANIFEST}", _inside(manifest, staging.rpartition("/")[2]).document())
        for file in manifest.files.values():
            # Never into the file itself: who has opened the old one goes on reading the old one.
            lease.copy(f"{staging}/{file.path}", f"{folder}/{file.path}")
    lease.write(f"{folder}/{MANIFEST}", manifest.document())
    _point(root, manifest.scope, lease)
    tidy(root, folder, manifest, lease)
    return CompleteSnapshot(root, folder, manifest)


def tidy(root: DataRoot, folder: str, manifest: Manifest | None, lease: Lease, *, spare: str | None = None) -> None:
    """Remove from the partition ``folder`` what ``manifest``, the published one, does not name: left by killed runs.

    :param spare: key of a folder that stays.
    :raises PartitionBusy: when the lease was lost.
    """
    kept = {MANIFEST, *(file.path.partition("/")[0] for file in manifest.files.values())} if manifest else set()
    if spare:
        kept.add(spare.rpartition("/")[2])
    place = root.path(folder)
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.name not in kept:
            lease.keep()
            remove = root.delete_folder if path.name.startswith(_STAGED) else root.delete
            remove(f"{folder}/{path.name}")


def _inside(manifest: Manifest, folder: str) -> Manifest:
    files = {name: file.model_copy(update={"path": f"{folder}/{file.path}"}) for name, file in manifest.files.items()}
    return manifest.model_copy(update={"files": files})


def _point(root: DataRoot, scope: Scope, lease: Lease) -> None:
    """Let ``latest.json`` beside the partitions name the newest one, for tools that cannot list.

    Another date may be published at the same time, by somebody with a lease of their own: so look again afterwards.
    """
    pointed = None
    while (newest := _newest(root, scope)) and newest != pointed:
        lease.write(f"{folder_of(scope.environment, *scope.part)}/{LATEST}", newest)
        pointed = newest


def _newest(root: DataRoot, scope: Scope) -> bytes | None:
    """The pointer to the newest snapshot that can be read."""
    for day in reversed(dates(root, scope.environment, *scope.part)):
        with suppress(IncompleteSnapshot):
            if snapshot := load(root, partition_of(scope.environment, day, *scope.part)):
                manifest = snapshot.manifest
                pointer = {"date": day, "folder": snapshot.folder, "rows": manifest.rows, "digest": manifest.digest}
                return canonical(pointer)
    return None
