"""Where a data root's documents lie: a folder of a file system, or an object store.

Both keep one promise, each in its way: a document is there whole or not at all, for whoever looks and whenever.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

from upath import UPath

from ocp_numbers.errors import InvalidInput

STAGING = ".staging"
"""Folder below the root for what is being written; never listed, never read."""

_S3_PART = 16 * 2**20
"""Bytes of a streamed upload that are held in memory at a time; ten thousand of them make the largest object."""

Key = tuple[str, ...]


class Store(Protocol):
    """What a data root does, with keys that are split and found to be plain."""

    def path(self, segments: Key) -> UPath:
        """Where the document lies, for streaming."""

    def read(self, segments: Key) -> bytes:
        """Its content. :raises FileNotFoundError: where there is none."""

    @contextmanager
    def open(self, segments: Key) -> Iterator[BinaryIO]:
        """Its content as a stream that whoever replaces the document does not change."""

    def write(self, segments: Key, content: bytes) -> None:
        """Put it there or replace it, whole."""

    def create(self, segments: Key, content: bytes) -> bool:
        """Put it there if there is none; whether that was so."""

    def delete(self, segments: Key) -> None:
        """Remove it. :raises FileNotFoundError: in some stores, where there is none."""

    def move(self, source: Key, target: Key) -> None:
        """Give a document or a folder another key. :raises FileNotFoundError: where there is none."""

    def copy(self, source: Key, target: Key) -> None:
        """Put or replace ``target``, whole. :raises FileNotFoundError: where there is no ``source``."""

    def make_folder(self, segments: Key) -> None:
        """Make it, where there are folders."""

    def delete_folder(self, segments: Key) -> None:
        """Remove it with everything in it."""

    def sweep(self, *, older_than: float) -> None:
        """Remove what has been half written for more than so many seconds."""

    def keys(self, segments: Key) -> list[str]:
        """The keys of all documents in the folder."""


def store_of(uri: str) -> Store:
    """The store that ``uri`` names: a local path, ``file://``, or any URI that fsspec knows.

    :raises InvalidInput: when it names none that can be used.
    """
    local = "://" not in uri or uri.startswith("file://")
    return _Folder(Path(uri.removeprefix("file://"))) if local else _bucket(uri)


class _Folder:
    """A local or shared file system: staged, flushed, then renamed or linked into place."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, segments: Key) -> UPath:
        return UPath(self._place(segments))

    def read(self, segments: Key) -> bytes:
        return self._place(segments).read_bytes()

    @contextmanager
    def open(self, segments: Key) -> Iterator[BinaryIO]:
        with self._place(segments).open("rb") as stream:  # stays the old file when a new one takes its name
            yield stream

    def write(self, segments: Key, content: bytes) -> None:
        place = self._ready(segments)
        with self._staged() as staged:
            staged.write(content)
            self._put(staged, place)

    def create(self, segments: Key, content: bytes) -> bool:
        place = self._ready(segments)
        with self._staged() as staged:
            staged.write(content)
            _flush(staged)
            try:
                # A link, unlike a rename, refuses an existing target, and the content is whole from the first moment.
                os.link(staged.name, place)
            except FileExistsError:
                return False
            finally:
                Path(staged.name).unlink(missing_ok=True)
        _sync(place.parent)
        return True

    def delete(self, segments: Key) -> None:
        self._place(segments).unlink()

    def move(self, source: Key, target: Key) -> None:
        origin = self._place(source)
        origin.lstat()  # before a folder is made for it
        place = self._ready(target)
        origin.replace(place)
        _sync(place.parent)
        if origin.parent != place.parent:
            _sync(origin.parent)

    def copy(self, source: Key, target: Key) -> None:
        with self.open(source) as stream:
            place = self._ready(target)
            with self._staged() as staged:
                shutil.copyfileobj(stream, staged, 2**20)
                self._put(staged, place)

    def make_folder(self, segments: Key) -> None:
        _make_folder(self._place(segments))

    def delete_folder(self, segments: Key) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self._place(segments))

    def sweep(self, *, older_than: float) -> None:
        folder = self.root / STAGING
        for staged in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError):
                if time.time() - staged.stat().st_mtime > older_than:
                    staged.unlink()

    def keys(self, segments: Key) -> list[str]:
        below = os.walk(self._place(segments))
        return [Path(folder, name).relative_to(self.root).as_posix() for folder, _, names in below for name in names]

    def _place(self, segments: Key) -> Path:
        return self.root.joinpath(*segments)

    def _ready(self, segments: Key) -> Path:
        place = self._place(segments)
        _make_folder(place.parent)
        return place

    @contextmanager
    def _staged(self) -> Iterator[IO[bytes]]:
        """A new file that is gone again if this fails, on a full disk above all."""
        staged = self._ready((STAGING, uuid.uuid4().hex))
        try:
            with staged.open("xb") as stream:
                yield stream
        except BaseException:
            staged.unlink(missing_ok=True)
            raise

    def _put(self, staged: IO[bytes], place: Path) -> None:
        _flush(staged)
        Path(staged.name).replace(place)
        _sync(place.parent)


