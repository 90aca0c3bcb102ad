"""Making a written snapshot the one that readers see: all of it at once, or none of it.

A snapshot is written into a folder of its own inside the partition. Readers go by ``manifest.json``, which is replaced
in one step, and by nothing else. Where the partition has a snapshot already, the manifest first points into that
folder, so that the files of the old snapshot can make room for the new ones while readers see the new one, whole.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import closing, suppress

from ocp_numbers.data_root import DataRoot
from ocp_numbers.documents import canonical
from ocp_numbers.inventory.manifest import Manifest
from ocp_numbers.inventory.sink import Sink
from ocp_numbers.inventory.snapshot import MANIFEST, CompleteSnapshot, dates

LATEST = "latest.json"
_STAGED = ".new-"


def stage(root: DataRoot, folder: str) -> str:
    """Key of a new, empty folder inside the partition ``folder`` that a snapshot can be written into."""
    staging = f"{folder}/{_STAGED}{uuid.uuid4().hex[:12]}"
    root.path(staging).mkdir(parents=True)
    return staging


def publish(root: DataRoot, folder: str, staging: str, manifest: Manifest) -> CompleteSnapshot:
    """Make what lies in ``staging`` the snapshot of the partition ``folder``.

    ``manifest`` names the files as they will lie in the partition. Only one run may do this for a partition at a time.
    """
    # Written into the staged folder as well: that puts the folder's other entries on disk.
    root.write(f"{staging}/{MANIFEST}", manifest.document())
    if root.read(f"{folder}/{MANIFEST}") is None:
        for file in manifest.files.values():
            root.move(f"{staging}/{file.path}", f"{folder}/{file.path}")
    else:
        root.write(f"{folder}/{MANIFEST}", _inside(manifest, staging.rpartition("/")[2]).document())
        for file in manifest.files.values():
            _copy(root, f"{staging}/{file.path}", f"{folder}/{file.path}")
    root.write(f"{folder}/{MANIFEST}", manifest.document())
    _point(root, folder, manifest)
    tidy(root, folder, manifest)
    return CompleteSnapshot(root, folder, manifest)


def tidy(root: DataRoot, folder: str, manifest: Manifest | None) -> None:
    """Remove from the partition ``folder`` what ``manifest``, the published one, does not name: left by killed runs.

    Only the run that writes the partition may do this.
    """
    kept = {MANIFEST, *(file.path for file in manifest.files.values())} if manifest else set()
    for key in root.keys(folder):
        if key[len(folder) + 1 :] not in kept:
            root.delete(key)
    place = root.path(folder)
    for path in place.iterdir() if place.is_dir() else ():
        if path.name.startswith(_STAGED):
            # Not empty where the manifest names a file in it.
            with suppress(OSError):
                path.rmdir()


def _inside(manifest: Manifest, folder: str) -> Manifest:
    files = {name: file.model_copy(update={"path": f"{folder}/{file.path}"}) for name, file in manifest.files.items()}
    return manifest.model_copy(update={"files": files})


def _copy(root: DataRoot, source: str, target: str) -> None:
    # Never into the file itself: who has opened the old one goes on reading the old one.
    copied = f"{source}.copy"
    with root.path(source).open("rb") as stream, closing(Sink(root.path(copied).open("wb"))) as sink:
        shutil.copyfileobj(stream, sink, 2**20)
    root.move(copied, target)


def _point(root: DataRoot, folder: str, manifest: Manifest) -> None:
    """Let ``latest.json`` beside the partitions name the newest one, for tools that cannot list."""
    scope = folder.rpartition("/")[0]
    if manifest.date >= max(dates(root, manifest.scope.environment, manifest.scope.groups)):
        pointer = {"date": manifest.date, "folder": folder, "rows": manifest.rows, "digest": manifest.digest}
        root.write(f"{scope}/{LATEST}", canonical(pointer))
