"""The documentation's pictures, taken in a real browser from a demo that has just run."""

from __future__ import annotations

from urllib.parse import quote

from playwright.sync_api import Page, ViewportSize, sync_playwright

from ocp_demo.browser import launch
from ocp_demo.stack import PROJECT, Stack
from ocp_demo.story import PROVISION, Story

IMAGES = PROJECT / "docs" / "images"
SIZE = ViewportSize(width=1280, height=860)


def take(stack: Stack, story: Story) -> None:
    """Write the pictures to ``docs/images``.

    :raises DemoFailed: if this machine has no Chromium.
    """
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport=SIZE, device_scale_factor=1.5, color_scheme="light")
        _log_in(page, stack)
        _provisioning_run(page, stack, story)
        _dashboard(page, stack)
        browser.close()


def _log_in(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.airflow_url}/auth/login")
    page.locator("input").first.fill("admin")
    page.locator("input[type=password]").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Dags").first.wait_for()


def _provisioning_run(page: Page, stack: Stack, story: Story) -> None:
    run = next(run for run in story.runs if run.dag_id == PROVISION)
    address = f"{stack.airflow_url}/dags/{PROVISION}/runs/{quote(run.run_id)}"
    page.goto(f"{address}/tasks/approve/required_actions")
    page.get_by_text("Response received").wait_for()
    page.screenshot(path=IMAGES / "approval.png")
    page.goto(address)
    page.get_by_role("button", name="Show Graph").click()
    page.locator(".react-flow__node").nth(5).wait_for()
    page.wait_for_timeout(2000)  # the graph moves into place
    page.screenshot(path=IMAGES / "provision-region.png")


def _dashboard(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.airflow_url}/plugin/ocp-numbers")
    page.frame_locator("iframe").locator("figure .main-svg").first.wait_for()
    page.wait_for_timeout(2000)  # the charts move into place
    page.screenshot(path=IMAGES / "dashboard.png")
