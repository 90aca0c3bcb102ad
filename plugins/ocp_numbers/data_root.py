"""The data root: where everything lives that must survive a crash - orders, snapshots, journals.

One URI, a local folder (also a shared one) or an object store. A key is a relative path of plain segments; what OCP or
a person named goes through :func:`segment` first, so that no text from outside ever becomes a path.

In S3, the store's own conditional put makes :meth:`DataRoot.create` exclusive, and credentials and endpoint come from
where every AWS program has them: ``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, a profile, the machine's role.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import BinaryIO
from urllib.parse import quote

from upath import UPath

from ocp_numbers import deployment
from ocp_numbers.errors import InvalidInput, quoted
from ocp_numbers.stores import STAGING, store_of

ENVIRONMENT_VARIABLE = "OCP_NUMBERS_DATA"

STAGED_FOR = 24 * 3600.0
"""Seconds after which what is still staged was left by a process that is gone."""

_PLAIN_SEGMENT = re.compile(r"[^/\\\x00-\x1f\ud800-\udfff]+")
_NAME_BYTES = 255
_SEGMENT_BYTES = 160


def day_of(written: str) -> date | None:
    """The day that a segment names; ``None`` for one of no calendar, whose folder is none of ours."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def segment(text: str) -> str:
    """``text`` as one safe path segment; different texts give different segments.

    Letters, digits and ``_ . - ~`` stay readable, all else is percent-encoded; what is too long for a file name ends
    in a hash of the whole.

    :raises InvalidInput: for an empty text.
    """
    if not text:
        raise InvalidInput("path segment: the text is empty; give a name")
    try:
        encoded = quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidInput(f"path segment: {quoted(text)} is not valid text; correct the name") from None
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
        self._store = store_of(self.uri)

    @classmethod
    def from_environment(cls) -> DataRoot:
        """The data root that ``OCP_NUMBERS_DATA`` names, or ``data/`` beside the project."""
        return cls(os.environ.get(ENVIRONMENT_VARIABLE) or deployment.project() / "data")

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
            return self._store.read(_segments(key))
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """The document as a stream that can be gone through at will, and stays the same when the document is replaced.

        :raises FileNotFoundError: where there is none.
        """
        with self._store.open(_segments(key)) as stream:
            yield stream

    def write(self, key: str, content: bytes) -> None:
        """Replace the document: readers see the old or the new content, whole; it is on disk when this returns."""
        self._store.write(_segments(key), content)

    def create(self, key: str, content: bytes) -> bool:
        """Write the document if there is none: ``False``, and nothing changed, where there is one.

        Exclusive also between processes and machines that share the root; what leases are made of. In an object store
        the answer may be lost and the put repeated, so that there one's own content counts as created: let the content
        tell its writers apart.
        """
        return self._store.create(_segments(key), content)

    def delete(self, key: str) -> None:
        """Remove the document; nothing happens where there is none."""
        with suppress(FileNotFoundError):
            self._store.delete(_segments(key))

    def move(self, source: str, target: str) -> None:
        """Rename a document or a folder; a document is replaced, a folder with content not.

        In a local root atomic. An object store copies, itself and atomically, and then removes the source.

        :raises FileNotFoundError: where there is no source.
        """
        self._store.move(_segments(source), _segments(target))

    def copy(self, source: str, target: str) -> None:
        """Replace the document ``target`` by a copy of ``source``: readers see the old or the new content, whole.

        :raises FileNotFoundError: where there is no source.
        """
        self._store.copy(_segments(source), _segments(target))

    def make_folder(self, key: str) -> None:
        """Make the folder, for streaming writers; an object store needs none."""
        self._store.make_folder(_segments(key))

    def delete_folder(self, key: str) -> None:
        """Remove the folder with everything in it; nothing happens where there is none."""
        self._store.delete_folder(_segments(key))

    def sweep(self) -> None:
        """Remove what killed processes left half written, more than a day ago."""
        self._store.sweep(older_than=STAGED_FOR)

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of all documents below the folder ``prefix``, sorted; of all documents for the empty prefix."""
        found = self._store.keys(_segments(prefix) if prefix else ())
        return sorted(key for key in found if not key.startswith(f"{STAGING}/"))


def _segments(key: str) -> tuple[str, ...]:
    segments = tuple(key.split("/"))
    if not all(map(_is_plain, segments)):
        raise InvalidInput(f"data root key: {quoted(key)} is not a plain relative path; build it of segment(...) parts")
    return segments


def _is_plain(part: str) -> bool:
    encoded = part.encode(errors="replace")
    return part not in (".", "..") and bool(_PLAIN_SEGMENT.fullmatch(part)) and len(encoded) <= _NAME_BYTES
