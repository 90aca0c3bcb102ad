"""What became of each row, and of all of them together."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ocp_numbers.bulk.change import Change
from ocp_numbers.bulk.plan import RESULTS, ChangePlan, new_file
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import SHOWN_AT_MOST, shown

Status = Literal["done", "refused", "different"]

_COLUMNS = ("row", "number", "operation", "status", "before", "after", "remark")


class Account(BaseModel):
    """The account of a run.

    :param done: changes that OCP shows as they are wanted, whichever attempt made them.
    :param unchanged: rows that were so before the run.
    :param refused: refused by OCP, or changed by somebody since the plan was made.
    :param different: OCP said yes and goes on showing something else. :param spent: what the purchases cost.
    :param left_alone: rows that the plan itself leaves alone, and says why; whoever approved it has seen that.
    :param wrong: the first of the refused and the different, with the reason.
    """

    model_config = ConfigDict(frozen=True)

    digest: str
    done: int
    unchanged: int
    refused: int
    different: int
    left_alone: int = 0
    bought: int = 0
    spent: Decimal = Decimal(0)
    wrong: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The account in a sentence."""
        bought = f"; bought: {self.bought:,} for {self.spent:f}" if self.bought else ""
        left_alone = f"; left alone by the plan, see faults.csv: {self.left_alone:,}" if self.left_alone else ""
        return (
            f"Done and read back: {self.done:,}{bought}; so already: {self.unchanged:,}; refused: {self.refused:,}; "
            f"different: {self.different:,}{left_alone}."
        )

    @property
    def problem(self) -> str | None:
        """What is not as planned, in a sentence; ``None`` where all is."""
        if not self.refused + self.different:
            return None
        rest = self.refused + self.different - len(self.wrong)
        return f"{self.summary} Not as planned: {shown(self.wrong)}" + (f" and {rest:,} more" if rest > 0 else "") + "."


class Ledger:
    """Notes what became of each change, in a file of the run; memory stays flat."""

    def __init__(self, root: DataRoot, plan: ChangePlan) -> None:
        self._plan = plan
        self._sink = new_file(root, f"{plan.folder}/{RESULTS}")
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(_COLUMNS)
        self._counts: Counter[Status] = Counter()
        self._wrong: list[str] = []

    def note(self, change: Change, status: Status, remark: str = "") -> None:
        """What became of ``change``."""
        self._counts[status] += 1
        if status != "done" and len(self._wrong) < SHOWN_AT_MOST:
            self._wrong.append(f"{change.number} {status}: {remark}")
        before, after = (json.dumps(fields, ensure_ascii=False) for fields in (change.before, change.after))
        self._writer.writerow([change.row or "", change.number, change.operation, status, before, after, remark])
        if self._text.tell() > 2**20:
            self._flush()

    def close(self) -> None:
        """Have the file on disk."""
        self._flush()
        self._sink.close()

    def account(self, *, bought: int, spent: Decimal) -> Account:
        """All of it together, with the rows that the plan leaves alone."""
        return Account(
            digest=self._plan.digest,
            done=self._counts["done"],
            unchanged=self._plan.unchanged,
            refused=self._counts["refused"],
            different=self._counts["different"],
            left_alone=self._plan.refused,
            bought=bought,
            spent=spent,
            wrong=tuple(self._wrong),
        )

    def _flush(self) -> None:
        self._sink.write(self._text.getvalue().encode("utf-8", "backslashreplace"))
        self._text.seek(0)
        self._text.truncate()
