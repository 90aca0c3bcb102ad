from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from ocp_sandbox import Sandbox, User
from sandbox.caller import Caller

Serve = Callable[..., Sandbox]
WISH = {"provider": "telnova", "code": "US", "group": "retail-us"}


def test_offers_have_the_documented_shape_and_a_stable_order(ops: Caller) -> None:
    offers = ops.ok("POST", "/api/numbers", WISH)
    assert offers == ops.ok("POST", "/api/numbers", WISH)
    assert all(set(offer) == {"number", "country", "locality", "region", "price"} for offer in offers)
    assert [offer["number"] for offer in offers] == sorted(offer["number"] for offer in offers)
    assert {offer["country"] for offer in offers} == {"US"}


@pytest.mark.parametrize("prefix", ["+1212", "1212"])
def test_prefix_counts_with_and_without_its_plus(ops: Caller, prefix: str) -> None:
    offers = ops.ok("POST", "/api/numbers", {**WISH, "prefix": prefix})
    assert len(offers) >= 50
    assert all(offer["number"].startswith("+1212") for offer in offers)
    assert all(isinstance(offer["price"], int) for offer in offers)


def test_other_prefixes_providers_and_countries_have_other_offers(ops: Caller) -> None:
    assert ops.ok("POST", "/api/numbers", {**WISH, "prefix": "+9"}) == []
    assert ops.ok("POST", "/api/numbers", {**WISH, "code": "ZZ"}) == []
    greek = ops.ok("POST", "/api/numbers", {**WISH, "provider": "bridgetel", "code": "GR", "prefix": "+"})
    assert greek
    assert all(offer["number"].startswith("+30") for offer in greek)
    assert any(isinstance(offer["price"], float) for offer in greek)


def test_one_answer_holds_a_limited_number_of_offers(serve: Serve) -> None:
    assert len(Caller(serve(offers_cap=7).url).ok("POST", "/api/numbers", WISH)) == 7


def test_an_offer_without_a_price_costs_its_price_all_the_same(serve: Serve) -> None:
    box = serve(unpriced=1.0)
    ops = Caller(box.url)
    offer = ops.ok("POST", "/api/numbers", WISH)[0]
    price = next(row["price"] for row in box.stock("telnova", "US") if row["number"] == offer["number"])
    ops.buy([offer["number"]])
    assert offer["price"] is None
    assert Decimal(box.ledger()["totals"]["spent"]) == price > 0


def test_bought_numbers_are_ours_charged_and_off_the_market(box: Sandbox, ops: Caller) -> None:
    offers = ops.ok("POST", "/api/numbers", {**WISH, "prefix": "+1212"})[:3]
    numbers = [offer["number"] for offer in offers]
    answer = ops.buy(numbers, note="order 7")
    assert answer["failedNumbers"] == []
    assert [bought["number"] for bought in answer["purchasedNumbers"]] == numbers
    assert all(re.fullmatch("PN[0-9a-f]{32}", bought["id"]) for bought in answer["purchasedNumbers"])
    rows = ops.listed()
    assert list(rows) == numbers
    assert {(row["groupId"], row["note"], row["miniAppId"], row["country"]) for row in rows.values()} == {
        ("retail-us", "order 7", None, "US")
    }
    assert not set(numbers) & {offer["number"] for offer in ops.ok("POST", "/api/numbers", WISH)}
    ledger = box.ledger()
    assert [(entry["kind"], entry["number"], entry["login"], entry["note"]) for entry in ledger["entries"]] == [
        ("bought", number, "ops", "order 7") for number in numbers
    ]
    assert ledger["totals"] == {
        "bought": 3,
        "released": 0,
        "spent": str(sum(Decimal(str(offer["price"])) for offer in offers)),
    }


def test_numbers_not_for_sale_fail_and_cost_nothing(box: Sandbox, ops: Caller) -> None:
    mine, gone, other = ops.offered(3)
    ops.buy([mine])
    box.edit.remove_offer(gone)
    foreign = ops.offered(1, "bridgetel")[0]
    box.edit.add_number("+12125550100", "ocp-qa")
    answer = ops.buy([mine, gone, foreign, "+12125550100", "+19995550100", other])
    assert answer["failedNumbers"] == [mine, gone, foreign, "+12125550100", "+19995550100"]
    assert [bought["number"] for bought in answer["purchasedNumbers"]] == [other]
    assert box.ledger()["totals"]["bought"] == 2


def test_unknown_provider_and_group_are_named(ops: Caller) -> None:
    assert "acme" in ops.no(404, "POST", "/api/numbers", {**WISH, "provider": "acme"})
    purchase = {"provider": "telnova", "numbers": ["+12125550100"], "group": "retail-us"}
    assert "acme" in ops.no(404, "PUT", "/api/numbers", {**purchase, "provider": "acme"})
    assert "nowhere" in ops.no(404, "PUT", "/api/numbers", {**purchase, "group": "nowhere"})


def test_licences_run_out_before_anything_is_bought(serve: Serve) -> None:
    box = serve(licences=3)
    ops = Caller(box.url)
    numbers = ops.offered(4)
    assert "no available licences" in ops.no(
        403, "PUT", "/api/numbers", {"provider": "telnova", "numbers": numbers, "group": "retail-us"}
    )
    assert box.ledger()["entries"] == []
    ops.buy(numbers[:3])
    created = ops.ok("POST", "/api/numbers-set", {"name": "old", "groupId": "retail-us"})
    ops.ok("POST", f"/api/numbers-set/{created['id']}/numbers", {"numbers": numbers[:1]})
    ops.ok("DELETE", f"/api/numbers-set/{created['id']}/delete")
    assert ops.buy(numbers[3:])["failedNumbers"] == []


def test_a_purchase_comes_into_sight_later_and_is_owned_at_once(serve: Serve) -> None:
    box = serve(visibility_delay=30)
    ops = Caller(box.url)
    (number,) = ops.offered(1)
    target = ops.ok("POST", "/api/numbers-set", {"name": "new", "groupId": "retail-us"})["id"]
    assert ops.listed(orderBy="number") == {}
    ops.buy([number])
    assert box.ledger()["totals"]["bought"] == 1
    assert [row["number"] for row in box.numbers()] == [number]
    assert ops.buy([number])["failedNumbers"] == [number]
    assert number in ops.no(404, "POST", f"/api/numbers-set/{target}/numbers", {"numbers": [number]})
    for query in ({}, {"orderBy": "number"}, {"searchTerm": "%1212%"}):
        assert ops.listed(**query) == {}
    assert number not in ops.ok("POST", "/api/numbers/csv", {})
    box.clock.advance(31)
    for query in ({}, {"orderBy": "number"}, {"searchTerm": "%1212%"}):
        assert list(ops.listed(**query)) == [number]
    ops.ok("POST", f"/api/numbers-set/{target}/numbers", {"numbers": [number]})


def test_sixteen_buyers_of_the_same_numbers_own_each_once(serve: Serve) -> None:
    box = serve(users=[User(f"buyer{place}", "secret") for place in range(16)])
    numbers = Caller(box.url, "buyer0").offered(40)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda place: Caller(box.url, f"buyer{place}").buy(numbers), range(16)))
    bought = [entry["number"] for answer in answers for entry in answer["purchasedNumbers"]]
    assert sorted(bought) == numbers
    assert sum(len(answer["failedNumbers"]) for answer in answers) == 15 * 40
    ledger = box.ledger()
    assert sorted(entry["number"] for entry in ledger["entries"]) == numbers
    assert Decimal(ledger["totals"]["spent"]) == sum(Decimal(entry["price"]) for entry in ledger["entries"])
