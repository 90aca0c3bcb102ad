"""The system's Chromium, as the pictures of the documentation and the tests of the UI use it."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

from ocp_demo.stack import DemoFailed

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def launch(playwright: Playwright) -> Browser:
    """Start it, without a window.

    :raises DemoFailed: if this machine has none, with how to install one.
    """
    path = next((path for name in NAMES if (path := shutil.which(name))), None)
    if path is None:
        raise DemoFailed(
            f"no browser found ({', '.join(NAMES)}): install Chromium with your system's packages, such as "
            "`apt install chromium`, `dnf install chromium` or `brew install --cask chromium`"
        )
    return playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    )
