"""The journal of a run: what is about to be done, by whom, and what each number was before; on disk before it is done.

The entries of a run are numbered, and each number can be taken once only. So a second process that carries out the same
run is found out at its next entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ocp_numbers.cleanup.plan import folder
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OrderConflict
from ocp_numbers.models import PhoneNumber

Step = Literal["note", "quarantine", "take out", "collect", "give up", "delete"]


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Entry(BaseModel):
    """One step: the numbers as they were ``before`` and are to be ``after``; without an after, they are to be gone.

    ``confirmed`` names the earlier entry whose effect was read back; such an entry repeats no rows.
    """

    model_config = ConfigDict(frozen=True)

    entry: int
    at: datetime
    by: str
    digest: str
    step: Step
    confirmed: int | None = None
    before: tuple[PhoneNumber, ...] = ()
    after: tuple[PhoneNumber, ...] = ()


class Journal:
    """The journal of one run, for the plan with this digest.

    :param by: who acts, for the record, such as ``cleanup_unused_numbers/manual__1/release``.
    """

    def __init__(
        self, data_root: DataRoot, *, run: str, digest: str, by: str, now: Callable[[], datetime] = _now
    ) -> None:
        self._data_root = data_root
        self._folder = f"{folder(run)}/journal"
        self._digest = digest
        self._by = by
        self._now = now
        self._entries = [Entry.model_validate_json(data_root.read(key) or b"") for key in data_root.keys(self._folder)]

    def intend(self, step: Step, before: Sequence[PhoneNumber], after: Sequence[PhoneNumber] = ()) -> Entry:
        """Put on record what is about to be done; on disk when this returns.

        :raises OrderConflict: when another process writes this journal as well.
        """
        return self._write(step, before=tuple(before), after=tuple(after))

    def confirm(self, intent: Entry) -> None:
        """Put on record that the effect of ``intent`` was read back.

        :raises OrderConflict: when another process writes this journal as well.
        """
        self._write(intent.step, confirmed=intent.entry)

    def intended(self, *steps: Step) -> set[str]:
        """Numbers that one of ``steps`` was begun for, under this plan."""
        return {
            row.number
            for entry in self._entries
            if entry.step in steps and entry.digest == self._digest
            for row in entry.before
        }

    def _write(
        self,
        step: Step,
        *,
        confirmed: int | None = None,
        before: tuple[PhoneNumber, ...] = (),
        after: tuple[PhoneNumber, ...] = (),
    ) -> Entry:
        entry = Entry(
            entry=self._entries[-1].entry + 1 if self._entries else 1,
            at=self._now(),
            by=self._by,
            digest=self._digest,
            step=step,
            confirmed=confirmed,
            before=before,
            after=after,
        )
        key = f"{self._folder}/{entry.entry:06d}.json"
        if not self._data_root.create(key, entry.model_dump_json(indent=1, exclude_none=True).encode()):
            raise OrderConflict(
                f"{key}: another process is carrying out the same run. This one stopped before its next step; let the "
                f"other one finish, then clear this task."
            )
        self._entries.append(entry)
        return entry
