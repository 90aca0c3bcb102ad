"""A change is put down to the order or the run that made it, and to nobody of ours where none did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inventory.estate import DAY, NOON, Estate, row
from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.inventory import CompleteSnapshot
from ocp_numbers.inventory.attribution import Deeds
from ocp_numbers.inventory.export import Export
from ocp_numbers.journal import Actor, Journal, NumberEdit
from ocp_numbers.models import PhoneNumber
from ocp_numbers.ordering.book import OrderBook
from ocp_numbers.ordering.order import Line, Order, Requester, State
from ocp_numbers.ordering.stamps import stamp
from ocp_numbers.ordering.wishes import Wishes

ExportOf = Callable[..., Export]
LATER = NOON + timedelta(hours=3)
ORDER, DAG, RUN = "ocp_default/dag/run/buy", "cleanup_unused_numbers", "scheduled__2026-03-01"


def bought(
    root: DataRoot, number: str, *, at: datetime | None = LATER, environment: str = "ocp_default", **line: Any
) -> None:
    """Put an order on record that brought ``number``."""
    order_id = ORDER.replace("ocp_default", environment)
    fields = {"number": number, "price": Decimal(1), "state": State.OWNED, "settled_at": at} | line
    OrderBook(root, environment).write(
        Order(
            order_id=order_id,
            environment=environment,
            wishes=Wishes(provider="twilio", group="g", country_code="US", quantity=1),
            wishes_digest="0",
            stamp=stamp(order_id),
            note=stamp(order_id),
            ceiling=None,
            budget=None,
            approved=None,
            requested_by=Requester(),
            opened_at=NOON,
            lines=(Line(**fields),),
            spares=(),
        )
    )


def cleaned(
    root: DataRoot,
    before: dict[str, Any],
    after: dict[str, Any] | None = None,
    *,
    at: datetime = LATER,
    environment: str = "ocp_default",
    run: str = RUN,
) -> None:
    """Put a run on record that was about to change ``before`` into ``after``, or to give it up."""
    journal = Journal(root, environment, Actor(dag_id=DAG, run_id=run, task_id="t"), now=lambda: at)
    row = PhoneNumber.model_validate(before)
    edit = NumberEdit.between(row, PhoneNumber.model_validate(after)) if after else NumberEdit.gone(row)
    journal.confirm(journal.intend("note" if after else "give up", [edit]))


def authors(snapshot: CompleteSnapshot) -> dict[tuple[str, str], str]:
    with snapshot.open("changes.parquet") as stream:
        return {(each["number"], each["field"]): each["by"] for each in pq.read_table(stream).to_pylist()}


@pytest.fixture
def changed(export_of: ExportOf) -> Callable[..., CompleteSnapshot]:
    """The second night's snapshot, after whatever is put on record in between."""

    def nights(before: list[dict[str, Any]], after: list[dict[str, Any]], record: Callable[[], None]) -> Any:
        export_of(Estate(before)).run()
        record()
        return export_of(Estate(after), day=DAY + timedelta(1)).run()

    return nights


Nights = Callable[..., CompleteSnapshot]


def test_a_number_that_an_order_brought_is_put_down_to_it(changed: Nights, root: DataRoot) -> None:
    new, other = row(1), row(2)
    snapshot = changed([row(0)], [row(0), new, other], lambda: bought(root, new["number"]))
    assert authors(snapshot) == {
        (new["number"], "group_id"): f"order {ORDER}",
        (other["number"], "group_id"): "outside",
    }
    assert snapshot.manifest.changes is not None
    assert snapshot.manifest.changes.by == {f"order {ORDER}": 1, "outside": 1}


def test_a_number_with_the_stamp_of_a_known_order_is_put_down_to_it(changed: Nights, root: DataRoot) -> None:
    new = row(1, note=f"Front desk {stamp(ORDER)}")
    forged = row(2, note="Front desk [order 000000000000]")
    snapshot = changed([], [new, forged], lambda: bought(root, "+12129999999"))
    assert list(authors(snapshot).values()) == [f"order {ORDER}", "outside"]


@pytest.mark.parametrize(
    "line",
    [
        {"at": NOON - timedelta(days=1)},
        {"origin": "already ours"},
        {"state": State.REFUSED},
        {"environment": "another"},
    ],
)
def test_what_an_order_did_not_do_is_not_put_down_to_it(changed: Nights, root: DataRoot, line: dict[str, Any]) -> None:
    new = row(1)
    snapshot = changed([], [new], lambda: bought(root, new["number"], **line))
    assert list(authors(snapshot).values()) == ["outside"]


def test_a_note_that_a_cleanup_wrote_is_put_down_to_it_and_what_else_changed_is_not(
    changed: Nights, root: DataRoot
) -> None:
    before, marked = row(0, note="old"), row(0, note="old [unused since 2026-03-01]")
    snapshot = changed([before], [marked | {"locale": "de-DE"}], lambda: cleaned(root, before, marked))
    number = before["number"]
    assert authors(snapshot) == {(number, "note"): f"run {DAG}/{RUN}", (number, "locale"): "outside"}


