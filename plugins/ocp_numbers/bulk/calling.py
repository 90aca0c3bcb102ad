"""The calls that a step is made of: each is made once here, and what OCP refuses is narrowed down to single numbers."""

from __future__ import annotations

import csv
import io
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ocp_numbers.bulk.change import COLUMN_OF, FIELDS, Change
from ocp_numbers.bulk.steps import Means, Step
from ocp_numbers.errors import ApiError, BadRequest, Conflict, Forbidden, LimitExceeded, NoAnswer, NotFound, Refused
from ocp_numbers.models import PhoneNumber
from ocp_numbers.threads import Threads

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient

log = logging.getLogger(__name__)

MOST_REFUSED = 100
"""Numbers that OCP may refuse one after the other before the rest is not tried any more."""

_ABOUT_THE_NUMBERS = (BadRequest, Conflict, Forbidden, NotFound, Refused)
"""Refusals that may concern some of the numbers of a call only."""


class Todo(NamedTuple):
    """A change, the number as it is, and the step that is next."""

    change: Change
    seen: PhoneNumber | None
    step: Step

    @property
    def number(self) -> str:
        """The number that it is about."""
        return self.change.number


Call = Callable[[Sequence[Todo]], object]


class Calling:
    """Makes the calls of a run.

    :param connect: gives the client for the next call, or raises when the task has to end.
    :param extra_columns: names of the columns that only the platform understands.
    """

    def __init__(self, connect: Callable[[], OcpClient], *, rows_per_call: int, extra_columns: Sequence[str]) -> None:
        self._connect = connect
        self._extra = tuple(extra_columns)
        self.rows_per_call = rows_per_call
        self.refused: dict[str, str] = {}
        self.failure: ApiError | NoAnswer | None = None
        self._in_a_row = 0

    def make(self, means: Means, todo: Sequence[Todo]) -> None:
        """Make the calls for these steps, which are of one means.

        What OCP refuses of them is in ``refused`` then, with its words; a call that may or may not have taken effect
        leaves its error in ``failure``: looking tells.

        :raises LimitExceeded: when OCP refuses more numbers than can be believed to be single cases.
        """
        if means is Means.CLEAR_NOTE:
            self._clear_notes(todo)
        for batch, call in self._calls(means, todo):
            self._narrowed(batch, call)

    def _calls(self, means: Means, todo: Sequence[Todo]) -> Iterator[tuple[Sequence[Todo], Call]]:
        if means is Means.FILE:
            yield from ((each, self._send_file) for each in _by(todo, lambda item: item.step.operation))
        if means is Means.LEAVE_SET:
            yield from ((each, self._leave_set) for each in _by(todo, lambda item: _now(item).set_id))
        if means is Means.BIND:
            yield from ((each, self._bind) for each in _by(todo, lambda item: tuple(item.step.after.items())))

    def _narrowed(self, batch: Sequence[Todo], call: Call) -> None:
        """Make the call; where OCP refuses it, make it for halves, down to the numbers that it is about."""
        waiting = [batch]
        accepted, narrowed = 0, False
        refused_before = len(self.refused)
        while waiting:
            part = waiting.pop()
            try:
                call(part)
                accepted = max(accepted, len(part))
                self._in_a_row = 0
            except _ABOUT_THE_NUMBERS as error:
                narrowed = True
                if len(part) > 1:
                    half = len(part) // 2
                    waiting += [part[half:], part[:half]]
                else:
                    self._refuse(part[0], error)
            except (ApiError, NoAnswer) as error:
                if error.settled and not error.transient:
                    raise
                log.warning("%s Reading back what took effect.", error)
                self.failure = error
                return
        if narrowed and len(self.refused) == refused_before and accepted:
            log.info("OCP takes %d rows in a call, not %d", accepted, len(batch))
            self.rows_per_call = min(self.rows_per_call, accepted)

    def _refuse(self, item: Todo, error: ApiError) -> None:
        log.warning("%s is refused: %s", item.number, error.message)
        self.refused[item.number] = f"OCP refused it: {error.message}"
        self._in_a_row += 1
        if self._in_a_row > MOST_REFUSED:
            raise LimitExceeded(
                f"OCP refused {self._in_a_row} numbers one after the other, the last one {item.number}: "
                f"{error.message} Nothing more was sent. See to the cause, then clear the task: it does the rest."
            ) from error

    def _send_file(self, part: Sequence[Todo]) -> None:
        self._connect().numbers.import_csv(file_of(part, self._extra))

    def _leave_set(self, part: Sequence[Todo]) -> None:
        numbers = [item.number for item in part]
        self._connect().sets.remove_numbers(str(_now(part[0]).set_id), numbers=numbers)

    def _bind(self, part: Sequence[Todo]) -> None:
        wanted = part[0].step.after
        self._connect().numbers.attach(
            [item.number for item in part],
            mini_app_id=wanted["mini_app_id"] or "",
            locale=wanted["locale"] or "",
            application_tag=wanted["application_tag"],
        )

    def _clear_notes(self, todo: Sequence[Todo]) -> None:
        client = self._connect()

        def clear(item: Todo) -> None:
            client.numbers.update_note(item.number, note="")

        with Threads(client.settings.max_concurrency) as pool:
            done = [(item, pool.submit(clear, item)) for item in todo]
        for item, future in done:
            error = future.exception()
            if isinstance(error, _ABOUT_THE_NUMBERS):
                self._refuse(item, error)
            elif isinstance(error, ApiError | NoAnswer) and (error.transient or not error.settled):
                self.failure = error
            elif error is not None:
                raise error


def file_of(part: Sequence[Todo], extra_columns: Sequence[str]) -> bytes:
    """The file for the platform: only cells that are to change, and those that it alone understands.

    There is never a column PROVIDER in it: by a file, nothing is bought.
    """
    columns = [column for column, field in FIELDS.items() if any(item.step.after.get(field) for item in part)]
    extra = [name for name in extra_columns if any(name in item.change.extra for item in part)]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["OPERATION", "NUMBER", *columns, *extra])
    for item in part:
        cells = {COLUMN_OF[field]: value for field, value in item.step.after.items()}
        writer.writerow(
            [
                item.step.operation.title(),
                item.number,
                *(cells.get(column) or "" for column in columns),
                *(item.change.extra.get(name, "") for name in extra),
            ]
        )
    return text.getvalue().encode()


def _by(todo: Iterable[Todo], key: Callable[[Todo], object]) -> Iterator[list[Todo]]:
    grouped: dict[object, list[Todo]] = defaultdict(list)
    for item in todo:
        grouped[key(item)].append(item)
    yield from grouped.values()


def _now(item: Todo) -> PhoneNumber:
    if item.seen is None:  # a set is left, and a binding replaced, by numbers that are there
        raise ValueError(f"{item.number} is not in the inventory")
    return item.seen
