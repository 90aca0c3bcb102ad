"""What anybody may call a group, a set, a miniApp or a note in OCP stays a text, wherever it goes.

It is no path, no SQL, no HTML, no template, no formula, and steers neither a terminal nor a log.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt
from openpyxl import load_workbook

from dashboard.conftest import visitor
from dashboard.records import ENVIRONMENT, NOW, TODAY, cleanup, done, drift, order
from fuzz.hostile import MARK, NAMES, text
from inventory.estate import Estate as Rows
from inventory.estate import row
from ocp_numbers import progress
from ocp_numbers.bulk import page as changes_page
from ocp_numbers.bulk.change import Change
from ocp_numbers.bulk.plan import PlanWriter
from ocp_numbers.commands.main import main
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.dashboard.mounting import PREFIX
from ocp_numbers.dashboard.shelf import Shelf
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import InvalidInput, OrderCorrupt
from ocp_numbers.inventory import CompleteSnapshot, Scope, read_rows
from ocp_numbers.inventory.export import Export
from ocp_numbers.operators import ApprovePlanOperator
from ocp_numbers.operators.telling import observed, tell
from ocp_numbers.regions.drift import State
from ocp_numbers.regions.page import page as region_page
from ocp_numbers.regions.planning import plan_region
from regions.examples import number, offer, region, seen

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


def _sayable(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


_DRAWN = Random(8)
ALL = [*NAMES, *filter(_sayable, (text(_DRAWN) for _ in range(20)))]


@pytest.fixture(scope="module", autouse=True)
def _no_power_cuts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names")


@pytest.fixture(scope="module")
def root(place: Path) -> DataRoot:
    return DataRoot(place / "data")


@pytest.fixture(scope="module")
def snapshot(root: DataRoot) -> CompleteSnapshot:
    """An inventory in which everything bears such names, with orders, runs and regions to it."""
    fields = ("country", "groupId", "miniAppId", "miniAppName", "miniAppType", "locale", "note", "applicationTag")
    rows = [
        row(at, **dict.fromkeys((*fields, "phoneNumbersSetId", "phoneNumbersSetName"), name))
        for at, name in enumerate(ALL)
    ]
    exported = Export(
        source=Rows(rows),
        root=root,
        scope=Scope(environment=ENVIRONMENT, login=ALL[9]),
        day=TODAY,
        holder=ALL[9],
        formats=("parquet", "csv", "xlsx"),
        max_change_percent=10**6,
        clock=lambda: NOW,
    ).run()
    for at, name in enumerate(ALL):
        order(root, [f"+1212{at:07}"], group=name, set_name=name, approved_by=name)
        cleanup(root, run=name)
        done(root, "note", f"+1212{at:07}", {"note": name}, before=name, run=name)
    drift(root, **dict.fromkeys(ALL, State.BLOCKED))
    return exported


@pytest.fixture(scope="module")
def browser(root: DataRoot, place: Path, snapshot: CompleteSnapshot) -> TestClient:
    visiting = visitor(Estate(root, Shelf(place / "shelf"), clock=lambda: NOW))
    visiting.base_url = visiting.base_url.join(f"{ENVIRONMENT}/")
    return visiting


class Page(HTMLParser):
    """What a browser would make of a page; fails where a name became a part of it."""

    ELEMENTS = frozenset({"script", "iframe", "object", "embed", "base", "marquee", "math", "foreignobject"})
    OUR_STYLE = re.compile(r"(text-align:right|width: [0-9.]+%)?")
    ADDRESSES = frozenset({"href", "src", "action", "formaction", "data", "xlink:href"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        ours = tag == "script" and (given.get("src") or "").startswith(f"{PREFIX}/-/") and len(given["src"] or "") < 99
        assert ours or tag not in self.ELEMENTS, (tag, given)
        assert tag != "img"
        assert not [name for name in given if name.startswith("on") or name == "srcdoc"], (tag, given)
        assert self.OUR_STYLE.fullmatch(given.get("style") or ""), (tag, given)
        for name in self.ADDRESSES & set(given):
            address = (given[name] or "").strip().lower()
            assert address.startswith(("/", "#", "?")) or not address.partition("/")[0].count(":"), address
            assert not address.startswith("//"), address

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def looked_at(browser: TestClient, path: str) -> Page:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text[-500:]
    return Page(answer.text)


def test_the_inventory_holds_them_as_they_are(snapshot: CompleteSnapshot) -> None:
    assert [each.note for each in read_rows(snapshot)] == ALL
    assert [each.set_name for each in read_rows(snapshot)] == ALL


def test_the_report_shows_them_as_text(snapshot: CompleteSnapshot) -> None:
    with snapshot.open("report.html") as stream:
        Page(stream.read().decode())


def test_a_workbook_holds_no_formula_and_no_link(snapshot: CompleteSnapshot) -> None:
    with snapshot.open("numbers.xlsx") as stream:
        sheet = load_workbook(io.BytesIO(stream.read())).worksheets[0]
    cells = [cell for line in sheet.iter_rows() for cell in line]
    assert len(cells) > len(ALL)
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]


@pytest.mark.parametrize(
    "path", ["", "numbers", "orders", "cleanup", "regions", "balance", "numbers?sort=note&order=desc"]
)
def test_every_page_shows_them_as_text(path: str, browser: TestClient) -> None:
    looked_at(browser, path)


@pytest.mark.parametrize("name", ALL[::4], ids=ascii)
def test_a_number_and_its_order_are_shown_and_found_by_them(name: str, browser: TestClient) -> None:
    at = ALL.index(name)
    looked_at(browser, f"numbers/%2B1212{at:07}")
    if len(name) <= 300:
        for field in ("group", "set", "mini_app", "country", "q"):
            page = looked_at(browser, f"numbers?{field}={quote(name, safe='')}")
            assert f"+1212{at:07}" in page.shown or field == "q", field


def test_what_is_taken_along_has_no_formula(browser: TestClient) -> None:
    answer = browser.get("numbers.csv")
    cells = [
        cell
        for line in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff").replace("\0", ""), newline=""))
        for cell in line
    ]
    assert len(cells) > len(ALL)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    book = browser.get("numbers.xlsx")
    sheet = load_workbook(io.BytesIO(book.content)).worksheets[0]
    assert not [cell for line in sheet.iter_rows() for cell in line if cell.data_type == "f" or cell.hyperlink]
    assert "\n" not in book.headers["content-disposition"]


@pytest.mark.parametrize("question", ["group", "set", "mini_app", "country", "q", "sort", "order", "attached", "page"])
def test_no_question_becomes_sql_or_breaks_a_page(question: str, browser: TestClient) -> None:
    for name in (*ALL, "9" * 400, "-1", "1e9", "%00", "\u0661"):
        answer = browser.get(f"numbers?{question}={quote(name, safe='')}")
        assert answer.status_code in (200, 422), (name, answer.text[-300:])
        Page(answer.text)
    assert browser.get("numbers").status_code == 200


@pytest.mark.parametrize("name", ALL[::3], ids=ascii)
def test_addresses_that_bear_them_lead_nowhere_else(name: str, browser: TestClient) -> None:
    for path in (
        f"numbers/{quote(name, safe='')}",
        f"orders/{quote(name, safe='')}",
        f"snapshots/{quote(name, safe='')}/report.html",
        f"../{quote(name, safe='')}/numbers",
    ):
        answer = browser.get(path, follow_redirects=False)
        assert answer.status_code in (200, 303, 307, 404, 422), (path, answer.status_code)
        assert not answer.headers.get("location", "").startswith(("//", "javascript"))
        if answer.headers.get("content-type", "").startswith("text/html"):
            Page(answer.text)


def test_no_command_prints_what_steers_a_terminal(
    snapshot: CompleteSnapshot, root: DataRoot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OCP_NUMBERS_DATA", root.uri)
    orders = [f"{ENVIRONMENT}/{quote(name, safe='')}/{quote(name, safe='')}/1" for name in ALL[:40:5]]
    for command in (["orders"], ["balance"], *(["orders", each] for each in orders)):
        for form in ([], ["--json"]):
            main([*command, *form])
            said = "".join(capsys.readouterr())
            assert said
            assert all(letter.isprintable() or letter == "\n" for letter in said)
            if form and said.lstrip().startswith(("{", "[")):
                json.loads(said)


def _rendered(markdown: str) -> str:
    """As Airflow's UI shows it, but letting HTML through, so that it would be seen here."""
    html: str = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown)
    Page(html)
    assert "<a " not in html
    return html