class _Bucket:
    """An object store: a put is atomic by itself, and an exclusive put is the store's own."""

    def __init__(self, root: UPath) -> None:
        self.root = root
        self.fs: Any = root.fs

    def path(self, segments: Key) -> UPath:
        return self.root.joinpath(*segments)

    def read(self, segments: Key) -> bytes:
        with self._asked():
            return bytes(self.fs.cat_file(self._name(segments)))

    @contextmanager
    def open(self, segments: Key) -> Iterator[BinaryIO]:
        # Fetched at once: read piece by piece, it could be replaced in between.
        with tempfile.NamedTemporaryFile(prefix="ocp-numbers-") as fetched:
            with self._asked():
                self.fs.get_file(self._name(segments), fetched.name)
            with Path(fetched.name).open("rb") as stream:
                yield stream

    def write(self, segments: Key, content: bytes) -> None:
        with self._asked():
            self.fs.pipe_file(self._name(segments), content)

    def create(self, segments: Key, content: bytes) -> bool:
        with self._asked():
            try:
                self.fs.pipe_file(self._name(segments), content, mode="create")
            except FileExistsError:
                # Also what a put hears that is repeated because its answer was lost.
                with suppress(FileNotFoundError):
                    return self.read(segments) == content
                return False
        return True

    def delete(self, segments: Key) -> None:
        with self._asked():
            self.fs.rm_file(self._name(segments))

    def move(self, source: Key, target: Key) -> None:
        origin, place = self._name(source), self._name(target)
        with self._asked():
            names = [origin] if self.fs.isfile(origin) else self.fs.find(origin)
            if not names:
                raise FileNotFoundError(f"{origin} is not there")
            for name in names:
                self.fs.cp_file(name, place + name[len(origin) :])
            for name in names:
                self.fs.rm_file(name)

    def copy(self, source: Key, target: Key) -> None:
        with self._asked():
            self.fs.cp_file(self._name(source), self._name(target))

    def make_folder(self, segments: Key) -> None:
        """Nothing: asked to make one, some stores would rather make a bucket."""

    def delete_folder(self, segments: Key) -> None:
        with self._asked():
            for name in self.fs.find(self._name(segments)):
                with suppress(FileNotFoundError):
                    self.fs.rm_file(name)

    def sweep(self, *, older_than: float) -> None:
        """Nothing: what was not put whole is not there."""

    def keys(self, segments: Key) -> list[str]:
        above = len(self.root.path.rstrip("/")) + 1
        with self._asked():
            return [name[above:] for name in self.fs.find(self._name(segments))]

    def _name(self, segments: Key) -> str:
        return self.path(segments).path

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Each kind of store has faults of its own, such as missing credentials; here they all are OSErrors."""
        try:
            yield
        except (OSError, InvalidInput):
            raise
        except Exception as error:
            raise OSError(f"{self.root}: {type(error).__name__}: {error}") from error


def _bucket(uri: str) -> _Bucket:
    kind, _, rest = uri.partition("://")
    if "@" in rest.partition("/")[0]:
        raise InvalidInput(
            f"data root: {uri!r} names an Airflow connection, which is not read here; write {kind}://bucket/folder and "
            f"give credentials by the environment"
        )
    # What was listed a moment ago is not what another machine sees now.
    options: dict[str, Any] = {"use_listings_cache": False}
    if kind in ("s3", "s3a"):
        options["default_block_size"] = _S3_PART
    try:
        return _Bucket(UPath(uri, **options))
    except (ValueError, ImportError) as error:
        raise InvalidInput(
            f"data root: {uri!r} cannot be used ({error}); give a folder, or install what its kind of store needs: "
            f"for S3, the extra s3 of this package"
        ) from None


def _flush(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


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
