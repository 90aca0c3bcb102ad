"""An Airflow with a sandbox behind it, a browser in front of it, and a person who has logged in.

`make test` leaves this folder alone: it takes minutes, and a browser. `make test-ui` names it.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ocp_demo.airflow_api import AirflowApi
from ocp_demo.nights import look_back
from ocp_demo.stack import PROJECT, Stack, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from ui.person import Person

HERE = Path(__file__).resolve().parent
OUTPUT = PROJECT / "build" / "ui"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect these tests only where this folder, or a file in it, was named."""
    named = (Path(argument.partition("::")[0]).resolve() for argument in config.args)
    return None if any(path.is_relative_to(HERE) for path in named) else True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of what was on the screen when a test failed."""
    report = yield
    person = next((one for one in getattr(item, "funcargs", {}).values() if hasattr(one, "shoot")), None)
    if report.failed and person:
        person.shoot(f"failed-{item.name}")
    return report


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where the pictures go; emptied first."""
    shutil.rmtree(OUTPUT / "pictures", ignore_errors=True)
    (OUTPUT / "pictures").mkdir(parents=True)
    return OUTPUT / "pictures"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Airflow, the sandbox, and what some nights have left; their logs stay in ``build/ui/airflow/logs``."""
    stack = Stack(
        airflow_port=free_port(28080, lambda _: None),
        sandbox_port=free_port(28091, lambda _: None),
        numbers=5000,
        home=OUTPUT / "airflow",
    )
    with stack:
        stack.wait_until_healthy(lambda _: None)
        look_back(stack, "ocp_default")
        yield stack


@pytest.fixture(scope="session")
def api(stack: Stack) -> AirflowApi:
    """To wait for what takes long; what is tested is done in the browser."""
    return AirflowApi(stack.airflow_url, "admin", stack.password)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    from playwright.sync_api import expect, sync_playwright

    from ocp_demo.browser import launch
    from ui.person import PATIENCE

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def person(browser: Browser, stack: Stack, api: AirflowApi, shots: Path) -> Iterator[Person]:
    """Somebody who has logged in, at a desk with a window of 1280 pixels."""
    from ui.person import Person

    person = Person(browser, stack, api, shots)
    person.log_in()
    yield person
    person.leave()


@pytest.fixture(scope="session")
def connected(person: Person, stack: Stack) -> Person:
    """The same, with a connection and a pool."""
    person.add_connection("ocp_default", host="http://127.0.0.1", port=person.sandbox_port, login="demo",
                          password=stack.sandbox_password)  # fmt: skip
    person.add_pool("ocp_writes", slots=1)
    return person


@pytest.fixture(scope="session")
def exported(connected: Person) -> Person:
    """The same, after a first night."""
    connected.export()
    return connected


@pytest.fixture(scope="session")
def provisioned(exported: Person) -> str:
    """The run of ``provision_region`` that was approved and went well, as its address."""
    from ui.person import REGION

    exported.open_form("provision_region")
    exported.fill_in("What", REGION)
    run = exported.trigger()
    exported.approve("provision_region", run, "approve")
    exported.wait_for_success("provision_region", run)
    return run
