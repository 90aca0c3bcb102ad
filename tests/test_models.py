"""Answers are read leniently, inputs strictly, and every offender is named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ocp_numbers.errors import InvalidInput
from ocp_numbers.models import (
    AvailableNumber,
    Page,
    PhoneNumber,
    Purchase,
    check_country_code,
    check_locale,
    check_numbers,
    check_prefix,
    check_text,
)


@pytest.mark.parametrize("spelling", ["phoneNumbersSetId", "phoneNumberSetId", "set_id"])
def test_both_spellings_of_the_set_id_are_read(spelling: str) -> None:
    assert PhoneNumber.model_validate({"number": "+12125550123", spelling: "s1"}).set_id == "s1"


def test_unknown_fields_are_kept_out_and_missing_ones_are_none() -> None:
    number = PhoneNumber.model_validate({"number": "+12125550123", "note": None, "brandNew": 1})
    assert number.note is None
    assert number.mini_app_id is None
    assert not hasattr(number, "brandNew")


@pytest.mark.parametrize(("sent", "read"), [(0, "0"), (5, "5"), (1.1, "1.1"), ("2.50", "2.50"), (None, None)])
def test_prices_are_exact(sent: object, read: str | None) -> None:
    price = AvailableNumber.model_validate({"number": "+12125550123", "price": sent}).price
    assert price == (None if read is None else Decimal(read))


def test_a_negative_price_is_not_a_price() -> None:
    with pytest.raises(ValueError, match="price"):
        AvailableNumber.model_validate({"number": "+12125550123", "price": -1})


def test_a_page_knows_its_totals() -> None:
    answer = {"numbers": [{"number": "+1"}], "page": 1, "pageSize": 50, "numberOfPages": 3, "allNumbers": 101}
    page = Page[PhoneNumber].model_validate(answer)
    assert (page.items[0].number, page.page_size, page.number_of_pages, page.all_numbers) == ("+1", 50, 3, 101)


def test_a_purchase_without_lists_bought_nothing() -> None:
    assert Purchase.model_validate({}) == Purchase(failed=(), purchased=())


def test_good_numbers_pass_as_they_are() -> None:
    assert check_numbers(["+12125550123", "+302101234567"]) == ("+12125550123", "+302101234567")


@pytest.mark.parametrize(
    "bad",
    [
        "12125550123",
        "+0125550123",
        "+1 212 555 0123",
        "+12",
        "+1234567890123456",
        "",
        "+1212555O123",
        "+1\uff12125550123",
    ],
)
def test_each_number_out_of_format_is_named(bad: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_numbers(["+12125550123", bad, "x"], field="numbers")
    assert any(repr(bad) in problem for problem in caught.value.problems)
    assert any("'x'" in problem for problem in caught.value.problems)
    assert all(problem.startswith("numbers:") for problem in caught.value.problems)


def test_duplicates_are_counted_once_each() -> None:
    with pytest.raises(InvalidInput, match=r"\+12125550123 is listed 3 times"):
        check_numbers(["+12125550123"] * 3)


def test_an_empty_list_and_a_bare_string_are_refused() -> None:
    with pytest.raises(InvalidInput, match="the list is empty"):
        check_numbers([])
    with pytest.raises(InvalidInput, match="give a list"):
        check_numbers("+12125550123")


@pytest.mark.parametrize("bad", ["en", "en_US", "EN-us", "english-US", "en-USA", "en-US\n", ""])
def test_a_locale_is_language_and_region(bad: str) -> None:
    with pytest.raises(InvalidInput, match="language-REGION"):
        check_locale(bad)
    assert check_locale("en-US") == "en-US"


@pytest.mark.parametrize("bad", ["+12a", "++1", "1-212", " 1", "1\n"])
def test_a_prefix_is_plus_and_digits(bad: str) -> None:
    with pytest.raises(InvalidInput, match="prefix"):
        check_prefix(bad)
    assert [check_prefix(good) for good in ("", "+", "+1212", "1212")] == ["", "+", "+1212", "1212"]


@pytest.mark.parametrize("bad", ["us", "USA", "", "U1"])
def test_a_country_code_is_two_capitals(bad: str) -> None:
    with pytest.raises(InvalidInput, match="country_code"):
        check_country_code(bad)
    assert check_country_code("US") == "US"


@pytest.mark.parametrize("bad", ["", "  ", "\t"])
def test_a_required_text_has_something_in_it(bad: str) -> None:
    with pytest.raises(InvalidInput, match="group"):
        check_text(bad, field="group")
    assert check_text("retail-us", field="group") == "retail-us"


def test_numbers_may_come_one_by_one() -> None:
    numbers = ["+12125550123", "+12125550124"]
    assert check_numbers(number for number in numbers) == tuple(numbers)
