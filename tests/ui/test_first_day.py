"""The first day with it: connect, take stock, provision a region, and see what came of it, all in the Airflow UI."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from ui.person import REGION, Person

PROVISION = "provision_region"


def test_the_connection_made_by_the_form_passes_its_test(connected: Person) -> None:
    answer = connected.test_connection("ocp_default")
    assert answer.json()["status"] is True
    assert "numbers are visible to this login" in answer.json()["message"]


def test_a_wrong_password_is_named_on_the_screen(connected: Person) -> None:
    connected.add_connection("ocp_mistyped", host="http://127.0.0.1", port=connected.sandbox_port, login="demo",
                             password="not this one")  # fmt: skip
    assert connected.test_connection("ocp_mistyped").json()["status"] is False
    expect(connected.page.get_by_text("Password or Login: wrong")).to_be_visible()
    connected.shoot("connection-refused")


def test_the_form_refuses_a_bad_value_by_name(connected: Person) -> None:
    connected.open_form(PROVISION)
    connected.fill_in("Where", {"country_code": "us"})
    connected.fill_in("What", REGION)
    connected.press_trigger()
    assert "country_code: 'us' does not match" in connected.refusal()
    connected.shoot("form-refuses")


def test_a_region_is_provisioned_after_approval(provisioned: str, exported: Person) -> None:
    exported.open_run(PROVISION, provisioned, "verify")
    expect(exported.page.get_by_text("now holds 12 numbers attached").first).to_be_visible()
    exported.shoot("verify")


def test_a_link_of_the_purchase_leads_to_its_order_on_the_dashboard(provisioned: str, exported: Person) -> None:
    exported.follow_link(PROVISION, provisioned, "buy", "Order")
    expect(exported.page.get_by_role("main")).to_contain_text("new-york-front-desk")
    expect(exported.page.locator("main table tbody tr").first).to_contain_text("+1212")
    exported.shoot("dashboard-order")


def test_after_the_next_night_a_link_of_the_task_leads_to_all_numbers_of_its_set(
    provisioned: str, exported: Person
) -> None:
    exported.export()
    exported.follow_link(PROVISION, provisioned, "attach", "Numbers of the set")
    expect(exported.page.locator("table.numbers tbody tr")).to_have_count(12)


def test_a_number_is_found_on_the_dashboard_inside_airflow(exported: Person) -> None:
    frame = exported.open_dashboard()
    frame.get_by_role("link", name="Numbers", exact=True).click()
    frame.get_by_role("searchbox", name="Find").fill("+1212272")
    frame.get_by_role("button", name="Show").click()
    rows = frame.locator("table.numbers tbody tr")
    expect(rows.first).to_contain_text("+1212272")
    assert all("+1212272" in row for row in rows.all_inner_texts())
    exported.shoot("dashboard-search")


@pytest.mark.parametrize("kind", ["XLSX", "CSV"])
def test_what_is_shown_can_be_downloaded_and_read_back(exported: Person, tmp_path: Path, kind: str) -> None:
    page = exported.page
    page.goto(f"{exported.url}/ocp-numbers/ocp_default/numbers?country=GR&attached=no")
    shown = page.locator("table.numbers tbody th").all_inner_texts()
    assert all(number.startswith("+30") for number in shown)
    with page.expect_download() as download:
        page.get_by_role("link", name=kind, exact=True).click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert _numbers_in(file)[: len(shown)] == shown != []


def _numbers_in(file: Path) -> list[object]:
    """The column of the numbers, as a spreadsheet sees it."""
    if file.suffix == ".csv":
        import csv

        with file.open(encoding="utf-8-sig", newline="") as lines:
            return [row["number"].lstrip("'") for row in csv.DictReader(lines)]
    rows = load_workbook(file, read_only=True).worksheets[0].iter_rows(values_only=True)
    place = next(rows).index("number")
    return [row[place] for row in rows if row[place] is not None]
