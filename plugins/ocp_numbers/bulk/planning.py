"""From a table of wishes to a plan: every row read, every number looked at, all faults found at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from ocp_numbers.bulk.change import FIELDS, Change
from ocp_numbers.bulk.deciding import decide
from ocp_numbers.bulk.desk import Desk
from ocp_numbers.bulk.faults import listed
from ocp_numbers.bulk.looking import FEW, Look, read_all
from ocp_numbers.bulk.plan import REFUSED, ChangePlan, PlanWriter, folder, write_faults
from ocp_numbers.bulk.pricing import Limits, price
from ocp_numbers.bulk.rows import Columns, Row, Wrong, read_rows
from ocp_numbers.bulk.table import open_table
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot, InvalidInput, shown
from ocp_numbers.models import PhoneNumber
from ocp_numbers.ordering import OrderBook
from ocp_numbers.progress import Progress

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient


def plan_changes(
    connect: Callable[[], OcpClient],
    root: DataRoot,
    stream: BinaryIO,
    *,
    environment: str,
    run: str,
    name: str,
    now: datetime,
    limits: Limits | None = None,
    skip_faulty: bool = False,
) -> ChangePlan:
    """The plan that carries out the table in ``stream``; nothing is written to OCP.

    :param connect: gives the client for the next call, or raises when the task has to end.
    :param name: of the table, for messages, such as ``upload``.
    :param skip_faulty: whether rows with a fault are left alone, instead of having the whole table refused; one that
        could not be read to its end is refused in any case.
    :raises InvalidInput: when it is no table, or has faults; all of them are in ``faults.csv`` of the run then.
    :raises OverBudget: when the rows that buy cost more than ``limits`` allow, together with what orders that an
        earlier run has left open for them may still spend.
    :raises OrderCorrupt: when the document of such an order cannot be read.
    """
    source = f"{name}, SHA-256 {_sha256(stream)[:12]}"
    with Desk.open() as desk, open_table(stream, is_header=Columns.are_in, name=name) as table:
        columns = Columns(table.header)
        columns.check()
        planning = _Planning(connect, desk, columns)
        planning.lay_out(read_rows(table, columns))
        writer = PlanWriter(root, environment=environment, run=run, made_at=now, source=source)
        for change in planning.changes():
            writer.add(change)
        book = OrderBook(root, environment)
        priced = price(connect, book, planning.to_buy, asked=planning.asked, limits=limits or Limits())
        for change in priced.changes:
            writer.add(change)
        desk.fault(priced.faults)
        if planning.cut_off or (desk.fault_count() and not skip_faulty):
            raise _refused(root, folder(environment, run), desk, name)
        return writer.close(
            refused=desk.faults(),
            unchanged=planning.unchanged,
            without_operation=planning.without_operation,
            repeated=desk.repeated,
            purchases=priced.orders,
            remarks=planning.remarks(),
            names=planning.set_names,
        )


def _refused(root: DataRoot, place: str, desk: Desk, name: str) -> InvalidInput:
    count, _ = write_faults(root, place, desk.faults())
    problems = listed(desk.faults(), count, all_in=f"{place}/{REFUSED}")
    return InvalidInput(
        [f"{name}: faults: {count:,}. Nothing was changed. Correct them and trigger a new run:", *problems]
    )


def _sha256(stream: BinaryIO) -> str:
    sha256 = hashlib.sha256()
    for block in iter(lambda: stream.read(2**20), b""):
        sha256.update(block)
    stream.seek(0)
    return sha256.hexdigest()


class _Planning:
    """Rows on their way to changes, and what is counted on the way."""

    def __init__(self, connect: Callable[[], OcpClient], desk: Desk, columns: Columns) -> None:
        self._connect = connect
        self._desk = desk
        self._columns = columns
        self._sets = {each.id: each for each in connect().sets.list()}
        self.set_names = {each.id: each.name for each in self._sets.values()}
        self.to_buy: list[Change] = []
        self.asked: set[str] = set()
        self.unchanged = 0
        self.without_operation = 0
        self._asking = 0
        self._blank = 0
        self.cut_off = False

    def lay_out(self, rows: Iterable[Row | Wrong | None]) -> None:
        """Put all rows on the desk.

        :raises InvalidInput: when none of them asks for anything.
        """
        for row in rows:
            if row is None:
                self.without_operation += 1
            elif isinstance(row, Wrong):
                self._asking += 1
                self.cut_off = self.cut_off or row.ends
                self._desk.fault(row.faults)
            else:
                self._asking += 1
                self._desk.put(row)
        self._desk.check_existence()
        if not self._asking:
            blank = f"is blank in all {self.without_operation:,} rows"
            raise InvalidInput(
                f"OPERATION: {blank if self.without_operation else 'has no rows below it'}; write Create, Update, "
                f"Attach, Detach or Delete for each number that something is to be done with"
            )

    def changes(self) -> Iterator[Change]:
        """The changes that cost nothing, in the order of the numbers; purchases are put aside."""
        look = Look(self._connect)
        absent = False
        if self._desk.count() > FEW:
            told = Progress("Reading the inventory", self._desk.count(), unit="rows")
            done = 0
            try:
                for page in read_all(look):
                    seen = {row.number: (row, place) for row, place in page}
                    for row in self._desk.take(tuple(seen)):
                        done += 1
                        yield from self._decided(row, *seen[row.number])
                    told(done)
                absent = True
            except IncompleteSnapshot:
                pass  # it moves all the time: what is left is searched
        for numbers in self._desk.numbers():
            found = {} if absent else look.find(numbers)
            for row in self._desk.take(numbers):
                yield from self._decided(row, found.get(row.number), None)

    def remarks(self) -> Iterator[str]:
        """What the person who approves should know besides."""
        if self._blank:
            yield (
                f"{self._blank:,} blank cells of Update stand where OCP has a note, a tag or a set, and leave it as it "
                f"is. The word empty in angle brackets empties a field."
            )
        if self._columns.left_out:
            yield f"Columns that change nothing: {shown(self._columns.left_out)}."
        if self._columns.extra:
            names = shown(self._columns.header[place] for place in self._columns.extra)
            yield f"Columns that go along as they came, since only OCP knows them: {names}."

    def _decided(self, row: Row, seen: PhoneNumber | None, place: int | None) -> Iterator[Change]:
        changes, faults = decide(row, seen, self._sets, place)
        if row.operation == "update" and seen is not None:
            self._blank += sum(
                bool(getattr(seen, field)) and field not in row.fields
                for field in self._shown
                if field in _CAN_BE_EMPTY
            )
        if faults:
            self._desk.fault(faults)
        self.unchanged += not (changes or faults)
        if row.operation == "create" and row.provider is not None:
            self.asked.add(row.number)
        self.to_buy += [change for change in changes if change.provider is not None]
        yield from (change for change in changes if change.provider is None)

    @property
    def _shown(self) -> tuple[str, ...]:
        return tuple(FIELDS[name] for name in self._columns.known.values() if name in FIELDS)


_CAN_BE_EMPTY = ("note", "application_tag", "set_id")
