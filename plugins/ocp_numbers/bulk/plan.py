"""The plan of a bulk change: a short document with the figures and a long file with the changes, one a line.

Both lie in ``bulk/environment=<connection>/<run>/`` of the data root. The document is written last and names the
content of the file, so that its digest stands for every single change.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import chain
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ocp_numbers.bulk.change import Change, Operation
from ocp_numbers.bulk.faults import Fault, as_csv
from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.documents import digest
from ocp_numbers.errors import PlanChanged
from ocp_numbers.inventory.sink import Sink
from ocp_numbers.ordering import Offer, Wishes

PLAN, CHANGES, REFUSED = "plan.json", "changes.jsonl", "faults.csv"
RESULTS, RESULT = "results.csv", "result.json"
SHOWN = 200
"""Changes that the document repeats, for the page."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PurchaseOrder(_Document):
    """An order for numbers from one provider for one group, at no more than the prices in its wishes.

    :param continues: whether an earlier run has opened it and left it open.
    :param settled: numbers of it that nothing has to be bought for any more: ours already, or refused.
    :param besides: numbers that it may still buy although the table does not ask for them.
    """

    order_id: str
    wishes: Wishes
    continues: bool = False
    settled: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All its numbers and what they may cost."""
        return self.wishes.offers or ()

    @property
    def left(self) -> tuple[Offer, ...]:
        """Those that may still have to be bought."""
        return tuple(offer for offer in self.offers if offer.number not in self.settled)

    @property
    def total(self) -> Decimal:
        """What these may cost together."""
        return sum((offer.price or Decimal(0) for offer in self.left), Decimal(0))


class ChangePlan(_Document):
    """What a run is going to do.

    :param source: where the wishes come from, in words.
    :param counts: changes by operation. :param taken_over: of them, numbers taken from another miniApp.
    :param unchanged: rows that are so already. :param without_operation: rows that ask for nothing.
    :param repeated: rows that say what an earlier one says.
    :param refused: rows that cannot be carried out and are left alone; they are in ``faults.csv``.
    :param purchases: what is bought, after approval, or was bought by an order that is still open.
    :param extra_columns: names of the columns that only the platform understands.
    :param remarks: what the person who approves should know besides.
    :param names: of sets by their ids, for the page.
    :param sha256: of the file with the changes.
    """

    format: Literal[1] = 1
    environment: str
    run: str
    made_at: datetime
    source: str
    counts: dict[Operation, int] = {}
    taken_over: int = 0
    unchanged: int = 0
    without_operation: int = 0
    repeated: int = 0
    refused: int = 0
    purchases: tuple[PurchaseOrder, ...] = ()
    extra_columns: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    names: dict[str, str] = {}
    first: tuple[Change, ...] = ()
    first_refused: tuple[str, ...] = ()
    sha256: str

    @property
    def digest(self) -> str:
        """What is approved, as 64 hexadecimal digits: every change, and every purchase with its price."""
        return digest(
            {
                "environment": self.environment,
                "run": self.run,
                "changes": self.sha256,
                "purchases": [order.model_dump() for order in self.purchases],
            }
        )

    @property
    def short_digest(self) -> str:
        """The digest's first digits, for people."""
        return self.digest[:12]

    @property
    def total(self) -> int:
        """How many changes there are."""
        return sum(self.counts.values())

    @property
    def bought(self) -> int:
        """How many numbers are bought."""
        return sum(len(order.left) for order in self.purchases)

    @property
    def deleted(self) -> int:
        """How many numbers are deleted."""
        return self.counts.get("delete", 0)

    @property
    def cost(self) -> Decimal:
        """The most that the purchases may cost together."""
        return sum((order.total for order in self.purchases), Decimal(0))

    @property
    def needs_a_person(self) -> bool:
        """Whether it spends money, deletes, or takes numbers from where they serve: never done unasked."""
        return bool(self.bought or self.deleted or self.taken_over)

    @property
    def folder(self) -> str:
        """Folder of the data root that keeps everything about the run."""
        return folder(self.environment, self.run)

    @property
    def restore(self) -> str:
        """Key of the file that brings everything back; each plan has its own, also where a run is planned anew."""
        return f"{self.folder}/restore-{self.short_digest}.csv"

    @property
    def key(self) -> str:
        """The document's key in the data root."""
        return f"{self.folder}/{PLAN}"

    def changes(self, root: DataRoot, *operations: Operation) -> Iterator[Change]:
        """The changes one by one, or those with one of these operations; memory stays flat.

        :raises PlanChanged: when the file is not the one that the plan was made with; nothing is yielded then.
        """
        key = f"{self.folder}/{CHANGES}"
        path = root.path(key)
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            raise _changed(key, "is missing") from None
        with stream:
            sha256 = hashlib.sha256()
            for block in iter(lambda: stream.read(2**20), b""):
                sha256.update(block)
            if sha256.hexdigest() != self.sha256:
                raise _changed(key, "is not the file that the plan was made with")
            stream.seek(0)
            marks = [f'"operation":"{operation}"'.encode() for operation in operations]
            for line in stream:
                # A look at the bytes spares the parsing of most lines; what it lets through in error is seen after.
                if marks and not any(mark in line for mark in marks):
                    continue
                change = Change.model_validate_json(line)
                if not operations or change.operation in operations:
                    yield change


