"""A file being written: counted, hashed, and on disk once it is closed."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import suppress
from typing import Any, BinaryIO

from ocp_numbers.inventory.manifest import File


class Sink(io.RawIOBase):
    """A binary file that knows its size and SHA-256, and is durable once closed.

    :param stream: the opened file, which is closed along.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self._bytes = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._bytes

    def write(self, content: Any) -> int:
        """Append ``content``, anything that has the bytes of a buffer."""
        view = memoryview(content)
        self._stream.write(view)
        self._sha256.update(view)
        self._bytes += view.nbytes
        return view.nbytes

    def close(self) -> None:
        """Flush to disk and close; an object store makes the object appear now."""
        if not self.closed:
            super().close()
            with self._stream:
                self._stream.flush()
                with suppress(io.UnsupportedOperation, AttributeError):
                    os.fsync(self._stream.fileno())

    def file(self, path: str) -> File:
        """The file's entry in a manifest, under the name ``path``."""
        return File(path=path, bytes=self._bytes, sha256=self._sha256.hexdigest())
