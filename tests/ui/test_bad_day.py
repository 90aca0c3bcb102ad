"""A bad day: what somebody sees of a run that failed."""

from __future__ import annotations

from playwright.sync_api import expect

from ui.person import REGION, Person


def test_the_message_of_a_failed_run_says_what_stopped_it_and_what_to_do(connected: Person) -> None:
    connected.open_form("provision_region")
    connected.fill_in("What", {**REGION, "set_name": "too-dear"})
    connected.fill_in("Money", {"max_unit_price": "0.01"})
    run = connected.trigger()
    connected.wait_for_failure("provision_region", run, "search")
    told = connected.page.get_by_text("OverBudget: 5 numbers are to be bought in US/+1212")
    expect(told).to_have_count(2)
    line, exception = told.all()
    expect(exception).to_contain_text("the cheapest costs 1")
    expect(exception).to_contain_text("Nothing was bought")
    expect(line).to_be_in_viewport(ratio=1)
    expect(connected.page.get_by_text("Nothing was bought.", exact=True)).to_be_in_viewport(ratio=1)
    connected.shoot("failed-run")
