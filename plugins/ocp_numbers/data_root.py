"""The data root: where everything lives that must survive a crash - orders, snapshots, journals.

One URI, a local folder (also a shared one) or an object store. A key is a relative path of plain segments; what OCP or
a person named goes through :func:`segment` first, so that no text from outside ever becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from upath import UPath

from ocp_numbers.errors import InvalidInput

ENVIRONMENT_VARIABLE = "OCP_NUMBERS_DATA"
DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "data"
"""Beside the project when it runs from its own folder."""

STAGING = ".staging"
"""Folder below the root for what is being written; never listed, never read."""

_PLAIN_SEGMENT = re.compile(r"[^/\\\x00-\x1f]+")
_SEGMENT_BYTES = 160


def segment(text: str) -> str:
    """``text`` as one safe path segment; different texts give different segments.

    Letters, digits and ``_ . - ~`` stay readable, all else is percent-encoded; what is too long for a file name ends
    in a hash of the whole.

    :raises InvalidInput: for an empty text.
    """
    if not text:
        raise InvalidInput("path segment: the text is empty; give a name")
    encoded = quote(text, safe="")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) <= _SEGMENT_BYTES:
        return encoded
    # "=" never comes out of quote(), so a shortened segment cannot equal one that was short to begin with.
    return f"{encoded[: _SEGMENT_BYTES - 33]}={hashlib.sha256(text.encode()).hexdigest()[:32]}"


class DataRoot:
    """Documents and folders under one URI.

    :param uri: a local path, ``file://`` or any URI that fsspec knows, such as ``s3://bucket/folder``.
    """

    def __init__(self, uri: str | os.PathLike[str]) -> None:
        self.uri = str(uri)
        local = "://" not in self.uri or self.uri.startswith("file://")
        self._store: _Store = _Folder(Path(self.uri.removeprefix("file://"))) if local else _bucket(self.uri)

    @classmethod
    def from_environment(cls) -> DataRoot:
        """The data root that ``OCP_NUMBERS_DATA`` names, or ``data/`` beside the project."""
        return cls(os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_FOLDER)

    def __repr__(self) -> str:
        return f"DataRoot({self.uri!r})"

    def path(self, key: str) -> UPath:
        """Where ``key`` lives, for streaming writers and readers. Parent folders need not exist.

        :raises InvalidInput: for a key that is not a plain relative path.
        """
        return self._store.path(_segments(key))

    def read(self, key: str) -> bytes | None:
        """The document's content, or ``None`` where there is none."""
        try:
            return self.path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, key: str, content: bytes) -> None:
        """Replace the document: readers see the old or the new content, whole; it is on disk when this returns."""
        self._store.write(_segments(key), content)

    def create(self, key: str, content: bytes) -> bool:
        """Write the document if there is none: ``False``, and nothing changed, where there is one.

        Exclusive also between processes and machines that share the root; what leases are made of.
        """
        return self._store.create(_segments(key), content)

    def delete(self, key: str) -> None:
        """Remove the document; nothing happens where there is none."""
        with suppress(FileNotFoundError):
            self.path(key).unlink()

    def move(self, source: str, target: str) -> None:
        """Rename a document or a folder. In a local root atomic; a document is replaced, a folder with content not."""
        self._store.move(_segments(source), _segments(target))

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of all documents below the folder ``prefix``, sorted; of all documents for the empty prefix."""
        found = self._store.keys(_segments(prefix) if prefix else ())
        return sorted(key for key in found if not key.startswith(f"{STAGING}/"))


def _segments(key: str) -> tuple[str, ...]:
    segments = tuple(key.split("/"))
    if any(part in (".", "..") or not _PLAIN_SEGMENT.fullmatch(part) for part in segments):
        raise InvalidInput(f"data root key: {key!r} is not a plain relative path; build it of segment(...) parts")
    return segments


class _Store(Protocol):
    def path(self, segments: tuple[str, ...]) -> UPath: ...
    def write(self, segments: tuple[str, ...], content: bytes) -> None: ...
    def create(self, segments: tuple[str, ...], content: bytes) -> bool: ...
    def move(self, source: tuple[str, ...], target: tuple[str, ...]) -> None: ...
    def keys(self, segments: tuple[str, ...]) -> list[str]: ...


class _Folder:
    """A local or shared file system: staged, flushed, then renamed or linked into place."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, segments: tuple[str, ...]) -> UPath:
        return UPath(self.root.joinpath(*segments))

    def write(self, segments: tuple[str, ...], content: bytes) -> None:
        place = self._ready(segments)
        staged = self._stage(content)
        try:
            os.replace(staged, place)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        _sync(place.parent)

    def create(self, segments: tuple[str, ...], content: bytes) -> bool:
        place = self._ready(segments)
        staged = self._stage(content)
        try:
            # A link, unlike a rename, refuses an existing target, and the content is whole from the first moment.
            os.link(staged, place)
        except FileExistsError:
            return False
        finally:
            staged.unlink(missing_ok=True)
        _sync(place.parent)
        return True

    def move(self, source: tuple[str, ...], target: tuple[str, ...]) -> None:
        origin, place = self.root.joinpath(*source), self._ready(target)
        os.replace(origin, place)
        _sync(place.parent)
        if origin.parent != place.parent:
            _sync(origin.parent)

    def keys(self, segments: tuple[str, ...]) -> list[str]:
        below = os.walk(self.root.joinpath(*segments))
        return [Path(folder, name).relative_to(self.root).as_posix() for folder, _, names in below for name in names]

    def _ready(self, segments: tuple[str, ...]) -> Path:
        place = self.root.joinpath(*segments)
        _make_folder(place.parent)
        return place

    def _stage(self, content: bytes) -> Path:
        staged = self._ready((STAGING, uuid.uuid4().hex))
        try:
            with staged.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            staged.unlink(missing_ok=True)  # on a full disk above all
            raise
        return staged


class _Bucket:
    """An object store: a put is atomic by itself, and an exclusive put is the store's own."""

    def __init__(self, root: UPath) -> None:
        self.root = root

    def path(self, segments: tuple[str, ...]) -> UPath:
        return self.root.joinpath(*segments)

    def write(self, segments: tuple[str, ...], content: bytes) -> None:
        self.path(segments).write_bytes(content)

    def create(self, segments: tuple[str, ...], content: bytes) -> bool:
        try:
            with self.root.fs.open(self.path(segments).path, "xb") as stream:
                stream.write(content)
        except FileExistsError:
            return False
        return True

    def move(self, source: tuple[str, ...], target: tuple[str, ...]) -> None:
        self.root.fs.mv(self.path(source).path, self.path(target).path, recursive=True)

    def keys(self, segments: tuple[str, ...]) -> list[str]:
        above = len(self.root.path.rstrip("/")) + 1
        return [name[above:] for name in self.root.fs.find(self.path(segments).path)]


def _bucket(uri: str) -> _Bucket:
    try:
        return _Bucket(UPath(uri))
    except (ValueError, ImportError) as error:
        raise InvalidInput(
            f"data root: {uri!r} cannot be used ({error}); give a folder, or install what its kind of store needs"
        ) from None


def _make_folder(folder: Path) -> None:
    """Create ``folder`` durably: a folder whose own entry is not on disk takes its documents along in a power cut."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
