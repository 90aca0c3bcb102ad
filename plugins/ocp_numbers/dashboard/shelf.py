"""Local copies of files of the data root, and what is made of them: bounded, shared by the processes of one user."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ocp_numbers.inventory import CompleteSnapshot

MOST_BYTES = 2 * 2**30
"""What all files may take together; the longest unused go first."""

IN_USE_SECONDS = 900
"""A file that was asked for within this time may be open somewhere, and stays."""


class Shelf:
    """A folder of files whose names tell their content, so that none of them is ever out of date.

    :param folder: where; by default one for this user in the system's folder for temporary files.
    """

    def __init__(self, folder: Path | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder or Path(tempfile.gettempdir()) / f"ocp-numbers-{os.getuid()}"
        self._most_bytes = most_bytes

    def file(self, snapshot: CompleteSnapshot, name: str) -> Path:
        """A local copy of the snapshot's file ``name``, proven to be the one that its manifest names.

        :raises IncompleteSnapshot: when it is missing, damaged, or replaced since the manifest was read.
        """

        def copy(target: Path) -> None:
            with snapshot.open(name) as stream, target.open("wb") as local:
                shutil.copyfileobj(stream, local, 2**20)

        published = snapshot.manifest.files.get(name)
        # Without an entry there is nothing to copy either: opening it says so.
        return self.keep(f"{published.sha256 if published else 'none'}-{name}", copy)

    def keep(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file ``name``, which ``make`` writes where it is not there yet; others see it whole or not at all."""
        place = self.folder / name
        if not self.has(name):
            self._prepare()
            unfinished = self.folder / f".{uuid.uuid4().hex}"
            try:
                make(unfinished)
                unfinished.replace(place)
            finally:
                unfinished.unlink(missing_ok=True)
            self._make_room()
        return place

    def has(self, name: str) -> bool:
        """Whether the file is there; it counts as used now."""
        try:
            os.utime(self.folder / name)
        except FileNotFoundError:
            return False
        return True

    def _prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Somebody else could have made the folder first, to put files of theirs in our way.
        if self.folder.is_symlink() or self.folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{self.folder} belongs to somebody else; remove it, or set TMPDIR to another folder")

    def _make_room(self) -> None:
        found = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                about = path.stat()
                found.append((about.st_mtime, about.st_size, path))
        taken = sum(size for _, size, _ in found)
        for used, size, path in sorted(found):
            if taken <= self._most_bytes or time.time() - used < IN_USE_SECONDS:
                return
            with suppress(OSError):
                path.unlink()
            taken -= size
