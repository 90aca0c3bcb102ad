"""What the books of a night are closed on, and what is said where a record cannot be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from balance.company import Company, balance_of, found
from inventory.estate import DAY, Estate
from ocp_numbers.balance import Balance, read
from ocp_numbers.balance.account import SHOWN
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import IncompleteSnapshot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.journal import Actor, Journal, NumberEdit
from ocp_numbers.models import PhoneNumber
from ocp_numbers.ordering import State

NEXT = DAY + timedelta(1)


def test_the_first_night_opens_the_books_with_what_is_there(company: Company) -> None:
    balance = balance_of(company.night(DAY))
    assert (balance.verdict, balance.rows, balance.since) == ("opening", 12, None)
    assert balance.summary == "The books open with 12 numbers."


def test_what_came_from_elsewhere_is_an_orphan_once_and_then_on_the_books(company: Company) -> None:
    company.night(DAY)
    orphans = company.new()
    company.arrive(orphans)
    assert found(company.night(NEXT)) == {("orphan", number) for number in orphans}
    assert balance_of(company.night(DAY + timedelta(2))).verdict == "balanced"
    company.leave(orphans)
    assert found(company.night(DAY + timedelta(3))) == {("stranger", number) for number in orphans}


def test_exporting_a_date_again_says_the_same_again(company: Company) -> None:
    company.night(DAY)
    company.arrive(company.new())
    first, second = (balance_of(company.night(NEXT)) for _ in range(2))
    assert (first.findings, first.since) == (2, DAY)
    assert first == second


def test_a_record_that_cannot_be_read_is_an_unknown_and_names_the_document(company: Company) -> None:
    company.night(DAY)
    bought, added = company.new(), company.new()
    order = company.book.key(company.order(bought, State.OWNED))
    journal = company.journal()
    journal.confirm(journal.intend("delete", company.gone(added)))
    entry = next(key for key in company.root.keys("journal") if key.endswith("000001.json"))
    for key in (order, entry):
        company.root.write(key, b'{"half": ')
    company.arrive(bought)

    balance = balance_of(company.night(NEXT))

    unreadable = {each.record for each in balance.first if each.finding == "unknown"}
    assert unreadable == {order, entry}
    assert (balance.orphans, balance.unknowns) == (2, 2)


def test_of_an_entry_about_several_numbers_each_is_taken_for_what_it_was(company: Company) -> None:
    company.night(DAY)
    (gone, kept), journal = company.some(), company.journal()
    intent = journal.intend("change", [*company.gone([gone]), NumberEdit.of(PhoneNumber(number=kept), note="new")])
    company.leave([gone])
    journal.confirm(intent)
    snapshot = company.night(NEXT)
    assert (found(snapshot), balance_of(snapshot).departed) == (set(), 1)
    company.leave([kept])
    assert found(company.night(DAY + timedelta(2))) == {("stranger", kept)}


def test_an_account_that_a_later_version_wrote_is_refused_with_what_to_do(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Balance, "document", lambda self: b'{"schema_version": 2}')
    with pytest.raises(IncompleteSnapshot, match=r"balance\.json: not an account of this version .* export that date"):
        read(company.night(DAY))


def test_the_records_of_another_environment_are_not_ours(company: Company) -> None:
    company.night(DAY)
    numbers = company.new()
    journal = Journal(company.root, "another", Actor(dag_id="d", run_id="r", task_id="t"), now=lambda: company.now)
    journal.confirm(journal.intend("add", [NumberEdit.unseen(number, group_id="g") for number in numbers]))
    company.arrive(numbers)
    assert found(company.night(NEXT)) == {("orphan", number) for number in numbers}


def test_some_groups_alone_have_no_balance(company: Company) -> None:
    snapshot = Export(
        source=Estate([each for each in company.estate.rows if each["groupId"] == "group-1"]),
        root=company.root,
        scope=Scope(environment="ocp_default", groups=("group-1",)),
        day=DAY,
        holder="export",
        clock=lambda: company.now,
    ).run()
    assert snapshot.manifest.balance is None
    assert read(snapshot) is None


def test_another_login_sees_other_numbers_and_opens_books_of_its_own(company: Company) -> None:
    company.night(DAY)
    snapshot = Export(
        source=company.estate,
        root=company.root,
        scope=Scope(environment="ocp_default", login="somebody else"),
        day=NEXT,
        holder="export",
        clock=lambda: company.now,
    ).run()
    assert balance_of(snapshot).verdict == "opening"


def test_a_row_that_is_no_record_of_a_number_says_nothing_about_it(company: Company) -> None:
    company.night(DAY)
    numbers = company.new()
    company.order(numbers, State.OWNED)
    company.now += timedelta(hours=2)
    company.arrive(numbers)
    company.estate.rows = [
        each | {"note": ["a list"]} if each["number"] == numbers[0] else each for each in company.estate.rows
    ]
    snapshot = Export(
        source=company.estate,
        root=company.root,
        scope=Scope(environment="ocp_default"),
        day=NEXT,
        holder="export",
        max_reject_percent=50,
        clock=lambda: company.now,
    ).run()
    assert snapshot.manifest.rejects == 1
    assert found(snapshot) == set()


def test_all_findings_are_in_the_table_and_the_first_in_the_account(tmp_path: Path) -> None:
    company = Company(DataRoot(tmp_path))
    company.night(DAY)
    orphans = company.new(SHOWN + 50)
    company.arrive(orphans)
    snapshot = company.night(NEXT)
    balance = balance_of(snapshot)
    assert (balance.orphans, len(balance.first)) == (SHOWN + 50, SHOWN)
    assert found(snapshot) == {("orphan", number) for number in orphans}
    with snapshot.open("report.html") as stream:
        assert f"of {SHOWN + 50} are shown" in stream.read().decode()


@pytest.mark.parametrize("minutes", [0, 10])
def test_a_purchase_of_a_moment_ago_need_not_be_shown_yet(company: Company, minutes: int) -> None:
    """It is looked for the night after."""
    company.night(DAY)
    numbers = company.new()
    company.order(numbers, State.OWNED)
    company.now += timedelta(minutes=minutes)
    assert found(company.night(NEXT)) == set()
    assert found(company.night(DAY + timedelta(2))) == {("stranger", number) for number in numbers}