class PlanWriter:
    """Writes a plan while its changes are found, one after the other; :meth:`close` gives the plan.

    Add changes in the order of the numbers, as far as possible: then they are found again with few calls.
    """

    def __init__(self, root: DataRoot, *, environment: str, run: str, made_at: datetime, source: str) -> None:
        self._root = root
        self._folder = folder(environment, run)
        self._about = {"environment": environment, "run": run, "made_at": made_at, "source": source}
        self._sink = new_file(root, f"{self._folder}/{CHANGES}")
        self._counts: Counter[Operation] = Counter()
        self._taken_over = 0
        self._first: list[Change] = []
        self._foremost: list[Change] = []
        self._extra: dict[str, None] = {}
        self.bought: list[Change] = []

    def add(self, change: Change) -> None:
        """Append a change. There is at most one for a number of create and delete, of update, of attach and detach."""
        self._sink.write(change.model_dump_json(exclude_defaults=True).encode() + b"\n")
        self._counts[change.operation] += 1
        self._taken_over += change.takes_over
        self._extra.update(dict.fromkeys(change.extra))
        shown = self._foremost if change.is_final or change.takes_over else self._first
        if len(shown) < SHOWN:
            shown.append(change)
        if change.provider is not None:
            self.bought.append(change)

    def close(
        self,
        *,
        refused: Iterable[Fault] = (),
        unchanged: int = 0,
        without_operation: int = 0,
        repeated: int = 0,
        purchases: Iterable[PurchaseOrder] = (),
        remarks: Iterable[str] = (),
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> ChangePlan:
        """Put the plan in the data root, and give it.

        :param refused: what cannot be done, with the reason; it is listed beside the plan.
        :param names: of sets by their ids, also of those that are not concerned.
        """
        self._sink.close()
        count, first = write_faults(self._root, self._folder, refused)
        # What cannot be taken back comes first on the page, however late in the file it stands.
        first_changes = (*self._foremost, *self._first)[:SHOWN]
        concerned = {fields.get("set_id") for change in first_changes for fields in (change.before, change.after)}
        plan = ChangePlan.model_validate(
            {
                **self._about,
                "counts": dict(self._counts),
                "taken_over": self._taken_over,
                "unchanged": unchanged,
                "without_operation": without_operation,
                "repeated": repeated,
                "refused": count,
                "purchases": tuple(purchases),
                "extra_columns": tuple(self._extra),
                "remarks": tuple(remarks),
                "first": first_changes,
                "names": {set_id: name for set_id, name in names.items() if set_id in concerned},
                "first_refused": tuple(map(str, first)),
                "sha256": self._sink.file(CHANGES).sha256,
            }
        )
        self._root.write(plan.key, plan.model_dump_json(indent=1).encode())
        return plan


def folder(environment: str, run: str) -> str:
    """Folder of the data root that keeps everything about a run."""
    return f"bulk/environment={segment(environment)}/{segment(run)}"


def write_faults(root: DataRoot, place: str, faults: Iterable[Fault]) -> tuple[int, list[Fault]]:
    """List faults in the folder ``place``; how many there are, and the first of them."""
    first: list[Fault] = []
    count = 0

    def counted() -> Iterator[Fault]:
        nonlocal count
        for fault in faults:
            count += 1
            if len(first) < SHOWN:
                first.append(fault)
            yield fault

    rows = counted()
    head = next(rows, None)
    if head is None:
        root.delete(f"{place}/{REFUSED}")
        return 0, []
    sink = new_file(root, f"{place}/{REFUSED}")
    for block in as_csv(chain([head], rows)):
        sink.write(block)
    sink.close()
    return count, first


def load_plan(root: DataRoot, key: str, *, digest: str) -> ChangePlan:
    """The plan under ``key``, once it is certain that it is the one with this digest.

    :raises PlanChanged: when it is not, or cannot be read.
    """
    content = root.read(key)
    if content is None:
        raise _changed(key, "is missing")
    try:
        plan = ChangePlan.model_validate_json(content)
    except ValidationError as error:
        raise _changed(key, f"cannot be read ({error.error_count()} faults)") from None
    if plan.digest != digest or plan.key != key:
        raise _changed(key, f"is plan {plan.short_digest}, approved was {digest[:12]}")
    return plan


def _changed(key: str, what: str) -> PlanChanged:
    return PlanChanged(f"{key}: {what}. Nothing was changed. Trigger a new run.")


def new_file(root: DataRoot, key: str) -> Sink:
    """A new file under ``key``, on disk once it is closed."""
    path = root.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    return Sink(path.open("wb"))