def test_a_value_that_somebody_put_there_after_a_run_is_not_put_down_to_the_run(
    changed: Nights, root: DataRoot
) -> None:
    before, marked, later = row(0, note="old"), row(0, note="marked"), row(0, note="in use again")
    snapshot = changed([before], [later], lambda: cleaned(root, before, marked))
    assert authors(snapshot) == {(before["number"], "note"): "outside"}


def test_of_two_runs_the_later_one_wrote_what_both_would_have_written(changed: Nights, root: DataRoot) -> None:
    """Whatever order the runs are kept in: here the later one comes first in the alphabet."""
    before, after = row(0, note="old"), row(0, note="marked")

    def record() -> None:
        for run, at in (("z", LATER), ("a", LATER + timedelta(minutes=1))):
            cleaned(root, before, after, at=at, run=run)

    assert authors(changed([before], [after], record)) == {(before["number"], "note"): f"run {DAG}/a"}


def test_what_somebody_emptied_while_a_run_detached_is_not_put_down_to_the_run(changed: Nights, root: DataRoot) -> None:
    before, asked = row(1, note="desk"), row(1, note="desk", miniAppId=None)
    snapshot = changed([before], [asked | {"note": None}], lambda: cleaned(root, before, asked))
    assert authors(snapshot) == {
        (before["number"], "mini_app_id"): f"run {DAG}/{RUN}",
        (before["number"], "note"): "outside",
    }


def test_what_comes_into_sight_again_is_no_work_of_a_run_that_moved_it_there(root: DataRoot) -> None:
    number = row(1)
    cleaned(root, number, number | {"groupId": "seen-again"})
    deeds = Deeds.since(NOON, root=root, environment="ocp_default")
    fields = ("number", "change", "field", "before", "after")
    told = [(number["number"], change, "group_id", None, "seen-again") for change in ("seen", "moved")]
    changes = pa.Table.from_pylist([dict(zip(fields, each, strict=True)) for each in told])
    notes = pa.chunked_array([pa.nulls(2, pa.string())])
    assert deeds.authors(changes, notes).to_pylist() == ["outside", f"run {DAG}/{RUN}"]


def test_what_detaching_empties_along_is_put_down_to_the_run_that_detached(changed: Nights, root: DataRoot) -> None:
    before, asked = row(1), row(1, miniAppId=None)
    snapshot = changed([before], [asked | {"locale": None}], lambda: cleaned(root, before, asked))
    assert authors(snapshot) == {
        (before["number"], "mini_app_id"): f"run {DAG}/{RUN}",
        (before["number"], "locale"): f"run {DAG}/{RUN}",
    }


def test_a_number_that_a_run_added_is_put_down_to_it(changed: Nights, root: DataRoot) -> None:
    new = row(5)
    journal = Journal(root, "ocp_default", Actor(dag_id=DAG, run_id=RUN, task_id="t"), now=lambda: LATER)
    edit = NumberEdit(number=new["number"], before=None, after={"group_id": new["groupId"]})

    def record() -> None:
        journal.intend("add", [edit])

    assert list(authors(changed([row(0)], [row(0), new], record)).values()) == [f"run {DAG}/{RUN}"]


def test_a_number_that_a_cleanup_gave_up_is_put_down_to_it(changed: Nights, root: DataRoot) -> None:
    snapshot = changed([row(0), row(1), row(2)], [row(2)], lambda: cleaned(root, row(1)))
    assert list(authors(snapshot).values()) == ["outside", f"run {DAG}/{RUN}"]


@pytest.mark.parametrize("other", [{"at": NOON - timedelta(days=1)}, {"environment": "another"}])
def test_an_older_cleanup_and_one_of_another_environment_did_not_do_it(
    changed: Nights, root: DataRoot, other: dict[str, Any]
) -> None:
    snapshot = changed([row(0), row(1)], [row(1)], lambda: cleaned(root, row(0), **other))
    assert list(authors(snapshot).values()) == ["outside"]


@pytest.mark.parametrize(
    "key",
    [
        "orders/ocp_default%2Fdag%2Frun%2Fbuy.json",
        f"journal/environment=ocp_default/{segment(f'{DAG}/{RUN}')}/t/000001.json",
    ],
)
def test_a_damaged_document_attributes_nothing_and_stops_nothing(changed: Nights, root: DataRoot, key: str) -> None:
    def record() -> None:
        bought(root, row(1)["number"])
        cleaned(root, row(0))
        assert root.read(key)
        root.write(key, b'{"half": ')

    by = set(authors(changed([row(0)], [row(1)], record)).values())
    assert by < {"outside", f"order {ORDER}", f"run {DAG}/{RUN}"}
