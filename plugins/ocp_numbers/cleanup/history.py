"""What our own records know about numbers and OCP does not show: when they came, when they were last used, which order
they belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta

from ocp_numbers.cleanup.marks import marked_since
from ocp_numbers.cleanup.selection import Known, Sets, use_of
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot, as_of, dates, load, partition_of, read_batches
from ocp_numbers.models import PhoneNumber
from ocp_numbers.ordering import OrderBook, Reservations, State

_USE = ("number", "mini_app_id", "mini_app_name", "mini_app_type", "mini_app_diamant_app_name", "mini_app_group")
_TRACES = (*_USE, "set_id", "set_name", "note")


class History:
    """The environment's published inventories, asked about a limited number of numbers.

    :param until: the snapshot that decisions are made from; later ones are ignored.
    """

    def __init__(self, data_root: DataRoot, environment: str, *, until: CompleteSnapshot) -> None:
        self._data_root = data_root
        self._environment = environment
        self._days = [day for day in dates(data_root, environment) if day <= until.date]

    def first_seen(self, numbers: Collection[str], *, today: date, within_days: int) -> dict[str, date]:
        """When numbers came that came within so many days: the date of the first inventory that holds them.

        What the oldest inventory of that time already held came earlier, or before there were records, and is left out.
        """
        start = as_of(self._data_root, self._environment, today - timedelta(days=within_days))
        days = [day for day in self._days if start is None or day > start.date]
        oldest = start or (self._snapshot(days.pop(0)) if days else None)
        unseen = set(numbers) - self._present(oldest, numbers)
        seen: dict[str, date] = {}
        for day in days:
            if not unseen:
                break
            found = self._present(self._snapshot(day), unseen)
            seen.update(dict.fromkeys(found, day))
            unseen -= found
        return seen

    def of_marked(self, marks: Mapping[str, date], sets: Sets, *, after: date = date.min) -> Known:
        """When marked numbers were last in use, and last without the mark that they bear.

        :param marks: the day of each number's mark. :param after: inventories of that day and before are not read.
        """
        used: dict[str, date] = {}
        unmarked: dict[str, date] = {}
        for day in reversed(self._days):
            unknown = marks.keys() - used.keys()
            if not unknown or day <= after:
                break
            snapshot = self._snapshot(day)
            for row in _rows_of(snapshot, unknown, _TRACES):
                if use_of(row, sets):
                    used[row.number] = day
                mark = marked_since(row.note)
                if snapshot and (mark is None or mark > marks[row.number]):
                    unmarked.setdefault(row.number, snapshot.manifest.proof.started.date())
        return Known(last_used=used, unmarked=unmarked)

    def _present(self, snapshot: CompleteSnapshot | None, numbers: Collection[str]) -> set[str]:
        return {row.number for row in _rows_of(snapshot, numbers, ("number",))}

    def _snapshot(self, day: date) -> CompleteSnapshot | None:
        return load(self._data_root, partition_of(self._environment, day))


def _rows_of(
    snapshot: CompleteSnapshot | None, numbers: Collection[str], columns: Sequence[str]
) -> Iterator[PhoneNumber]:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(numbers), pa.string())
    for batch in read_batches(snapshot, columns) if snapshot else ():
        found: pa.RecordBatch = batch.filter(pc.is_in(batch["number"], value_set=wanted))
        yield from map(PhoneNumber.model_validate, found.to_pylist())


def orders_of(data_root: DataRoot, environment: str) -> Known:
    """What the orders of an environment say: which numbers belong to open ones, and when closed ones brought theirs;
    and which numbers a plan has reserved.

    :raises OrderCorrupt: when an order cannot be read.
    """
    since: dict[str, date] = {}
    ordered: dict[str, str] = {}
    for order in OrderBook(data_root, environment).orders():
        for line in order.lines:
            if order.is_open and line.state is not State.REFUSED:
                ordered[line.number] = order.order_id
            elif line.state is State.OWNED and line.origin != "already ours":
                came = (line.settled_at or order.closed_at or order.opened_at).date()
                since[line.number] = max(came, since.get(line.number, came))
    reserved = Reservations(data_root, environment).taken().owner
    return Known(since=since, ordered=ordered, reserved=reserved)
