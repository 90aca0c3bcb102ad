"""One writer per partition: a document in the data root that says who writes it, and until when to believe that."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import PartitionBusy

LEASE = ".lease"
VALID_FOR = timedelta(minutes=15)


class _Held(BaseModel):
    model_config = ConfigDict(frozen=True)

    holder: str
    token: str
    until: AwareDatetime


class Lease:
    """The right to write one partition; a context that gives it back.

    :param folder: key of the partition.
    :param holder: who asks, the same after a crash: the same holder gets its own lease back at once, any other one
        waits until it has run out.
    """

    def __init__(self, root: DataRoot, folder: str, *, holder: str, clock: Callable[[], datetime]) -> None:
        self.folder = folder
        self._root = root
        self._key = f"{folder}/{LEASE}"
        self._holder = holder
        self._token = uuid.uuid4().hex
        self._clock = clock
        self._until = clock()

    def __enter__(self) -> Lease:
        while not self._root.create(self._key, self._document()):
            held = self._read()
            if held and held.holder != self._holder and held.until > self._clock():
                raise PartitionBusy(
                    f"{self.folder} is being written by {held.holder}; wait for it to end. If it was killed, the "
                    f"partition is free again at {held.until:%Y-%m-%d %H:%M:%S %Z}"
                )
            self._root.delete(self._key)
        return self

    def __exit__(self, *_: object) -> None:
        if (held := self._read()) and held.token == self._token:
            self._root.delete(self._key)

    def check(self) -> None:
        """Make sure that the lease is still ours.

        :raises PartitionBusy: when it ran out and somebody else took it.
        """
        held = self._read()
        if held is None or held.token != self._token:
            raise PartitionBusy(
                f"{self.folder} was taken over by {held.holder if held else 'another run'} while this run was writing "
                f"it; nothing of this run was published"
            )

    def renew(self) -> None:
        """Hold on to the lease, if half of its time has gone.

        :raises PartitionBusy: when somebody else took it.
        """
        if self._until - self._clock() < VALID_FOR / 2:
            self.check()
            self._root.write(self._key, self._document())

    def _document(self) -> bytes:
        self._until = self._clock() + VALID_FOR
        return _Held(holder=self._holder, token=self._token, until=self._until).model_dump_json().encode()

    def _read(self) -> _Held | None:
        document = self._root.read(self._key)
        try:
            return _Held.model_validate_json(document) if document else None
        except ValidationError:
            return None