@pytest.mark.parametrize("name", ALL, ids=ascii)
def test_plans_that_people_approve_show_them_as_code(name: str, root: DataRoot) -> None:
    free = tuple(number(each, note=name, country="US") for each in range(2))
    wanted = region(allow_reassign=[])
    _rendered(region_page(plan_region(wanted, seen(free=free, offers=tuple(offer(each) for each in range(2, 9))))))
    writer = PlanWriter(root, environment=ENVIRONMENT, run=name, made_at=NOW, source=name)
    was = dict.fromkeys(("group_id", "mini_app_id", "note", "set_id"), name)
    writer.add(Change(number="+12120000001", operation="update", before=was, after={"note": f"{name}!"}))
    writer.add(Change(number="+12120000002", operation="delete", before=was))
    plan = writer.close(remarks=[name], names={name: name})
    _rendered(changes_page.page(plan))


@pytest.mark.parametrize("name", ALL, ids=ascii)
def test_no_name_ends_a_line_of_the_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress.tell(f"attach to {name}")
    tell({}, f"bought 5 in {name}")
    with pytest.raises(OrderCorrupt), observed({}):
        raise OrderCorrupt(f"order {name} cannot be read")
    with pytest.raises(InvalidInput), observed({}):
        raise InvalidInput([f"group: {name}: wrong", "note: wrong"])
    assert all(message.isprintable() for message in caplog.messages)
    forged = [message for message in caplog.messages if message.startswith("ERROR - all")]
    assert not forged


def test_a_template_in_a_plan_is_not_rendered() -> None:
    body = " ".join(ALL)
    with DAG("names", schedule=None):
        planned = EmptyOperator(task_id="plan")
        approve = ApprovePlanOperator(task_id="approve", plan=planned.output)

    told = {"digest": "0" * 64, "subject": "{{ 7*7 }}", "body": body, "ask": True}
    instance = SimpleNamespace(task_id="plan", dag_id="names", run_id="r", map_index=-1, xcom_pull=lambda **_: told)
    approve.render_template_fields(cast("Context", {"ti": instance, "expanded_ti_count": None}))
    assert approve.plan["subject"] == "{{ 7*7 }}"
    assert approve.plan["body"] == body


def test_every_file_lies_in_its_place(place: Path, root: DataRoot, snapshot: CompleteSnapshot) -> None:
    """The last of these tests: whatever was written meanwhile lies below the data root, or is a shelf's."""
    tops = {"inventory", "orders", "cleanup", "journal", "regions", "reconciliation", "bulk", ".staging"}
    data = place / "data"
    assert {path.name for path in data.iterdir()} <= tops
    assert {path.name for path in place.iterdir()} <= {"data", "shelf"}
    assert all(path.resolve().is_relative_to(place.resolve()) for path in place.rglob("*"))
    assert not MARK.exists()
    with snapshot.open("numbers.csv.gz") as stream:
        assert len(gzip.decompress(stream.read()).splitlines()) > len(ALL)
