from __future__ import annotations

import gzip
import re

import pytest
from fastapi.testclient import TestClient

from ocp_numbers.dashboard import look
from ocp_numbers.dashboard.pages import assets


def test_each_file_that_a_page_names_is_there_and_kept_by_the_browser(browser: TestClient) -> None:
    page = browser.get("ocp_new/").text
    named = set(re.findall(r'(?:src|href)="(/ocp-numbers/-/[^"]+)"', page))
    assert {name.rpartition("/")[2] for name in named} == {"theme.js", "page.js", "style.css"}
    for name in named:
        answer = browser.get(name.removeprefix("/ocp-numbers/"))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["plotly.js", "style.css", "icon-light.svg"])
def test_a_file_is_packed_for_those_who_take_it_packed(browser: TestClient, name: str) -> None:
    plain = browser.get(f"-/1/{name}", headers={"accept-encoding": "identity"})
    packed = browser.get(f"-/1/{name}", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert len(gzip.compress(plain.content)) < len(plain.content)


def test_plotly_is_the_installed_one(browser: TestClient) -> None:
    answer = browser.get("-/1/plotly.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "plotly.js v" in answer.text[:200]


@pytest.mark.parametrize("name", ["nothing.js", "..%2Flook.py", "%2e%2e%2fapplication.py", "look.py"])
def test_nothing_else_is_served(browser: TestClient, name: str) -> None:
    assert browser.get(f"-/1/{name}").status_code == 404


def test_the_address_of_the_files_changes_with_their_content() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", look.version())


def test_no_file_of_ours_asks_for_anything_from_elsewhere() -> None:
    for path in (look.HERE / "static").iterdir():
        found = re.findall(r"https?://[^\s\"']+", path.read_text())
        assert set(found) <= {"http://www.w3.org/2000/svg"}


def test_without_plotly_the_charts_are_missing_and_nothing_else(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "find_spec", lambda name: None)
    unpacked = {"accept-encoding": "identity"}
    missing, there = (browser.get(f"-/1/{name}", headers=unpacked) for name in ("plotly.js", "page.js"))
    assert (missing.status_code, there.status_code) == (404, 200)
    assert "the tables beside the charts say the same" in missing.text
