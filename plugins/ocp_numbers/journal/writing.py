"""Writing the journal: an entry is in the data root when the call that it announces is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import ApiError, NoAnswer, OrderConflict
from ocp_numbers.journal.entry import Actor, Entry, NumberEdit, SetEdit
from ocp_numbers.journal.places import day_key, entries_in, entry_key, task_folder
from ocp_numbers.journal.reading import entries


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Journal:
    """What one task writes about itself, and reads about its run.

    The entries of a task are numbered, and each number can be taken once only. So a second process that does the work
    of the same task is found out at its next entry.

    :param environment: the connection's id.
    :param by: who acts.
    :param plan: digest of the plan that is carried out, where there is one.
    :param told: called with an operation and how many numbers it was done to, each time that was read back.
    """

    def __init__(
        self,
        data_root: DataRoot,
        environment: str,
        by: Actor,
        *,
        plan: str | None = None,
        now: Callable[[], datetime] = _now,
        told: Callable[[str, int], object] = lambda operation, count: None,
    ) -> None:
        self.environment = environment
        self.by = by
        self._data_root = data_root
        self._plan = plan
        self._now = now
        self._told = told
        self._folder = task_folder(environment, by)
        self._last: int | None = None
        self._listed_on: str | None = None
        self._begun: dict[str, set[str]] | None = None

    @property
    def run(self) -> str:
        """Name of the run that the entries belong to; what a restore is asked for with."""
        return self.by.run

    def intend(self, operation: str, edits: Sequence[NumberEdit | SetEdit] = ()) -> Entry:
        """Put on record what is about to be done to numbers or sets; in the data root when this returns.

        :raises OrderConflict: when another process writes this journal as well; the call must not be made then.
        """
        entry = self._write(
            operation,
            numbers=tuple(edit for edit in edits if isinstance(edit, NumberEdit)),
            sets=tuple(edit for edit in edits if isinstance(edit, SetEdit)),
        )
        if self._begun is not None:
            self._begun.setdefault(operation, set()).update(edit.number for edit in entry.numbers)
        return entry

    def confirm(self, *intents: Entry, without: Collection[str] = ()) -> None:
        """Put on record that the effect of ``intents`` was read back; nothing where there are none.

        :param without: numbers for which nothing was done, as OCP shows.
        :raises OrderConflict: when another process writes this journal as well.
        """
        if intents:
            confirms = tuple(intent.entry for intent in intents)
            self._write(intents[-1].operation, confirms=confirms, without=tuple(without))
            done = {edit.number for intent in intents for edit in intent.numbers} - set(without)
            self._told(intents[-1].operation, len(done))

    @contextmanager
    def recorded(
        self,
        operation: str,
        edits: Sequence[NumberEdit | SetEdit],
        *,
        without: Callable[[], Collection[str]] = tuple,
    ) -> Iterator[None]:
        """Have what is done inside on record: begun, then read back, or certainly not done where OCP refused it.

        :param without: looks for the numbers that were left as they were.
        :raises OrderConflict: when another process writes this journal as well; nothing inside is done then.
        """
        intent = self.intend(operation, edits)
        try:
            yield
        except (ApiError, NoAnswer) as error:
            if error.settled:
                self.confirm(intent, without=[edit.number for edit in intent.numbers])
            raise
        self.confirm(intent, without=without())

    def intended(self, *operations: str) -> set[str]:
        """Numbers that one of ``operations`` was begun for in this run, by any of its tasks, under this plan."""
        if self._begun is None:
            self._begun = {}
            for entry in entries(self._data_root, self.environment, self.run):
                if entry.plan == self._plan:
                    self._begun.setdefault(entry.operation, set()).update(edit.number for edit in entry.numbers)
        return set().union(*(self._begun.get(operation, ()) for operation in operations))

    def _write(
        self,
        operation: str,
        *,
        confirms: tuple[int, ...] = (),
        without: tuple[str, ...] = (),
        numbers: tuple[NumberEdit, ...] = (),
        sets: tuple[SetEdit, ...] = (),
    ) -> Entry:
        if self._last is None:
            self._last = max((number for number, _ in entries_in(self._data_root, self._folder)), default=0)
        entry = Entry(
            entry=self._last + 1,
            at=self._now(),
            by=self.by,
            plan=self._plan,
            operation=operation,
            confirms=confirms,
            without=without,
            numbers=numbers,
            sets=sets,
        )
        self._list(entry.at)
        key = entry_key(self._folder, entry.entry)
        if not self._data_root.create(key, entry.document()):
            raise OrderConflict(
                f"{key}: another process is doing the work of the same task. This one stopped before its next step; "
                f"let the other one finish, then clear this task."
            )
        self._last = entry.entry
        return entry

    def _list(self, at: datetime) -> None:
        """Name the run among those of the day, before its first entry is there: no entry goes unlisted."""
        key = day_key(self.environment, self.run, at)
        if key != self._listed_on:
            self._data_root.create(key, self.run.encode())
            self._listed_on = key
