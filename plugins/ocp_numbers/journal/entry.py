"""An entry of the journal, as a document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from ocp_numbers.models import NumberSet, PhoneNumber

BRINGING = ("add", "create")
"""Operations after which a number is there that was not; others may meet a number that is there and not shown."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Actor(_Record):
    """Who acts: a task of a DAG run, ``map_index`` -1 where it is not mapped; ``user`` triggered it, where one did."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    user: str | None = None

    @property
    def run(self) -> str:
        """Name of the run among all runs, such as ``apply_number_changes/manual__1``."""
        return f"{self.dag_id}/{self.run_id}"

    @property
    def task(self) -> str:
        """Name of the task within the run."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    def __str__(self) -> str:
        return f"{self.run}/{self.task}"


class NumberEdit(_Record):
    """A number as it was, and what of it is to be different; ``before`` is ``None`` where OCP did not show it.

    ``after`` holds the fields that change, with ``None`` for those that become empty; it is ``None`` where the number
    is to be gone.
    """

    number: str
    before: PhoneNumber | None = None
    after: dict[str, str | None] | None

    @classmethod
    def of(cls, before: PhoneNumber, **fields: str | None) -> NumberEdit:
        """The edit that gives ``fields`` to a number and leaves the others as they are."""
        changed = {name: value for name, value in fields.items() if value != getattr(before, name)}
        return cls(number=before.number, before=before, after=changed)

    @classmethod
    def between(cls, before: PhoneNumber, after: PhoneNumber) -> NumberEdit:
        """The edit that makes ``after`` of ``before``."""
        return cls.of(before, **after.model_dump(exclude={"number"}))

    @classmethod
    def gone(cls, before: PhoneNumber) -> NumberEdit:
        """The edit after which the number is no longer in the inventory."""
        return cls(number=before.number, before=before, after=None)

    @classmethod
    def unseen(cls, number: str, **fields: str | None) -> NumberEdit:
        """The edit that gives ``fields`` to a number that OCP does not show."""
        return cls(number=number, after=fields)

    @property
    def subject(self) -> str:
        """What it is about, for calls and messages: the number."""
        return self.number


class SetEdit(_Record):
    """A set as it was and is to be; ``before`` is ``None`` for one to be made, ``after`` for one to be removed."""

    before: NumberSet | None = None
    after: NumberSet | None = None

    @classmethod
    def gone(cls, before: NumberSet) -> SetEdit:
        """The edit after which there is no such set."""
        return cls(before=before)

    @property
    def subject(self) -> str:
        """What it is about, for calls and messages: the set's id, or the name of one to be made."""
        known = self.before or self.after
        return "" if known is None else known.id or known.name


class Entry(_Record):
    """What is about to be done in one call, or that it was read back.

    :param entry: its number within the task.
    :param plan: digest of the plan that is carried out, where there is one.
    :param operation: what is done, in a word or two of the room that does it, such as ``attach``.
    :param confirms: earlier entries of the task whose effect was read back; such an entry repeats none of their rows.
    :param without: numbers of these that were left as they were.
    """

    format: Literal[1] = 1
    entry: int
    at: AwareDatetime
    by: Actor
    plan: str | None = None
    operation: str
    confirms: tuple[int, ...] = ()
    without: tuple[str, ...] = ()
    numbers: tuple[NumberEdit, ...] = ()
    sets: tuple[SetEdit, ...] = ()

    def document(self) -> bytes:
        """The entry as the JSON that is kept."""
        return self.model_dump_json(exclude_none=True, exclude={"numbers": True}).encode()[:-1] + _rows(self.numbers)

    @property
    def age_key(self) -> tuple[datetime, str, int]:
        """Sorts the entries of a run in the order in which they were made."""
        return self.at, self.by.task, self.entry

    def brings(self, edit: NumberEdit) -> bool:
        """Whether the number of this edit is new by it."""
        return edit.before is None and edit.after is not None and self.operation in BRINGING


def _rows(edits: tuple[NumberEdit, ...]) -> bytes:
    # One row a line, and its ``after`` whole: there None says something.
    return b',"numbers":[' + b",".join(_lines(edits)) + b"\n]}\n"


def _lines(edits: tuple[NumberEdit, ...]) -> Iterator[bytes]:
    for edit in edits:
        before = b"null" if edit.before is None else edit.before.model_dump_json(exclude_none=True).encode()
        rest = edit.model_dump_json(exclude={"before"}).encode()
        yield b"\n" + rest[:-1] + b',"before":' + before + b"}"
