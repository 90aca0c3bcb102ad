from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from dashboard.records import ENVIRONMENT, NOW, TODAY, cleanup, done, drift, export, numbers, order
from inventory.estate import row
from ocp_numbers.dashboard.application import POLICY
from ocp_numbers.dashboard.desk import SECTIONS
from ocp_numbers.dashboard.pages.orders import OTHERS, REGIONS
from ocp_numbers.dashboard.purchases import Purchases
from ocp_numbers.data_root import DataRoot
from ocp_numbers.regions.drift import State

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}\u202egnp.exe"
YESTERDAY = TODAY - timedelta(days=1)


class Parsed(HTMLParser):
    """What a browser would make of a page: its elements, its text, the addresses in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " "

    def handle_endtag(self, tag: str) -> None:
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def seen(browser: TestClient, path: str, status: int = 200) -> Parsed:
    # The test client, unlike servers, takes the quotes of an address off twice.
    answer = browser.get(path.removeprefix("/ocp-numbers/").replace("%25", "%2525"))
    assert answer.status_code == status, answer.text
    return Parsed(answer.text)


def test_the_overview_says_how_many_whose_and_what_changed(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(20), YESTERDAY)
    export(root, [row(place, note="moved" if place < 3 else f"line {place}") for place in range(24)])
    order(root, ["+12120000001"], price=Decimal("2.50"))
    words = seen(browser, f"{ENVIRONMENT}/").words
    for told in ("Numbers 24", "up by 4", "since 3 Mar 2026", "Spent in Mar 2026 2.50", "group-0 8 33.3 %", "4 added"):
        assert told in words
    assert "3 changed" in words
    assert "Complete, read 6 h ago" in words
    assert "each read twice and the same both times" in words


def test_some_groups_are_shown_and_never_called_complete(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(20, groupId="retail"), groups=("retail", "support"))
    words = seen(browser, f"{ENVIRONMENT}/").words
    assert "2 groups only, not all numbers; 6 h old" in words
    assert "Complete, read" not in words


def test_the_overview_points_at_what_needs_a_person(root: DataRoot, browser: TestClient) -> None:
    export(root, [row(1, note="[unused since 2026-01-01]")], TODAY - timedelta(days=3))
    order(root, [], unknown=["+12120000001"])
    drift(root, athens=State.BLOCKED, miami=State.AS_DECLARED)
    page = seen(browser, f"{ENVIRONMENT}/")
    for told in (
        "nightly export is late",
        "is unknown; 5 may have been spent",
        "1 regions are not as declared: athens",
    ):
        assert told in page.words
    assert "1 unused numbers have waited their time" in page.words
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert f"/ocp-numbers/{ENVIRONMENT}/orders/ocp_default/retail/Athens/1" in links


def test_rows_that_were_left_out_of_the_inventory_are_pointed_at(root: DataRoot, browser: TestClient) -> None:
    export(root, [*numbers(3), row(3, note=["a list"])], max_reject_percent=50)
    assert "1 rows were left out of the inventory" in seen(browser, f"{ENVIRONMENT}/").words


def test_the_table_is_filtered_sorted_and_paged_by_its_address(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(120))
    page = seen(browser, f"{ENVIRONMENT}/numbers?group=group-1&sort=note&order=desc")
    assert "40 numbers of 120" in page.words
    heads = [attributes for tag, attributes in page.elements if tag == "th" and attributes.get("scope") == "col"]
    assert [attributes.get("aria-sort") for attributes in heads][-1] == "descending"
    assert "Page 3 of 3" in seen(browser, f"{ENVIRONMENT}/numbers?page=99").words
    assert "No number fits" in seen(browser, f"{ENVIRONMENT}/numbers?q=nothing+like+it").words


def test_a_number_tells_who_bought_it_who_approved_and_what_became_of_it(root: DataRoot, browser: TestClient) -> None:
    export(root, [row(2)], TODAY - timedelta(days=4))
    order(root, ["+12120000001"])
    export(root, [row(2), row(1, miniAppId=None)], YESTERDAY)
    export(root, [row(2), row(1, miniAppId="app-7", miniAppName="Billing")])
    words = seen(browser, f"{ENVIRONMENT}/numbers/%2B12120000001").words
    for told in ("bought for 5", "approved by nikos", "asked for by maria", "attached - → to app-7", "Billing"):
        assert told in words
    assert "added group group-1" in words


def test_where_nothing_fits_the_age_of_the_inventory_and_newer_orders_are_told(
    root: DataRoot, browser: TestClient
) -> None:
    export(root, numbers(3))
    asked = f"{ENVIRONMENT}/numbers?set=made-a-minute-ago"
    words = seen(browser, asked).words
    assert "read on 4 Mar 2026, 02:00 UTC, 6 h ago" in words
    assert "nightly_inventory_export has run again" in words
    assert "Ordered since then" not in words
    order(root, ["+12120000009"], at=NOW - timedelta(hours=1))
    assert "Ordered since then: retail / Athens (1 of 1 ours)." in seen(browser, asked).words


def test_a_number_tells_what_runs_did_since_the_inventory_was_read(root: DataRoot, browser: TestClient) -> None:
    export(root, [row(1, note="old", groupId="retail")])
    done(root, "note", "+12120000001", {"note": HOSTILE}, before="old")
    page = seen(browser, f"{ENVIRONMENT}/numbers/%2B12120000001")
    assert "What our runs did in the last 14 days" in page.words
    assert "note old \u2192 to <script>alert(1)</script>" in page.words
    assert "read back apply_number_changes manual__1 apply maria" in page.words
    links = [attributes["href"] for tag, attributes in page.elements if "data-airflow-link" in attributes]
    assert "/dags/apply_number_changes/runs/manual__1" in links
    assert "What our runs did" not in seen(browser, f"{ENVIRONMENT}/numbers").words


def test_a_number_that_only_a_run_knows_of_has_a_page(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(1))
    done(root, "add", "+12129999999", {"group_id": "retail"})
    assert "group id - \u2192 to retail" in seen(browser, f"{ENVIRONMENT}/numbers/+12129999999").words


def test_a_number_that_is_gone_still_has_its_history(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(3), YESTERDAY)
    export(root, numbers(2))
    assert "not in the inventory" in seen(browser, f"{ENVIRONMENT}/numbers/+12120000002").words
    assert "in none of the inventories" in seen(browser, f"{ENVIRONMENT}/numbers/+12129999999", 404).words
    assert "is not a number in E.164" in seen(browser, f"{ENVIRONMENT}/numbers/hello", 404).words


def test_orders_show_what_was_spent_and_what_is_unknown(root: DataRoot, browser: TestClient) -> None:
    order(root, ["+12120000001"], price=Decimal("1250.5"))
    order(root, ["+12120000003"], unknown=["+12120000002"], set_name="Miami", generation=2)
    page = seen(browser, f"{ENVIRONMENT}/orders")
    for told in ("Spent in Mar 2026 1,255.50", "retail / Athens", "1 unknown"):
        assert told in page.words
    page = seen(browser, f"{ENVIRONMENT}/orders/{ENVIRONMENT}/retail/Miami/2")
    for told in ("At risk 5", "Clear the task that buys", "by nikos"):
        assert told in page.words


def test_regions_that_spent_little_are_added_up_so_that_the_months_add_up(root: DataRoot, browser: TestClient) -> None:
    for place in range(REGIONS + 3):
        order(root, [f"+1212000000{place}"], set_name=f"Desk {place}", price=Decimal(100 - place))
    page = seen(browser, f"{ENVIRONMENT}/orders")
    others = sum(100 - place for place in range(REGIONS, REGIONS + 3))
    total = sum(100 - place for place in range(REGIONS + 3))
    assert OTHERS in page.words
    assert f" {others} {total}" in page.words


def test_an_order_that_is_not_there_is_named(root: DataRoot, browser: TestClient) -> None:
    words = seen(browser, f"{ENVIRONMENT}/orders/{ENVIRONMENT}/retail/Nowhere/1", 404).words
    assert "There is no order 'ocp_default/retail/Nowhere/1' in ocp_default." in words


def test_an_order_that_is_withdrawn_while_the_page_is_made_is_not_shown_beside_its_number(
    root: DataRoot, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(root, numbers(2))
    order(root, ["+12120000001"])
    assert "nikos" in seen(browser, f"{ENVIRONMENT}/numbers/+12120000001").words
    monkeypatch.setattr(Purchases, "order", lambda self, environment, order_id: None)
    words = seen(browser, f"{ENVIRONMENT}/numbers/+12120000001").words
    assert "+12120000001" in words
    assert "nikos" not in words


def test_an_order_that_cannot_be_read_says_so_and_hides_nothing(root: DataRoot, browser: TestClient) -> None:
    order(root, ["+12120000001"])
    root.write(f"orders/{ENVIRONMENT}%2Fretail%2FBroken%2F1.json", b"{")
    assert "An order cannot be read" in seen(browser, f"{ENVIRONMENT}/").words
    words = seen(browser, f"{ENVIRONMENT}/orders").words
    assert "is not a whole order document" in words
    assert "retail / Athens" in words
    assert "is not a whole order" in seen(browser, f"{ENVIRONMENT}/orders/{ENVIRONMENT}/retail/Broken/1", 503).words


def test_the_cleanup_shows_the_queue_and_the_runs(root: DataRoot, browser: TestClient) -> None:
    cleanup(root, grace_days=10)
    export(root, [row(1, note="desk [unused since 2026-03-01]"), row(2, note="[unused since 2026-02-01]")])
    words = seen(browser, f"{ENVIRONMENT}/cleanup").words
    for told in ("Due now 1", "Waiting 1 for 10 days", "11 Mar 2026 in 7 days", "eleni", "1 numbers given up"):
        assert told in words


def test_regions_show_how_each_stands(root: DataRoot, browser: TestClient) -> None:
    drift(root, athens=State.DRIFTED, miami=State.AS_DECLARED)
    order(root, ["+12120000001"])
    words = seen(browser, f"{ENVIRONMENT}/regions").words
    assert "2 regions, compared 4 Mar 2026, 08:00 UTC" in words
    assert "athens drifted" in words


def test_the_balance_names_what_does_not_add_up(root: DataRoot, browser: TestClient) -> None:
    export(root, numbers(3), YESTERDAY)
    export(root, [*numbers(2), row(9)])
    words = seen(browser, f"{ENVIRONMENT}/balance").words
    assert "Not balanced" in words
    assert "+12120000009 orphan" in words
    answer = browser.get(f"{ENVIRONMENT}/balance/findings.csv")
    assert "orphan,'+12120000009," in answer.content.decode("utf-8-sig")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_page_without_anything_to_show_says_what_to_do(root: DataRoot, browser: TestClient, section: str) -> None:
    page = seen(browser, f"ocp_new/{section}")
    links = [attributes["href"] or "" for tag, attributes in page.elements if "data-airflow-link" in attributes]
    assert any(re.fullmatch(r"/dags/[a-z_]+", link) for link in links)


def test_the_first_page_is_the_first_environments(root: DataRoot, browser: TestClient) -> None:
    assert browser.get("", follow_redirects=False).headers["location"] == "/ocp-numbers/ocp_default/"
    export(root, numbers(1), environment="a first one")
    assert "location" in browser.get("", follow_redirects=False).headers


def test_environments_are_switched_without_leaving_the_page(root: DataRoot, browser: TestClient) -> None:
    for name in ("eu 1", "us1"):
        export(root, numbers(1), environment=name)
    links = [attributes["href"] for tag, attributes in seen(browser, "us1/orders").elements if tag == "a"]
    assert "/ocp-numbers/eu%201/orders" in links
    assert "there is eu 1, us1" in seen(browser, "nowhere/", 404).words


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (f"{ENVIRONMENT}/numbers?sort=1;DROP", "sort:"),
        (f"{ENVIRONMENT}/numbers?page=0", "page:"),
        (f"{ENVIRONMENT}/numbers?attached=maybe", "attached:"),
        (f"{ENVIRONMENT}/numbers?q={'x' * 301}", "q:"),
        (f"{ENVIRONMENT}/snapshots/yesterday/report.html", "day:"),
    ],
)
def test_what_cannot_be_asked_is_named(root: DataRoot, browser: TestClient, path: str, told: str) -> None:
    export(root, numbers(1))
    assert told in seen(browser, path, 422).words


def test_a_damaged_snapshot_says_so_on_each_page_that_needs_it_and_hides_no_other(
    root: DataRoot, browser: TestClient
) -> None:
    export(root, numbers(1))
    order(root, ["+12120000001"])
    root.write(f"inventory/environment={ENVIRONMENT}/date={TODAY}/manifest.json", b"{")
    assert "export that date again" in seen(browser, f"{ENVIRONMENT}/numbers", 503).words
    assert "The newest snapshot cannot be read" in seen(browser, f"{ENVIRONMENT}/orders").words


def test_a_damaged_file_is_not_shown(root: DataRoot, browser: TestClient) -> None:
    snapshot = export(root, numbers(1))
    root.write(f"{snapshot.folder}/numbers.parquet", b"damaged")
    assert "not the file that its manifest names" in seen(browser, f"{ENVIRONMENT}/", 503).words


def test_a_data_root_that_cannot_be_read_says_what_to_check(
    root: DataRoot, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(root: DataRoot, prefix: str = "") -> list[str]:
        raise PermissionError(f"may not read {prefix}")

    monkeypatch.setattr(DataRoot, "keys", refuse)
    words = seen(browser, f"{ENVIRONMENT}/", 503).words
    assert "PermissionError: may not read inventory" in words
    assert "OCP_NUMBERS_DATA" in words


PAGES = (
    "",
    "numbers",
    "numbers?q=%3Cscript&group=%3Cscript%3E",
    "numbers/%2B12120000001",
    "orders",
    "cleanup",
    "regions",
    "balance",
)


@pytest.fixture
def hostile(root: DataRoot) -> DataRoot:
    """A data root in which every text that others write is an attack."""
    evil = dict.fromkeys(
        ("groupId", "miniAppId", "miniAppName", "miniAppType", "locale", "applicationTag", "country"), HOSTILE
    )
    evil |= {"phoneNumbersSetId": HOSTILE, "phoneNumbersSetName": HOSTILE}
    export(root, [row(1), row(2, note=f"{HOSTILE} [unused since 2026-01-01]")], YESTERDAY)
    export(root, [row(1, note=HOSTILE * 150, **evil), row(2, note="x" * 10_000), row(3, note="=1+1", **evil)])
    order(root, ["+12120000001"], group=HOSTILE, set_name=HOSTILE, approved_by=HOSTILE, price=Decimal(1))
    drift(root, **{HOSTILE: State.DRIFTED})
    return root


@pytest.mark.parametrize("page", PAGES)
def test_hostile_texts_are_shown_as_text(hostile: DataRoot, browser: TestClient, page: str) -> None:
    found = seen(browser, f"{ENVIRONMENT}/{page}")
    scripts = [attributes for tag, attributes in found.elements if tag == "script"]
    assert all((attributes.get("src") or "").startswith("/ocp-numbers/-/") for attributes in scripts)
    assert not [tag for tag, _ in found.elements if tag in ("img", "iframe", "object", "style")]
    for _, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "action", "src"):
            assert (attributes.get(name) or "/").startswith(("/", "#"))
    assert "\u202e" not in found.text


@pytest.mark.parametrize("page", ["", "numbers", "orders", "numbers/%2B12120000001", "regions"])
def test_what_is_shown_of_a_hostile_text_is_the_text(hostile: DataRoot, browser: TestClient, page: str) -> None:
    assert "<script>alert(1)</script>" in seen(browser, f"{ENVIRONMENT}/{page}").text


def test_links_made_of_hostile_names_lead_to_what_they_name(hostile: DataRoot, browser: TestClient) -> None:
    overview = seen(browser, f"{ENVIRONMENT}/")
    links = [attributes["href"] or "" for tag, attributes in overview.elements if tag == "a"]
    (by_group,) = [link for link in links if link.startswith(f"/ocp-numbers/{ENVIRONMENT}/numbers?group=%3C")]
    assert "2 numbers of 3" in seen(browser, by_group).words
    orders = seen(browser, f"{ENVIRONMENT}/orders")
    (order_page,) = {
        attributes["href"]
        for tag, attributes in orders.elements
        if tag == "a" and "%253Cscript" in (attributes["href"] or "")
    }
    assert "by <script>alert(1)" in seen(browser, order_page or "").words


@pytest.mark.parametrize("page", [*PAGES, "nothing/here"])
def test_every_answer_forbids_what_no_page_needs(root: DataRoot, browser: TestClient, page: str) -> None:
    answer = browser.get(f"ocp_new/{page}")
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe-inline" not in POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_pages_are_only_read(root: DataRoot, browser: TestClient, method: str) -> None:
    assert browser.request(method, f"{ENVIRONMENT}/numbers").status_code == 405


@pytest.mark.parametrize("page", ["", "orders", "cleanup"])
def test_each_chart_has_a_table_that_says_the_same(root: DataRoot, browser: TestClient, page: str) -> None:
    """The charts are drawn from these tables, so a screen reader misses nothing."""
    export(root, [row(1, note="[unused since 2026-03-01]")])
    order(root, ["+12120000001"])
    found = seen(browser, f"{ENVIRONMENT}/{page}")
    kinds = [tag for tag, attributes in found.elements if tag == "figure" or "data-value" in attributes]
    assert kinds.count("figure") >= 1
    assert kinds.count("td") >= 1
    (label,) = {attributes.get("role") for _, attributes in found.elements if attributes.get("class") == "plot"}
    assert label == "img"
