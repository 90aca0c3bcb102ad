"""What a person does in Airflow's UI, in the words of the form and the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from playwright.sync_api import Browser, FrameLocator, Locator, Page, ViewportSize, expect
from requests import Timeout

from ocp_demo.airflow_api import AirflowApi
from ocp_demo.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Response, StorageState

REGION = {
    "quantity": "12",
    "mini_app_id": "f154c928-d9b1-5ec1-a3c8-5ba114da855b.Store_Locator.Flow.retail-us@Store_Locator.retail-us",
}
DESK = ViewportSize(width=1280, height=900)
READING = 3_000
"""Milliseconds: Airflow 3.3.2 mistakes an answer within the second in which it was asked for a crash of the task."""

PATIENCE = 60_000
"""Milliseconds that a page may take on a busy machine."""


class Person:
    """Somebody with a browser. Every method fails where the UI does not offer what it does."""

    def __init__(self, browser: Browser, stack: Stack, api: AirflowApi, shots: Path) -> None:
        self._context = browser.new_context(viewport=DESK, color_scheme="light", accept_downloads=True)
        self._context.set_default_timeout(PATIENCE)
        self.page = self._context.new_page()
        self.url = stack.airflow_url
        self._stack = stack
        self._api = api
        self._shots = shots

    def leave(self) -> None:
        """Close the browser's windows."""
        self._context.close()

    def shoot(self, name: str, page: Page | None = None) -> None:
        """Keep a picture of what is on the screen."""
        (page or self.page).screenshot(path=self._shots / f"{name}.png")

    def log_in(self) -> None:
        """Log in as admin."""
        self.page.goto(f"{self.url}/auth/login")
        self.page.locator("input").first.fill("admin")
        self.page.locator("input[type=password]").fill(self._stack.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("link", name="Dags").first.wait_for()

    def login(self) -> StorageState:
        """What the browser keeps of the login, for another window."""
        return self._context.storage_state()

    def add_connection(self, connection_id: str, **fields: str) -> None:
        """Fill in Admin > Connections > Add Connection, and save."""
        self.page.goto(f"{self.url}/connections")
        self.page.get_by_role("button", name="Add Connection").click()
        form = self.page.get_by_role("dialog")
        form.locator("[name=connection_id]").fill(connection_id)
        form.get_by_role("combobox").first.click()
        self.page.keyboard.type("OCP")
        self.page.get_by_role("option", name="OCP numbers").click()
        for name, value in fields.items():
            form.locator(f"[name={name}]").fill(value)
        self.shoot(f"connection-{connection_id}")
        form.get_by_role("button", name="Save").click()
        expect(form).to_be_hidden()

    def test_connection(self, connection_id: str) -> Response:
        """Press the antenna in the connection's row; what Airflow answered."""
        self.page.goto(f"{self.url}/connections")
        row = self.page.get_by_role("row").filter(has_text=connection_id)
        with self.page.expect_response("**/connections/test") as answer:
            row.get_by_role("button", name="Test").click()
        return answer.value

    def add_pool(self, name: str, slots: int) -> None:
        """Fill in Admin > Pools > Add Pool, and save."""
        self.page.goto(f"{self.url}/pools")
        self.page.get_by_role("button", name="Add Pool").click()
        form = self.page.get_by_role("dialog")
        form.locator("[name=name]").fill(name)
        form.locator("[type=number]").fill(str(slots))
        form.get_by_role("button", name="Save").click()
        expect(form).to_be_hidden()

    def open_form(self, dag_id: str) -> None:
        """Open the form that triggers a DAG, once Airflow knows the DAG."""
        button = self.page.get_by_role("button", name="Trigger")
        for _ in range(60):
            self.page.goto(f"{self.url}/dags/{dag_id}")
            if dag_id in self._api.dag_ids():
                break
            self.page.wait_for_timeout(2_000)
        button.first.click()
        self._form.get_by_role("button", name="Advanced Options").wait_for()

    def fill_in(self, section: str, values: Mapping[str, str]) -> None:
        """Unfold a section of the form and fill in fields."""
        field = self._form.locator(f"[name=element_{next(iter(values))}]")
        if not field.is_visible():
            self._form.get_by_role("button", name=section, exact=True).click()
        for name, value in values.items():
            field = self._form.locator(f"[name=element_{name}]")
            field.fill(value)
            field.press("Tab")

    def press_trigger(self) -> None:
        """Send the form."""
        self._form.get_by_role("button", name="Trigger").last.click()

    def refusal(self) -> str:
        """What the form says about why it was not sent."""
        self._form.get_by_text("Invalid input").first.wait_for()
        self._form.evaluate("form => form.scrollIntoView()")
        return self._form.inner_text()

    def trigger(self) -> str:
        """Send the form; the id of the run whose page Airflow then shows."""
        self.press_trigger()
        self.page.wait_for_url("**/runs/**")
        return unquote(self.page.url.rpartition("/runs/")[2].split("?")[0])

    def export(self) -> None:
        """Have the inventory exported, and wait for it."""
        self.open_form("nightly_inventory_export")
        self.wait_for_success("nightly_inventory_export", self.trigger())

    def open_run(self, dag_id: str, run_id: str, task_id: str = "") -> None:
        """Open the page of a run, or of one of its tasks."""
        task = f"/tasks/{task_id}" if task_id else ""
        self.page.goto(f"{self.url}/dags/{dag_id}/runs/{quote(run_id)}{task}")
        self.page.get_by_role("heading").filter(has_text=task_id or run_id).first.wait_for()

    def approve(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Wait until the run asks, read the question, and say yes."""
        self._wait(dag_id, run_id, task_id, "awaiting_input")
        self.open_run(dag_id, run_id)
        self.page.get_by_text("Required Actions").first.click()
        approve = self.page.get_by_role("button", name=re.compile("^Approve"))
        approve.first.wait_for()
        self.page.wait_for_timeout(READING)
        self.shoot(f"approval-{dag_id}")
        approve.first.scroll_into_view_if_needed()
        approve.first.click()
        expect(self.page.get_by_text("Pending required actions (0)")).to_be_visible()

    def wait_for_success(self, dag_id: str, run_id: str) -> None:
        """Wait for the end of a run and see on its page that it went well."""
        self._wait(dag_id, run_id)
        self.open_run(dag_id, run_id)
        expect(self.page.get_by_text("Success").first).to_be_visible()
        self.shoot(f"success-{dag_id}")

    def wait_for_failure(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Wait until a task has failed and open its page."""
        self._wait(dag_id, run_id, task_id, "failed")
        self.open_run(dag_id, run_id, task_id)
        expect(self.page.get_by_text("Failed").first).to_be_visible()

    def follow_link(self, dag_id: str, run_id: str, task_id: str, name: str) -> None:
        """Press one of the extra links that stand under a task's details."""
        self.open_run(dag_id, run_id, task_id)
        self.page.get_by_role("link", name="Details", exact=True).click()
        self.page.get_by_role("link", name=name, exact=True).click()
        self.page.wait_for_url("**/ocp-numbers/**")

    def open_dashboard(self) -> FrameLocator:
        """Press the dashboard's entry in the navigation; the frame that it is shown in."""
        self.page.goto(self.url)
        self.page.get_by_role("link", name="OCP Numbers").click()
        self.page.wait_for_url("**/plugin/ocp-numbers**")
        return self.page.frame_locator("iframe")

    @property
    def sandbox_port(self) -> str:
        """Where OCP is, as the form wants it."""
        return str(self._stack.sandbox_port)

    @property
    def _form(self) -> Locator:
        return self.page.get_by_role("dialog")

    def _wait(self, dag_id: str, run_id: str, task_id: str = "", state: str = "") -> None:
        """Wait for the end of a run, or until a task of it is in a state."""
        while True:
            self._stack.check_alive()
            with suppress(Timeout):  # a busy machine
                for instance in self._api.follow(dag_id, run_id):
                    if (instance["task_id"], instance["state"]) == (task_id, state):
                        return
                assert not task_id, f"{dag_id} has ended without {task_id} being {state}"
                return
