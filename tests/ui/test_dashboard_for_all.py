"""Every page of the dashboard, for everybody: on a desk and on a telephone, in light and dark, with a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from ui.person import PATIENCE, Person

PAGES = ["", "numbers", "numbers?q=nothing+like+this", "orders", "cleanup", "regions", "balance"]
DESK, TELEPHONE = ViewportSize(width=1280, height=900), ViewportSize(width=400, height=800)
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module", params=["light", "dark"])
def window(request: pytest.FixtureRequest, browser: Browser, exported: Person, provisioned: str) -> Iterator[Page]:
    """A window of somebody who has logged in and chosen Airflow's light or dark look."""
    context = browser.new_context(storage_state=exported.login(), color_scheme=request.param)
    context.add_init_script(f"localStorage.setItem('theme', '{request.param}')")
    page = context.new_page()
    context.set_default_timeout(PATIENCE)
    yield page
    context.close()


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_no_grave_fault_and_fits(window: Page, exported: Person, shots: Path, address: str) -> None:
    faults: list[str] = []
    window.on("pageerror", lambda error: faults.append(str(error)))
    theme = window.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    for size in (DESK, TELEPHONE):
        window.set_viewport_size(size)
        answer = window.goto(f"{exported.url}/ocp-numbers/ocp_default/{address}")
        assert answer
        assert answer.status == 200, window.get_by_role("main").inner_text()
        window.wait_for_load_state("networkidle")
        name = address.split("?")[0] + ("-none" if "?" in address else "")
        window.screenshot(path=shots / f"dashboard-{name or 'overview'}-{size['width']}-{theme}.png", full_page=True)
        found = Axe().run(window).response["violations"]
        grave = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in GRAVE]
        assert grave == [], f"{address or 'overview'} at {size['width']} pixels, {theme}"
        assert window.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert faults == []


def test_the_filters_stay_in_their_card_beside_airflows_navigation(window: Page, exported: Person, shots: Path) -> None:
    window.set_viewport_size(DESK)
    window.goto(f"{exported.url}/plugin/ocp-numbers/ocp-numbers/ocp_default/numbers?set=made-a-minute-ago")
    form = window.frame_locator("iframe").get_by_role("search")
    expect(form.get_by_role("link", name="Clear")).to_be_in_viewport(ratio=1)
    window.screenshot(path=shots / "dashboard-inside-airflow.png")
    assert form.evaluate("form => form.scrollWidth <= form.clientWidth")


def test_the_pages_of_an_order_and_of_a_number_are_no_worse(window: Page, exported: Person, shots: Path) -> None:
    """They are reached by links, as people reach them."""
    window.set_viewport_size(DESK)
    for section, link in (("orders", "main table a"), ("numbers?q=%2B1212", "table.numbers tbody a")):
        window.goto(f"{exported.url}/ocp-numbers/ocp_default/{section}")
        window.locator(link).first.click()
        window.wait_for_load_state("networkidle")
        window.screenshot(path=shots / f"dashboard-one-of-{section.split('?')[0]}.png", full_page=True)
        found = Axe().run(window).response["violations"]
        assert [each["id"] for each in found if each["impact"] in GRAVE] == []
